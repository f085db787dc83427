"""Practice time: as fast as the wall's at first, faster or a skip ahead when somebody wants it.

Knows that time flows with the monotonic clock and that everything beyond that is leaps, each so short that nobody is
taken for dead, and each told to those who must catch up before the next. Refuses to know what they do then. Serves the
practice servers, which show this time, and the bot, whose every decision is taken from it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta

SPEEDS = (1, 10, 30)
LEAP = timedelta(seconds=4)
"""The longest leap: the bot takes a process for dead that has not spoken for five seconds."""
BEAT_S = 0.1
SKIP_MAX = timedelta(hours=2)

Leapt = Callable[[], Awaitable[None]]


class PracticeClock:
    """`now()` never goes back. At speed 1 it needs no task; `run()` makes the leaps of the other speeds."""

    def __init__(self, start: datetime, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._anchor = monotonic()
        self._start = start
        self._leapt = timedelta(0)
        self._one_leap = asyncio.Lock()
        self._followers: list[Leapt] = []
        self.speed = 1

    def now(self) -> datetime:
        """The practice instant, aware, UTC. Safe from any thread."""
        flowed = timedelta(seconds=self._monotonic() - self._anchor)
        return self._start + flowed + self._leapt

    def set(self, start: datetime) -> None:
        """Begin anew at this instant: for a story that starts, while nothing follows the clock."""
        self._start, self._leapt, self._anchor = start, timedelta(0), self._monotonic()

    def follow(self, leapt: Leapt) -> None:
        """Await this after every leap, in the order of following, before the next leap is made."""
        self._followers.append(leapt)

    def unfollow(self, leapt: Leapt) -> None:
        with suppress(ValueError):
            self._followers.remove(leapt)

    def set_speed(self, speed: int) -> None:
        if speed not in SPEEDS:
            raise ValueError(f"the speeds are {', '.join(map(str, SPEEDS))}")
        self.speed = speed

    async def skip(self, ahead: timedelta, until: Callable[[], bool] = lambda: False) -> None:
        """Go ahead by leaps, everybody catching up after each, and stop early once `until` is true."""
        end = self.now() + min(ahead, SKIP_MAX)
        while not until() and (left := end - self.now()) > timedelta(0):
            await self.leap(min(LEAP, left))

    async def leap(self, by: timedelta) -> None:
        """One leap of at most LEAP; returns when all who follow have caught up."""
        async with self._one_leap:
            self._leapt += min(by, LEAP)
            for follower in list(self._followers):
                await follower()

    async def run(self) -> None:
        """Make the leaps of speeds above 1, until cancelled."""
        before = self._monotonic()
        while True:
            await asyncio.sleep(BEAT_S)
            after = self._monotonic()
            passed, before = after - before, after
            if self.speed > 1:
                await self.leap(timedelta(seconds=passed * (self.speed - 1)))

    async def wait(self, practice_seconds: float) -> None:
        """Return once so much practice time has passed, however it passes."""
        end = self.now() + timedelta(seconds=practice_seconds)
        while (left := (end - self.now()).total_seconds()) > 0:  # noqa: ASYNC110 - time may leap
            await asyncio.sleep(min(left, BEAT_S))
