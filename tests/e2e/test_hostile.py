"""Hostile and broken input at the running bot: each piece is followed by an ordinary critical alert, which must page as
fast as ever. A payload that stops the paging has won, whatever else was refused.

The shared cases (`data/hostile`) that are about surfaces tested elsewhere are named in ELSEWHERE with the place.
"""

from __future__ import annotations

import base64
import itertools
import json
import time
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any

import pytest

from tests.databases import Sqlite
from tests.e2e import world as worlds
from tests.e2e.world import CONFIG, TOKEN, Reply, World, body, ended
from tests.shared import shared

PAGES_WITHIN = 15.0
"""Seconds from the post to the telephone; it is far less on a machine that has nothing else to do."""

ELSEWHERE = {
    "hs05": "signatures: test_hostile_own, with others",
    "hs06": "what a model may do: the tests of drafts",
}
_numbers = itertools.count(1)
TEAMS, PEOPLE = 200, 25
"""Each alert is another team's: twenty groups of one team in a minute would be a storm, which pages once; and Slack
takes one message a second for each channel. Each pages another person, whom nothing else rings at that moment."""

_TEAM = '  t{n}: {{members: [u{p}], channel: "#t{n}", fallback: [person:carol]}}\n'
_SERVICE = "  s{n}: {{team: t{n}, policy: p{p}, label_values: [s{n}]}}\n"
_PERSON = "  u{n}: {{name: Person {n}, email: u{n}@example.com, contacts: {{push: u{n}-phone}}}}\n"
_POLICY = "  p{n}: {{steps: [{{after: 0m, page: [person:u{n}]}}]}}\n"


def _many(line: str, count: int) -> str:
    return "".join(line.format(n=n, p=n % PEOPLE) for n in range(count))


def config_of_many_teams() -> str:
    parts = {
        "channels:\n": _many(_PERSON, PEOPLE),
        "services:\n": _many(_TEAM, TEAMS),
        "schedules:\n": _many(_SERVICE, TEAMS),
        "routes:\n": _many(_POLICY, PEOPLE),
    }
    config = CONFIG.replace("wait: 0s, policy: shop-primary}", "wait: 0s}")
    for section, lines in parts.items():  # they close the section before
        config = config.replace(f"\n{section}", f"\n{lines}{section}")
    return config


def seed() -> dict[str, Any]:
    people = ["alice", "bob", "carol", "dave", *(f"u{n}" for n in range(PEOPLE))]
    channels = [["incidents", ["alice", "bob", "carol"], False]]
    return {
        "users": [[name, name.title(), "", "UTC", 0] for name in people],
        "channels": [*channels, *([f"t{n}", [f"u{n % PEOPLE}"], False] for n in range(TEAMS))],
        "usergroups": [],
    }


def alert(name: str, **given: Any) -> dict[str, Any]:
    """A critical alert of the next team."""
    return worlds.alert(name, **{"service": f"s{next(_numbers) % TEAMS}", **given})


@pytest.fixture(scope="module")
def bot(
    tmp_path_factory: pytest.TempPathFactory, slackcheck: ModuleType, sqlite_server: Sqlite
) -> Iterator[World]:
    """One bot takes it all, one after the other: what one case leaves behind must not hurt the next."""
    folder = tmp_path_factory.mktemp("hostile")
    url = sqlite_server.fresh()
    config = config_of_many_teams()
    with worlds.world(folder, url, slackcheck=slackcheck, config=config, seed=seed()) as made:
        yield made


@pytest.fixture(autouse=True)
def _still_pages(bot: World) -> Iterator[None]:
    yield
    still_pages(bot)


def still_pages(bot: World) -> None:
    """An ordinary critical alert pages within its normal time, and shows in Slack; then it is over."""
    name = f"OrdinaryAlert{next(_numbers):04d}"
    fires = alert(name)
    assert bot.post(body(fires)).status == 200
    (ring,) = bot.until(lambda: rings_for(bot, name), f"{name} rings", within=PAGES_WITHIN)
    assert ring["priority"] == 5
    assert bot.post(body(ended(fires))).status == 200


def rings_for(bot: World, name: str) -> list[dict[str, Any]]:
    return [one for one in bot.phone.rings() if name in one["message"]]


def stored(bot: World, name: str) -> list[dict[str, Any]]:
    """The alerts of that name, their labels and annotations read back."""
    rows = bot.rows(
        "SELECT a.fingerprint, a.labels, o.annotations, o.ended_at FROM alert a"
        " JOIN occurrence o ON o.alert_id = a.id WHERE a.name = :name ORDER BY a.id",
        name=name,
    )
    return [
        {**row, "labels": json.loads(row["labels"]), "annotations": json.loads(row["annotations"])}
        for row in rows
    ]


def wire(bot: World) -> str:
    """All that was sent to Slack to be shown as markup, as it went over the wire."""
    sent = [
        one["args"] for method in ("chat.postMessage", "chat.update") for one in bot.calls(method)
    ]
    return "\n".join(text for one in sent for text in [one["text"], *_markup(one.get("blocks"))])


def _markup(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if value.get("type") == "mrkdwn":
            yield value["text"]
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _markup(one)


def shown_in_slack(bot: World, contains: str) -> dict[str, Any]:
    """The first message about it that Slack took, a card or a page."""

    def look() -> list[dict[str, Any]]:
        return [
            one["response"]
            for one in bot.calls("chat.postMessage")
            if one["response"]["ok"] and contains in worlds.shown(one["args"])
        ]

    return bot.until(look, f"a message with {contains!r}")[0]


# --- the shared cases ---------------------------------------------------------------------------------------------


def cases() -> Mapping[str, Any]:
    listed = json.loads(shared("data/hostile/payloads.json").read_text())["payloads"]
    return {one["id"]: one for one in listed}


def filled(value: Any) -> Any:
    """The macros of the payloads, unfolded."""
    if isinstance(value, dict) and "$repeat" in value:
        text, count = value["$repeat"]
        return text * count + value.get("$append", "")
    if isinstance(value, dict):
        return {key: filled(one) for key, one in value.items()}
    return [filled(one) for one in value] if isinstance(value, list) else value


def sent(bot: World, case: str) -> tuple[Reply, str]:
    """Post the case's body under an alert name of its own; the answer and that name."""
    listed = cases()[case]["send"]
    text = json.dumps(filled(listed["body"]))
    name = f"Hostile{case}"
    text = text.replace("DiskFull", name)
    token = {"none": None, "valid": TOKEN}.get(listed["auth"], TOKEN[:-1] + "x")
    return bot.post(text, token=token), name


def test_hs01_a_channel_mention_in_a_label_is_shown_escaped(bot: World) -> None:
    reply, name = sent(bot, "hs01")
    assert reply.status == 200
    shown_in_slack(bot, name)
    assert "<!channel" not in wire(bot)
    shown = alert("ChannelInASummary", annotations={"summary": "<!channel> pay attention"})
    assert bot.post(body(shown)).status == 200
    bot.until(lambda: "&lt;!channel&gt; pay attention" in wire(bot), "what is shown is escaped")
    assert "<!channel" not in wire(bot)


def test_hs02_a_link_in_an_annotation_is_shown_as_typed(bot: World) -> None:
    reply, name = sent(bot, "hs02")
    assert reply.status == 200
    shown_in_slack(bot, name)
    assert "<https://evil.example" not in wire(bot)


@pytest.mark.parametrize("case", ["hs03", "hs04"])
def test_hs03_hs04_without_the_right_token_nothing_is_stored(bot: World, case: str) -> None:
    refused = 'oncall_alerts_rejected_total{reason="unauthorized"}'
    before = bot.metric(refused)
    reply, name = sent(bot, case)
    assert reply.status == 401
    assert reply.headers["content-type"] == "application/problem+json"
    assert not stored(bot, name)
    assert bot.metric(refused) == before + 1


def test_hs06_an_instruction_in_an_annotation_is_text(bot: World) -> None:
    reply, name = sent(bot, "hs06")
    assert reply.status == 200
    shown_in_slack(bot, name)
    (incident,) = bot.rows("SELECT status FROM incident WHERE first_alert = :name", name=name)
    assert incident["status"] == "open"


def test_hs07_a_password_in_an_annotation_is_in_no_log_line(bot: World) -> None:
    reply, name = sent(bot, "hs07")
    assert reply.status == 200
    shown_in_slack(bot, name)
    assert "hunter2" not in bot.serve.log_file.read_text()


def test_hs08_a_link_to_the_metadata_address_is_text(bot: World) -> None:
    reply, name = sent(bot, "hs08")
    assert reply.status == 200
    shown_in_slack(bot, name)
    assert "<http://169.254" not in wire(bot)


def test_hs09_a_label_of_200_kb_is_cut_and_pages(bot: World) -> None:
    reply, name = sent(bot, "hs09")
    assert reply.status == 200
    bot.until(lambda: rings_for(bot, name), "it pages", within=PAGES_WITHIN)
    (kept,) = stored(bot, name)
    assert any(
        value.endswith("… [cut]")
        for value in [*kept["labels"].values(), *kept["annotations"].values()]
    )


def test_every_shared_case_is_tested_here_or_said_where() -> None:
    here = {"hs01", "hs02", "hs03", "hs04", "hs06", "hs07", "hs08", "hs09", "hs10"}
    assert set(cases()) <= here | ELSEWHERE.keys()


def test_hs10_a_guest_who_presses_acknowledge_is_refused(bot: World) -> None:
    dave = bot.slack.server.ws.user("dave")
    dave["is_restricted"] = True
    channel = bot.slack.server.ws.channel("incidents")
    if dave["id"] not in channel["members"]:
        channel["members"].append(dave["id"])
    assert bot.post(body(alert("PressedByAGuest", service="checkout"))).status == 200
    (card, *_) = bot.until(lambda: bot.channel(contains="PressedByAGuest"), "the card")
    bot.human("dave").click("incidents", "incident.ack", ts=card["ts"])
    bot.human("dave").wait(channel="incidents", contains="guest")
    (incident,) = bot.rows("SELECT status FROM incident WHERE first_alert = 'PressedByAGuest'")
    assert incident["status"] == "open"
    assert bot.rows("SELECT id FROM audit WHERE refused")


# --- our own list -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"{", b'{"alerts": [', b"\x00\x01\x02", b"status=firing"]
)
def test_what_is_not_json_is_refused_with_400(bot: World, data: bytes) -> None:
    reply = bot.post(data)
    assert reply.status == 400
    assert reply.json["status"] == 400


@pytest.mark.parametrize(
    "data",
    [
        b"null",
        b"[]",
        b"42",
        b'"firing"',
        b"{}",
        b'{"alerts": null}',
        b'{"version": "4", "alerts": {"labels": {}}}',
        b"[" * 10_000 + b"]" * 10_000,
        b'{"alerts": ' + b'{"a":' * 10_000 + b"1" + b"}" * 10_000 + b"}",
    ],
    ids=[
        "null",
        "list",
        "number",
        "text",
        "empty",
        "no-alerts",
        "alerts-no-list",
        "deep-lists",
        "deep",
    ],
)
def test_json_of_another_shape_is_kept_raw_and_people_are_told(bot: World, data: bytes) -> None:
    assert bot.post(data).status == 200
    kept = bot.rows("SELECT body, incident_id FROM unreadable ORDER BY id DESC LIMIT 1")
    assert kept[0]["body"] == data
    assert kept[0]["incident_id"] is not None


def test_a_body_without_alerts_changes_nothing(bot: World) -> None:
    before = bot.rows("SELECT count(*) AS n FROM occurrence")
    assert bot.post(body()).status == 200
    assert bot.rows("SELECT count(*) AS n FROM occurrence") == before


@pytest.mark.parametrize("version", ["3", "5", 4, None])
def test_another_version_is_read_as_far_as_it_can_be(bot: World, version: Any) -> None:
    name = f"Version{version}"
    assert bot.post(body(alert(name), version=version)).status == 200
    bot.until(lambda: rings_for(bot, name), "it pages")


def _without(key: str) -> Callable[[dict[str, Any]], None]:
    def change(one: dict[str, Any]) -> None:
        del one[key]

    return change


def _with(**more: Any) -> Callable[[dict[str, Any]], None]:
    return lambda one: one.update(more)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("NoStart", _without("startsAt")),
        ("NoEnd", _without("endsAt")),
        ("NoStatus", _without("status")),
        ("NoAnnotations", _without("annotations")),
        ("StartIsNoTime", _with(startsAt="yesterday")),
        ("StartIsANumber", _with(startsAt=1763842222)),
        ("StatusIsOdd", _with(status=["firing"])),
        ("AnnotationsAreAList", _with(annotations=["a"])),
        ("YearOne", _with(startsAt="0001-01-01T00:00:00Z")),
        ("FarFuture", _with(startsAt="9999-12-31T23:59:59.999999999Z")),
        ("Unknown", _with(somethingNew={"a": [1, 2, 3]})),
    ],
)
def test_an_alert_that_is_not_whole_still_pages(
    bot: World, name: str, change: Callable[[dict[str, Any]], None]
) -> None:
    one = alert(name)
    whole = body(one)
    change(one)
    assert bot.post({**whole, "alerts": [one]}).status == 200
    bot.until(lambda: rings_for(bot, name), "it pages")


def test_a_bad_alert_hurts_no_other_of_its_body(bot: World) -> None:
    bad = {"status": "firing", "labels": {}, "startsAt": "2026-11-22T20:00:00Z"}
    mixed = [alert("GoodOne"), bad, {"labels": "none"}, 7, alert("GoodTwo")]
    assert bot.post({**body(), "alerts": mixed}).status == 200
    assert len(stored(bot, "GoodOne")) == len(stored(bot, "GoodTwo")) == 1
    bot.until(lambda: rings_for(bot, "GoodOne"), "it pages")


@pytest.mark.parametrize("severity", ["catastrophic", "CRITICAL", "", "   ", "‮page", None])
def test_an_unknown_severity_is_as_bad_as_critical(bot: World, severity: str | None) -> None:
    name = f"Severity{next(_numbers)}x"
    assert bot.post(body(alert(name, severity=severity))).status == 200
    bot.until(lambda: rings_for(bot, name), "it pages")


def test_numbers_as_labels_become_text(bot: World) -> None:
    assert (
        bot.post(body(alert("NumericLabels", shard=7, ratio=0.5, on=True, none=None))).status == 200
    )
    (kept,) = stored(bot, "NumericLabels")
    assert {key: kept["labels"][key] for key in ("shard", "ratio", "on")} == {
        "shard": "7",
        "ratio": "0.5",
        "on": "true",
    }
    bot.until(lambda: rings_for(bot, "NumericLabels"), "it pages")


def test_what_is_not_utf8_is_replaced(bot: World) -> None:
    data = json.dumps(body(alert("NotUtf8", place="WHERE", nul="a\x00b", lone="\ud800"))).encode()
    assert bot.post(data.replace(b"WHERE", b"caf\xe9")).status == 200
    (kept,) = stored(bot, "NotUtf8")
    assert kept["labels"]["place"] == "caf\ufffd"
    assert kept["labels"]["nul"] == "a\ufffdb"
    assert kept["labels"]["lone"] == "\ufffd"
    bot.until(lambda: rings_for(bot, "NotUtf8"), "it pages")


def test_a_value_of_4_mb_is_cut_with_a_mark(bot: World) -> None:
    long = {"description": "x" * 4_000_000}
    assert bot.post(body(alert("FourMegabytes", annotations=long))).status == 200
    (kept,) = stored(bot, "FourMegabytes")
    assert kept["annotations"]["description"].endswith("… [cut]")
    assert len(kept["annotations"]["description"]) == 4096
    bot.until(lambda: rings_for(bot, "FourMegabytes"), "it pages")


def test_thousands_of_labels_are_kept_to_the_first(bot: World) -> None:
    many = {f"label_{n:05d}": "v" for n in range(5_000)}
    assert bot.post(body(alert("ManyLabels", **many))).status == 200
    (kept,) = stored(bot, "ManyLabels")
    assert len(kept["labels"]) == 64
    assert kept["labels"]["severity"] == "critical"
    bot.until(lambda: rings_for(bot, "ManyLabels"), "it pages")


def test_ten_thousand_alerts_in_a_body_are_all_stored_and_page_once(bot: World) -> None:
    many = [alert("TenThousand", service="s1", instance=f"web-{n}:8080") for n in range(10_000)]
    began = time.monotonic()
    assert bot.post(body(*many)).status == 200
    assert time.monotonic() - began < 30
    (count,) = bot.rows("SELECT count(*) AS n FROM alert WHERE name = 'TenThousand'")
    assert count["n"] == 10_000
    bot.until(lambda: rings_for(bot, "TenThousand"), "it pages")
    assert len(rings_for(bot, "TenThousand")) == 1


@pytest.mark.parametrize(
    "text",
    [
        "<!channel> <!here> <!everyone>",
        "<@U0000> <#C0000|general> <!subteam^S1>",
        "<https://evil.example|https://grafana.example>",
        "*bold* _it_ ~no~ `code` ```block```",
        "&lt;!channel&gt; &amp;amp;",
        "‮gnorw si siht",
        "line\none\r\ntwo",
        "🔥" * 2000,
    ],
)
def test_no_text_of_an_alert_becomes_markup(bot: World, text: str) -> None:
    name = f"Markup{next(_numbers)}x"
    one = alert(name, annotations={"summary": text, "description": text}, pod=text)
    assert bot.post(body(one)).status == 200
    shown_in_slack(bot, name)
    bot.until(lambda: rings_for(bot, name), "it pages")
    for evil in (
        "<!channel",
        "<!here",
        "<!everyone",
        "<@U0000",
        "<#C0000",
        "<!subteam",
        "<https://evil",
    ):
        assert evil not in wire(bot)


def test_a_hostile_alert_name_is_a_title_and_nothing_else(bot: World) -> None:
    name = "<!channel>|<https://evil.example|x>\n*now*"
    assert bot.post(body(alert(name))).status == 200
    bot.until(
        lambda: bot.rows("SELECT id FROM incident WHERE first_alert = :name", name=name), "it opens"
    )
    shown_in_slack(bot, "evil")
    assert "<!channel" not in wire(bot)
    assert "<https://evil" not in wire(bot)


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer  "},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic " + "QQ=="},
        {"Authorization": "GenieKey " + TOKEN},
        {"Authorization": TOKEN},
        {"Authorization": "Bearer " + TOKEN * 2000},
    ],
)
def test_other_credentials_are_refused(bot: World, headers: dict[str, str]) -> None:
    reply = bot.post(body(alert("Refused")), token=None, headers=headers)
    assert reply.status in {401, 431, 400}
    assert not stored(bot, "Refused")


def test_the_source_may_also_come_with_a_basic_password(bot: World) -> None:
    given = base64.b64encode(f"anybody:{TOKEN}".encode()).decode()
    one = body(alert("BasicAuth"))
    assert bot.post(one, token=None, headers={"Authorization": f"Basic {given}"}).status == 200
    assert stored(bot, "BasicAuth")


def test_at_the_end_slack_has_nothing_to_complain_about(bot: World) -> None:
    assert not bot.rows("SELECT id, last_error FROM outbox WHERE state = 'dead'")
    bot.judged_clean()
    assert not [line for line in bot.serve.log_file.read_text().splitlines() if "Traceback" in line]
