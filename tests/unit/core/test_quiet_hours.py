"""Quiet hours as people type them, and until when a page of low urgency waits, on every night of the year."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncall_bot.core.config import Urgency
from oncall_bot.core.hours import EVERY_DAY, Hours
from oncall_bot.core.quiet_hours import goes_at, read
from oncall_bot.core.rotations.walltime import instant_of

ZONES = st.sampled_from(
    ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Asia/Kathmandu"]
)
CLOCKS = st.integers(0, 1439).map(lambda minutes: time(minutes // 60, minutes % 60))
INSTANTS = st.integers(0, 3 * 365 * 24 * 60).map(
    lambda minutes: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
NIGHT = Hours("Europe/Berlin", EVERY_DAY, time(22), time(7))


@st.composite
def quiet(draw: st.DrawFn) -> Hours:
    start = draw(CLOCKS)
    end = draw(CLOCKS.filter(lambda clock: clock != start))
    days = draw(st.sets(st.integers(1, 7), min_size=1))
    return Hours(draw(ZONES), tuple(sorted(days)), start, end)


@given(quiet(), INSTANTS)
def test_a_page_waits_for_the_end_which_is_after_now_and_within_a_day(
    hours: Hours, now: datetime
) -> None:
    at = goes_at(hours, Urgency.LOW, now)
    assert now <= at <= now + timedelta(hours=25)
    if at != now:
        zone = ZoneInfo(hours.zone)
        day = at.astimezone(zone).date()
        ends = {
            instant_of(datetime.combine(day + timedelta(days=n), hours.end), zone)
            for n in (-1, 0, 1)
        }
        assert at in ends, "the clock shows the end that was typed, or what takes its place"


@given(quiet(), INSTANTS)
def test_high_urgency_never_waits(hours: Hours, now: datetime) -> None:
    assert goes_at(hours, Urgency.HIGH, now) == now


@pytest.mark.parametrize(
    ("now", "ends"),
    [
        ("2026-03-02T23:00+01:00", "2026-03-03T07:00+01:00"),
        ("2026-03-28T23:00+01:00", "2026-03-29T07:00+02:00"),  # the short night
        ("2026-10-25T02:30+01:00", "2026-10-25T07:00+01:00"),  # 02:30 for the second time
        ("2026-03-02T07:00+01:00", "2026-03-02T07:00+01:00"),  # they are over
        ("2026-03-02T21:59+01:00", "2026-03-02T21:59+01:00"),  # and not begun
    ],
)
def test_the_night_ends_at_seven_on_the_wall(now: str, ends: str) -> None:
    found = goes_at(NIGHT, Urgency.LOW, datetime.fromisoformat(now))
    assert found == datetime.fromisoformat(ends)


def test_without_quiet_hours_nothing_waits() -> None:
    now = datetime(2026, 3, 2, 23, tzinfo=UTC)
    assert goes_at(None, Urgency.LOW, now) == now


@pytest.mark.parametrize(
    ("words", "days"),
    [
        ("22:00-07:00", EVERY_DAY),
        ("22:00 to 07:00 every day", EVERY_DAY),
        ("22:00 \u2013 7:00 Mon-Fri", (1, 2, 3, 4, 5)),
        ("22:00-07:00 fri to mon", (1, 5, 6, 7)),
        ("22:00-07:00 mon, thursday", (1, 4)),
        ("22:00-07:00 weekends", (6, 7)),
    ],
)
def test_quiet_hours_are_read_as_they_are_typed(words: str, days: tuple[int, ...]) -> None:
    assert read(words, "Europe/Berlin") == Hours("Europe/Berlin", days, time(22), time(7))


@pytest.mark.parametrize(
    "words", ["", "at night", "22-07", "25:00-07:00", "22:00-07:00 noday", "22:00-07:60", "22:00"]
)
def test_what_cannot_be_read_is_answered_with_a_form_that_works(words: str) -> None:
    said = read(words, "UTC")
    assert isinstance(said, str)
    assert "quiet 22:00 to 07:00" in said
    assert not isinstance(read(said.rpartition("quiet ")[2], "UTC"), str), "the form works"


def test_hours_that_never_end_are_refused() -> None:
    assert "another time" in str(read("07:00-07:00", "UTC"))
