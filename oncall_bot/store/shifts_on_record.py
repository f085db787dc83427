"""The shifts of the past as they were logged at each hand-off. Knows rows. Decides nothing. Serves views."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, select

from oncall_bot.store import tables as t
from oncall_bot.store.statements import Row, statement
from oncall_bot.store.transactions import Reader

SHIFT, PERSON = t.ShiftLog.__table__, t.Person.__table__  # type: ignore[attr-defined]
AT_MOST = 2000

_BETWEEN = statement(
    select(SHIFT.c.starts_at, SHIFT.c.ends_at, PERSON.c.key)
    .join(PERSON, PERSON.c.id == SHIFT.c.person_id, isouter=True)
    .where(
        SHIFT.c.schedule_id == bindparam("of_schedule"),
        SHIFT.c.starts_at < bindparam("until"),
        SHIFT.c.ends_at > bindparam("since"),
    )
    .order_by(SHIFT.c.starts_at.desc())
    .limit(AT_MOST)
)


def between(reader: Reader, schedule_id: int, since: datetime, until: datetime) -> list[Row]:
    """starts_at, ends_at and the person's key, None for a gap; oldest first, the newest of very many."""
    rows = reader.all(_BETWEEN, of_schedule=schedule_id, since=since, until=until)
    return rows[::-1]
