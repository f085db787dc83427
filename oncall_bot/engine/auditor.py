"""Every minute: is every open incident on its way to a person? Only then does the outgoing heartbeat beat.

Knows what to check and that the heartbeat depends on it. Refuses to repair: `flows.repair` does. Serves whoever sleeps.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from oncall_bot.engine.jobs import now_utc
from oncall_bot.flows.repair import repair, report
from oncall_bot.ports import DeliveryError, Heartbeat
from oncall_bot.store import audit, incidents, outbox, processes
from oncall_bot.store.db import Reader, Store
from oncall_bot.store.outbox import Lane
from oncall_bot.telemetry.metrics import Telemetry

log = structlog.get_logger(__name__)

EVERY = timedelta(seconds=60)
PAGE_WAITS_AT_MOST = timedelta(seconds=60)
TICK_AGE_MAX_S = 10.0


class Auditor:
    def __init__(
        self,
        store: Store,
        *,
        instance: str,
        tick_age: Callable[[], float],
        telemetry: Telemetry,
        heartbeat: Heartbeat | None = None,
        now: Callable[[], datetime] = now_utc,
    ) -> None:
        self._store = store
        self._instance = instance
        self._tick_age = tick_age
        self._telemetry = telemetry
        self._heartbeat = heartbeat
        self._now = now

    async def run(self) -> None:
        """Check, repair, report, and beat only when nothing was wrong."""
        try:
            passed = await self.audit()
        except Exception as error:  # noqa: BLE001 - guard: one duty of the tick; no heartbeat is the alarm
            self._telemetry.guarded("tick")
            log.error("audit_failed", error=str(error)[:500])
            return
        if not passed:
            return
        self._telemetry.audit_passed_timestamp_seconds.set(self._now().timestamp())
        if self._heartbeat is not None:
            try:
                await self._heartbeat.beat()
            except DeliveryError as error:
                log.warning("heartbeat_failed", error=str(error)[:200])

    async def audit(self) -> bool:
        """True when every open incident has a due row or a stated reason, and the engine moves."""
        leads = await self._store.write(
            processes.take_lease, "auditor", self._instance, EVERY + timedelta(seconds=30)
        )
        repaired = await self._store.write(repair) if leads else []
        faults = await self._store.view(_faults)
        if self._tick_age() > TICK_AGE_MAX_S:
            faults.append(f"The tick is {self._tick_age():.0f} s old.")
        for text in [*repaired, *faults]:
            log.error("audit", fault=text)
        if faults and leads:
            await self._store.write(report, faults)
        await self._measure()
        return not repaired and not faults

    async def _measure(self) -> None:
        oldest = await self._store.view(outbox.oldest)
        for lane in Lane:
            since = oldest.get(int(lane))
            age = (self._now() - since).total_seconds() if since else 0.0
            self._telemetry.outbox_oldest_seconds.labels(lane.name.lower()).set(max(0.0, age))
        counts = await self._store.view(incidents.open_counts)
        for severity in ("SEV1", "SEV2", "SEV3", "SEV4", "SEV5"):
            self._telemetry.incidents_open.labels(severity).set(counts.get(severity, 0))


def _faults(reader: Reader) -> list[str]:
    late = audit.late_pages(reader, reader.now - PAGE_WAITS_AT_MOST)
    if reader.snapshot.held:
        return ["Nothing is sent since a restore; run `oncall-bot resume`."]
    return [f"{len(late)} pages wait longer than a minute."] if late else []
