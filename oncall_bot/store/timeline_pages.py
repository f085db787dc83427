"""A timeline a page at a time, by number. Knows rows. Decides nothing. Serves views."""

from __future__ import annotations

from sqlalchemy import bindparam, select

from oncall_bot.store import tables as t
from oncall_bot.store.statements import Row, statement
from oncall_bot.store.transactions import Reader

EVENT = t.IncidentEvent.__table__  # type: ignore[attr-defined]

_UP_TO = statement(
    select(
        EVENT.c.seq,
        EVENT.c.at,
        EVENT.c.kind,
        EVENT.c.actor,
        EVENT.c.actor_name,
        EVENT.c.trust,
        EVENT.c.standing,
        EVENT.c.text,
    )
    .where(
        EVENT.c.incident_id == bindparam("incident_id"),
        EVENT.c.seq <= bindparam("last"),
        EVENT.c.redacted_at.is_(None),
    )
    .order_by(EVENT.c.seq.desc())
    .limit(bindparam("limit"))
)


def up_to(reader: Reader, incident_id: int, last: int, *, limit: int) -> list[Row]:
    """The entries that end with number `last`, oldest first."""
    rows = reader.all(_UP_TO, incident_id=incident_id, last=last, limit=limit)
    return rows[::-1]
