"""A schedule's days as it is read, and the shifts somebody has ahead.

Knows the snapshot and the overrides with their ids. Writes nothing; `core.rotations` says who. Serves slack,
App Home among it.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from oncall_bot.core.rota_days import days_of, midnight
from oncall_bot.core.rotations import people_named
from oncall_bot.core.rotations import shifts as planned_shifts
from oncall_bot.core.situation import OverrideShown, RotaWeek, Stretch
from oncall_bot.store import covers
from oncall_bot.store import reminders as reminders_store
from oncall_bot.store.transactions import Reader
from oncall_bot.store.views.on_call import who

WEEK = 7
LOOKS = (timedelta(days=35), timedelta(days=180))


def rota_week(reader: Reader, schedule: str, first: date | None = None) -> RotaWeek | None:
    """Seven days from `first`, or from today; None for an unknown schedule."""
    snapshot = reader.snapshot
    found = snapshot.config.schedules.get(schedule)
    if found is None:
        return None
    zone = found.definition.zone
    first = first or reader.now.astimezone(zone).date()
    start, end = midnight(first, zone), midnight(first + timedelta(days=WEEK), zone)
    painted = snapshot.shifts(schedule, start, end)
    planned = planned_shifts(found.definition, start, end)
    following = snapshot.next_handoff(schedule, reader.now)
    next_key = following[2] if following else None
    return RotaWeek(
        on_call=who(reader, schedule=schedule)[0],
        next_name=snapshot.name(next_key) if next_key else None,
        next_slack=snapshot.slack_id(next_key) if next_key else None,
        zone=zone.key,
        days=days_of(painted, planned, first, WEEK, zone),
        names={s.user: snapshot.name(s.user) for s in painted if s.user},
        gaps=[Stretch(schedule, s.start, s.end, zone.key) for s in painted if s.user is None],
        overrides=_overrides(reader, schedule, max(start, reader.now), end),
    )


def _overrides(
    reader: Reader, schedule: str, since: datetime, until: datetime
) -> list[OverrideShown]:
    name = reader.snapshot.name
    return [
        OverrideShown(
            row.id,
            name(row.person) if row.person else None,
            row.starts_at,
            row.ends_at,
            name(row.replaces) if row.replaces else None,
            by_request=row.swap_id is not None,
        )
        for row in covers.overrides_ahead(reader, schedule, until, since)
    ]


def next_shifts(reader: Reader, person: str, most: int = 4) -> list[Stretch]:
    """The person's shifts from now on, a running one first; over half a year at most."""
    found: list[Stretch] = []
    for look in LOOKS:
        found = [
            shift
            for schedule in _schedules_with(reader, person)
            for user, shift in _stretches(reader, schedule, look)
            if user == person
        ]
        if len(found) >= most:
            break
    return sorted(found, key=lambda one: (one.starts_at, one.schedule))[:most]


def shifts_of_others(reader: Reader, person: str, most: int = 100) -> list[tuple[str, Stretch]]:
    """(key, shift) of everybody else on the schedules this person serves on, five weeks ahead."""
    found = [
        (user, shift)
        for schedule in _schedules_with(reader, person)
        for user, shift in _stretches(reader, schedule, LOOKS[0])
        if user != person
    ]
    return sorted(found, key=lambda one: (one[1].starts_at, one[1].schedule))[:most]


def _schedules_with(reader: Reader, person: str) -> list[str]:
    """Schedules that name the person, in the file or by an override."""
    snapshot = reader.snapshot
    return [
        key
        for key, schedule in snapshot.config.schedules.items()
        if person in people_named(schedule.definition)
        or any(one.user == person for one in snapshot.overrides.get(key, ()))
    ]


def _stretches(reader: Reader, schedule: str, look: timedelta) -> list[tuple[str, Stretch]]:
    """Everybody's shifts on the schedule from now on; gaps are left out."""
    zone = reader.snapshot.config.schedules[schedule].definition.zone.key
    shifts = reader.snapshot.shifts(schedule, reader.now, reader.now + look)
    return [(s.user, Stretch(schedule, s.start, s.end, zone)) for s in shifts if s.user]


def reminders(reader: Reader, person: str) -> list[timedelta]:
    """How long before each shift the person wants to be told."""
    known = reader.snapshot.people.get(person)
    return reminders_store.of(reader, known.id) if known else []
