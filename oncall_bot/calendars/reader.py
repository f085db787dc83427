"""Reads the calendars of the file, beside the pages and never before them: leave, and covers of schedules.

Knows when to look again and whom an event means. Refuses to keep anything itself: flows.take_calendar does, and the
last good reading stays in force. Serves app, as a duty.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from ssl import SSLContext
from zoneinfo import ZoneInfo

from oncall_bot.calendars.events import Event, events_between
from oncall_bot.calendars.sources import content_of
from oncall_bot.core.config import Calendar, Config
from oncall_bot.core.errors import BadInput
from oncall_bot.flows.take_calendar import (
    COVERS_MAX,
    Span,
    calendar_failed,
    forget_calendars,
    take_calendar,
)
from oncall_bot.store.db import Store
from oncall_bot.store.transactions import Reader
from oncall_bot.telemetry.logs import get_logger

EVERY = timedelta(minutes=15)
BEHIND, LEAVE_AHEAD, COVERS_AHEAD = timedelta(days=35), timedelta(days=400), timedelta(days=180)
NOTES_MAX = 20
log = get_logger("calendars")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a calendar says: spans of people, and a word about each event that names nobody."""

    spans: tuple[Span, ...]
    notes: tuple[str, ...]
    sha256: str


def read(calendar: Calendar, config: Config, now: datetime, data: bytes) -> Reading:
    """The calendar's spans around now. Raises BadInput with the line."""
    ahead = LEAVE_AHEAD if calendar.use == "leave" else COVERS_AHEAD
    begin = BEHIND if calendar.use == "leave" else timedelta(0)
    found = events_between(data, now - begin, now + ahead, ZoneInfo(calendar.zone))
    spans: list[Span] = []
    notes: list[str] = []
    for event in found:
        people = _meant(calendar, config, event)
        spans += [(person, event.start, event.end) for person in people]
        if not people:
            notes.append(f"{event.start:%Y-%m-%d} {event.summary[:60]!r} names nobody of the file")
    if calendar.use == "overrides" and len(spans) > COVERS_MAX:
        raise BadInput(f"it has {len(spans)} covers, {COVERS_MAX} is the most; write a rota")
    return Reading(tuple(spans), tuple(notes[:NOTES_MAX]), hashlib.sha256(data).hexdigest())


def _meant(calendar: Calendar, config: Config, event: Event) -> Sequence[str]:
    """The calendar's own person; else who attends, else whose key, name or address begins the title."""
    if calendar.person is not None:
        return (calendar.person,)
    by_mail = {p.email.casefold(): key for key, p in config.people.items() if p.email}
    attending = [by_mail[mail] for mail in event.people if mail in by_mail]
    if attending:
        return attending if calendar.use == "leave" else attending[:1]
    title = event.summary.casefold()
    for key, person in config.people.items():
        for name in (key, person.name, person.email or key):
            rest = title.removeprefix(name.casefold())
            if rest != title and not rest[:1].isalnum():
                return (key,)
    return ()


class CalendarReader:
    """Each calendar of the file in turn; one that fails keeps none of the others from being read."""

    def __init__(self, store: Store, base: Path, context: SSLContext | None = None) -> None:
        self._store = store
        self._base = base
        self._context = context

    async def run(self) -> None:
        await self._store.write(forget_calendars)
        for key in self._store.snapshot.config.calendars:
            await self._read(key)

    async def _read(self, key: str) -> None:
        config = self._store.snapshot.config
        calendar = config.calendars.get(key)
        if calendar is None:
            return
        now = await self._store.view(_now)
        try:
            reading = await asyncio.to_thread(self._look, calendar, config, now)
        except BadInput as problem:
            log.warning("calendar_not_read", calendar=key, fault=str(problem)[:300])
            await self._store.write(calendar_failed, key, str(problem))
            return
        await self._store.write(
            take_calendar, key, reading.spans, sha256=reading.sha256, notes=reading.notes
        )

    def _look(self, calendar: Calendar, config: Config, now: datetime) -> Reading:
        data = content_of(calendar, self._base, config.calendar_hosts, self._context)
        return read(calendar, config, now, data)


def _now(reader: Reader) -> datetime:
    return reader.now.astimezone(UTC)
