"""The tick: at least twice a second, free what the dead held and work on every timer that is due.

Knows the order of duties of one tick. Refuses to decide: `flows.strike` does, one transaction a timer, so that one
poisoned timer hurts no other. Serves everything that must happen later.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from oncall_bot.engine.jobs import now_utc
from oncall_bot.flows.delivered import take_back
from oncall_bot.flows.strike import strike, strike_failed
from oncall_bot.store import processes, timers
from oncall_bot.store.db import Store
from oncall_bot.telemetry.metrics import Telemetry

log = structlog.get_logger(__name__)

BEAT_EVERY = timedelta(seconds=1)
TIMERS_A_TICK = 500


class Tick:
    """One tick at a time; `age()` says how long ago the last one ended well."""

    def __init__(
        self,
        store: Store,
        *,
        instance: str,
        version: str,
        telemetry: Telemetry,
        now: Callable[[], datetime] = now_utc,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._seconds = seconds
        self._instance = instance
        self._version = version
        self._telemetry = telemetry
        self._now = now
        self._started_at = now()
        self._passed = self._ended = seconds()
        self._beat_at: datetime | None = None

    def age(self) -> float:
        """Seconds since the last tick that went through."""
        return self._seconds() - self._passed

    def silence(self) -> float:
        """Seconds since a tick last came to an end, well or not: while the database is away it still comes."""
        return self._seconds() - self._ended

    async def run(self) -> None:
        """Beat, recover, strike. A duty that fails is logged and tried at the next tick."""
        try:
            await self._beat()
            await self._strike_due()
            self._passed = self._seconds()
        except Exception as error:  # noqa: BLE001 - guard: one duty of the tick
            self._telemetry.guarded("tick")
            log.warning("tick_failed", error=str(error)[:300])
        finally:
            self._ended = self._seconds()

    async def _beat(self) -> None:
        """I am alive; leases of those who are not come back."""
        now = self._now()
        if self._beat_at is not None and timedelta(0) <= now - self._beat_at < BEAT_EVERY:
            return
        await self._store.write(processes.beat, self._instance, self._version, self._started_at)
        self._beat_at = now
        for row in await self._store.write(take_back):
            log.warning("lease_recovered", outbox_id=row.id, kind=row.kind, failures=row.failures)

    async def _strike_due(self) -> None:
        if self._store.snapshot.held:
            return
        await self._measure()
        due = await self._store.view(timers.due, limit=TIMERS_A_TICK)
        for timer_id in due:
            try:
                await self._store.write(strike, timer_id)
            except Exception as error:  # noqa: BLE001 - guard: one duty of the tick
                self._telemetry.guarded("tick")
                log.error("timer_failed", timer_id=timer_id, error=str(error)[:500])
                await self._store.write(strike_failed, timer_id, f"{type(error).__name__}: {error}")

    async def _measure(self) -> None:
        """Before anything is struck: what is due by now has waited so long."""
        oldest = await self._store.view(timers.next_due)
        overdue = (self._now() - oldest).total_seconds() if oldest else 0.0
        self._telemetry.timer_overdue_seconds.set(max(0.0, overdue))
