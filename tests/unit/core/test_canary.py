"""The daily test page is due at the same time of day where its person lives, on nights when clocks change too."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from oncall_bot.core.canary import next_due
from oncall_bot.core.config import Canary

BERLIN = Canary("ana", time(10), "Europe/Berlin")


def test_it_is_due_today_until_then_and_tomorrow_after() -> None:
    before, at = datetime(2026, 1, 5, 8, 59, tzinfo=UTC), datetime(2026, 1, 5, 9, tzinfo=UTC)
    assert next_due(BERLIN, before) == at
    assert next_due(BERLIN, at) == at + timedelta(days=1)


def test_it_keeps_its_wall_time_when_clocks_change() -> None:
    before = datetime(2026, 3, 28, 12, tzinfo=UTC)
    assert next_due(BERLIN, before) == datetime(2026, 3, 29, 8, tzinfo=UTC)


def test_a_time_that_a_night_skips_comes_an_hour_later_and_a_time_it_has_twice_comes_once() -> None:
    night = Canary("ana", time(2, 30), "Europe/Berlin")
    assert next_due(night, datetime(2026, 3, 28, 12, tzinfo=UTC)) == datetime(
        2026, 3, 29, 1, 30, tzinfo=UTC
    )
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert next_due(night, first - timedelta(minutes=1)) == first
    assert next_due(night, first) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.times(),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia"]),
)
def test_it_is_never_due_now_or_before_and_within_two_days(
    now: datetime, at: time, zone: str
) -> None:
    due = next_due(Canary("ana", at.replace(second=0, microsecond=0), zone), now)
    assert now < due <= now + timedelta(days=2, hours=1)
