"""A pin says what a person chose, until they take it back; drafts name a cause from nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from oncall_bot.core.drafts import postmortem, summary
from oncall_bot.core.evidence import Standing, weigh
from oncall_bot.core.pins import PinKind, pins_of
from oncall_bot.core.records import parse_record
from tests.fakes.incidents import incident

FINDING = "e011"  # "each worker holds a lock for 90 s per batch, ..."
GUESS = "e008"  # "is it the smtp relay?"


def pinned(*lines: dict[str, Any]) -> dict[str, Any]:
    """The invented incident with these pins at its end."""
    data = incident()
    for n, line in enumerate(lines):
        more = {"text": "what was pinned", "actor": "@kim"} | line
        data["events"].append(
            {"id": f"e9{n:02d}", "at": f"2031-05-06T10:5{n}:00Z", "kind": "pin", **more}
        )
    return data


def pin(of: str, as_: str, **more: Any) -> dict[str, Any]:
    by = more.pop("by", "@kim")
    return {"actor": by, "data": {"of": of, "as": as_, **more}}


def test_a_cause_is_told_with_the_one_who_confirmed_it_and_not_with_the_one_who_said_it() -> None:
    told = postmortem(parse_record(pinned(pin(FINDING, "cause", by="@mo"))))
    assert "Cause, confirmed by Mo Lind: each worker holds a lock for 90 s per batch" in told
    assert f"[{FINDING}, e900]" in told
    assert "nobody confirmed one" not in told


def test_a_cause_that_was_taken_back_is_no_cause() -> None:
    data = pinned(pin(FINDING, "cause"), pin(FINDING, "cause", withdraws="@kim", by="@mo"))
    told = postmortem(parse_record(data))
    assert "Cause, confirmed" not in told
    assert "nobody confirmed one" in told


def test_words_that_put_it_better_take_the_place_of_what_was_said() -> None:
    better = "Batches of 500 mails held the row lock of each worker for 90 s"
    line = pin(FINDING, "cause", own_words=True) | {"text": better}
    told = postmortem(parse_record(pinned(line)))
    assert "Cause, confirmed by Kim Sato: batches of 500 mails held the row lock" in told
    assert told.count("each worker holds a lock") <= 1  # in what it was said, at most


def test_a_hedge_is_left_out_of_a_cause_that_somebody_confirmed() -> None:
    data = pinned(pin("e999", "cause"))
    data["events"].append(
        {
            "id": "e999",
            "at": "2031-05-06T10:03:00Z",
            "kind": "chat",
            "actor": "@lee",
            "text": "looks like the row lock of the batch job",
        }
    )
    told = postmortem(parse_record(data))
    assert "Cause, confirmed by Kim Sato: the row lock of the batch job [e999, e900]." in told
    assert "An early guess" not in told.split("## Open questions")[-1].split("##")[0]


@pytest.mark.parametrize("kind", ["keep", ""])
def test_what_is_only_kept_is_no_cause(kind: str) -> None:
    told = postmortem(parse_record(pinned(pin(FINDING, kind))))
    assert "Cause, confirmed" not in told


def test_a_rejected_guess_is_told_as_ruled_out_even_if_nobody_said_so_in_words() -> None:
    data = pinned(pin("e999", "hypothesis rejected"))
    data["events"].append(
        {
            "id": "e999",
            "at": "2031-05-06T10:03:00Z",
            "kind": "chat",
            "actor": "@lee",
            "text": "the antivirus scanner eats the spool",
        }
    )
    record = parse_record(data)
    assert weigh(record).standing["e999"] is Standing.REJECTED
    told = postmortem(record)
    assert "the antivirus scanner eats the spool, came up at 10:03 UTC and was ruled out" in told


def test_an_impact_is_told_with_the_one_who_marked_it() -> None:
    said = {"text": "password resets arrive too late to be used"}
    data = pinned(pin("e999", "impact", by="@mo") | said)
    data["events"].append(
        {"id": "e999", "at": "2031-05-06T10:03:00Z", "kind": "chat", "actor": "@lee", **said}
    )
    (line,) = [x for x in summary(parse_record(data)).splitlines() if x.startswith("- Password")]
    assert line == (
        "- Password resets arrive too late to be used (marked as impact by Mo Lind) [e999, e900]."
    )


def test_words_from_outside_become_no_cause_whoever_pins_them() -> None:
    data = pinned(pin("e013", "cause"))  # the order that came by a webhook
    evidence = weigh(parse_record(data))
    assert evidence.standing["e013"] is Standing.EXTERNAL
    assert Standing.CAUSE not in evidence.standing.values()


def test_each_person_has_their_own_pin_and_the_newest_verdict_counts() -> None:
    data = pinned(
        pin(FINDING, "cause", by="@kim"),
        pin(FINDING, "hypothesis rejected", by="@mo"),
        pin(FINDING, "hypothesis rejected", by="@mo", withdraws="@mo"),
        pin(FINDING, "cause", by="@kim"),
    )
    record = parse_record(data)
    (left,) = pins_of(record.events)
    assert (left.kind, left.by, left.event_id) == (PinKind.CAUSE, "@kim", "e903")
    assert weigh(record).standing[FINDING] is Standing.CAUSE


def test_a_pin_of_an_older_version_names_its_line_by_number() -> None:
    (found,) = pins_of(parse_record(pinned({"data": {"of": 11}})).events)
    assert (found.target, found.kind) == (FINDING, PinKind.KEEP)
