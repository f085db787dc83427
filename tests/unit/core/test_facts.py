"""The facts of an incident follow their definitions, and a record that cannot be read says why."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from oncall_bot.core.errors import BadInput
from oncall_bot.core.facts import Facts, facts_of
from oncall_bot.core.records import MAX_EVENTS, parse_record
from tests.fakes.incidents import id_of, incident


def _facts(data: dict[str, Any] | None = None) -> Facts:
    return facts_of(parse_record(data or incident()))


def test_durations_run_from_the_start_that_somebody_set_to_the_last_mitigation() -> None:
    facts = _facts()
    assert facts.time_to_detect == timedelta(minutes=3, seconds=30)
    assert facts.time_to_ack == timedelta(minutes=6, seconds=10)
    assert facts.time_to_mitigate == timedelta(hours=1, seconds=30)
    assert facts.time_to_resolve == timedelta(hours=1, minutes=18, seconds=30)


def test_the_last_impact_start_wins() -> None:
    data = incident()
    data["events"].append(
        {
            "id": "e900",
            "at": "2031-05-06T11:10:00Z",
            "kind": "milestone",
            "actor": "@mo",
            "text": "Impact start corrected to 09:44",
            "data": {"name": "impact_start", "at": "2031-05-06T09:44:00Z"},
        }
    )
    assert _facts(data).time_to_detect == timedelta(minutes=1)


def test_without_a_start_the_first_alert_stands_in_and_says_so() -> None:
    data = incident()
    data["events"] = [e for e in data["events"] if e["kind"] != "milestone"]
    facts = _facts(data)
    assert not facts.start_was_set
    assert facts.started is not None
    assert facts.started.event_id == id_of("QueueDepthHigh critical")


def test_a_relapse_after_mitigation_counts_once() -> None:
    facts = _facts()
    assert [m.event_id for m in facts.reopened] == [id_of("grows again")]
    assert facts.mitigated is not None
    assert facts.mitigated.event_id == id_of("Queue empty")


def test_a_later_count_replaces_the_earlier_one() -> None:
    facts = _facts()
    assert {f.name: f.value for f in facts.impact} == {"mails_late": 1240, "mails_lost": 0}
    assert [f.value for f in facts.superseded] == [900]
    assert [e.id for e in facts.impact_events] == [id_of("1,240 mails")]


def test_who_was_paged_and_who_answered() -> None:
    people = {r.handle: (r.pages, r.acks, r.escalations) for r in _facts().responders}
    assert people == {"@kim": (1, 0, 0), "@lee": (1, 1, 1)}


def test_changes_of_the_two_hours_before_the_start_are_listed() -> None:
    data = incident()
    early = {
        "id": "e800",
        "at": "2031-05-06T07:41:29Z",
        "kind": "deploy",
        "actor": "x",
        "text": "y",
    }
    data["events"].append(early)
    assert [e.id for e in _facts(data).changes] == [id_of("mail-worker 3.2.0")]


def test_an_alert_that_ended_before_the_start_is_known_as_such() -> None:
    data = incident()
    data["alerts"].append(
        {
            "id": "a02",
            "name": "Other",
            "starts_at": "2031-05-06T08:00:00Z",
            "ends_at": "2031-05-06T08:30:00Z",
        }
    )
    assert [(a.alert.name, a.before_start) for a in _facts(data).alerts] == [
        ("Other", True),
        ("QueueDepthHigh", False),
    ]


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        ("AI: @kim add a guard, due 2031-05-20", ("add a guard", "@kim", date(2031, 5, 20))),
        ("AI: someone should test it, no owner yet", ("someone should test it", None, None)),
        (
            "action item: write docs (owner: @lee, by 2031-06-01)",
            ("write docs", "@lee", date(2031, 6, 1)),
        ),
        ("AI: @mo to rotate the key by 2031-05-07", ("rotate the key", "@mo", date(2031, 5, 7))),
        ("AI: @mo check it, due 2031-02-31", ("check it", "@mo", None)),
        ("follow-up: cells, unassigned, no date", ("cells", None, None)),
    ],
)
def test_an_action_item_is_read_with_its_owner_and_date(
    note: str, expected: tuple[str, str | None, date | None]
) -> None:
    data = incident()
    data["events"] = [
        {"id": "e001", "at": "2031-05-06T12:00:00Z", "kind": "note", "actor": "@mo", "text": note}
    ]
    (item,) = _facts(data).actions
    assert (item.text, item.owner, item.due) == expected


def test_an_action_item_told_again_replaces_itself() -> None:
    data = incident()
    again = "AI: @kim alert on lock wait above 30 s, due 2031-06-30"
    data["events"].append(
        {"id": "e900", "at": "2031-05-06T12:00:00Z", "kind": "note", "actor": "@mo", "text": again}
    )
    lock = [a for a in _facts(data).actions if "lock wait" in a.text]
    assert [(a.due, a.event_id) for a in lock] == [(date(2031, 6, 30), "e900")]


def test_long_silence_and_an_opened_runbook_are_seen() -> None:
    data = incident()
    data["events"][14]["text"] = "Followed mail-queue-stalled: restarted the pool"
    data["events"] = [e for e in data["events"] if e["id"] != id_of("Rolled mail-worker")]
    facts = _facts(data)
    assert facts.runbook_opened is not None
    assert max(g.lasted_for for g in facts.gaps) == timedelta(minutes=20)


def test_an_empty_record_has_no_facts_and_no_fault() -> None:
    facts = _facts({"id": "INC-1", "incident": {}, "events": []})
    assert facts.moments() == {}
    assert facts.time_to_resolve is None


@pytest.mark.parametrize(
    ("broken", "named"),
    [
        ([], "the record"),
        ({"schema": "incident-record/9"}, "schema"),
        ({"events": {}}, "events"),
        ({"events": [{"id": "e1", "kind": "chat"}]}, "events[0].at"),
        ({"events": [{"id": "e 1", "at": "2031-05-06T09:00:00Z"}]}, "events[0].id"),
        ({"events": [{"id": "e1", "at": "2031-05-06T09:00:00Z", "text": ["x"]}]}, "events[0].text"),
        ({"events": [{"id": "e1", "at": "2031-05-06T09:00:00Z"}] * 2}, "events[1].id"),
        ({"alerts": [{"starts_at": "yesterday"}]}, "alerts[0].starts_at"),
        ({"alerts": [{"starts_at": "2031-05-06T09:00:00Z", "value": "many"}]}, "alerts[0].value"),
        ({"incident": {"people": [7]}}, "incident.people[0]"),
        ({"events": [{}] * (MAX_EVENTS + 1)}, "events"),
    ],
)
def test_a_record_that_cannot_be_read_names_the_field(broken: object, named: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_record(broken)
    assert str(caught.value).startswith(named)


def test_truth_is_never_read() -> None:
    assert parse_record(incident() | {"truth": object()}) == parse_record(incident())
