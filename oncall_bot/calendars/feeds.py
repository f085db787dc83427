"""What stands behind `/ical/<token>.ics`: a token becomes a calendar, or nothing.

Knows how a token looks and that it is looked up by its SHA-256. Refuses to store one and to say why it is worth
nothing. Serves web, which asks with what stood in the address.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime

from oncall_bot.calendars.ics import modified_at, written
from oncall_bot.core.errors import OncallError
from oncall_bot.core.feeds import LINK_MARK, Feed, link_digest
from oncall_bot.flows.api_tokens import token_used
from oncall_bot.flows.publish_shifts import SLICE, publish_shifts
from oncall_bot.store.db import Store
from oncall_bot.store.transactions import Reader
from oncall_bot.store.views import feeds
from oncall_bot.telemetry.logs import get_logger

_TOKEN = re.compile(rf"{LINK_MARK}[A-Za-z0-9_-]{{43}}")
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
        self._note_use(link)
        found, untold = await self._store.view(feeds.feed, link.kind, link.key)
        await self._keep(untold)
        return await asyncio.to_thread(served, found)

    def _note_use(self, link: feeds.Link) -> None:
        """Beside the answer, which waits for nothing: once a minute at most."""
        if link.used_lately:
            return
        try:
            self._store.write(token_used, link.sha256)
        except OncallError as error:
            log.warning("token_use_not_kept", error=str(error)[:200])

    async def _keep(self, untold: feeds.Untold) -> None:
        """So that the next who asks is told the same. When it cannot be kept now, the calendar is told all the same."""
        try:
            for schedule, told in untold.by_schedule.items():
                for n in range(0, len(told), SLICE):
                    some = told[n : n + SLICE]
                    if not await self._store.write(publish_shifts, schedule, some, untold.number):
                        return
        except OncallError as error:
            log.warning("shifts_not_published", error=str(error)[:200])


def served(feed: Feed) -> Served:
    text = written(feed)
    tag = hashlib.sha256(text.encode()).hexdigest()[:32]
    return Served(text, tag, modified_at(feed) if feed.shifts else None)


def feed_of(reader: Reader, kind: str, key: str) -> str:
    """The calendar as text, as it is told now; nothing is kept of it."""
    return written(feeds.feed(reader, kind, key)[0])
