"""APScheduler as the clock: which duty runs how often. It stores nothing that must survive.

Knows intervals. Refuses to know duties. Serves app, which hands it the duties.
Memory store, coalesced, one instance each, no misfire limit: a late duty runs once, late (docs/decisions/0001).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler

Duty = Callable[[], Awaitable[None]]


class Jobs:
    """Runs each duty at its interval from now on, until stopped."""

    def __init__(self, duties: Mapping[str, tuple[timedelta, Duty]]) -> None:
        self._duties = duties
        self._scheduler = AsyncIOScheduler(
            timezone="UTC",
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def start(self) -> None:
        for name, (every, duty) in self._duties.items():
            self._scheduler.add_job(
                duty,
                "interval",
                seconds=every.total_seconds(),
                id=name,
                next_run_time=datetime.now(UTC),
            )
        self._scheduler.start()

    def stop(self) -> None:
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
