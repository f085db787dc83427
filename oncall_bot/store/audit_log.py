"""The audit as it is read: newest first, by what it is about and by who did it.

Knows rows and their indexes. Writes nothing (`incidents.audit` does), and has no words. Serves `views.audit_trail`.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, bindparam, func, or_, select

from oncall_bot.store import tables as t
from oncall_bot.store.statements import Row, Statement, statement
from oncall_bot.store.transactions import Reader

AUDIT = t.Audit.__table__  # type: ignore[attr-defined]

LOOKED_THROUGH = 50_000
"""So many of the newest rows are looked through when neither a thing nor a person narrows it down."""

_NEWEST = statement(select(func.max(AUDIT.c.id)))


def _statement(*, of_object: bool, of_actor: bool) -> Statement:
    wanted = [
        AUDIT.c.at >= bindparam("since"),
        or_(AUDIT.c.refused, bindparam("all_of_them", type_=Boolean)),
    ]
    if of_object:
        wanted.append(AUDIT.c.object == bindparam("about"))
    if of_actor:
        wanted.append(AUDIT.c.actor == bindparam("of_actor"))
    if not of_object and not of_actor:
        wanted.append(AUDIT.c.id > bindparam("after_id"))
    columns = (AUDIT.c.id, AUDIT.c.at, AUDIT.c.actor, AUDIT.c.verb, AUDIT.c.object)
    return statement(
        select(*columns, AUDIT.c.after, AUDIT.c.refused)
        .where(*wanted)
        .order_by(AUDIT.c.id.desc())
        .limit(bindparam("limit"))
    )


_ALL = _statement(of_object=False, of_actor=False)
_OF_OBJECT = _statement(of_object=True, of_actor=False)
_OF_ACTOR = _statement(of_object=False, of_actor=True)
_OF_BOTH = _statement(of_object=True, of_actor=True)


def newest(
    reader: Reader,
    *,
    about: str | None,
    actor: str | None,
    refused: bool,
    since: datetime,
    limit: int,
) -> list[Row]:
    """Rows of id, at, actor, verb, object, after, refused."""
    common = {"since": since, "all_of_them": not refused, "limit": limit}
    if about is not None and actor is not None:
        return reader.all(_OF_BOTH, about=about, of_actor=actor, **common)
    if about is not None:
        return reader.all(_OF_OBJECT, about=about, **common)
    if actor is not None:
        return reader.all(_OF_ACTOR, of_actor=actor, **common)
    last = int(reader.scalar(_NEWEST) or 0)
    return reader.all(_ALL, after_id=last - LOOKED_THROUGH, **common)
