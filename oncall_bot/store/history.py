"""What happened before and beside an incident: the same alerts in the last days, others in the same minutes.

Knows which index answers each question, and that none may read more than a hundred rows. Writes nothing.
Serves the views.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import bindparam, select

from oncall_bot.store import tables as t
from oncall_bot.store.statements import Row, statement
from oncall_bot.store.transactions import Reader

GROUP, INCIDENT = t.AlertGroup.__table__, t.Incident.__table__  # type: ignore[attr-defined]

ROWS_MAX = 100
NEIGHBOURS = 50
"""Numbers are given in order of time: whoever began in the same minutes has a number near by."""

_FIRST_GROUP = statement(
    select(GROUP.c.id, GROUP.c.source_id, GROUP.c.route_key, GROUP.c.group_key, GROUP.c.opened_at)
    .where(GROUP.c.incident_id == bindparam("of_incident"))
    .order_by(GROUP.c.id)
    .limit(1)
)
_EARLIER = statement(
    select(GROUP.c.opened_at, GROUP.c.closed_at)
    .where(
        GROUP.c.source_id == bindparam("source_id"),
        GROUP.c.route_key == bindparam("route_key"),
        GROUP.c.group_key == bindparam("key"),
        GROUP.c.closed_at >= bindparam("since"),
        GROUP.c.id < bindparam("before_group"),
    )
    .order_by(GROUP.c.closed_at.desc())
    .limit(ROWS_MAX)
)
_NEAR = statement(
    select(INCIDENT.c.id, INCIDENT.c.title, INCIDENT.c.opened_at)
    .where(
        INCIDENT.c.id.between(bindparam("first"), bindparam("last")),
        INCIDENT.c.id != bindparam("not_this"),
        INCIDENT.c.opened_at.between(bindparam("since"), bindparam("until")),
        INCIDENT.c.status != "merged",
        INCIDENT.c.urgency != "none",
    )
    .order_by(INCIDENT.c.id)
    .limit(ROWS_MAX)
)


def earlier(tx: Reader, incident_id: int, within: timedelta) -> list[Row]:
    """When the incident's first group was open before, `within` before it opened now: newest first, with their ends."""
    group = tx.first(_FIRST_GROUP, of_incident=incident_id)
    if group is None:
        return []
    return tx.all(
        _EARLIER,
        source_id=group.source_id,
        route_key=group.route_key,
        key=group.group_key,
        since=group.opened_at - within,
        before_group=group.id,
    )


def source_of(tx: Reader, incident_id: int) -> int | None:
    """The source of the incident's first group."""
    group = tx.first(_FIRST_GROUP, of_incident=incident_id)
    return None if group is None else int(group.source_id)


def near(tx: Reader, incident_id: int, opened_at: datetime, within: timedelta) -> list[Row]:
    """Incidents people hear of that opened so shortly before or after this one."""
    return tx.all(
        _NEAR,
        first=incident_id - NEIGHBOURS,
        last=incident_id + NEIGHBOURS,
        not_this=incident_id,
        since=opened_at - within,
        until=opened_at + within,
    )
