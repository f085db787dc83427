"""APScheduler as the clock: which duty runs how often. It stores nothing that must survive.

Knows intervals, and that APScheduler plans by the wall clock: when that is set back, every duty would stay away for
as long as it was set back, so it is planned anew. Refuses to know duties. Serves app, which hands it the duties.
Memory store, coalesced, one instance each, no misfire limit: a late duty runs once, late (docs/decisions/0001).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

Duty = Callable[[], Awaitable[None]]
Clock = Callable[[], datetime]

log = structlog.get_logger(__name__)

WALL_LOOK_EVERY_S = 0.25
SET_BACK = timedelta(seconds=0.5)


def now_utc() -> datetime:
    return datetime.now(UTC)


class _Every(BaseTrigger):  # type: ignore[misc]
    """So long after each run. APScheduler's own interval counts every run that a clock set forward jumped over."""

    def __init__(self, every: timedelta) -> None:
        self._every = every

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        return now + self._every


class Jobs:
    """Runs each duty at its interval from now on, until stopped.

    `now` is the clock of decisions, for `catch_up`. `wall` is what APScheduler goes by: the clock of the machine.
    """

    def __init__(
        self,
        duties: Mapping[str, tuple[timedelta, Duty]],
        *,
        now: Clock = now_utc,
        wall: Clock = now_utc,
    ) -> None:
        self._duties = duties
        self._now = now
        self._wall = wall
        self._ran_at: dict[str, datetime] = {}
        self._one = {name: asyncio.Lock() for name in duties}
        self._scheduler = AsyncIOScheduler(
            timezone="UTC",
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._watching: asyncio.Task[None] | None = None

    def start(self) -> None:
        for name, (every, _) in self._duties.items():
            self._scheduler.add_job(
                self._run,
                _Every(every),
                id=name,
                args=[name],
                next_run_time=self._wall(),
            )
        self._scheduler.start()
        self._watching = asyncio.create_task(self._watch_wall(), name="wall-clock")

    async def catch_up(self) -> None:
        """Run at once, in order, every duty whose interval has passed by the clock; for a clock that leaps."""
        for name, (every, _) in self._duties.items():
            ran_at = self._ran_at.get(name)
            if ran_at is None or self._now() - ran_at >= every:
                await self._run(name)

    async def _run(self, name: str) -> None:
        async with self._one[name]:
            self._ran_at[name] = self._now()
            await self._duties[name][1]()

    async def _watch_wall(self) -> None:
        """Plan everything anew once the wall clock is behind where it should be by now."""
        zero = self._zero()
        while True:
            await asyncio.sleep(WALL_LOOK_EVERY_S)
            back = zero - self._zero()
            if back > SET_BACK:
                log.warning("wall_clock_set_back", seconds=round(back.total_seconds(), 1))
                self._plan_anew()
            if back > SET_BACK or back < timedelta(0):
                zero = self._zero()

    def _zero(self) -> datetime:
        """What the wall clock should have shown when the monotonic clock began: the same for ever, until it is set."""
        return self._wall() - timedelta(seconds=time.monotonic())

    def _plan_anew(self) -> None:
        """Every duty runs now, and at its interval from now on."""
        now = self._wall()
        for name in self._duties:
            self._scheduler.modify_job(name, next_run_time=now)

    def stop(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
