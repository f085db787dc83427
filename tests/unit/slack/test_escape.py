"""Outside text cannot mention, link, ring, hide or pose as us, and no message grows beyond Slack's limits by it."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncall_bot.slack import escape as e
from oncall_bot.slack.blocks import flattened, mrkdwn
from oncall_bot.slack.markdown import mrkdwn_of, paragraphs

NASTY = st.text(
    st.one_of(
        st.sampled_from(list("<>&:`*_~|@!#^\n\r\t\u202e\u2066\u200b\u2060\x00\x1b\u2028")),
        st.sampled_from(["<!channel>", "<@U0ANA00001>", ":fire:", "&lt;", "&amp;", "http://x"]).map(
            lambda s: s[0]
        ),
        st.characters(),
    ),
    max_size=200,
)
PIECES = st.lists(
    st.sampled_from(
        [
            "<!channel>",
            "<!here|x>",
            "<@U0ANA00001>",
            ":fire:",
            "&lt;!here&gt;",
            "*bold*",
            "`x`",
            " ",
            "\n",
            "…",
            "a",
            "\u202e",
        ]
    ),
    max_size=40,
).map("".join)
ANY = st.one_of(NASTY, PIECES)
NOW = datetime(2026, 11, 22, 3, 10, tzinfo=UTC)


def no_markup(text: str) -> None:
    """Nothing Slack would act on: no `<`, no `>`, and `&` only as one of its three entities."""
    assert "<" not in text
    assert ">" not in text
    assert not re.search(r"&(?!(amp|lt|gt);)", text)


@given(ANY, st.integers(1, 80))
def test_escaped_text_has_no_markup_left_and_shows_what_was_said(text: str, limit: int) -> None:
    shown = e.escape(text, limit)
    no_markup(shown)
    assert not re.search(r":[\w+'-]+:", shown), "a shortcode would be drawn as an emoji"
    assert not set("*`~\n\r\x00\u202e\u2066") & set(shown)
    assert len(html.unescape(shown).replace(e.WORD_JOINER, "")) <= limit


@given(ANY)
def test_code_cannot_be_left_by_its_content(text: str) -> None:
    shown = e.code(text)
    assert shown[0] == shown[-1] == "`"
    assert "`" not in shown[1:-1]
    assert "\n" not in shown
    no_markup(shown)


@given(ANY)
def test_every_line_of_a_quote_stands_behind_its_mark(text: str) -> None:
    for line in e.quote(text).split("\n"):
        assert line.startswith(">")
        no_markup(line[1:])


@given(ANY, ANY, ANY)
def test_the_push_line_is_10_to_120_characters_whatever_is_in_it(
    before: str, outside: str, after: str
) -> None:
    line = e.push(e.escape(before, 30), outside, e.escape(after, 30))
    assert 10 <= len(line) <= 120


@given(ANY)
def test_outside_text_never_breaks_the_push_line(outside: str) -> None:
    line = e.push("Incident 42 SEV2 firing: ", outside, ". Paging Ana.")
    no_markup(line)
    assert line.startswith("Incident 42 SEV2 firing: ")
    assert line.endswith(". Paging Ana.")


@given(ANY, st.integers(1, 150))
def test_plain_text_is_never_empty_and_never_too_long(text: str, limit: int) -> None:
    assert 1 <= len(e.plain(text, limit)) <= limit


@given(ANY, ANY)
def test_a_link_label_cannot_leave_its_link(url: str, label: str) -> None:
    shown = e.link("https://x.example.com/" + url, label)
    if shown.startswith("<"):
        assert shown.count("<") == shown.count(">") == 1
        assert shown.count("|") == 1
        assert not re.search(r"\s", shown.partition("|")[0])
    else:
        no_markup(shown)


@pytest.mark.parametrize(
    "url", [None, "", "javascript:alert(1)", "slack://x", "https://x/" + "a" * 2000]
)
def test_what_is_no_http_address_is_no_link(url: str | None) -> None:
    assert e.link(url, "Runbook") == "Runbook"


def test_text_is_escaped_once_and_in_slacks_order() -> None:
    assert e.escape("a < b && c > d &lt;") == "a &lt; b &amp;&amp; c &gt; d &amp;lt;"


def test_a_shortcode_in_somebodys_title_stays_text_while_code_stays_copyable() -> None:
    assert e.escape("see :fire: now") == "see :\u2060fire: now"
    assert e.code("a:fire:b") == "`a:fire:b`"


def test_scripts_and_emoji_of_people_survive() -> None:
    for text in ("नमस्ते", "می\u200cروم", "👩\u200d🚒", "Größe", "日本語"):
        assert e.escape(text) == text


def test_a_cut_says_so() -> None:
    assert e.escape("a" * 400, 10) == "aaaaaaaaa…"


def test_near_instants_show_the_time_and_far_ones_the_day_too() -> None:
    at = datetime(2026, 11, 22, 3, 7, tzinfo=UTC)
    assert e.when(at, NOW) == "<!date^1795316820^{time}|03:07 UTC>"
    assert (
        e.when(at - timedelta(days=3), NOW)
        == "<!date^1795057620^{date_short_pretty} {time}|Thu 19 Nov 03:07 UTC>"
    )


@pytest.mark.parametrize("slack_id", ["U0ANA00001", "W123456789"])
def test_a_known_person_is_mentioned(slack_id: str) -> None:
    assert e.mention(slack_id, "Ana") == f"<@{slack_id}>"


@pytest.mark.parametrize("slack_id", [None, "", "C123", "U1>x", "!channel", "U１２３"])
def test_what_is_no_user_id_becomes_the_name(slack_id: str | None) -> None:
    assert e.mention(slack_id, "A<na>") == "A&lt;na&gt;"


@given(st.lists(ANY, max_size=30).map("\n".join), st.integers(50, 600))
def test_markdown_stays_within_its_room_and_mentions_nobody(text: str, limit: int) -> None:
    shown = mrkdwn_of(text, limit=limit)
    assert len(shown) <= limit + 8
    assert shown.count("```") % 2 == 0
    for line in shown.split("\n"):
        no_markup(line.removeprefix(">"))


def test_markdown_of_a_runbook_reads_as_slack_writes() -> None:
    text = (
        "# Title\n\n1. **Look** at `db<1>`\n- see [board](https://x.example.com/a?b=1&c=2)\n"
        "```sh\nkill -9 <pid> && echo\n```"
    )
    assert mrkdwn_of(text, links=True) == (
        "*Title*\n\n1. *Look* at `db&lt;1&gt;`\n•  see <https://x.example.com/a?b=1&amp;c=2|board>\n"
        "```\nkill -9 &lt;pid&gt; &amp;&amp; echo\n```"
    )


def test_a_models_links_stay_text() -> None:
    assert (
        mrkdwn_of("[press here](https://evil.example.com)")
        == "press here (https://evil.example.com)"
    )


def test_a_long_draft_is_split_between_paragraphs_and_never_inside_a_fence() -> None:
    text = "\n\n".join(["word " * 100, "```\n" + "x\n\ny\n" * 50 + "```"] * 6)
    parts = paragraphs(text, size=1000, most=4)
    assert parts[-1] == "…"
    assert all(len(part) <= 1010 and part.count("```") % 2 == 0 for part in parts)


@given(st.integers(1, 3000))
def test_a_text_that_is_too_long_is_cut_between_lines(limit: int) -> None:
    text = "\n".join(f"<!date^1^{{time}}|x> &lt;{n}&gt;" for n in range(200))
    shown = mrkdwn(text, limit)["text"]
    assert len(shown) <= limit
    assert shown.count("<!date") == shown.count("|x>") or "<" not in shown


def test_words_survive_when_blocks_are_refused() -> None:
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": "A"}},
        {"type": "divider"},
        {"type": "section", "fields": [mrkdwn("*B*\n1")]},
    ]
    assert flattened(blocks) == "A\n*B*\n1"
