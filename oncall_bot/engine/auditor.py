"""Every minute: is every open incident on its way to a person, and does all that brings it there still move?

Knows the order: measure oneself, look, mend, tell, and beat to the outside only when nothing was found. The faults are
in `flows.checks`, one line each; what mends them is in `flows.repair`. Every step has a limit in time, so that a dead
database cannot hold the auditor, and then the admins are rung from memory. Serves whoever sleeps. Itself it is watched
by `engine.watchdog`, from outside the event loop.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

import structlog

from oncall_bot.core.faults import Fault, Pulse
from oncall_bot.engine.alarm import Alarm
from oncall_bot.engine.jobs import now_utc
from oncall_bot.flows import canary, checks
from oncall_bot.ports import DeliveryError, Heartbeat
from oncall_bot.store import audit, incidents, outbox, processes
from oncall_bot.store.db import Store
from oncall_bot.store.outbox import Lane
from oncall_bot.store.transactions import Reader
from oncall_bot.telemetry.metrics import Telemetry

log = structlog.get_logger(__name__)

EVERY = timedelta(seconds=60)
FIRST_AFTER = timedelta(seconds=10)
"""After a start what waited has been sent by then, and is no fault."""
LEASE_FOR = EVERY + timedelta(seconds=30)
STEP_TAKES_AT_MOST_S = 10.0
TRIES = 4
PAUSE_S = 7.0
SLICES_AT_MOST = 40
LATE_AFTER_S = EVERY.total_seconds() + 20
DEAD_AFTER_S = EVERY.total_seconds() + 45

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Parts:
    """What the auditor asks of its neighbours. Ages are seconds since they last came to an end."""

    tick_age: Callable[[], float] = lambda: 0.0
    delivery_age: Callable[[], float] = lambda: 0.0
    silent_duties: Callable[[], Mapping[str, float]] = dict
    revive: Callable[[Sequence[str]], None] = lambda names: None
    has_chat: bool = False


class Auditor:
    def __init__(
        self,
        store: Store,
        *,
        instance: str,
        parts: Parts,
        telemetry: Telemetry,
        alarm: Alarm,
        heartbeat: Heartbeat | None = None,
        now: Callable[[], datetime] = now_utc,
        seconds: Callable[[], float] = time.monotonic,
        step_takes_at_most: float = STEP_TAKES_AT_MOST_S,
        pause: float = PAUSE_S,
    ) -> None:
        self._store = store
        self._instance = instance
        self._parts = parts
        self._telemetry = telemetry
        self._alarm = alarm
        self._heartbeat = heartbeat
        self._now = now
        self._seconds = seconds
        self._limit, self._pause = step_takes_at_most, pause
        self._step = ""
        self._moved = seconds()
        self._beats_failed = 0
        self._one = asyncio.Lock()

    def age(self) -> float:
        """Seconds since an audit last came to an end, whatever it found, or got on with one."""
        return self._seconds() - self._moved

    async def run(self) -> None:
        """Check, repair, report, and beat only when nothing was wrong.

        What fails is tried again for a while, because a database that starts anew is no fault; then the admins are
        rung from memory.
        """
        async with self._one:
            passed = False
            for attempt in range(TRIES):
                if attempt:
                    await asyncio.sleep(self._pause)
                try:
                    passed = await self.audit()
                    break
                except Exception as error:  # noqa: BLE001 - guard: one duty of the tick; no heartbeat is the alarm
                    self._telemetry.guarded("tick")
                    log.error("audit_failed", step=self._step, error=repr(error)[:500])
                    self._moved = self._seconds()
            else:
                self._count({checks.WRITES_FAIL: [Fault(self._instance, self._step)]})
                await self._alarm.ring(f"The database of oncall-bot {self._step}: nobody is paged.")
            self._moved = self._seconds()
            if passed:
                self._telemetry.audit_passed_timestamp_seconds.set(self._now().timestamp())
                await self._beat()

    async def audit(self) -> bool:
        """True when nothing is wrong: every open incident has a due row or a stated reason, and the engine moves."""
        self._step = "takes no write"
        leads, seconds = await self._write()
        self._step = "cannot be read"
        pulse = await self._pulse(seconds)
        found = await self._bounded(self._store.view(checks.look_all, pulse))
        self._count(found)
        await self._lend_a_hand(found, pulse)
        own = {check.name for check in checks.CHECKS if check.own}
        for name, faults in found.items():
            for fault in faults:
                log.error("audit", check=name, fault=fault.text)
            if (leads or name in own) and name != checks.HELD_BACK:
                await self._treat(name, pulse)
        await self._measure()
        return all(name in DO_NOT_STOP_THE_HEARTBEAT for name in found)

    # --- steps --------------------------------------------------------------------------------------------------

    async def _write(self) -> tuple[bool, float]:
        """Commit a row, for real: whether this process mends what all share, and how long it took."""
        began = self._seconds()
        lease = self._store.write(processes.take_lease, "auditor", self._instance, LEASE_FOR)
        return await self._bounded(_awaited(lease)), self._seconds() - began

    async def _pulse(self, write_took: float) -> Pulse:
        before = self._now()
        at_database = await self._bounded(self._store.view(_time_of))
        after = self._now()
        off = timedelta(0)
        if not before <= at_database <= after:
            off = at_database - (before if at_database < before else after)
        return Pulse(
            instance=self._instance,
            tick_age=self._parts.tick_age(),
            delivery_age=self._parts.delivery_age(),
            silent_duties=self._parts.silent_duties(),
            write_took=write_took,
            clock_off=off,
            beats_failed=self._beats_failed,
            has_chat=self._parts.has_chat,
            rules_refused=self._store.rules_refused,
        )

    async def _lend_a_hand(self, found: Mapping[str, Sequence[Fault]], pulse: Pulse) -> None:
        """What no row can mend: a duty the scheduler forgot, and a delivery that sends no word to anybody."""
        if "duty_silent" in found:
            self._parts.revive(sorted(pulse.silent_duties))
        if "delivery_late" in found:
            await self._alarm.ring(f"{found['delivery_late'][0].text}.")

    async def _treat(self, name: str, pulse: Pulse) -> None:
        """Mend and tell, a slice at a time; one check that cannot be mended hurts no other."""
        for _ in range(SLICES_AT_MOST):
            try:
                said = await self._bounded(_awaited(self._store.write(checks.treat, name, pulse)))
            except Exception as error:  # noqa: BLE001 - guard: one duty of the tick; said from memory instead
                self._telemetry.guarded("tick")
                log.error("repair_failed", check=name, error=repr(error)[:500])
                await self._alarm.ring(
                    f"oncall-bot found {checks.MEANINGS[name]}, and cannot mend it."
                )
                return
            self._moved = self._seconds()
            for text in said:
                log.error("audit_treated", check=name, said=text)
            if len(said) < audit.SLICE or not checks.is_mended(name):
                return

    async def _bounded(self, step: Awaitable[T]) -> T:
        return await asyncio.wait_for(step, self._limit)

    async def _beat(self) -> None:
        if self._heartbeat is None:
            return
        try:
            await self._heartbeat.beat()
            self._beats_failed = 0
        except DeliveryError as error:
            self._beats_failed += 1
            log.warning("heartbeat_failed", in_a_row=self._beats_failed, error=str(error)[:200])
            if self._beats_failed == checks.BEATS_MISSED:
                await self._treat(
                    "heartbeat_fails", Pulse(self._instance, beats_failed=self._beats_failed)
                )

    # --- figures ------------------------------------------------------------------------------------------------

    def _count(self, found: Mapping[str, Sequence[Fault]]) -> None:
        for name in checks.MEANINGS:
            self._telemetry.audit_faults.labels(name).set(len(found.get(name, ())))

    async def _measure(self) -> None:
        oldest = await self._store.view(outbox.oldest)
        for lane in Lane:
            since = oldest.get(int(lane))
            age = (self._now() - since).total_seconds() if since else 0.0
            self._telemetry.outbox_oldest_seconds.labels(lane.name.lower()).set(max(0.0, age))
        counts = await self._store.view(incidents.open_counts)
        for severity in ("SEV1", "SEV2", "SEV3", "SEV4", "SEV5"):
            self._telemetry.incidents_open.labels(severity).set(counts.get(severity, 0))
        last = await self._store.view(canary.last)
        if last is not None and last.arrived_at is not None:
            self._telemetry.canary_arrived_timestamp_seconds.set(last.arrived_at.timestamp())


DO_NOT_STOP_THE_HEARTBEAT = frozenset({"heartbeat_fails"})
"""The beat itself is tried again: that it failed is told, and must not keep it from ever beating again."""


async def _awaited(pending: Awaitable[T]) -> T:
    return await pending


def _time_of(reader: Reader) -> datetime:
    return reader.now
