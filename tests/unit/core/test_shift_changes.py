"""Who loses and gains which hours by a change of a schedule; the plan itself is tested in test_plan.py."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from oncall_bot.core.config import Schedule
from oncall_bot.core.rotations import Override, parse_definition, shifts
from oncall_bot.core.shift_changes import LOOK_AHEAD, gap_lines, gone_lines, on_call_lines

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
PEOPLE = ["ana", "bo", "cy", None]


def schedule(*users: str | None, unit: str = "day") -> Schedule:
    definition = {
        "zone": "Europe/Berlin",
        "layers": [{"start": "2026-03-01T09:00", "rotation": {"unit": unit}, "users": list(users)}],
    }
    return Schedule("shop", None, parse_definition(definition))


def test_an_unchanged_schedule_is_no_line() -> None:
    assert list(on_call_lines(schedule("ana"), schedule("ana"), NOW, {})) == []


def test_who_is_on_call_at_first_is_told_for_a_new_schedule() -> None:
    (line,) = on_call_lines(None, schedule("ana"), NOW, {})
    assert line.text == "schedules.shop on call now: ana, for the next 28 days"


def test_a_cover_that_fills_a_gap_is_no_gap() -> None:
    bare = schedule(None)
    cover = Override(NOW, NOW + LOOK_AHEAD, "ana")
    assert len(list(gap_lines(None, bare, NOW, {}))) == 1
    assert list(gap_lines(None, bare, NOW, {"shop": [cover]})) == []


def test_a_schedule_without_shifts_goes_without_a_word() -> None:
    assert list(gone_lines(schedule(None), NOW, {})) == []


@given(
    st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=4),
    st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=4),
)
def test_hours_lost_and_gained_are_the_difference_of_the_hours_on_call(
    old: list[str | None], new: list[str | None]
) -> None:
    """An oracle: each person's hours before, less what they lose, plus what they gain, are those after."""
    before, after = schedule(*old), schedule(*new)
    lines = list(on_call_lines(before, after, NOW, {}))
    total = next((line.text for line in lines if " in 28 days: " in line.text), "")
    moved = dict.fromkeys(["ana", "bo", "cy"], 0.0)
    for part in total.partition(" in 28 days: ")[2].split("; ") if total else ():
        words = part.split()
        for n, word in enumerate(words):
            if word in ("loses", "gains"):
                hours = float(words[n + 3].lstrip("("))
                moved[words[0]] += hours if word == "gains" else -hours
    for person, change in moved.items():
        assert abs(_hours(after, person) - _hours(before, person) - change) < 0.5


def _hours(of: Schedule, person: str) -> float:
    found = shifts(of.definition, NOW, NOW + LOOK_AHEAD)
    whole = sum((s.end - s.start for s in found if s.user == person), timedelta(0))
    return whole / timedelta(hours=1)
