"""Looks for the runbooks of incidents that certain evidence gave none: beside the pages, never before them.

Knows which incidents wait and that a search only reads. Refuses to know what fits. Serves app, as a duty.
"""

from __future__ import annotations

from datetime import timedelta

import structlog

from oncall_bot.flows.find_runbook import found, look_for
from oncall_bot.flows.strike import strike_failed
from oncall_bot.store import timers
from oncall_bot.store.db import Store
from oncall_bot.store.statements import Row

log = structlog.get_logger(__name__)

EVERY = timedelta(seconds=1)
AT_ONCE = 20


class Librarian:
    """A search that fails is tried again later, as a timer is, and keeps none of the others from their turn."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def run(self) -> None:
        """Search for each incident that waits, oldest first."""
        if self._store.snapshot.held:
            return
        for timer in await self._store.view(timers.searches, limit=AT_ONCE):
            try:
                await self._search(timer)
            except Exception as error:  # noqa: BLE001 - guard: one duty of the tick
                log.warning("search_failed", timer_id=timer.id, error=str(error)[:300])
                why = f"{type(error).__name__}: {error}"
                await self._store.write(strike_failed, timer.id, why)

    async def _search(self, timer: Row) -> None:
        incident_id, group_id = int(timer.subject.partition(":")[2]), int(timer.data["group"])
        matches = await self._store.view(look_for, incident_id, group_id)
        await self._store.write(found, timer.id, incident_id, group_id, matches)
