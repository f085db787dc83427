"""What a woken reader is told, sentence by sentence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from oncall_bot.core.situation import NextStep, Paged, RoadFate, ShownSilence, Situation, State
from oncall_bot.web import phrases

NOW = datetime(2026, 11, 22, 3, 9, tzinfo=UTC)


def at(minutes: int) -> datetime:
    return NOW + timedelta(minutes=minutes)


FIRING = Situation(
    42,
    "High error rate",
    State.FIRING,
    "SEV2",
    "high",
    "alert",
    at(-4),
    NOW,
    service="checkout",
    paged=(Paged("ana", "Ana", 1, at(-3), (RoadFate("voice", "sent", at(-3)),)),),
    next=NextStep(at(5), ("Bo",), "step 2 of 3"),
)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "Nobody has answered for 3 min."),
        ({"paged": ()}, "Nobody has answered yet."),
        ({"state": State.ACKNOWLEDGED, "acked_by": "Ana", "acked_by_key": "ana"}, "You have it."),
        ({"state": State.ACKNOWLEDGED, "acked_by": "Bo", "acked_by_key": "bo"}, "Bo is on it."),
        ({"state": State.MITIGATED}, "Mitigated, being watched."),
        ({"state": State.RESOLVED, "resolved_by": "Bo"}, "Resolved by Bo."),
        ({"state": State.RESOLVED}, "Resolved, its alerts ended."),
        ({"state": State.MERGED, "merged_into": 41}, "Part of incident 41, nobody is paged here."),
        (
            {"state": State.SILENCED, "silence": ShownSilence(1, "Bo", at(60), "", "")},
            "Silenced by Bo, nobody is paged.",
        ),
    ],
)
def test_the_first_line_is_the_state_of_people(changes: dict[str, object], sentence: str) -> None:
    situation = replace(FIRING, **changes)  # type: ignore[arg-type]
    assert phrases.people_line(situation, "ana", NOW) == sentence


def test_times_name_their_zone_and_the_day_when_it_is_another() -> None:
    assert phrases.clock(at(0), NOW) == "03:09 UTC"
    assert phrases.clock(at(-60 * 12), NOW) == "Sat 21 Nov, 15:09 UTC"


def test_doing_nothing_is_an_informed_choice() -> None:
    assert phrases.next_line(FIRING, NOW) == "Bo is paged at 03:14 UTC (step 2 of 3)."
    two = replace(FIRING, next=NextStep(at(5), ("Bo", "Cy", "Bo"), "step 2 of 3"))
    assert phrases.next_line(two, NOW) == "Bo and Cy are paged at 03:14 UTC (step 2 of 3)."
    held = replace(FIRING, state=State.ACKNOWLEDGED, ack_until=at(30))
    assert (
        phrases.next_line(held, NOW) == "Paging starts again at 03:39 UTC if it is still open then."
    )
    assert phrases.next_line(replace(FIRING, state=State.RESOLVED), NOW) is None


def test_the_fate_of_each_page_is_told_and_never_more_than_is_known() -> None:
    assert phrases.paged_lines(FIRING, NOW) == ["Ana, step 1: phone sent 03:06 UTC"]
    many = replace(FIRING, paged=FIRING.paged * 12)
    assert phrases.paged_lines(many, NOW)[0] == "4 earlier pages"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3_600, "1 h"),
        (11_400, "3 h 10 min"),
        (172_800, "2 days"),
    ],
)
def test_durations(seconds: int, shown: str) -> None:
    assert phrases.duration(timedelta(seconds=seconds)) == shown
