"""When somebody last asked to be caught up on an incident. Knows one row for each; serves the catch-up."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, select

from oncall_bot.store import tables as t
from oncall_bot.store.statements import statement, upsert
from oncall_bot.store.transactions import Reader, Tx

LOOK, EVENT = t.IncidentLook.__table__, t.IncidentEvent.__table__  # type: ignore[attr-defined]

_REMEMBER = upsert(LOOK, ("incident_id", "actor"), ("looked_at",))
_SEEN = statement(
    select(LOOK.c.looked_at).where(
        LOOK.c.incident_id == bindparam("of_incident"), LOOK.c.actor == bindparam("who")
    )
)
_LAST_WORD = statement(
    select(EVENT.c.at)
    .where(EVENT.c.incident_id == bindparam("of_incident"), EVENT.c.actor == bindparam("who"))
    .order_by(EVENT.c.seq.desc())
    .limit(1)
)


def remember(tx: Tx, incident_id: int, actor: str) -> None:
    """This person has looked now."""
    tx.run(_REMEMBER, incident_id=incident_id, actor=actor, looked_at=tx.now)


def last(reader: Reader, incident_id: int, actor: str) -> datetime | None:
    """When this person last looked, said or did something there; None when never."""
    seen = reader.first(_SEEN, of_incident=incident_id, who=actor)
    word = reader.first(_LAST_WORD, of_incident=incident_id, who=actor)
    known = [at for at in (seen and seen.looked_at, word and word.at) if at]
    return max(known, default=None)
