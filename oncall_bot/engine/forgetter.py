"""Forgets what is older than the file keeps it: the duty that goes by slices, so that pages pass between them.

Knows the order and where it was the last time. Refuses to know what is old: store.retention and
store.retention_incidents do. Serves app, as a duty.
"""

from __future__ import annotations

from oncall_bot.store import retention
from oncall_bot.store import retention_incidents as old
from oncall_bot.store.db import Store


class Forgetter:
    """Incidents that were done with once are not looked at again until the process starts anew."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._settled = 0

    async def run(self) -> None:
        while await self._store.write(retention.forget) >= retention.SLICE:
            pass
        await self._incidents()

    async def _incidents(self) -> None:
        after: int | None = self._settled
        contiguous = True
        while after is not None:
            found = await self._store.view(old.look, after)
            for incident_id in found.words:
                await self._store.write(old.forget_words, incident_id)
            for incident_id in found.whole:
                await self._store.write(old.forget_incident, incident_id)
            if contiguous:
                self._settled = max(self._settled, found.settled)
            contiguous = contiguous and found.settled == found.go_on
            after = found.go_on
