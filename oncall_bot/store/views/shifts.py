"""Shifts in a span: of one person, or of the schedules behind a name.

Knows how far may be looked. Writes nothing and decides nothing: core.rotations says who. Serves answers in Slack and
the assistant's tools.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from oncall_bot.core.rotations import shifts
from oncall_bot.store.transactions import Reader
from oncall_bot.store.views.on_call import schedules_of

LONGEST = timedelta(days=62)
SHIFTS_MAX = 40


@dataclass(frozen=True, slots=True)
class Shift:
    """One stretch of one schedule; `person_key` None is a gap."""

    schedule: str
    person_key: str | None
    name: str | None
    slack_id: str | None
    starts_at: datetime
    ends_at: datetime


def shifts_of(reader: Reader, person: str, start: datetime, end: datetime) -> list[Shift]:
    """A person's shifts that touch the span, the first first; each whole, as far as LONGEST reaches."""
    found = [
        shift
        for key in reader.snapshot.config.schedules
        for shift in _shifts(reader, key, start, min(end, start + LONGEST))
        if shift.person_key == person
    ]
    return sorted(found, key=lambda one: (one.starts_at, one.schedule))[:SHIFTS_MAX]


def on_call_between(
    reader: Reader, name: str | None, start: datetime, end: datetime
) -> list[Shift]:
    """Who is on call in the span, schedule by schedule; for one schedule, service or team, or for all."""
    keys = schedules_of(reader, name) if name else list(reader.snapshot.config.schedules)
    return [
        shift
        for key in keys[:SHIFTS_MAX]
        for shift in _shifts(reader, key, start, min(end, start + LONGEST))
    ][:SHIFTS_MAX]


def _shifts(reader: Reader, key: str, start: datetime, end: datetime) -> Iterator[Shift]:
    snapshot = reader.snapshot
    covers = snapshot.overrides.get(key, ())
    for one in shifts(snapshot.config.schedules[key].definition, start, end, covers):
        yield Shift(
            key,
            one.user,
            snapshot.name(one.user) if one.user else None,
            snapshot.slack_id(one.user) if one.user else None,
            one.start,
            one.end,
        )
