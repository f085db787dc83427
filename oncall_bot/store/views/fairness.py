"""The load of a schedule over a time: as it was, from versions, covers and the log of shifts; then as it is planned.

Writes nothing and decides nothing: core.fairness counts. Serves Slack and `schedule fairness`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from oncall_bot.core.config import Config, Fairness
from oncall_bot.core.fairness import Counted, Report, report
from oncall_bot.core.rotations import Override, Shift, parse_definition, people_named
from oncall_bot.core.rotations.history import Cover, Logged, Version, shifts_as_they_were
from oncall_bot.store import calendars
from oncall_bot.store.transactions import Reader


def fairness(reader: Reader, schedule: str, start: datetime, end: datetime) -> Report:
    """Each person's share of a schedule of the file from `start`, or since something is known of it, to `end`."""
    config = reader.snapshot.config
    of = config.schedules[schedule]
    team = config.teams.get(of.team or "")
    start = min(max(start, _known_from(reader, schedule)), end)
    counted = Counted(
        shifts=shifts_of(reader, schedule, start, end),
        pages=calendars.pages(reader, schedule, start, end),
        holidays=[(one.start, one.end) for one in of.definition.holidays],
        zone_of=_zones(config, of.definition.zone),
        weights=team.fairness if team else Fairness(),
        regulars=sorted(people_named(of.definition)),
    )
    return report(schedule, start, end, counted, reader.now)


def shifts_of(reader: Reader, schedule: str, start: datetime, end: datetime) -> list[Shift]:
    """Who was, is and will be on call: the past by what was in force then (R16)."""
    schedule_id = reader.snapshot.schedule_ids[schedule]
    people = {known.id: key for key, known in reader.snapshot.people.items()}
    versions = [
        Version(row.effective_from, parse_definition(row.definition))
        for row in calendars.versions(reader, schedule_id)
    ]
    covers = [
        Cover(
            Override(
                row.starts_at, row.ends_at, people.get(row.person_id), people.get(row.replaces_id)
            ),
            row.created_at,
            row.cancelled_at,
        )
        for row in calendars.covers(reader, schedule_id)
    ]
    log = [
        Logged(row.starts_at, row.ends_at, people.get(row.person_id))
        for row in calendars.logged(reader, schedule_id, min(end, reader.now))
    ]
    return shifts_as_they_were(versions, covers, start, end, log=log)


def _known_from(reader: Reader, schedule: str) -> datetime:
    """When the first definition came into force, or the first shift was logged."""
    schedule_id = reader.snapshot.schedule_ids[schedule]
    begun = [row.effective_from for row in calendars.versions(reader, schedule_id)[:1]]
    begun += [row.starts_at for row in calendars.logged(reader, schedule_id, reader.now)[:1]]
    return min(begun, default=reader.now)


def _zones(config: Config, default: ZoneInfo) -> Callable[[str], ZoneInfo]:
    """The zone a person lives in, else the schedule's: a night is where one sleeps."""
    zones = {key: ZoneInfo(one.zone) for key, one in config.people.items() if one.zone}
    return lambda person: zones.get(person, default)
