"""The last road: ring the admins from memory, when nothing can be left in the outbox.

Knows the rules last read and the roads. Refuses the database: it is what fails when this is needed. Serves the
auditor. What it says is not on record and not tried again by rows, so it is said again while the fault lasts.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from oncall_bot.core.config import Urgency
from oncall_bot.core.paging import Reach, Road, roads
from oncall_bot.flows.notices import HELP_TITLE, whom_to_tell
from oncall_bot.ports import DeliveryError, LoudPage, Pager
from oncall_bot.store.db import Store

log = structlog.get_logger(__name__)

AGAIN_AFTER_S = 600.0


class Alarm:
    """Rings by every loud road of every admin, at most once in ten minutes."""

    def __init__(
        self,
        store: Store,
        pager: Callable[[], Pager] | None,
        *,
        instance: str,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._pager = pager
        self._instance = instance
        self._seconds = seconds
        self._rang: float | None = None

    async def ring(self, text: str) -> int:
        """How many phones took it; 0 when it rang a moment ago, or none can be reached."""
        now = self._seconds()
        if self._pager is None or (self._rang is not None and now - self._rang < AGAIN_AFTER_S):
            return 0
        taken = 0
        for person in whom_to_tell(self._store.snapshot):
            taken += await self._ring_one(person, text, int(now))
        if taken:
            self._rang = now
        log.error("alarm_from_memory", text=text, taken=taken)
        return taken

    async def _ring_one(self, person: str, text: str, stamp: int) -> int:
        snapshot = self._store.snapshot
        reach = snapshot.reach.get(person, Reach(None))
        taken = 0
        for road in roads(snapshot.config, reach, Urgency.HIGH):
            if road.contact is not None and not road.after:
                taken += await self._send(road, person, text, stamp)
        return taken

    async def _send(self, road: Road, person: str, text: str, stamp: int) -> int:
        assert self._pager is not None
        assert road.contact is not None
        page = LoudPage(
            key=f"alarm:{self._instance}:{stamp}:{person}:{road.ref}",
            channel=road.by,
            address=road.contact.address,
            title=HELP_TITLE,
            text=text,
            ack_url=None,
            urgent=True,
        )
        try:
            await self._pager().page(page)
        except DeliveryError as error:
            log.warning("alarm_failed", road=road.by, error=str(error)[:200])
            return 0
        return 1
