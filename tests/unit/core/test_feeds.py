"""Shifts as calendars outside are told of them: whole, counted, and what is past stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from oncall_bot.core.feeds import Told, brought_up_to_date, whole_shifts, window
from oncall_bot.core.rotations import Definition, Override, Shift, parse_definition, shifts

NOW = datetime(2026, 3, 4, 12, 30, tzinfo=UTC)
DAY = timedelta(days=1)


def rota(*users: str | None, unit: str = "week", **more: Any) -> Definition:
    layer = {"start": "2026-01-05T09:00", "rotation": {"unit": unit}, "users": list(users), **more}
    return parse_definition({"zone": "Europe/Berlin", "layers": [layer]})


def test_the_window_is_fifteen_days_back_and_a_hundred_and_eighty_ahead_all_day_long() -> None:
    start, end = window(NOW)
    assert (start, end) == (
        datetime(2026, 2, 17, tzinfo=UTC),
        datetime(2026, 8, 31, tzinfo=UTC),
    )
    assert window(NOW + timedelta(hours=11)) == (start, end)


def test_shifts_across_the_edges_are_whole_so_that_their_start_is_the_same_tomorrow() -> None:
    definition = rota("ana", "bo")
    start, end = window(NOW)
    found = whole_shifts(definition, start, end)
    assert found[0].start == datetime(2026, 2, 16, 8, tzinfo=UTC)
    assert found[-1].end == datetime(2026, 8, 31, 7, tzinfo=UTC)
    later = whole_shifts(definition, start + DAY, end + DAY)
    assert [one.start for one in later[:3]] == [one.start for one in found[:3]]


def test_a_rota_of_one_person_is_one_shift_from_its_first_day_and_the_same_tomorrow() -> None:
    found = [whole_shifts(rota("ana"), *window(NOW + n * DAY)) for n in (0, 1)]
    assert found[0] == found[1]
    [only] = found[0]
    assert only.start == datetime(2026, 1, 5, 8, tzinfo=UTC)
    assert only.end == datetime(2028, 1, 1, tzinfo=UTC)


def test_gaps_are_no_events() -> None:
    assert whole_shifts(rota(None), *window(NOW)) == []
    office = [{"days": [1], "from": "09:00", "to": "17:00"}]
    assert {
        s.end - s.start for s in whole_shifts(rota("ana", restrictions=office), *window(NOW))
    } == {timedelta(hours=8)}


def shift(day: int, person: str = "ana", days: int = 1) -> Shift:
    start = NOW + day * DAY
    return Shift(start, start + days * DAY, person)


def test_what_was_told_and_did_not_change_keeps_its_count_and_its_time() -> None:
    first, changed = brought_up_to_date([shift(1), shift(2, "bo")], [], NOW)
    assert changed == first
    assert {one.sequence for one in first} == {0}
    again, changed = brought_up_to_date([shift(1), shift(2, "bo")], first, NOW + timedelta(hours=3))
    assert (again, changed) == (first, [])


def test_another_person_or_end_raises_the_count_and_the_time_of_that_event_alone() -> None:
    kept, _ = brought_up_to_date([shift(1), shift(2, "bo"), shift(3)], [], NOW)
    later = NOW + timedelta(hours=1)
    told, changed = brought_up_to_date([shift(1), shift(2, "cy"), shift(3)], kept, later)
    assert [(one.person, one.sequence, one.modified_at) for one in told] == [
        ("ana", 0, NOW),
        ("cy", 1, later),
        ("ana", 0, NOW),
    ]
    assert changed == [told[1]]


def test_a_shift_that_is_gone_and_comes_again_has_a_higher_count() -> None:
    kept, _ = brought_up_to_date([shift(1), shift(2, "bo")], [], NOW)
    told, gone = brought_up_to_date([shift(1, days=2)], kept, NOW)
    assert [one.start for one in told] == [NOW + DAY]
    assert [(one.start, one.person, one.sequence) for one in gone if one.person is None] == [
        (NOW + 2 * DAY, None, 1)
    ]
    rows = {one.start: one for one in [*kept, *gone]}
    back, _ = brought_up_to_date([shift(1), shift(2, "bo")], list(rows.values()), NOW)
    assert [one.sequence for one in back] == [2, 2]


def test_the_past_stays_as_it_was_told_when_the_rota_is_written_anew() -> None:
    kept, _ = brought_up_to_date([shift(-2), shift(-1, "bo"), shift(0)], [], NOW)
    told, changed = brought_up_to_date([shift(-2, "cy", days=2), shift(0)], kept, NOW)
    assert [one.person for one in told] == ["ana", "bo", "ana"]
    assert changed == []


PEOPLE = st.sampled_from(["ana", "bo", "cy"])
HOUR = timedelta(hours=1)
COVERS = st.lists(st.tuples(st.integers(-300, 300), st.integers(1, 50), PEOPLE), max_size=4)


@settings(max_examples=30)
@given(st.lists(PEOPLE, min_size=1, max_size=3), COVERS, COVERS, st.integers(0, 20))
def test_a_count_rises_exactly_when_an_event_changes_and_starts_are_told_once(
    users: list[str],
    before: list[tuple[int, int, str]],
    after: list[tuple[int, int, str]],
    days: int,
) -> None:
    definition = rota(*users, unit="day")

    def found(covers: list[tuple[int, int, str]], now: datetime) -> list[Shift]:
        painted = [
            Override(NOW + at * HOUR, NOW + (at + long) * HOUR, who) for at, long, who in covers
        ]
        return whole_shifts(definition, now - 15 * DAY, now + 30 * DAY, painted)

    first, _ = brought_up_to_date(found(before, NOW), [], NOW)
    later = NOW + days * DAY
    told, changed = brought_up_to_date(found(after, later), first, later)
    starts = [one.start for one in told]
    assert starts == sorted(set(starts))
    was = {one.start: one for one in first}
    for one in told:
        old = was.get(one.start)
        if old is not None and (old.end, old.person) == (one.end, one.person):
            assert one == old
        elif old is not None:
            assert (one.sequence, one.modified_at) == (old.sequence + 1, later)
            assert one in changed
    assert brought_up_to_date(found(after, later), merged(first, changed), later)[1] == []


def merged(kept: list[Told], changed: list[Told]) -> list[Told]:
    rows = {one.start: one for one in kept}
    rows.update({one.start: one for one in changed})
    return list(rows.values())


@settings(max_examples=8)
@given(st.integers(0, 400), st.sampled_from(["hour", "day", "week", "month"]))
def test_whole_shifts_are_cut_nowhere(day: int, unit: str) -> None:
    definition = rota("ana", "bo", unit=unit)
    at = NOW + day * DAY
    for one in whole_shifts(definition, at, at + 3 * DAY):
        wide = shifts(definition, one.start - 40 * DAY, one.end + 40 * DAY)
        assert replace(one) in wide
