"""Coverage: what may go wrong on the nights ahead, each fault by name, cause and interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from oncall_bot.core.config import Config, Person, Schedule
from oncall_bot.core.coverage import (
    REST,
    Away,
    CoverageFault,
    Kind,
    Watched,
    clock_changes,
    faults,
    gathered,
    sentence,
)
from oncall_bot.core.rotations import Override, parse_definition, shifts

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2026, 3, 2, 8, tzinfo=UTC)
DAY = timedelta(days=1)


def layer(*users: str | None, unit: str = "week", **more: Any) -> dict[str, Any]:
    start = {"start": "2026-01-05T09:00", "rotation": {"unit": unit}, "users": list(users)}
    return {**start, **more}


def watched(
    schedules: Mapping[str, Sequence[Mapping[str, Any]]],
    *,
    holidays: Sequence[Mapping[str, Any]] = (),
    covers: Mapping[str, Sequence[Override]] | None = None,
    away: Sequence[Away] = (),
    quiet: Sequence[str] = (),
    people: Sequence[str] = ("ana", "bo", "cy"),
) -> Watched:
    config = Config(
        people={key: Person(key, key.title()) for key in people},
        schedules={
            key: Schedule(
                key,
                None,
                parse_definition(
                    {
                        "zone": "Europe/Berlin",
                        "layers": list(layers),
                        "holidays": list(holidays),
                    }
                ),
            )
            for key, layers in schedules.items()
        },
    )
    return Watched(config, covers or {}, lambda person: person not in quiet, away)


def found(of: Watched, days: float = 7, kind: Kind | None = None) -> list[CoverageFault]:
    told = faults(of, START, START + days * DAY)
    return [one for one in told if kind is None or one.kind is kind]


def test_a_rota_with_everybody_awake_has_no_fault() -> None:
    assert found(watched({"shop": [layer("ana", "bo")]}), days=21) == []


def test_a_gap_says_why_nobody_is_on_call() -> None:
    office = [{"days": [1, 2, 3, 4, 5], "from": "09:00", "to": "17:00"}]
    by_hours = found(watched({"shop": [layer("ana", restrictions=office)]}), kind=Kind.GAP)
    assert {one.cause for one in by_hours} == {"no layer has these hours"}
    assert len(by_hours) == 5
    assert by_hours[0].start == datetime(2026, 3, 2, 16, tzinfo=UTC)
    ended = found(watched({"shop": [layer("ana", end="2026-03-03T09:00")]}), kind=Kind.GAP)
    assert [one.cause for one in ended] == ["every layer has ended"]
    later = watched({"shop": [layer("ana", start="2026-03-04T09:00")]})
    assert [one.cause for one in found(later, kind=Kind.GAP)] == ["no layer has begun"]
    nobody = found(watched({"shop": [layer(None, "ana", start="2026-03-02T09:00")]}), kind=Kind.GAP)
    assert [one.cause for one in nobody] == ["the turn is nobody's"]


def test_a_gap_of_a_holiday_and_one_of_an_override_name_it() -> None:
    day = watched({"shop": [layer("ana")]}, holidays=[{"date": "2026-03-04", "action": "nobody"}])
    assert [one.cause for one in found(day)] == ["so says the holiday of 2026-03-04"]
    cover = Override(START + DAY, START + 2 * DAY, None)
    empty = watched({"shop": [layer("ana")]}, covers={"shop": [cover]})
    [gap] = found(empty)
    assert (gap.cause, gap.start, gap.end) == (
        "an override leaves it to nobody",
        cover.start,
        cover.end,
    )


def test_a_person_nobody_can_wake_is_told_once_for_each_schedule() -> None:
    told = found(watched({"shop": [layer("ana", "bo", unit="day")]}, quiet=["bo"]))
    assert [(one.kind, one.person) for one in told if one.kind is Kind.NO_LOUD_ROAD] == [
        (Kind.NO_LOUD_ROAD, "bo")
    ]


def test_leave_counts_where_the_person_is_on_call() -> None:
    away = [
        Away("ana", START + DAY, START + 30 * DAY, "the calendar ana"),
        Away("cy", START, START + DAY),
    ]
    [one] = found(watched({"shop": [layer("ana")]}, away=away))
    assert (one.kind, one.start, one.end, one.cause) == (
        Kind.ON_LEAVE,
        START + DAY,
        START + 7 * DAY,
        "the calendar ana says so",
    )


def test_two_schedules_at_once_and_a_person_who_is_gone_are_faults() -> None:
    both = found(watched({"shop": [layer("ana")], "web": [layer("ana")]}))
    assert [(one.kind, one.schedule, one.other) for one in both] == [
        (Kind.DOUBLE_BOOKED, "shop", "web")
    ]
    gone = found(watched({"shop": [layer("zoe")]}))
    assert [(one.kind, one.person) for one in gone] == [(Kind.UNKNOWN_PERSON, "zoe")]


def test_less_than_eleven_hours_between_two_shifts_is_short_rest_across_schedules_too() -> None:
    nights = [{"from": "20:00", "to": "06:00"}]
    days = [{"from": "14:00", "to": "18:00"}]
    of = watched(
        {"night": [layer("ana", restrictions=nights)], "day": [layer("ana", restrictions=days)]}
    )
    rests = found(of, kind=Kind.SHORT_REST)
    assert {(one.schedule, one.other) for one in rests} == {("night", "day"), ("day", "night")}
    assert {one.cause for one in rests} == {
        "2 h between two shifts, 11 h is the least",
        "8 h between two shifts, 11 h is the least",
    }
    enough = watched({"shop": [layer("ana", restrictions=[{"from": "09:00", "to": "22:00"}])]})
    assert found(enough, kind=Kind.SHORT_REST) == []


def test_a_night_on_which_clocks_change_is_a_note_with_the_instant() -> None:
    told = found(watched({"shop": [layer("ana")]}), days=60)
    [note] = told
    assert (note.kind, note.is_note) == (Kind.CLOCK_CHANGE, True)
    assert note.cause == ("clocks in Europe/Berlin go forward 1 h at Sun 2026-03-29 03:00 CEST")


def test_the_same_fault_seen_a_day_later_has_the_same_key_and_a_returning_one_has_one_key() -> None:
    cover = Override(START + 5 * DAY, START + 6 * DAY, None)
    of = watched({"shop": [layer("ana")]}, covers={"shop": [cover]})
    today, tomorrow = (faults(of, START + n * DAY, START + 20 * DAY) for n in (0, 1))
    assert [one.key for one in today] == [one.key for one in tomorrow]
    office = [{"from": "09:00", "to": "17:00"}]
    nightly = found(watched({"shop": [layer("ana", restrictions=office)]}), kind=Kind.GAP)
    assert len(nightly) > 3
    assert len({one.key for one in nightly}) == 1
    assert len(gathered(nightly)) == 1


def test_only_the_schedules_asked_for_are_told_of_and_the_others_count() -> None:
    of = watched({"shop": [layer("ana")], "web": [layer("ana")]}, quiet=["ana"])
    told = faults(of, START, START + DAY, ["web"])
    assert {(one.kind, one.schedule) for one in told} == {
        (Kind.NO_LOUD_ROAD, "web"),
        (Kind.DOUBLE_BOOKED, "shop"),
    }


def test_a_sentence_names_the_person_the_times_in_the_zone_and_the_cause() -> None:
    [one] = found(watched({"shop": [layer("ana")]}, away=[Away("ana", START, START + DAY)]), days=1)
    assert sentence(one, str.title, BERLIN) == (
        "shop: Ana is on call from Mon 2026-03-02 09:00 CET to Tue 2026-03-03 09:00 CET"
        " and away: leave says so"
    )


def test_clock_changes_are_found_to_the_second_also_by_half_an_hour() -> None:
    lord_howe = ZoneInfo("Australia/Lord_Howe")
    year = datetime(2026, 1, 1, tzinfo=UTC)
    assert list(clock_changes(lord_howe, year, year + 365 * DAY)) == [
        (datetime(2026, 4, 4, 15, tzinfo=UTC), timedelta(minutes=-30)),
        (datetime(2026, 10, 3, 15, 30, tzinfo=UTC), timedelta(minutes=30)),
    ]


USERS = st.lists(st.sampled_from(["ana", "bo", "cy", None]), min_size=1, max_size=4)
UNITS = st.sampled_from(["hour", "day", "week"])
COVERS = st.lists(
    st.tuples(st.integers(0, 200), st.integers(1, 40), st.sampled_from(["ana", "bo", None])),
    max_size=4,
)


@given(USERS, UNITS, COVERS)
def test_gaps_are_exactly_the_time_that_is_nobodys(
    users: list[str | None], unit: str, covers: list[tuple[int, int, str | None]]
) -> None:
    hour = timedelta(hours=1)
    painted = [
        Override(START + at * hour, START + (at + long) * hour, who) for at, long, who in covers
    ]
    of = watched({"shop": [layer(*users, unit=unit)]}, covers={"shop": painted})
    line = shifts(of.config.schedules["shop"].definition, START, START + 9 * DAY, painted)
    gaps = found(of, days=9, kind=Kind.GAP)
    assert [(g.start, g.end) for g in gaps] == [(s.start, s.end) for s in line if s.user is None]


@given(USERS, USERS, UNITS, UNITS)
def test_double_bookings_and_short_rests_hold_what_they_say(
    one: list[str | None], two: list[str | None], unit: str, other: str
) -> None:
    of = watched({"a": [layer(*one, unit=unit)], "b": [layer(*two, unit=other)]})
    for fault in found(of, days=3):
        middle = fault.start + (fault.end - fault.start) / 2
        on = {
            key: shifts(schedule.definition, middle, middle + timedelta(seconds=1))[0].user
            for key, schedule in of.config.schedules.items()
        }
        if fault.kind is Kind.DOUBLE_BOOKED:
            assert on["a"] == on["b"] == fault.person
        if fault.kind is Kind.SHORT_REST:
            assert fault.person not in on.values()
            assert fault.end - fault.start < REST
