"""What a calendar of the file says becomes leave, or covers of a schedule; a reading that failed leaves all as it was.

Knows that covers from a calendar are overrides like any other: rows, painted in the order they came, so that paging
never asks a calendar. Refuses iCalendar. Serves the reader of calendars.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from oncall_bot.core.outcomes import Actor
from oncall_bot.flows import shifts
from oncall_bot.store import calendars, incidents, people
from oncall_bot.store.transactions import Tx

COVERS_MAX = 500
"""Of one calendar: more than that is no cover but a rota, and belongs into the file."""

Span = tuple[str, datetime, datetime]
"""A person's key, from, to."""


def take_calendar(
    tx: Tx, key: str, spans: Sequence[Span], *, sha256: str, notes: Sequence[str]
) -> bool:
    """Put what was read into force; False when the calendar is not in the file any more."""
    calendar = tx.snapshot.config.calendars.get(key)
    if calendar is None:
        return False
    known = [span for span in spans if span[0] in tx.snapshot.config.people]
    if calendar.use == "leave":
        calendars.replace_leave(tx, key, known)
    elif calendar.schedule is not None and calendar.schedule in tx.snapshot.schedule_ids:
        _cover(tx, key, calendar.schedule, known[:COVERS_MAX])
    calendars.keep_reading(tx, key, good_at=tx.now, sha256=sha256, fault=None, notes=notes)
    return True


def calendar_failed(tx: Tx, key: str, fault: str) -> None:
    """It could not be read now: what it said before stays, and the fault is shown by `schedule verify`."""
    if key not in tx.snapshot.config.calendars:
        return
    before = calendars.readings(tx).get(key)
    calendars.keep_reading(
        tx,
        key,
        good_at=before.good_at if before else None,
        sha256="",
        fault=fault[:300],
        notes=before.notes if before else (),
    )


def forget_calendars(tx: Tx) -> None:
    """Calendars that left the file: their leave is gone, their covers to come are cancelled."""
    gone = set(calendars.readings(tx)) - set(tx.snapshot.config.calendars)
    for key in sorted(gone):
        for schedule in tx.snapshot.schedule_ids:
            _cover(tx, key, schedule, ())
        calendars.drop(tx, key)


def _cover(tx: Tx, key: str, schedule: str, wanted: Sequence[Span]) -> None:
    """Only what differs is written, so that a cover made by a person after it stays painted over it."""
    actor = Actor("system", f"calendar/{key}", f"calendar {key}", by="calendar")
    schedule_id, by_id = tx.snapshot.schedule_ids[schedule], _keys(tx)
    ahead = {span for span in wanted if span[2] > tx.now and span[1] < span[2]}
    there = {
        (by_id.get(row.person_id, ""), row.starts_at, row.ends_at): row.id
        for row in calendars.overrides_by(tx, schedule_id, str(actor), tx.now)
    }
    cancelled = [row_id for span, row_id in there.items() if span not in ahead]
    calendars.cancel_overrides(tx, cancelled)
    new = sorted(ahead - there.keys(), key=lambda span: (span[1], span[2], span[0]))
    for person, start, end in new:
        person_id = tx.snapshot.people[person].id
        people.insert_override(tx, schedule_id, start, end, person_id, str(actor))
        for edge in (start, end):
            if edge > tx.now:
                shifts.plan_again(tx, schedule, edge)
    if new or cancelled:
        after = {"new": len(new), "cancelled": len(cancelled)}
        incidents.audit(tx, str(actor), "calendar_covers", f"schedule:{schedule}", after=after)


def _keys(tx: Tx) -> dict[int | None, str]:
    return {known.id: key for key, known in tx.snapshot.people.items()}
