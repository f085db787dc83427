"""The document of a revision: every fault is found with its field; without faults it is read."""

from __future__ import annotations

import copy
from datetime import time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncall_bot.core.config import DEFAULT_SEVERITIES, Cap, Role, Target, Urgency
from oncall_bot.core.documents import (
    cap_of,
    config_of,
    definition_of,
    duration_of,
    faults_of,
    field_of,
    format_duration,
    normalised,
    sha256_of,
    target_of,
)
from oncall_bot.core.hours import Hours


def small() -> dict[str, Any]:
    """A small document in which every section stands."""
    return {
        "version": 1,
        "defaults": {"zone": "Europe/Berlin", "channel": "#alerts", "last_resort": ["ana"]},
        "people": {
            "ana": {"name": "Ana Ruiz", "email": "ana@example.com", "contacts": {"push": "ana"}},
            "bo": {"name": "Bo Lindt", "email": "bo@example.com", "role": "manager"},
        },
        "personal_rules": {"high": [{"after": "0s", "by": "slack"}, {"after": "1m", "by": "push"}]},
        "channels": {"push": {"url": "ntfys://ntfy.example.com/{to}", "per_person": "3/15m"}},
        "teams": {"shop": {"members": ["ana", "bo"], "fallback": ["person:ana"]}},
        "services": {"checkout": {"team": "shop", "policy": "main", "label_values": ["pay"]}},
        "schedules": {
            "primary": {
                "team": "shop",
                "layers": [
                    {
                        "name": "week",
                        "start": "2026-01-05T09:00",
                        "rotation": {"unit": "week", "every": 1},
                        "users": ["ana", None, "bo"],
                        "restrictions": [{"days": [1, 2], "from": "09:00", "to": "17:00"}],
                        "changes": [{"at": "2026-03-02T09:00Z", "users": ["bo"], "first": "bo"}],
                    }
                ],
                "holidays": [{"date": "2026-12-25", "action": "user", "user": "bo"}],
            }
        },
        "policies": {
            "main": {
                "ack_timeout": "30m",
                "repeat": {"times": 2, "every": "10m"},
                "steps": [
                    {"after": "0s", "page": ["schedule:primary"]},
                    {
                        "after": "5m",
                        "page": ["team:shop", "channel:#shop"],
                        "when": {"urgency": "high"},
                    },
                ],
            }
        },
        "severities": {
            "Page": {"incident": "SEV1", "urgency": "high", "postmortem": "draft"},
            "ticket": {"incident": "SEV4", "urgency": "low"},
            "default": "Page",
        },
        "routes": [
            {"name": "alive", "match": ['alertname="Watchdog"'], "heartbeat": {"every": "5m"}}
            | {"policy": "main"},
            {"name": "shop", "match": ['team="shop"'], "continue": True, "wait": "30s"},
            {"name": "rest", "policy": "main", "group_by": ["alertname"]},
        ],
        "maintenance": [
            {"name": "night", "match": ['service="x"'], "days": [7], "from": "22:00", "to": "24:00"}
        ],
        "sources": {"eu": {"token_sha256": "a" * 64, "alertmanager": ["http://am:9093"]}},
        "runbooks": {"dir": "runbooks", "attach_above": 0.5},
        "retention": {"alerts": "30d", "incidents": "forever"},
        "llm": {"sends": ["severity:SEV1", "team:shop"], "daily_cap": "5 USD"},
    }


def with_change(path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    """The small document with one field set; `...` takes it out."""
    document = small()
    place: Any = document
    for part in path[:-1]:
        place = place[part]
    if value is ...:
        del place[path[-1]]
    elif isinstance(place, list) and path[-1] == len(place):
        place.append(value)
    else:
        place[path[-1]] = value
    return document


def told(document: dict[str, Any]) -> dict[str, str]:
    return {field_of(fault.path): fault.message for fault in faults_of(document)}


def test_a_sound_document_has_no_fault() -> None:
    assert faults_of(small()) == []


def test_a_document_of_two_lines_is_enough() -> None:
    """A route and a person to fall back on are a configuration."""
    document = {
        "version": 1,
        "people": {"ana": {"role": "admin"}},
        "routes": [{"name": "all"}],
    }
    assert faults_of(document) == []
    config = config_of(document)
    assert config.severities == DEFAULT_SEVERITIES
    assert config.people["ana"].name == "ana"
    assert config.personal_rules[Urgency.HIGH][1].by == "push"


LAYER = ("schedules", "primary", "layers", 0)
HOLIDAY = ("schedules", "primary", "holidays", 0)
WEEK = "schedules.primary.layers[0]"
STEP = ("policies", "main", "steps", 1)
STEPS = ("policies", "main", "steps")

BROKEN: list[tuple[tuple[str | int, ...], Any, str, str]] = [
    # what is changed, to what, the field that is told, a part of the sentence
    (("version",), ..., "version", "is missing; give version: 1"),
    (("version",), 2, "version", "2 is unknown; write 1"),
    (("version",), True, "version", "not a whole number"),
    (("polices",), {}, "polices", "did you mean policies?"),
    (("people", "ana", "mail"), "x", "people.ana.mail", "did you mean email?"),
    (("people", "ana", "email"), "ana", "people.ana.email", "not an e-mail address"),
    (("people", "bo", "email"), "ANA@example.com", "people.bo.email", "that of ana already"),
    (("people", "ana", "slack"), "ana", "people.ana.slack", "write U0123ABCD"),
    (("people", "ana", "role"), "root", "people.ana.role", "viewer, responder, manager or admin"),
    (("people", "ana", "zone"), "Europe/Berln", "people.ana.zone", "did you mean Europe/Berlin?"),
    (("people", "ana", "zone"), "../../etc/passwd", "people.ana.zone", "is no time zone"),
    (("people", "ana", "contacts"), {"mail": "x"}, "people.ana.contacts.mail", "`email`"),
    (("people", "ana", "contacts"), {"fax": "1"}, "people.ana.contacts.fax", "no channel"),
    (("people", "a b"), {}, 'people["a b"]', "is no name"),
    (("people", "ana"), "Ana", "people.ana", "where keys belong"),
    (("people", "ana", "name"), "", "people.ana.name", "is empty"),
    (("people", "ana", "name"), "a\u202eb", "people.ana.name", "cannot be shown"),
    (("people",), [], "people", "where names with their entries belong"),
    (("defaults", "channel"), "alerts", "defaults.channel", "not a Slack channel"),
    (("defaults", "last_resort"), ["eve"], "defaults.last_resort[0]", 'no person "eve"'),
    (("defaults", "fallback"), ["ana"], "defaults.fallback[0]", "did you mean person:ana?"),
    (("personal_rules", "none"), [], "personal_rules.none", "write high or low"),
    (("personal_rules", "high", 1, "by"), "puhs", "personal_rules.high[1].by", "mean push?"),
    (("personal_rules", "high", 0, "after"), "2m", "personal_rules.high[1].after", "comes before"),
    (("channels", "slack"), {"url": "a://b"}, "channels.slack", "Slack is always there"),
    (("channels", "push", "url"), "ntfy", "channels.push.url", "not an apprise address"),
    (("channels", "push", "url"), "a://u:secret@h", "channels.push.url", "holds a password"),
    (("channels", "push", "url"), ..., "channels.push", "has no address"),
    (("channels", "push", "url_file"), "f", "channels.push.url_file", "keep one"),
    (("channels", "push", "per_person"), "3 in 15m", "channels.push.per_person", "3/15m"),
    (("channels", "push", "per_person"), "0/15m", "channels.push.per_person", "3/15m"),
    (("teams", "shop", "members", 0), "anna", "teams.shop.members[0]", "did you mean ana?"),
    (("teams", "shop", "members"), "ana", "teams.shop.members", "where a list belongs"),
    (("services", "checkout", "team"), "shp", "services.checkout.team", "did you mean shop?"),
    (("services", "checkout", "policy"), "x", "services.checkout.policy", "known: main"),
    (("services", "checkout", "tier"), 12, "services.checkout.tier", "write 0 to 9"),
    (("services", "pay"), {"team": "shop"}, "services.checkout.label_values[0]", "pay already"),
    (("schedules", "primary", "team"), "nope", "schedules.primary.team", "no team"),
    (("schedules", "primary", "overrides"), [], "schedules.primary.overrides", "people own those"),
    (("schedules", "primary", "layers"), [], "schedules.primary.layers", "give at least one"),
    ((*LAYER, "start"), "monday", f"{WEEK}.start", "wall time like"),
    ((*LAYER, "end"), "2026-01-01T00:00Z", f"{WEEK}.end", "not later"),
    ((*LAYER, "users"), ["eve"], f"{WEEK}.users[0]", 'no person "eve"'),
    ((*LAYER, "users"), ..., f"{WEEK}.users", "is missing"),
    ((*LAYER, "rotation"), {"unit": "wek"}, f"{WEEK}.rotation.unit", "week"),
    ((*LAYER, "restrictions", 0, "from"), "9", f"{WEEK}.restrictions[0].from", "time of day"),
    ((*LAYER, "restrictions", 0, "days"), [0], f"{WEEK}.restrictions[0].days[0]", "1 to 7"),
    ((*LAYER, "changes", 0, "first"), "ana", f"{WEEK}.changes[0].first", "not one of"),
    ((*HOLIDAY, "date"), "2026-02-30", "schedules.primary.holidays[0].date", "2026-02-30"),
    (("schedules", "primary", "zone"), "Mars/Base", "schedules.primary.zone", "is no time zone"),
    ((*STEP, "after"), "5x", "policies.main.steps[1].after", '"5x" is not a duration; write 30s'),
    ((*STEP, "after"), "forever", "policies.main.steps[1].after", "only in retention"),
    ((*STEP, "after"), 5, "policies.main.steps[1].after", "5 is not text"),
    ((*STEP, "after"), "9999999y", "policies.main.steps[1].after", "not a duration"),
    ((*STEP, "page"), [], "policies.main.steps[1].page", "give at least one"),
    ((*STEP, "page"), ["shedule:primary"], "policies.main.steps[1].page[0]", "mean schedule:"),
    ((*STEP, "page"), ["primary"], "policies.main.steps[1].page[0]", "mean schedule:"),
    ((*STEP, "page"), ["channel:shop"], "policies.main.steps[1].page[0]", "not a Slack channel"),
    ((*STEP, "page"), [{"person": "ana"}], "policies.main.steps[1].page[0]", '"person:ana"'),
    ((*STEP, "page"), ["person:eve"], "policies.main.steps[1].page[0]", 'no person "eve"'),
    ((*STEP, "when"), {"urgency": "none"}, "policies.main.steps[1].when.urgency", "high or low"),
    ((*STEP, "when"), {}, "policies.main.steps[1].when", "give urgency, days, or from and to"),
    ((*STEP, "when"), {"from": "08:00"}, "policies.main.steps[1].when.to", "missing beside from"),
    ((*STEP, "when"), {"to": "08:00"}, "policies.main.steps[1].when.from", "missing beside to"),
    (
        (*STEP, "when"),
        {"from": "08:00", "to": "08:00"},
        "policies.main.steps[1].when.to",
        "the step would never apply",
    ),
    ((*STEP, "when"), {"zone": "UTC"}, "policies.main.steps[1].when.zone", "stands alone"),
    ((*STEP, "when"), {"days": [0]}, "policies.main.steps[1].when.days[0]", "1 to 7"),
    (
        (*STEP, "when"),
        {"days": [1], "zone": "Europe/Berln"},
        "policies.main.steps[1].when.zone",
        "mean Europe/Berlin",
    ),
    (
        (*STEP, "when"),
        {"from": "8 am", "to": "20:00"},
        "policies.main.steps[1].when.from",
        "not a time of day",
    ),
    ((*STEPS, 0, "after"), "6m", "policies.main.steps[1].after", "comes before the step above"),
    (STEPS, [], "policies.main.steps", "give at least one"),
    (("policies", "main", "repeat", "times"), "many", "policies.main.repeat.times", "whole number"),
    (("policies", "main", "repeat", "every"), "0s", "policies.main.repeat.every", "too short"),
    (("policies", "main", "ack_timeout"), "0s", "policies.main.ack_timeout", "too short"),
    (("severities", "default"), "crit", "severities.default", "none of the severities"),
    (("severities", "default"), ..., "severities.default", "no severity critical"),
    (("severities", "page"), {"incident": "SEV1", "urgency": "low"}, "severities.page", "again"),
    (("severities", "Page", "incident"), "P1", "severities.Page.incident", "SEV1"),
    (("severities", "Page", "urgency"), "huge", "severities.Page.urgency", "none, low or high"),
    (("routes",), [], "routes", "give at least one"),
    (("routes", 2, "match"), ['a="b"'], "routes[2].match", "must have no match"),
    (("routes", 2, "continue"), True, "routes[2].continue", "nothing follows"),
    (("routes", 2, "heartbeat"), {"every": "5m"}, "routes[2].heartbeat", "no heartbeat"),
    (("routes", 1, "name"), "rest", "routes[2].name", "the name of routes[1] already"),
    (("routes", 0, "match"), ..., "routes[0]", "a heartbeat needs match"),
    (("routes", 1, "match"), ['team~="x"'], "routes[1].match[0]", 'alertname="HostDown"'),
    (("routes", 1, "match"), ["a=~`(`"], "routes[1].match[0]", "RE2"),
    (("routes", 1, "match"), ["a=1,b=2,c=3"] * 30, "routes[1].match", "64 is the most"),
    (("routes", 1, "match"), ['service="other"'], "routes[1]", "yields no policy"),
    (("routes", 1, "service_from"), ["{}"], "routes[1].service_from[0]", "not a label name"),
    (("routes", 1, "policy"), "mian", "routes[1].policy", "did you mean main?"),
    (("routes", 1, "wait"), "soon", "routes[1].wait", "not a duration"),
    (("routes", 3), {"name": "late", "policy": "main"}, "routes[2]", "are never asked"),
    (("routes", 0, "heartbeat"), {}, "routes[0].heartbeat.every", "is missing"),
    (("maintenance", 0, "to"), "22:00", "maintenance[0].to", "has no length"),
    (("maintenance", 0, "from"), "24:00", "maintenance[0].from", "not a time of day"),
    (("maintenance", 0, "match"), [], "maintenance[0].match", "everything would be held back"),
    (("maintenance", 0, "days"), [8], "maintenance[0].days[0]", "1 to 7"),
    (("maintenance", 0, "until"), "2026-13-01", "maintenance[0].until", "not a date"),
    (("sources", "eu", "token_sha256"), ..., "sources.eu.token_file", "nobody could post"),
    (("sources", "us"), {"token_sha256": "a" * 64}, "sources.us.token_sha256", "the token of eu"),
    (("sources", "eu", "alertmanager"), ["am:9093"], "sources.eu.alertmanager[0]", "an address"),
    (("sources", "eu", "kind"), "grafana", "sources.eu.kind", "alertmanager or prometheus"),
    (("runbooks", "attach_above"), 62.0, "runbooks.attach_above", "a number from 0 to 1"),
    (("retention", "alerts"), "0d", "retention.alerts", "1d is the least"),
    (("retention", "alert"), "9d", "retention.alert", "did you mean alerts?"),
    (("llm", "sends"), ["SEV1"], "llm.sends[0]", "write severity:SEV1"),
    (("llm", "sends"), ["team:shpo"], "llm.sends[0]", "did you mean shop?"),
    (("llm", "daily_cap"), "5", "llm.daily_cap", "write 5 USD"),
]  # fmt: skip


def test_one_wrong_field_is_told_at_its_place() -> None:
    """The sentence says what was read and what would do, and nothing else is blamed for it."""
    otherwise = {}
    for path, value, field, part in BROKEN:
        found = told(with_change(path, value))
        if list(found) != [field] or part not in found[field]:
            otherwise[f"{field}: {part}"] = found
    assert not otherwise


def test_all_faults_are_told_at_once_in_the_order_of_the_sections() -> None:
    document = with_change(("people", "ana", "email"), "nowhere")
    document["policies"]["main"]["steps"][1]["after"] = "5x"
    document["routes"][2]["policy"] = "gone"
    document["schedules"]["primary"]["layers"][0]["start"] = "soon"
    assert list(told(document)) == [
        "people.ana.email",
        "schedules.primary.layers[0].start",
        "policies.main.steps[1].after",
        "routes[2].policy",
    ]


def test_a_broken_person_is_still_known_by_name() -> None:
    """One fault is one line: whoever refers to the broken entry is not blamed too."""
    assert list(told(with_change(("people", "bo"), 7))) == ["people.bo"]


def test_a_route_may_rely_on_the_policy_of_a_service_its_match_lets_through() -> None:
    """`pay` is a label value of checkout, which has a policy; `other` is nobody's."""
    assert faults_of(with_change(("routes", 1, "match"), ['service=~"pay|other"'])) == []
    assert faults_of(with_change(("routes", 1, "match"), ['service!="pay"'])) == []
    found = told(with_change(("routes", 1, "match"), ['service=~"other.*"']))
    assert list(found) == ["routes[1]"]


def test_without_any_policy_in_services_only_an_own_policy_will_do() -> None:
    document = with_change(("services", "checkout", "policy"), ...)
    assert list(told(document)) == ["routes[1]"]


def test_a_last_route_without_policy_needs_somebody_to_fall_back_on() -> None:
    document = with_change(("routes", 2, "policy"), ...)
    assert faults_of(document) == []
    del document["defaults"]["last_resort"]
    assert "nobody would be paged" in told(document)["routes[2]"]
    document["people"]["bo"]["role"] = "admin"
    assert faults_of(document) == []


def test_a_thousand_faults_are_cut_to_a_readable_number() -> None:
    document = small() | {f"x{n}": 1 for n in range(1000)}
    assert len(faults_of(document)) == 200


def test_a_password_in_an_address_is_not_repeated() -> None:
    assert "secret" not in str(told(with_change(("channels", "push", "url"), "a://u:secret@h")))


def test_outside_text_in_a_sentence_is_cut_and_on_one_line() -> None:
    message = told(with_change((*STEP, "after"), "x\n" * 500))["policies.main.steps[1].after"]
    assert "\n" not in message
    assert len(message) < 150


def test_the_config_holds_every_field_of_the_document() -> None:
    config = config_of(small())
    assert config.people["bo"].role is Role.MANAGER
    assert config.people["ana"].contacts == {"push": "ana"}
    assert config.channels["push"].per_person == Cap(3, timedelta(minutes=15))
    assert config.teams["shop"].fallback == (Target("person", "ana"),)
    policy = config.policies["main"]
    assert (policy.times, policy.every) == (2, timedelta(minutes=10))
    assert policy.ack_timeout == timedelta(minutes=30)
    assert policy.steps[1].urgency is Urgency.HIGH
    assert [str(t) for t in policy.steps[1].page] == ["team:shop", "channel:#shop"]
    assert config.severity_of({"severity": "TICKET"}).urgency is Urgency.LOW
    assert config.severity_of({"severity": "nonsense"}).incident == "SEV1"
    alive, shop, rest = config.routes
    assert alive.heartbeat is not None
    assert alive.heartbeat.every == timedelta(minutes=5)
    assert shop.continues
    assert shop.wait == timedelta(seconds=30)
    assert rest.group_by == ("alertname",)
    window = config.maintenance[0]
    assert (window.start, window.end, window.zone) == (time(22), time(0), "Europe/Berlin")
    assert config.sources["eu"].token_sha256 == "a" * 64
    assert config.retention["alerts"] == timedelta(days=30)
    assert config.retention["incidents"] is None
    assert config.retention["audit"] == timedelta(days=3 * 365)
    assert config.runbooks.attach_above == 0.5
    assert config.llm.daily_cap == "5 USD"


@pytest.mark.parametrize(
    ("when", "hours"),
    [
        ({"urgency": "high"}, None),
        ({"days": [6, 7]}, Hours("Europe/Berlin", (6, 7))),
        (
            {"from": "20:00", "to": "08:00", "zone": "UTC"},
            Hours("UTC", start=time(20), end=time(8)),
        ),
        ({"from": "18:00", "to": "24:00"}, Hours("Europe/Berlin", start=time(18))),
    ],
)
def test_a_step_is_restricted_to_days_and_hours_in_its_own_zone_or_that_of_defaults(
    when: dict[str, Any], hours: Hours | None
) -> None:
    document = with_change((*STEP, "when"), when)
    assert faults_of(document) == []
    assert config_of(document).policies["main"].steps[1].hours == hours


def test_a_schedule_takes_the_zone_of_defaults_when_it_names_none() -> None:
    assert definition_of(small(), "primary")["zone"] == "Europe/Berlin"
    assert "team" not in definition_of(small(), "primary")
    assert str(config_of(small()).schedules["primary"].definition.zone) == "Europe/Berlin"


def test_equal_contents_have_one_number_however_they_are_written() -> None:
    """60m is 1h, and the order of keys is nothing; another step is another content."""
    first, second = small(), small()
    first["policies"]["main"]["ack_timeout"] = "60m"
    second["policies"]["main"]["ack_timeout"] = "1h"
    second["people"] = dict(reversed(second["people"].items()))
    assert sha256_of(normalised(first)) == sha256_of(normalised(second))
    second["policies"]["main"]["ack_timeout"] = "61m"
    assert sha256_of(normalised(first)) != sha256_of(normalised(second))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("5m", 300), ("1h30m", 5400), ("90d", 7_776_000), ("2w", 1_209_600), ("0m", 0)],
)
def test_durations_are_read_as_written(text: str, seconds: int) -> None:
    assert duration_of(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "5", "5x", "-5m", "5 m", "m", "1m1h", "٥m", "101y", "9" * 30 + "s"]
)
def test_what_is_no_duration_is_none(text: str) -> None:
    assert duration_of(text) is None


@given(st.integers(0, 50 * 365 * 86400))
def test_a_duration_reads_back_as_it_was_written(seconds: int) -> None:
    duration = timedelta(seconds=seconds)
    assert duration_of(format_duration(duration)) == duration


def test_caps_and_targets_are_read_or_none() -> None:
    assert cap_of("3/1h") == Cap(3, timedelta(hours=1))
    assert cap_of("3") is None
    assert target_of("channel:#a") == Target("channel", "#a")
    assert target_of("person:") is None
    assert target_of("dog:rex") is None


ODD = st.sampled_from(
    [None, "", "x", "5m", "person:ana", "24:00", "forever", 'a="b"', "{", 0, 7, -1, 2.5, True]
    + [[], {}, ["x"], [None], {"x": 1}, [[1]], "SEV1", "high", "default", "2026-01-05T09:00", "UTC"]
)  # fmt: skip


def _places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner: Any = ()
    if isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, list):
        inner = enumerate(value)
    return [p for key, item in inner for p in ((*path, key), *_places(item, (*path, key)))]


@given(st.data())
def test_a_document_without_faults_can_always_be_read(data: st.DataObject) -> None:
    """Whatever is put wherever: either a fault is told, or config_of does not raise."""
    document = small()
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(_places(document)))
        place: Any = document
        for part in path[:-1]:
            place = place[part]
        if data.draw(st.booleans()) and isinstance(place, dict):
            del place[path[-1]]
        else:
            place[path[-1]] = copy.deepcopy(data.draw(ODD))
    before = copy.deepcopy(document)
    if not faults_of(document):
        config_of(document)
        config_of(normalised(document))
    assert document == before
