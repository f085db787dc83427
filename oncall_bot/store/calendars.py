"""Calendars in SQL: leave as it was read, what became of each reading, shifts as published, faults warned of.

Knows rows. Refuses to know iCalendar and what a fault is. Serves the flows of calendars and coverage, and their views.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, select, update

from oncall_bot.store import rules
from oncall_bot.store import tables as t
from oncall_bot.store.statements import Row, statement, upsert
from oncall_bot.store.transactions import Reader, Tx

LEAVE, READ = t.Leave.__table__, t.CalendarRead.__table__  # type: ignore[attr-defined]
PUBLISHED, WARNING = t.PublishedShift.__table__, t.CoverageWarning.__table__  # type: ignore[attr-defined]
OVERRIDE, VERSION = t.Override.__table__, t.ScheduleVersion.__table__  # type: ignore[attr-defined]
SHIFT, PAGE = t.ShiftLog.__table__, t.Page.__table__  # type: ignore[attr-defined]

_LEAVE = statement(
    select(LEAVE.c.calendar, LEAVE.c.person, LEAVE.c.starts_at, LEAVE.c.ends_at)
    .where(LEAVE.c.ends_at > bindparam("after"))
    .order_by(LEAVE.c.starts_at, LEAVE.c.id)
)
_DROP_LEAVE = statement(delete(LEAVE).where(LEAVE.c.calendar == bindparam("of_calendar")))
_ADD_LEAVE = upsert(LEAVE, ("calendar", "person", "starts_at", "ends_at"))
_READINGS = statement(select(READ).order_by(READ.c.key))
_KEEP_READING = upsert(READ, ("key",), ("read_at", "good_at", "sha256", "fault", "notes"))
_DROP_READING = statement(delete(READ).where(READ.c.key == bindparam("of_key")))

_OVERRIDES_BY = statement(
    select(OVERRIDE.c.id, OVERRIDE.c.starts_at, OVERRIDE.c.ends_at, OVERRIDE.c.person_id)
    .where(
        OVERRIDE.c.schedule_id == bindparam("of_schedule"),
        OVERRIDE.c.created_by == bindparam("by"),
        OVERRIDE.c.cancelled_at.is_(None),
        OVERRIDE.c.ends_at > bindparam("after"),
    )
    .order_by(OVERRIDE.c.id)
)
_CANCEL = statement(
    update(OVERRIDE)
    .where(OVERRIDE.c.id == bindparam("override_id"))
    .values(cancelled_at=bindparam("at"))
)

_PUBLISHED = statement(
    select(PUBLISHED)
    .where(
        PUBLISHED.c.schedule_id == bindparam("of_schedule"),
        PUBLISHED.c.ends_at > bindparam("after"),
    )
    .order_by(PUBLISHED.c.starts_at)
)
_PUBLISH = upsert(
    PUBLISHED, ("schedule_id", "starts_at"), ("ends_at", "person", "sequence", "modified_at")
)
_FORGET_PUBLISHED = statement(
    delete(PUBLISHED).where(
        PUBLISHED.c.schedule_id == bindparam("of_schedule"),
        PUBLISHED.c.ends_at < bindparam("before"),
    )
)

_WARNED = statement(select(WARNING.c.key))
_WARN = upsert(WARNING, ("key",), ("ends_at",), also=("warned_at",))
_FORGET_WARNINGS = statement(delete(WARNING).where(WARNING.c.ends_at < bindparam("before")))

_VERSIONS = statement(
    select(VERSION.c.effective_from, VERSION.c.definition)
    .where(VERSION.c.schedule_id == bindparam("of_schedule"))
    .order_by(VERSION.c.effective_from, VERSION.c.id)
)
_COVERS = statement(
    select(
        OVERRIDE.c.starts_at,
        OVERRIDE.c.ends_at,
        OVERRIDE.c.person_id,
        OVERRIDE.c.replaces_id,
        OVERRIDE.c.created_at,
        OVERRIDE.c.cancelled_at,
    )
    .where(OVERRIDE.c.schedule_id == bindparam("of_schedule"))
    .order_by(OVERRIDE.c.id)
)
_LOG = statement(
    select(SHIFT.c.starts_at, SHIFT.c.ends_at, SHIFT.c.person_id)
    .where(SHIFT.c.schedule_id == bindparam("of_schedule"), SHIFT.c.starts_at < bindparam("before"))
    .order_by(SHIFT.c.starts_at)
)
_PAGES = statement(
    select(PAGE.c.person, PAGE.c.reason, PAGE.c.decided_at).where(
        PAGE.c.person.is_not(None),
        PAGE.c.decided_at >= bindparam("first"),
        PAGE.c.decided_at < bindparam("before"),
    )
)


# --- leave and readings --------------------------------------------------------------------------------------------


def leave(reader: Reader, after: datetime) -> list[Row]:
    """Whatever ends later than `after`: calendar, person, starts_at, ends_at."""
    return reader.all(_LEAVE, after=after)


def replace_leave(tx: Tx, calendar: str, spans: Iterable[tuple[str, datetime, datetime]]) -> None:
    """All of a calendar's leave is this now: (person, from, to)."""
    tx.run(_DROP_LEAVE, of_calendar=calendar)
    rows = [
        {"calendar": calendar, "person": person, "starts_at": start, "ends_at": end}
        for person, start, end in dict.fromkeys(spans)
    ]
    tx.many(_ADD_LEAVE, rows)


def readings(reader: Reader) -> dict[str, Row]:
    """What became of the last reading of each calendar."""
    return {row.key: row for row in reader.all(_READINGS)}


def keep_reading(
    tx: Tx,
    key: str,
    *,
    good_at: datetime | None,
    sha256: str,
    fault: str | None,
    notes: Sequence[str],
) -> None:
    tx.run(
        _KEEP_READING,
        key=key,
        read_at=tx.now,
        good_at=good_at,
        sha256=sha256,
        fault=fault,
        notes=list(notes),
    )


def drop(tx: Tx, key: str) -> None:
    """The calendar is no longer in the file: what it said of leave is gone with it."""
    tx.run(_DROP_LEAVE, of_calendar=key)
    tx.run(_DROP_READING, of_key=key)


def overrides_by(reader: Reader, schedule_id: int, by: str, after: datetime) -> list[Row]:
    """Overrides of one origin that end later than `after` and are not cancelled."""
    return reader.all(_OVERRIDES_BY, of_schedule=schedule_id, by=by, after=after)


def cancel_overrides(tx: Tx, ids: Sequence[int]) -> None:
    tx.many(_CANCEL, [{"override_id": one, "at": tx.now} for one in ids])
    if ids:
        rules.changed(tx)


# --- what was published --------------------------------------------------------------------------------------------


def published(reader: Reader, schedule_id: int, after: datetime) -> list[Row]:
    """Shifts that end later than `after`, as calendars outside were last told of them."""
    return reader.all(_PUBLISHED, of_schedule=schedule_id, after=after)


def publish(tx: Tx, schedule_id: int, rows: Iterable[Mapping[str, Any]]) -> None:
    tx.many(_PUBLISH, [{"schedule_id": schedule_id, **row} for row in rows])


def forget_published(tx: Tx, schedule_id: int, before: datetime) -> None:
    tx.run(_FORGET_PUBLISHED, of_schedule=schedule_id, before=before)


# --- warnings ------------------------------------------------------------------------------------------------------


def warned(reader: Reader) -> set[str]:
    return {row.key for row in reader.all(_WARNED)}


def warn(tx: Tx, until: Mapping[str, datetime]) -> None:
    """These faults are told, or were; `until` when each is over."""
    rows = [{"key": key, "ends_at": end, "warned_at": tx.now} for key, end in until.items()]
    tx.many(_WARN, rows)


def forget_warnings(tx: Tx, before: datetime) -> None:
    tx.run(_FORGET_WARNINGS, before=before)


# --- what was ------------------------------------------------------------------------------------------------------


def versions(reader: Reader, schedule_id: int) -> list[Row]:
    """Every definition the schedule ever had, the oldest first."""
    return reader.all(_VERSIONS, of_schedule=schedule_id)


def covers(reader: Reader, schedule_id: int) -> list[Row]:
    """Every override there ever was, cancelled ones too, in the order they were made."""
    return reader.all(_COVERS, of_schedule=schedule_id)


def logged(reader: Reader, schedule_id: int, before: datetime) -> list[Row]:
    return reader.all(_LOG, of_schedule=schedule_id, before=before)


def pages(
    reader: Reader, schedule: str, first: datetime, before: datetime
) -> list[tuple[str, datetime]]:
    """Who was paged as the one on call for the schedule, and when."""
    asked = f"schedule:{schedule}"
    rows = reader.all(_PAGES, first=first, before=before)
    return [(row.person, row.decided_at) for row in rows if row.reason.get("target") == asked]
