"""Every minute: ask each source what fires, and let `flows.reconcile` compare.

Knows addresses and when a list may be believed. Refuses to compare. Serves alerts whose end nobody told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog

from oncall_bot.engine.jobs import now_utc
from oncall_bot.flows.reconcile import UP_FOR, Listed, Lists, reconcile, reopen_listed
from oncall_bot.ports import AlertSource, DeliveryError, SourceList
from oncall_bot.store import processes
from oncall_bot.store.db import Store
from oncall_bot.telemetry.metrics import Telemetry

log = structlog.get_logger(__name__)

EVERY = timedelta(seconds=60)
SLICE = 500


class Reconciler:
    def __init__(
        self,
        store: Store,
        source: AlertSource,
        addresses: Callable[[str], Sequence[str]],
        *,
        instance: str,
        telemetry: Telemetry,
        now: Callable[[], datetime] = now_utc,
    ) -> None:
        self._store = store
        self._source = source
        self._addresses = addresses
        self._instance = instance
        self._telemetry = telemetry
        self._now = now

    async def run(self) -> None:
        """Compare every source that has an address; one that fails hurts no other."""
        leads = await self._store.write(
            processes.take_lease, "reconciler", self._instance, EVERY + timedelta(seconds=30)
        )
        if not leads:
            return
        for source in sorted(self._store.snapshot.sources):
            try:
                await self.compare(source)
            except Exception as error:  # noqa: BLE001 - guard: one duty of the tick
                self._telemetry.guarded("tick")
                log.warning("reconcile_failed", source=source, error=str(error)[:300])

    async def compare(self, source: str) -> None:
        addresses = self._addresses(source)
        if not addresses:
            return
        lists = await self._ask(source, addresses)
        if lists is None:
            return
        active = [one.fingerprint for one in lists.alerts.values() if one.held_by is None]
        for start in range(0, len(active), SLICE):
            await self._store.write(reopen_listed, lists, active[start : start + SLICE])
        after: int | None = 0
        while after is not None:
            after = await self._store.write(reconcile, lists, after)

    async def _ask(self, source: str, addresses: Sequence[str]) -> Lists | None:
        answers = await asyncio.gather(*(self._one(address) for address in addresses))
        found = [one for one in answers if one is not None]
        if not found:
            return None
        up_since = self._now() - UP_FOR
        whole = len(found) == len(addresses) and all(one.up_since <= up_since for one in found)
        listed: dict[str, Listed] = {}
        for one in found:
            for alert in one.alerts:
                before = listed.get(alert.fingerprint)
                if before is None or before.held_by is not None:
                    listed[alert.fingerprint] = Listed(
                        alert.fingerprint, alert.starts_at, alert.held_by
                    )
        return Lists(source, whole, listed)

    async def _one(self, address: str) -> SourceList | None:
        try:
            return await asyncio.to_thread(self._source.list_alerts, address, timeout=5.0)
        except DeliveryError as error:
            log.warning("source_silent", error=str(error)[:200])
            return None
