"""Silences in SQL. Knows rows; whether an alert is held is `core.routes.hold`'s. Serves the silence flows and views."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, select, update

from oncall_bot.store import rules
from oncall_bot.store import tables as t
from oncall_bot.store.statements import Row, insert_of, statement
from oncall_bot.store.transactions import Reader, Tx

SILENCE, INCIDENT = t.Silence.__table__, t.Incident.__table__  # type: ignore[attr-defined]

_INSERT = insert_of(
    SILENCE,
    "id",
    "incident_id",
    "matchers",
    "starts_at",
    "ends_at",
    "created_by",
    "created_by_name",
    "comment",
    source_id=None,
    external_id=None,
    cancelled_at=None,
)
_GET = statement(select(SILENCE).where(SILENCE.c.id == bindparam("silence_id")))
_CANCEL = statement(
    update(SILENCE)
    .where(SILENCE.c.id == bindparam("silence_id"), SILENCE.c.cancelled_at.is_(None))
    .values(cancelled_at=bindparam("at"))
)
_HELD = statement(select(INCIDENT.c.id).where(INCIDENT.c.silence_id == bindparam("silence")))


def insert(
    tx: Tx,
    *,
    matchers: Sequence[str],
    ends_at: datetime,
    by: str,
    by_name: str,
    comment: str,
    incident_id: int | None = None,
) -> int:
    silence_id = int(tx.new_ids("silence", 1)[0])
    tx.run(
        _INSERT,
        id=silence_id,
        incident_id=incident_id,
        matchers=list(matchers),
        starts_at=tx.now,
        ends_at=ends_at,
        created_by=by,
        created_by_name=by_name,
        comment=comment,
    )
    rules.changed(tx)
    return silence_id


def get(tx: Reader, silence_id: int) -> Row | None:
    return tx.first(_GET, silence_id=silence_id)


def cancel(tx: Tx, silence_id: int) -> bool:
    cancelled = tx.run(_CANCEL, silence_id=silence_id, at=tx.now) > 0
    rules.changed(tx)
    return cancelled


def incidents_held(tx: Reader, silence_id: int) -> list[int]:
    return [row.id for row in tx.all(_HELD, silence=silence_id)]
