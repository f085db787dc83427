"""APScheduler as the clock: which duty runs how often. It stores nothing that must survive.

Knows intervals. Refuses to know duties. Serves app, which hands it the duties.
Memory store, coalesced, one instance each, no misfire limit: a late duty runs once, late (docs/decisions/0001).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler

Duty = Callable[[], Awaitable[None]]
Clock = Callable[[], datetime]


def now_utc() -> datetime:
    return datetime.now(UTC)


LATE_BY_S = 30.0
HANGS_AFTER_S = 300.0
"""A duty may take long: who asks Slack about five hundred people, once a second, does."""


class Jobs:
    """Runs each duty at its interval from now on, until stopped. `later`: duties whose first run waits so long."""

    def __init__(
        self,
        duties: Mapping[str, tuple[timedelta, Duty]],
        *,
        now: Clock = now_utc,
        later: Mapping[str, timedelta] | None = None,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._duties = duties
        self._now = now
        self._later = later or {}
        self._seconds = seconds
        self._ran_at: dict[str, datetime] = {}
        self._began: dict[str, float] = {}
        self._ended = dict.fromkeys(duties, seconds())
        self._one = {name: asyncio.Lock() for name in duties}
        self._scheduler = AsyncIOScheduler(
            timezone="UTC",
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def start(self) -> None:
        for name in self._duties:
            self._plan(name, self._later.get(name, timedelta(0)))
        self._scheduler.start()

    def _plan(self, name: str, wait: timedelta = timedelta(0)) -> None:
        self._scheduler.add_job(
            self._run,
            "interval",
            seconds=self._duties[name][0].total_seconds(),
            id=name,
            args=[name],
            next_run_time=datetime.now(UTC) + wait,
            replace_existing=True,
        )

    def silent(self) -> dict[str, float]:
        """Duties that are overdue, hang, or were forgotten by the scheduler, with the seconds since they last ended."""
        now = self._seconds()
        return {
            name: now - self._ended[name] for name in self._duties if self._is_silent(name, now)
        }

    def _is_silent(self, name: str, now: float) -> bool:
        if self._one[name].locked():
            return now - self._began.get(name, now) > HANGS_AFTER_S
        if self._scheduler.running and self._scheduler.get_job(name) is None:
            return True
        return now - self._ended[name] > self._duties[name][0].total_seconds() + LATE_BY_S

    def revive(self, names: Iterable[str]) -> None:
        """Plan these anew, from now on. One that hangs stays as it is: it is never run beside itself."""
        for name in names:
            self._plan(name)

    async def catch_up(self) -> None:
        """Run at once, in order, every duty whose interval has passed by the clock; for a clock that leaps."""
        for name, (every, _) in self._duties.items():
            ran_at = self._ran_at.get(name)
            if ran_at is None or self._now() - ran_at >= every:
                await self._run(name)

    async def _run(self, name: str) -> None:
        async with self._one[name]:
            self._ran_at[name] = self._now()
            self._began[name] = self._seconds()
            try:
                await self._duties[name][1]()
            finally:
                self._ended[name] = self._seconds()

    def stop(self) -> None:
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
