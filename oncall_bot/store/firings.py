"""Alerts by name and by what fires now, across incidents: the statements behind questions about them.

Knows occurrences and whose incident they are. Refuses to judge. Serves the views; every query is by an index and
bounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Boolean, bindparam, func, or_, select

from oncall_bot.store import tables as t
from oncall_bot.store.statements import Row, any_of, statement
from oncall_bot.store.transactions import Reader

ALERT, OCCURRENCE = t.Alert.__table__, t.Occurrence.__table__  # type: ignore[attr-defined]
GROUP, MEMBER = t.AlertGroup.__table__, t.GroupMember.__table__  # type: ignore[attr-defined]
INCIDENT = t.Incident.__table__  # type: ignore[attr-defined]

_COLUMNS = (
    OCCURRENCE.c.id,
    OCCURRENCE.c.starts_at,
    OCCURRENCE.c.ended_at,
    OCCURRENCE.c.muted_by,
    OCCURRENCE.c.annotations,
    ALERT.c.name,
    ALERT.c.labels,
    ALERT.c.fingerprint,
)
_BOTH = OCCURRENCE.join(ALERT, ALERT.c.id == OCCURRENCE.c.alert_id)
_NEWEST = (
    select(OCCURRENCE.c.alert_id)
    .order_by(OCCURRENCE.c.id.desc())
    .limit(bindparam("newest"))
    .subquery()
)
_NAMES = statement(
    select(ALERT.c.name)
    .select_from(_NEWEST.join(ALERT, ALERT.c.id == _NEWEST.c.alert_id))
    .distinct()
    .order_by(ALERT.c.name)
    .limit(bindparam("limit"))
)
_HISTORY = statement(
    select(*_COLUMNS)
    .select_from(_BOTH)
    .where(ALERT.c.name == bindparam("name"), OCCURRENCE.c.starts_at >= bindparam("since"))
    .order_by(OCCURRENCE.c.starts_at.desc())
    .limit(bindparam("limit"))
)
_LAST = statement(
    select(*_COLUMNS)
    .select_from(_BOTH)
    .where(ALERT.c.name == bindparam("name"))
    .order_by(OCCURRENCE.c.starts_at.desc())
    .limit(1)
)
_OPEN = statement(
    select(*_COLUMNS)
    .select_from(_BOTH)
    .where(OCCURRENCE.c.ended_at.is_(None))
    .order_by(OCCURRENCE.c.starts_at.desc())
    .limit(bindparam("limit"))
)
_INCIDENTS = statement(
    select(
        MEMBER.c.occurrence_id,
        func.max(GROUP.c.incident_id).label("incident_id"),
    )
    .select_from(MEMBER.join(GROUP, GROUP.c.id == MEMBER.c.group_id))
    .where(any_of(MEMBER.c.occurrence_id, "occurrence_ids"))
    .group_by(MEMBER.c.occurrence_id)
)
_FIRING_LABELS = statement(
    select(OCCURRENCE.c.id, ALERT.c.labels)
    .select_from(_BOTH)
    .where(
        OCCURRENCE.c.ended_at.is_(None),
        or_(ALERT.c.name == bindparam("name"), bindparam("any_name", type_=Boolean)),
    )
    .limit(bindparam("limit"))
)
_TEAMS = statement(select(INCIDENT.c.team).where(any_of(INCIDENT.c.id, "incident_ids")).distinct())


def names(reader: Reader, *, newest: int, limit: int) -> list[str]:
    """The names of alerts among so many newest occurrences."""
    return [row.name for row in reader.all(_NAMES, newest=newest, limit=limit)]


def history(reader: Reader, name: str, since: datetime, *, limit: int) -> list[Row]:
    """Every time alerts of this name began to fire since then, newest first."""
    return reader.all(_HISTORY, name=name, since=since, limit=limit)


def last(reader: Reader, name: str) -> Row | None:
    return reader.first(_LAST, name=name)


def firing(reader: Reader, *, limit: int) -> list[Row]:
    """What fires now, newest first."""
    return reader.all(_OPEN, limit=limit)


def firing_labels(reader: Reader, *, name: str | None, limit: int) -> list[Row]:
    """Id and labels of what fires now under this name, or under any."""
    return reader.all(_FIRING_LABELS, name=name or "", any_name=name is None, limit=limit)


def teams_of(reader: Reader, occurrence_ids: Sequence[int]) -> set[str]:
    """The teams in whose incidents these occurrences are."""
    found = set(incidents_of(reader, occurrence_ids).values())
    rows = reader.all(_TEAMS, incident_ids=sorted(found)) if found else []
    return {row.team for row in rows if row.team is not None}


def incidents_of(reader: Reader, occurrence_ids: Sequence[int]) -> dict[int, int]:
    """The incident of each occurrence that has one."""
    rows = reader.all(_INCIDENTS, occurrence_ids=list(occurrence_ids))
    return {row.occurrence_id: row.incident_id for row in rows if row.incident_id is not None}
