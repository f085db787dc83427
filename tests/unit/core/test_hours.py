"""Days and hours as people mean them: over midnight, at the ends, and in the nights on which clocks jump."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncall_bot.core.hours import Hours, is_open, spelled

INSTANTS = st.integers(0, 3 * 365 * 24 * 60).map(
    lambda minutes: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = Hours("Europe/Berlin", (1, 2, 3, 4, 5), time(8), time(20))
NIGHT = Hours("Europe/Berlin", (5,), time(22), time(6))


def berlin(day: int, hour: int, minute: int = 0, *, month: int = 3) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=BERLIN).astimezone(UTC)


@pytest.mark.parametrize(
    ("hours", "at", "open_"),
    [
        (OFFICE, berlin(2, 8), True),
        (OFFICE, berlin(2, 7, 59), False),
        (OFFICE, berlin(2, 19, 59), True),
        (OFFICE, berlin(2, 20), False),
        (OFFICE, berlin(7, 12), False),  # Saturday
        (NIGHT, berlin(6, 23), True),  # Friday
        (NIGHT, berlin(7, 5, 59), True),  # the window of Friday
        (NIGHT, berlin(7, 6), False),
        (NIGHT, berlin(7, 23), False),
        (NIGHT, berlin(6, 5), False),  # the window of Thursday, which is none
        (Hours("Europe/Berlin", (7,)), berlin(1, 0), True),  # a whole Sunday
        (Hours("Europe/Berlin", (7,)), berlin(2, 0), False),
    ],
)
def test_an_instant_lies_in_the_hours_or_not(hours: Hours, at: datetime, open_: bool) -> None:
    assert is_open(hours, at) is open_


def test_on_the_short_night_the_end_keeps_its_wall_time() -> None:
    early = Hours("Europe/Berlin", start=time(0), end=time(4))
    last = datetime(2026, 3, 29, 1, 59, tzinfo=UTC)  # 03:59 in Berlin; 02:00 to 03:00 was skipped
    assert is_open(early, last)
    assert not is_open(early, last + timedelta(minutes=1))


def test_on_the_long_night_the_hours_last_an_hour_longer() -> None:
    night = Hours("Europe/Berlin", start=time(0), end=time(4))
    begins, ends = datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 25, 3, tzinfo=UTC)
    assert is_open(night, begins)
    assert is_open(night, ends - timedelta(minutes=1))
    assert not is_open(night, ends)


@given(INSTANTS)
def test_every_instant_lies_in_the_day_hours_or_in_the_night_hours(at: datetime) -> None:
    day = Hours("America/New_York", start=time(8), end=time(20))
    night = Hours("America/New_York", start=time(20), end=time(8))
    assert is_open(day, at) is not is_open(night, at)


@given(
    INSTANTS,
    st.sets(st.integers(1, 7), min_size=1),
    st.integers(1, 12),
    st.integers(13, 23),
)
def test_daytime_hours_are_those_the_wall_clock_shows(
    at: datetime, days: set[int], first: int, last: int
) -> None:
    hours = Hours("Australia/Lord_Howe", tuple(days), time(first), time(last))
    wall = at.astimezone(ZoneInfo("Australia/Lord_Howe"))
    if first < 3:
        return  # clocks jump at two o'clock there
    assert is_open(hours, at) is (wall.isoweekday() in days and first <= wall.hour < last)


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        (OFFICE, "Mon to Fri 08:00 to 20:00 (Europe/Berlin)"),
        (Hours("UTC", (6, 7)), "Sat, Sun (UTC)"),
        (Hours("UTC", start=time(18), end=time(0)), "every day 18:00 to 24:00 (UTC)"),
    ],
)
def test_hours_are_told_in_words(hours: Hours, words: str) -> None:
    assert spelled(hours) == words
