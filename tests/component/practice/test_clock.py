"""Practice time: it flows, it is sped up, it is skipped, and everybody catches up after each leap."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from oncall_bot.practice.clock import LEAP, PracticeClock

START = datetime(2027, 3, 28, 0, 54, tzinfo=UTC)


class Steady:
    """The monotonic clock, moved by hand."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_at_speed_one_it_flows_as_real_time_does() -> None:
    steady = Steady()
    clock = PracticeClock(START, monotonic=steady)
    steady.seconds += 2.5
    assert clock.now() == START + timedelta(seconds=2.5)


async def test_a_skip_goes_by_leaps_and_waits_for_everybody_after_each() -> None:
    clock = PracticeClock(START, monotonic=Steady())
    seen: list[datetime] = []

    async def follower() -> None:
        before = clock.now()
        await asyncio.sleep(0)
        assert clock.now() == before
        seen.append(before)

    clock.follow(follower)
    await clock.skip(timedelta(seconds=10))
    assert seen == [START + timedelta(seconds=s) for s in (4, 8, 10)]
    assert timedelta(seconds=5) > LEAP  # a process silent for five seconds is taken for dead


async def test_a_skip_stops_at_what_it_waits_for() -> None:
    clock = PracticeClock(START, monotonic=Steady())
    await clock.skip(
        timedelta(minutes=15), until=lambda: clock.now() >= START + timedelta(minutes=1)
    )
    assert clock.now() == START + timedelta(minutes=1)


async def test_a_skip_never_goes_on_for_ever() -> None:
    clock = PracticeClock(START, monotonic=Steady())
    await clock.skip(timedelta(days=400))
    assert clock.now() == START + timedelta(hours=2)


async def test_at_speed_thirty_a_second_is_half_a_minute() -> None:
    clock = PracticeClock(START)
    clock.set_speed(30)
    running = asyncio.create_task(clock.run())
    await asyncio.wait_for(clock.wait(9), 5)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert clock.now() - START >= timedelta(seconds=9)


def test_only_the_speeds_there_are() -> None:
    with pytest.raises(ValueError, match="1, 10, 30"):
        PracticeClock(START).set_speed(1000)
