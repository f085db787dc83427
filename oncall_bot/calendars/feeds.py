"""What stands behind `/ical/<token>.ics`: a token becomes a calendar, or nothing.

Knows how a token looks and that it is looked up by its SHA-256. Refuses to store one and to say why it is worth
nothing. Serves web, which asks with what stood in the address.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime

from oncall_bot.calendars.ics import modified_at, written
from oncall_bot.core.errors import OncallError
from oncall_bot.core.feeds import LINK_MARK, Feed, link_digest
from oncall_bot.flows.publish_shifts import publish_shifts
from oncall_bot.store.db import Store
from oncall_bot.store.transactions import Reader
from oncall_bot.store.views import feeds
from oncall_bot.telemetry.logs import get_logger

_TOKEN = re.compile(rf"{LINK_MARK}[A-Za-z0-9_-]{{43}}")
_SLICES_MAX = 30
log = get_logger("calendars")


@dataclass(frozen=True, slots=True)
class Served:
    """A calendar as it goes out. `tag` is the same as long as the text is."""

    text: str
    tag: str
    modified_at: datetime | None


class Feeds:
    """Calendars by token."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def behind(self, token: str) -> Served | None:
        """The calendar, or None: unknown, revoked and misspelled tokens look alike."""
        if not _TOKEN.fullmatch(token):
            return None
        sha256 = link_digest(token)
        link = await self._store.view(feeds.calendar_link, sha256)
        if link is None or not hmac.compare_digest(link.sha256, sha256):
            return None
        return served(await self._feed(link.kind, link.key))

    async def _feed(self, kind: str, key: str) -> Feed:
        """As it is told from now on; when that cannot be kept now, as it would be told."""
        found, untold = await self._store.view(feeds.feed, kind, key)
        if not untold:
            return found
        try:
            for schedule in untold:
                await self._publish(schedule)
        except OncallError as error:
            log.warning("shifts_not_published", error=str(error)[:200])
            return found
        return (await self._store.view(feeds.feed, kind, key))[0]

    async def _publish(self, schedule: str) -> None:
        for _ in range(_SLICES_MAX):
            if not await self._store.write(publish_shifts, schedule):
                return


def served(feed: Feed) -> Served:
    text = written(feed)
    tag = hashlib.sha256(text.encode()).hexdigest()[:32]
    return Served(text, tag, modified_at(feed) if feed.shifts else None)


def feed_of(reader: Reader, kind: str, key: str) -> str:
    """The calendar as text, as it is told now; nothing is kept of it."""
    return written(feeds.feed(reader, kind, key)[0])
