"""Schedules as they are drawn: one over some weeks, and a line for each in the list.

Knows where the plan, the changes and the record of a schedule are kept. Decides nothing: core.board does. Serves web
and the picture in chat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from oncall_bot.core.board import Board, Planned, board, days_from, monday_of
from oncall_bot.core.rotations import Shift, people_named, shifts
from oncall_bot.core.situation import OnCallNow
from oncall_bot.store import shifts_on_record
from oncall_bot.store.transactions import Reader
from oncall_bot.store.views.on_call import who

LINES_MAX = 50
GAPS_WITHIN = timedelta(days=28)


@dataclass(frozen=True, slots=True)
class ScheduleLine:
    """One schedule in the list: who now, and the first gap of the next four weeks."""

    now: OnCallNow
    team: str | None
    zone: ZoneInfo
    gap: Shift | None


def board_of(
    reader: Reader,
    key: str,
    *,
    first: date | None = None,
    weeks: int = 1,
    zone: ZoneInfo | None = None,
    person: str | None = None,
) -> Board | None:
    """The schedule over `weeks` weeks from `first` on, this week without it; None when there is no such schedule.

    `zone` is the schedule's own without it; `person` looks, and has a colour even among many.
    """
    found = reader.snapshot.config.schedules.get(key)
    if found is None:
        return None
    shown_in = zone or found.definition.zone
    monday = first or monday_of(reader.now, shown_in)
    planned = _planned(reader, key, monday, weeks, shown_in)
    return board(planned, monday, weeks, shown_in, reader.now, reader=person)


def _planned(reader: Reader, key: str, monday: date, weeks: int, zone: ZoneInfo) -> Planned:
    snapshot = reader.snapshot
    definition = snapshot.config.schedules[key].definition
    overrides = snapshot.overrides.get(key, ())
    recorded = _recorded(reader, key, monday, weeks, zone)
    changed = [*(one.user for one in overrides), *(one.user for one in recorded)]
    named = people_named(definition) | {user for user in changed if user is not None}
    names = {user: snapshot.name(user) for user in named}
    return Planned(key, definition, overrides, recorded, names)


def _recorded(
    reader: Reader, key: str, monday: date, weeks: int, zone: ZoneInfo
) -> Sequence[Shift]:
    """What was, where the window reaches into the past."""
    days = days_from(monday, weeks * 7, zone)
    schedule_id = reader.snapshot.schedule_ids.get(key)
    if schedule_id is None or days[0].start >= reader.now:
        return ()
    rows = shifts_on_record.between(reader, schedule_id, days[0].start, days[-1].end)
    return [Shift(row.starts_at, row.ends_at, row.key) for row in rows]


def schedule_lines(reader: Reader, after: str = "") -> tuple[list[ScheduleLine], bool]:
    """Up to 50 schedules by name, those behind `after`, and whether there are more."""
    keys = sorted(key for key in reader.snapshot.config.schedules if key > after)
    return [_line(reader, key) for key in keys[:LINES_MAX]], len(keys) > LINES_MAX


def _line(reader: Reader, key: str) -> ScheduleLine:
    snapshot = reader.snapshot
    schedule = snapshot.config.schedules[key]
    ahead = shifts(
        schedule.definition,
        reader.now,
        reader.now + GAPS_WITHIN,
        [one for one in snapshot.overrides.get(key, ()) if one.end > reader.now],
    )
    [now] = who(reader, schedule=key)
    gap = next((shift for shift in ahead if shift.user is None), None)
    return ScheduleLine(now, schedule.team, schedule.definition.zone, gap)
