"""What is known of a source beside its key: whether its addresses answer. Serves the reconciler and the views."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, select, update

from oncall_bot.store import tables as t
from oncall_bot.store.statements import Row, one_of, statement
from oncall_bot.store.transactions import Reader, Tx

SOURCE, GROUP, INCIDENT = t.Source.__table__, t.AlertGroup.__table__, t.Incident.__table__  # type: ignore[attr-defined]

_STANDING = statement(
    select(SOURCE.c.answered_at, SOURCE.c.silent_since, SOURCE.c.silent).where(
        SOURCE.c.id == bindparam("source_id")
    )
)
_SAVE = statement(
    update(SOURCE)
    .where(SOURCE.c.id == bindparam("source_id"))
    .values(
        answered_at=bindparam("answered"),
        silent_since=bindparam("since"),
        silent=bindparam("which"),
    )
)
_OPEN_INCIDENTS = statement(
    select(INCIDENT.c.id)
    .distinct()
    .select_from(INCIDENT.join(GROUP, GROUP.c.incident_id == INCIDENT.c.id))
    .where(
        one_of(INCIDENT.c.status, ["open", "acked", "mitigated"]),
        INCIDENT.c.urgency != "none",
        GROUP.c.source_id == bindparam("source_id"),
        GROUP.c.closed_at.is_(None),
    )
    .order_by(INCIDENT.c.id)
    .limit(bindparam("limit"))
)
_SILENT_OF_INCIDENT = statement(
    select(SOURCE.c.key, SOURCE.c.silent_since, SOURCE.c.silent)
    .select_from(GROUP.join(SOURCE, SOURCE.c.id == GROUP.c.source_id))
    .where(
        GROUP.c.incident_id == bindparam("incident_id"),
        GROUP.c.closed_at.is_(None),
        SOURCE.c.silent_since.is_not(None),
    )
    .order_by(SOURCE.c.silent_since)
    .limit(1)
)


def standing(tx: Reader, source_id: int) -> Row | None:
    return tx.first(_STANDING, source_id=source_id)


def save(
    tx: Tx, source_id: int, answered_at: datetime | None, since: datetime | None, which: str | None
) -> None:
    tx.run(_SAVE, source_id=source_id, answered=answered_at, since=since, which=which)


def open_incidents(tx: Reader, source_id: int, *, limit: int = 200) -> list[int]:
    """Incidents that are open and have something of this source open."""
    return [row.id for row in tx.all(_OPEN_INCIDENTS, source_id=source_id, limit=limit)]


def silent_of(tx: Reader, incident_id: int) -> Row | None:
    """The source of the incident that has not answered longest: its key, since when, and which address."""
    return tx.first(_SILENT_OF_INCIDENT, incident_id=incident_id)
