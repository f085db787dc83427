"""Every minute: ask each source what fires, and let `flows.reconcile` compare.

Knows which sources can be asked, and slices, so that a long list keeps nobody waiting. Refuses to compare. Serves
alerts whose end nobody told; and, before late pages, everybody who would be woken for what ended while we were away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog

from oncall_bot.engine.jobs import now_utc
from oncall_bot.engine.sources import Asked, ask
from oncall_bot.flows.reconcile import Lists, answered, not_heard, reconcile, reopen_listed
from oncall_bot.ports import AlertSource
from oncall_bot.store import processes
from oncall_bot.store.db import Store
from oncall_bot.telemetry.metrics import Telemetry

log = structlog.get_logger(__name__)

EVERY = timedelta(seconds=60)
SLICE = 200
ANSWER_WITHIN = 10.0
LATE_ANSWER_WITHIN = 2.0


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
        """Compare every source; one that fails hurts no other."""
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
        """One source against what we believe of it; one without an address is only looked at for its silence."""
        if not self._addresses(source):
            after: int | None = 0
            while after is not None:
                after = await self._store.write(not_heard, source, after)
            return
        asked = await self._ask(source, ANSWER_WITHIN)
        await self._store.write(answered, source, asked.silent)
        if asked.lists is not None:
            await self._reopen(asked.lists)
            await self._reconcile(asked.lists, None)

    async def before_late_pages(self, unheard_since: datetime) -> None:
        """We were away: what ended meanwhile is ended before anybody is woken for it, 2 s for all sources together.

        Who does not answer in time, or has no address, still fires as far as we know.
        """
        sources = [one for one in sorted(self._store.snapshot.sources) if self._addresses(one)]
        asked = await asyncio.gather(*(self._ask(one, LATE_ANSWER_WITHIN) for one in sources))
        for one in asked:
            if one.lists is not None:
                await self._reconcile(one.lists, unheard_since)

    async def _ask(self, source: str, within: float) -> Asked:
        config = self._store.snapshot.config.sources.get(source)
        receivers = config.receivers if config is not None else ()
        addresses = self._addresses(source)
        return await ask(self._source, source, addresses, receivers, self._now(), within=within)

    async def _reopen(self, lists: Lists) -> None:
        active = [one.fingerprint for one in lists.alerts.values() if one.held_by is None]
        for start in range(0, len(active), SLICE):
            await self._store.write(reopen_listed, lists, active[start : start + SLICE])

    async def _reconcile(self, lists: Lists, unheard_since: datetime | None) -> None:
        after: int | None = 0
        while after is not None:
            after = await self._store.write(reconcile, lists, after, unheard_since=unheard_since)
