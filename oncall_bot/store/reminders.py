"""Reminders before shifts, as each person chose them. Knows rows; when they are due is flows.reminders'."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import bindparam, delete, select

from oncall_bot.store import tables as t
from oncall_bot.store.statements import insert_of, statement
from oncall_bot.store.transactions import Reader, Tx

REMINDER, PERSON = t.ShiftReminder.__table__, t.Person.__table__  # type: ignore[attr-defined]

_ALL = statement(
    select(PERSON.c.key, REMINDER.c.before_s)
    .join(PERSON, PERSON.c.id == REMINDER.c.person_id)
    .order_by(PERSON.c.key, REMINDER.c.before_s.desc())
)
_OF = statement(
    select(REMINDER.c.before_s)
    .where(REMINDER.c.person_id == bindparam("of_person"))
    .order_by(REMINDER.c.before_s.desc())
)
_DROP = statement(delete(REMINDER).where(REMINDER.c.person_id == bindparam("of_person")))
_INSERT = insert_of(REMINDER, "person_id", "before_s")


def by_person(tx: Reader) -> dict[str, list[timedelta]]:
    """Everybody who wants any, the longest before first."""
    found: dict[str, list[timedelta]] = {}
    for row in tx.all(_ALL):
        found.setdefault(row.key, []).append(timedelta(seconds=row.before_s))
    return found


def of(tx: Reader, person_id: int) -> list[timedelta]:
    return [timedelta(seconds=row.before_s) for row in tx.all(_OF, of_person=person_id)]


def replace(tx: Tx, person_id: int, spans: Iterable[timedelta]) -> None:
    tx.run(_DROP, of_person=person_id)
    rows = [{"person_id": person_id, "before_s": int(one.total_seconds())} for one in spans]
    tx.many(_INSERT, rows)
