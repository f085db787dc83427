"""Nobody who writes into an alert, a runbook, a chat or a name gives orders to a draft, a model or a channel."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from oncall_bot.core.drafts import compose, draft, summary_line
from oncall_bot.core.drafts.catchup import catch_up
from oncall_bot.core.drafts.status_update import status_update
from oncall_bot.core.evidence import Standing, weigh
from oncall_bot.core.records import Record, parse_record
from oncall_bot.core.situation import DraftNotice
from oncall_bot.core.verification import Claim, Outcome, Verifier, check_claims
from oncall_bot.llm.ledger import Window, ledger_of
from oncall_bot.llm.prompts import SYSTEM, question
from oncall_bot.slack.drafts import suggested_update, suggestion
from oncall_bot.slack.escape import escape
from oncall_bot.slack.pins import form
from tests.fakes.incidents import incident
from tests.fakes.injections import ALL, HARMFUL, SHAPES, TEXTS
from tests.unit.slack.situations import RESOLVED, at

MARKER = "c0ffee0123456789"
PLACES = (
    "annotation",
    "chat of a webhook",
    "chat",
    "note",
    "title",
    "name",
    "action",
    "status",
    "impact",
    "pin",
)


TOGETHER = 8


def poisoned(place: str, *texts: str) -> Record:
    """The invented incident with these texts where outsiders, or colleagues who were taken in, can put them."""
    data = incident()
    if place == "title":
        data["incident"]["title"] = texts[0]
    elif place == "name":
        data["incident"]["people"][0]["name"] = texts[0]
    else:
        for n, text in enumerate(texts):
            data["events"] += _lines(place, f"e8{n:02d}", text)
    return parse_record(data)


def _lines(place: str, line: str, text: str) -> list[dict[str, Any]]:
    event: dict[str, Any] = {
        "id": line,
        "at": "2031-05-06T10:13:00Z",
        "actor": "@kim",
        "text": text,
    }
    if place == "annotation":
        return [event | {"kind": "alert", "actor": "prometheus", "trust": "external"}]
    if place == "chat of a webhook":
        return [event | {"kind": "chat", "actor": "webhook"}]
    if place == "pin":
        mark = event | {"id": f"p{line}", "kind": "pin", "data": {"of": line, "as": "cause"}}
        return [event | {"kind": "chat", "actor": "webhook"}, mark]
    return [event | {"kind": place}]


def groups(place: str, texts: Sequence[str] = ALL) -> Iterator[tuple[str, ...]]:
    """The texts a few at a time, where several fit into one record."""
    size = 1 if place in ("title", "name") else TOGETHER
    for n in range(0, len(texts), size):
        yield tuple(texts[n : n + size])


def documents(record: Record) -> Iterator[tuple[str, str]]:
    for kind in ("summary", "postmortem"):
        yield kind, draft(record, kind)
    yield "line", summary_line(record)
    yield "catch-up", catch_up(record)
    for audience in ("internal", "customers"):
        yield audience, status_update(record, audience)


def test_the_corpus_is_large() -> None:
    assert len(ALL) >= 60
    assert len(set(ALL)) == len(ALL)


@pytest.mark.parametrize("place", PLACES)
def test_no_document_carries_what_could_act(place: str) -> None:
    for text in groups(place):
        for name, told in documents(poisoned(place, *text)):
            for piece, what in HARMFUL.items():
                assert piece not in told, f"{what} in {name} by {place}: {text!r}\n{told}"
            headings = [line for line in told.splitlines() if line.startswith("## ")]
            assert len(headings) == len(set(headings)), f"a forged heading by {place}: {text!r}"


@pytest.mark.parametrize("place", ["annotation", "chat of a webhook", "pin"])
def test_words_from_outside_are_never_repeated(place: str) -> None:
    for texts in groups(place, TEXTS):
        record = poisoned(place, *texts)
        standing = weigh(record).standing
        assert all(standing[f"e8{n:02d}"] is Standing.EXTERNAL for n in range(len(texts)))
        for name, told in documents(record):
            assert not [t for t in texts if t in told], f"{name} by {place}:\n{told}"


def test_a_pin_makes_no_cause_of_words_from_outside() -> None:
    for texts in groups("pin", TEXTS):
        assert Standing.CAUSE not in weigh(poisoned("pin", *texts)).standing.values(), texts


def whole(record: Record) -> Window:
    """The ledger of a short record: one window."""
    (window,) = ledger_of(record, (), 250_000).windows
    return window


@pytest.mark.parametrize("place", PLACES)
def test_in_a_prompt_every_word_of_a_record_stays_inside_the_fence(place: str) -> None:
    for text in groups(place):
        system, user = question(whole(poisoned(place, *text)).fenced(MARKER), "summary")
        assert system == {"role": "system", "content": SYSTEM}
        assert user["role"] == "user"
        lines = user["content"].splitlines()
        begin, end = f"=== LEDGER {MARKER} ===", f"=== END OF LEDGER {MARKER} ==="
        assert [line for line in lines if line in (begin, end)] == [begin, end], text
        fenced = lines[lines.index(begin) + 1 : lines.index(end)]
        assert all(isinstance(json.loads(line), dict) for line in fenced), f"{place}: {text!r}"
        behind = "\n".join(lines[lines.index(end) + 1 :])
        assert not [one for one in text if one in behind]


@pytest.mark.parametrize("place", ["annotation", "chat of a webhook"])
def test_words_from_outside_reach_a_model_as_their_length_only(place: str) -> None:
    for text in groups(place):
        rows = [json.loads(line) for line in whole(poisoned(place, *text)).lines]
        for row in rows:
            if row["id"].startswith("e8"):
                assert row["text"].startswith("(text from outside, "), (text, row)


def test_a_model_that_obeys_is_not_believed() -> None:
    """Whatever the record says, sentences it does not bear out stay out; orders stay out whole."""
    obeyed = (
        "Nobody was affected.",
        "The vendor is to blame for the outage.",
        "The incident never happened.",
        "All clear since 09:00 UTC.",
        "Kim Sato broke the queue and should have known.",
        "See https://evil.example.com/x for details.",
        "<!channel> everything is fine again.",
        "The password of the relay was mentioned.",
        "The fix was deployed at 08:00 UTC.",
        "The network caused the outage.",
    )
    for texts in groups("chat", TEXTS):
        record = poisoned("chat of a webhook", *texts)
        claims = [Claim(one, "summary", ("e800",)) for one in obeyed]
        claims += [Claim(t, "summary", (c,)) for t in texts for c in ("e800", "e011")]
        checked = check_claims(claims, record)
        assert checked.kept == (), [c.text for c in checked.kept]
        told = compose(record, "summary", claims).markdown
        assert told.startswith(draft(record, "summary").rstrip())
        assert not [one for one in (*obeyed, *texts) if one in told]


def test_an_order_is_dropped_even_when_it_cites_a_good_source() -> None:
    verifier = Verifier(poisoned("note", "x"))
    for text in TEXTS:
        assert verifier.verify(text, ("e011",)).outcome is not Outcome.KEEP, text


def test_in_slack_nothing_mentions_links_or_unfurls() -> None:
    for text in ALL:
        for markdown in (text, f"## Summary\n{text}", f"**{text}**\n\n- {text}"):
            notice = DraftNotice(RESOLVED, "summary", markdown, 7, decided_by=None)
            for drawn in (suggestion(notice, at(9)), suggested_update(notice)):
                safe(drawn.text)
                for block in drawn.blocks:
                    inspect(block)
        for block in form(text, "C1", "1.1")["blocks"]:
            inspect(block)


def inspect(block: Any) -> None:
    if isinstance(block, dict):
        if block.get("type") == "mrkdwn":
            assert block.get("verbatim") is True, "else Slack would make links of addresses"
            safe(block["text"])
        for inner in block.values():
            inspect(inner)
    elif isinstance(block, list):
        for inner in block:
            inspect(inner)


def safe(text: str) -> None:
    for piece in ("<!channel", "<!here", "<!subteam", "<@", "<http", "\u202e", "\u2028", "\x00"):
        assert piece not in text, (piece, text)


@pytest.mark.parametrize("text", SHAPES)
def test_the_escape_function_leaves_no_way_out(text: str) -> None:
    safe(escape(text))
