"""A schedule over some weeks: days as long as they are, rows as planned, the line of who is on call, gaps."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oncall_bot.core.board import (
    BARS_MAX,
    TINTS,
    Bar,
    Board,
    Kind,
    Planned,
    board,
    days_from,
    monday_of,
)
from oncall_bot.core.errors import BadInput
from oncall_bot.core.rotations import Override, Shift, parse_definition, shifts

BERLIN = ZoneInfo("Europe/Berlin")
WEEKLY = {
    "name": "Weekly",
    "start": "2026-10-05T09:00",
    "rotation": {"unit": "week", "every": 1},
    "users": ["ben", "dara", "ana", "chen"],
}
NIGHTS = {
    "name": "Nights",
    "start": "2026-10-01T22:00",
    "rotation": {"unit": "week", "every": 1},
    "users": ["chen"],
    "restrictions": [{"days": [1, 2, 3, 4, 7], "from": "22:00", "to": "06:00"}],
}
ROTA: dict[str, Any] = {"zone": "Europe/Berlin", "layers": [WEEKLY, NIGHTS]}
MONDAY = date(2026, 10, 19)


def berlin(day: int, hour: int = 9, minute: int = 0) -> datetime:
    return datetime(2026, 10, day, hour, minute, tzinfo=BERLIN).astimezone(UTC)


NOW = berlin(21, 14, 20)


def shown(
    overrides: list[Override] | None = None,
    *,
    rota: dict[str, Any] = ROTA,
    weeks: int = 1,
    zone: str = "Europe/Berlin",
    recorded: tuple[Shift, ...] = (),
    reader: str | None = None,
) -> Board:
    planned = Planned("checkout", parse_definition(rota), overrides or [], recorded)
    return board(planned, MONDAY, weeks, ZoneInfo(zone), NOW, reader=reader)


def row(found: Board, name: str) -> list[Bar]:
    return [bar for one in found.rows if one.name == name for bar in one.bars]


def test_a_day_is_as_long_as_it_is() -> None:
    sunday = shown().days[-1]
    assert sunday.length == timedelta(hours=25)
    assert sunday.change is not None
    assert sunday.change.at == datetime(2026, 10, 25, 1, tzinfo=UTC)
    assert (sunday.change.before.hour, sunday.change.after.hour) == (3, 2)
    assert not sunday.change.forward
    assert [day.change for day in shown().days[:-1]] == [None] * 6


@pytest.mark.parametrize(
    ("zone", "day", "hours", "before", "after"),
    [
        ("America/New_York", date(2026, 3, 8), 23, "02:00", "03:00"),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5, "02:00", "01:30"),
        ("America/Sao_Paulo", date(2018, 11, 4), 23, "00:00", "01:00"),
        ("Asia/Tehran", date(2022, 3, 22), 23, "00:00", "01:00"),
    ],
)
def test_clocks_change_where_they_do(
    zone: str, day: date, hours: float, before: str, after: str
) -> None:
    [found] = days_from(day, 1, ZoneInfo(zone))
    assert found.length == timedelta(hours=hours)
    assert found.change is not None
    assert (f"{found.change.before:%H:%M}", f"{found.change.after:%H:%M}") == (before, after)
    assert found.start <= found.change.at < found.end


def test_a_day_that_a_zone_skipped_is_left_out() -> None:
    days = days_from(date(2011, 12, 26), 7, ZoneInfo("Pacific/Apia"))
    assert [day.date.day for day in days] == [26, 27, 28, 29, 31, 1]


def test_each_layer_has_its_row_and_the_line_says_who_is_on_call() -> None:
    found = shown(
        [Override(berlin(22), berlin(23), "ben"), Override(berlin(24), berlin(24, 18), None)]
    )
    assert [one.name for one in found.rows] == ["Weekly", "Nights", "Overrides"]
    assert [bar.user for bar in row(found, "Weekly")] == ["dara", "ana"]
    assert [(bar.user, bar.kind) for bar in row(found, "Overrides")] == [
        ("ben", Kind.OVERRIDE),
        (None, Kind.GAP),
    ]
    outlined = [bar for bar in found.final if bar.kind is Kind.OVERRIDE]
    assert outlined == [Bar(berlin(22), berlin(23), "ben", Kind.OVERRIDE)]


def test_an_override_that_changes_nothing_is_no_change_on_the_line() -> None:
    found = shown([Override(berlin(20, 10), berlin(20, 12), "ana")])
    assert row(found, "Overrides")
    assert all(bar.kind is Kind.SHIFT for bar in found.final)


@pytest.mark.parametrize(
    ("overrides", "more", "why"),
    [
        ([Override(berlin(24), berlin(24, 18), None)], {}, "override"),
        ([], {"holidays": [{"date": "2026-10-24", "action": "nobody"}]}, "holiday"),
        ([], {"layers": [NIGHTS]}, "rota"),
    ],
)
def test_a_gap_says_where_it_comes_from(
    overrides: list[Override], more: dict[str, Any], why: str
) -> None:
    gaps = shown(overrides, rota={**ROTA, **more}).gaps
    assert gaps
    assert {gap.why for gap in gaps} == {why}


def test_a_holiday_has_a_row_and_one_that_skips_a_layer_leaves_a_hole_in_it() -> None:
    skipping = {"date": "2026-10-22", "action": "skip_layers", "layers": ["Weekly"]}
    cover = {"date": "2026-10-23", "action": "user", "user": "dara"}
    found = shown(rota={**ROTA, "holidays": [skipping, cover]})
    assert [bar.user for bar in row(found, "Holidays")] == ["dara"]
    assert all(not bar.start <= berlin(22, 12) < bar.end for bar in row(found, "Weekly"))


def test_the_past_is_what_is_on_record_and_the_future_what_is_planned() -> None:
    was = Shift(berlin(19, 9), berlin(20, 9), "zoe")
    running = Shift(berlin(21, 9), berlin(23, 9), "zoe")
    final = shown(recorded=(was, running)).final
    assert {bar.user for bar in final if was.start <= bar.start < was.end} == {"zoe"}
    assert [bar.user for bar in final if bar.start <= NOW < bar.end] == ["ana"]
    assert [bar.user for bar in final if bar.start <= berlin(21, 12) < bar.end] == ["zoe"]


def test_hours_are_those_on_the_line_without_the_gap() -> None:
    found = shown([Override(berlin(24), berlin(24, 18), None)])
    assert {user: length / timedelta(hours=1) for user, length in found.hours.items()} == {
        "ana": 117,
        "chen": 40,
        "dara": 3,
    }


def test_people_keep_their_colour_from_week_to_week() -> None:
    planned = Planned("checkout", parse_definition(ROTA))
    tints = [board(planned, MONDAY + timedelta(days=7 * n), 1, BERLIN, NOW).tints for n in range(8)]
    assert tints == [{"ben": 0, "dara": 1, "ana": 2, "chen": 3}] * 8


def test_of_many_people_the_reader_and_the_next_two_have_a_colour() -> None:
    many = [f"p{n}" for n in range(9)]
    daily = {**WEEKLY, "users": many, "rotation": {"unit": "day", "every": 1}}
    found = shown(rota={"zone": "Europe/Berlin", "layers": [daily]}, reader="p5")
    on_call = next(bar.user for bar in found.final if bar.start <= NOW < bar.end)
    assert list(found.tints)[:2] == ["p5", on_call]
    assert len(found.tints) == 3 < TINTS


def test_ten_thousand_overrides_are_cut_and_said() -> None:
    minute = timedelta(minutes=1)
    storm = [
        Override(berlin(19) + n * minute, berlin(19) + (n + 1) * minute, f"p{n % 2}")
        for n in range(10_000)
    ]
    found = shown(storm)
    assert found.cut
    assert max(len(one.bars) for one in found.rows) == BARS_MAX == len(found.final)


def test_a_year_out_of_reach_is_said() -> None:
    with pytest.raises(BadInput, match="2198"):
        days_from(date(2199, 12, 30), 7, BERLIN)


def test_the_week_begins_on_the_readers_monday() -> None:
    sunday_night = datetime(2026, 10, 25, 23, 30, tzinfo=UTC)
    assert monday_of(sunday_night, ZoneInfo("UTC")) == date(2026, 10, 19)
    assert monday_of(sunday_night, BERLIN) == date(2026, 10, 26)


INSTANTS = st.datetimes(datetime(2026, 10, 17), datetime(2026, 11, 20)).map(  # noqa: DTZ001
    lambda at: at.replace(tzinfo=UTC)
)
PEOPLE = st.sampled_from(["ana", "ben", "chen", "dara", "zoe", None])


@given(
    st.lists(st.tuples(INSTANTS, INSTANTS, PEOPLE), max_size=6),
    st.sampled_from(["Europe/Berlin", "UTC", "Australia/Lord_Howe", "Asia/Kathmandu"]),
    st.sampled_from([1, 2, 4]),
)
@settings(max_examples=60, deadline=None)
def test_whatever_is_overridden_the_line_tiles_the_weeks_and_agrees_with_the_rota(
    asked: list[tuple[datetime, datetime, str | None]], zone: str, weeks: int
) -> None:
    overrides = [Override(min(a, b), max(a, b), user) for a, b, user in asked if a != b]
    found = shown(overrides, weeks=weeks, zone=zone)
    assert found.final[0].start == found.start
    assert found.final[-1].end == found.end
    assert all(left.end == right.start for left, right in pairwise(found.final))
    assert all(left.end == right.start for left, right in pairwise(found.days))
    for shift in shifts(parse_definition(ROTA), found.start, found.end, overrides):
        inside = [b for b in found.final if shift.start <= b.start and b.end <= shift.end]
        assert {bar.user for bar in inside} == {shift.user}
    assert [(gap.start, gap.end) for gap in found.gaps] == [
        (bar.start, bar.end) for bar in found.final if bar.user is None
    ]
