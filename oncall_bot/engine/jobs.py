"""APScheduler as the clock: which duty runs how often. It stores nothing that must survive.

Knows intervals. Refuses to know duties. Serves app, which hands it the duties.
Memory store, coalesced, one instance each, no misfire limit: a late duty runs once, late (docs/decisions/0001).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler

Duty = Callable[[], Awaitable[None]]
Clock = Callable[[], datetime]


def now_utc() -> datetime:
    return datetime.now(UTC)


class Jobs:
    """Runs each duty at its interval from now on, until stopped."""

    def __init__(
        self, duties: Mapping[str, tuple[timedelta, Duty]], *, now: Clock = now_utc
    ) -> None:
        self._duties = duties
        self._now = now
        self._ran_at: dict[str, datetime] = {}
        self._one = {name: asyncio.Lock() for name in duties}
        self._scheduler = AsyncIOScheduler(
            timezone="UTC",
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def start(self) -> None:
        for name, (every, _) in self._duties.items():
            self._scheduler.add_job(
                self._run,
                "interval",
                seconds=every.total_seconds(),
                id=name,
                args=[name],
                next_run_time=datetime.now(UTC),
            )
        self._scheduler.start()

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

    def stop(self) -> None:
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
