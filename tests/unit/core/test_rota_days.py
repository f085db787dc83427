"""A rota by days: every hour of every day is somebody's or a gap, also on days that are longer or missing."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncall_bot.core.rota_days import clocks_change, days_of, midnight
from oncall_bot.core.rotations import Shift

BERLIN, APIA = ZoneInfo("Europe/Berlin"), ZoneInfo("Pacific/Apia")
ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "UTC"]
HOUR = timedelta(hours=1)


def whole(zone: ZoneInfo, first: date, days: int, *users: str | None) -> list[Shift]:
    """The stretch in equal parts, one for each user."""
    start, end = midnight(first, zone), midnight(first + timedelta(days=days), zone)
    part = (end - start) / len(users)
    edges = [*(start + part * n for n in range(len(users))), end]
    return [Shift(edges[n], edges[n + 1], user) for n, user in enumerate(users)]


def test_a_day_is_as_long_as_clocks_make_it() -> None:
    first = date(2026, 10, 24)
    rota = whole(BERLIN, first, 3, "ana")
    found = days_of(rota, rota, first, 3, BERLIN)
    assert [day.length / HOUR for day in found] == [24, 25, 24]
    assert clocks_change(found[1], BERLIN) == (datetime.fromisoformat("2026-10-25T03:00"), False)
    assert clocks_change(found[0], BERLIN) is None
    spring = days_of(rota, rota, date(2026, 3, 29), 1, BERLIN)[0]
    assert clocks_change(spring, BERLIN) == (datetime.fromisoformat("2026-03-29T02:00"), True)


def test_a_day_that_a_zone_left_out_has_no_piece() -> None:
    """Samoa went from Thursday 29 December 2011 to Saturday 31."""
    first = date(2011, 12, 29)
    rota = whole(APIA, first, 3, "ana")
    found = days_of(rota, rota, first, 3, APIA)
    assert [len(day.pieces) for day in found] == [1, 0, 1]


def test_a_piece_that_is_somebody_elses_without_overrides_is_a_cover() -> None:
    first = date(2026, 3, 2)
    planned = whole(BERLIN, first, 1, "ana")
    start, end = planned[0].start, planned[0].end
    painted = [Shift(start, start + 6 * HOUR, "bo"), Shift(start + 6 * HOUR, end, "ana")]
    (day,) = days_of(painted, planned, first, 1, BERLIN)
    assert [(one.user, one.covered) for one in day.pieces] == [("bo", True), ("ana", False)]


@given(
    zone=st.sampled_from(ZONES),
    first=st.dates(date(2011, 1, 1), date(2030, 1, 1)),
    painted=st.lists(st.sampled_from(["ana", "bo", None]), min_size=1, max_size=9),
    planned=st.lists(st.sampled_from(["ana", "bo", None]), min_size=1, max_size=9),
)
def test_the_pieces_of_the_days_tile_the_week(
    zone: str, first: date, painted: list[str | None], planned: list[str | None]
) -> None:
    place = ZoneInfo(zone)
    line, plan = whole(place, first, 7, *painted), whole(place, first, 7, *planned)
    days = days_of(line, plan, first, 7, place)
    pieces = [piece for day in days for piece in day.pieces]
    assert pieces[0].starts_at == line[0].start
    assert pieces[-1].ends_at == line[-1].end
    assert all(a.ends_at == b.starts_at for a, b in pairwise(pieces))
    for piece in pieces:
        middle = piece.starts_at + (piece.ends_at - piece.starts_at) / 2
        assert piece.user == next(s.user for s in line if s.start <= middle < s.end)


@pytest.mark.parametrize("zone", ZONES)
def test_midnight_is_where_the_day_begins_on_the_wall(zone: str) -> None:
    place = ZoneInfo(zone)
    shown = midnight(date(2026, 6, 1), place).astimezone(place)
    assert (shown.date(), shown.hour, shown.minute) == (date(2026, 6, 1), 0, 0)
