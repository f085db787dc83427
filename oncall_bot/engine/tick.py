"""The tick: at least twice a second, free what the dead held and work on every timer that is due.

Knows the order of duties of one tick, and that the sign of life waits for none of them: five seconds without one and
the other processes take this one for dead. Refuses to decide: `flows.strike` does, and when one of several raises each
is struck alone, so that a poisoned timer hurts no other. Serves everything that must happen later.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial

import structlog

from oncall_bot.engine.jobs import now_utc
from oncall_bot.flows.delivered import take_back
from oncall_bot.flows.strike import strike_all, strike_failed
from oncall_bot.store import processes, timers
from oncall_bot.store.db import Store
from oncall_bot.telemetry.metrics import Telemetry

log = structlog.get_logger(__name__)

BEAT_EVERY = timedelta(seconds=1)
BEAT_EVERY_AMONG_OTHERS = timedelta(seconds=0.4)
TIMERS_A_TICK = 100
"""Between two hundreds the dead are looked for, and `age` says that the tick goes on."""
STRUCK_TOGETHER = 20
"""Between two twenties other writes pass: claims, presses, alerts."""
LATE = timedelta(minutes=10)
LOOK_AGAIN_AFTER = timedelta(minutes=1)


class Tick:
    """One tick at a time; `age()` says how long ago the last one ended well."""

    def __init__(
        self,
        store: Store,
        *,
        instance: str,
        version: str,
        telemetry: Telemetry,
        before_late_pages: Callable[[datetime], Awaitable[None]] | None = None,
        now: Callable[[], datetime] = now_utc,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        """`before_late_pages(since)` is awaited before steps overdue by more than LATE are struck."""
        self._store = store
        self._seconds = seconds
        self._instance = instance
        self._version = version
        self._telemetry = telemetry
        self._before_late_pages = before_late_pages
        self._looked_at: datetime | None = None
        self._now = now
        self._started_at = now()
        self._passed = self._ended = seconds()
        self._beat_every = BEAT_EVERY if store.sqlite else BEAT_EVERY_AMONG_OTHERS
        self._beat_at: datetime | None = None
        self._took_back_at: datetime | None = None

    def age(self) -> float:
        """Seconds since the last tick that went through."""
        return self._seconds() - self._passed

    def silence(self) -> float:
        """Seconds since a tick last came to an end, well or not: while the database is away it still comes."""
        return self._seconds() - self._ended

    async def run(self) -> None:
        """Beat, recover, strike. What fails is logged, tried at the next tick, and keeps nothing else from its turn."""
        try:
            await self._guarded(self.beat)
            await self._guarded(self._take_back)
            if await self._guarded(self._strike_due):
                self._passed = self._seconds()
        finally:
            self._ended = self._seconds()

    async def _guarded(self, duty: Callable[[], Awaitable[None]]) -> bool:
        try:
            await duty()
            return True
        except Exception as error:  # noqa: BLE001 - guard: one duty of the tick
            self._telemetry.guarded("tick")
            log.warning("tick_failed", error=str(error)[:300])
            return False

    async def beat(self) -> None:
        """The sign of life, unless it was given a moment ago.

        Also called beside the ticks: one that has much to do may last longer than five seconds.
        """
        if self._is_over(self._beat_at):
            self._beat_at = self._now()
            await self._store.aside(processes.beat, self._instance, self._version, self._started_at)

    async def _take_back(self) -> None:
        """Leases of those who gave no sign of life come back."""
        if not self._is_over(self._took_back_at):
            return
        self._took_back_at = self._now()
        if self._store.sees_others():
            gone = await self._store.write(processes.bury, self._instance)
            if gone:
                log.warning("process_gone", count=gone)
        for row in await self._store.write(take_back):
            log.warning("lease_recovered", outbox_id=row.id, kind=row.kind, failures=row.failures)

    def _is_over(self, since: datetime | None) -> bool:
        """Whether it is time for the next sign of life after this one, or the clock was set back."""
        return since is None or not timedelta(0) <= self._now() - since < self._beat_every

    async def _look_before_late_pages(self) -> None:
        """A long downtime, a restored backup: what ended meanwhile wakes nobody. If the look fails, pages go out."""
        now, look = self._now(), self._before_late_pages
        if look is None or (self._looked_at and now - self._looked_at < LOOK_AGAIN_AFTER):
            return
        since = now - LATE
        if not await self._store.view(timers.pages_overdue, since):
            return
        self._looked_at = now
        await self._guarded(partial(look, since))

    async def _strike_due(self) -> None:
        if self._store.snapshot.held:
            return
        await self._measure()
        due = await self._store.view(timers.due, limit=TIMERS_A_TICK)
        if due:
            await self._look_before_late_pages()
        for at in range(0, len(due), STRUCK_TOGETHER):
            struck = due[at : at + STRUCK_TOGETHER]
            await asyncio.gather(*(self._guarded(partial(self._strike, one)) for one in struck))

    async def _measure(self) -> None:
        """Before anything is struck: what is due by now has waited so long."""
        oldest = await self._store.view(timers.next_due)
        overdue = (self._now() - oldest).total_seconds() if oldest else 0.0
        self._telemetry.timer_overdue_seconds.set(max(0.0, overdue))

    async def _strike(self, timer_id: int) -> None:
        try:
            await self._store.share(strike_all, timer_id, self._store.weight_of(STRUCK_TOGETHER))
        except Exception as error:  # noqa: BLE001 - guard: one duty of the tick
            self._telemetry.guarded("tick")
            log.error("timer_failed", timer_id=timer_id, error=str(error)[:500])
            await self._store.write(strike_failed, timer_id, f"{type(error).__name__}: {error}")
