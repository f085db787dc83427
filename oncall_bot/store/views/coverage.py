"""What is known of coverage: faults of schedules ahead, and what became of the calendars that say who is away.

Writes nothing and decides nothing: core.coverage says what a fault is. Serves `schedule verify` and the daily warning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from oncall_bot.core.coverage import Away, CoverageFault, Watched, faults
from oncall_bot.core.paging import Reach, has_loud_road
from oncall_bot.store import calendars
from oncall_bot.store.transactions import Reader


@dataclass(frozen=True, slots=True)
class CalendarState:
    """The last reading of a calendar of the file: when it was last read well, and what is wrong with it."""

    key: str
    read_at: datetime | None
    good_at: datetime | None
    fault: str | None
    notes: tuple[str, ...]


def coverage(
    reader: Reader, start: datetime, end: datetime, only: Sequence[str] | None = None
) -> list[CoverageFault]:
    """Every fault of the schedules from `start` to `end`, by what is in force now."""
    return faults(watched(reader, start), start, end, only)


def watched(reader: Reader, after: datetime) -> Watched:
    snapshot = reader.snapshot

    def wakes(person: str) -> bool:
        return has_loud_road(snapshot.config, snapshot.reach.get(person, Reach(None)))

    away = [
        Away(row.person, row.starts_at, row.ends_at, f"the calendar {row.calendar}")
        for row in calendars.leave(reader, after)
        if row.calendar in snapshot.config.calendars
    ]
    return Watched(snapshot.config, snapshot.overrides, wakes, away)


def calendar_states(reader: Reader) -> list[CalendarState]:
    """Every calendar of the file in force, those never read too."""
    known = calendars.readings(reader)
    found = []
    for key in reader.snapshot.config.calendars:
        row = known.get(key)
        found.append(
            CalendarState(key, row.read_at, row.good_at, row.fault, tuple(row.notes))
            if row
            else CalendarState(key, None, None, None, ())
        )
    return found
