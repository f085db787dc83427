"""Groups and their members in SQL: which are open, what joined them, what fires in them, whose incident they are.

Knows how a busy group is counted later. Refuses to know when an incident begins: `flows.placing` does. Serves intake,
the views and what closes incidents.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, func, select, update

from oncall_bot.store import tables as t
from oncall_bot.store.statements import (
    Row,
    Statement,
    any_of,
    insert_of,
    locking,
    statement,
    upsert,
)
from oncall_bot.store.transactions import Reader, Tx

ALERT, OCCURRENCE = t.Alert.__table__, t.Occurrence.__table__  # type: ignore[attr-defined]
GROUP, MEMBER = t.AlertGroup.__table__, t.GroupMember.__table__  # type: ignore[attr-defined]
INCIDENT = t.Incident.__table__  # type: ignore[attr-defined]

_OPEN_GROUPS = Statement(
    lambda dialect: locking(
        select(
            GROUP.c.id,
            GROUP.c.group_key,
            GROUP.c.incident_id,
            GROUP.c.counted_to,
            INCIDENT.c.status,
            INCIDENT.c.severity,
            INCIDENT.c.held,
        )
        .select_from(GROUP.outerjoin(INCIDENT, INCIDENT.c.id == GROUP.c.incident_id))
        .where(
            GROUP.c.source_id == bindparam("source_id"),
            GROUP.c.route_key == bindparam("route_key"),
            any_of(GROUP.c.group_key, "group_keys"),
            GROUP.c.closed_at.is_(None),
        )
        .order_by(GROUP.c.id),
        dialect,
        GROUP,
    )
)
_LAST_GROUP = statement(
    select(GROUP.c.id, GROUP.c.incident_id, GROUP.c.closed_at)
    .where(
        GROUP.c.source_id == bindparam("source_id"),
        GROUP.c.route_key == bindparam("route_key"),
        GROUP.c.group_key == bindparam("key"),
        GROUP.c.closed_at >= bindparam("since"),
    )
    .order_by(GROUP.c.closed_at.desc())
    .limit(1)
)
_INSERT_GROUP = insert_of(
    GROUP,
    "id",
    "source_id",
    "route_key",
    "group_key",
    "team",
    "loud",
    "incident_id",
    "opened_at",
    firing=0,
)
_REOPEN_GROUP = statement(
    update(GROUP).where(GROUP.c.id == bindparam("group_id")).values(closed_at=None)
)
_RECENT_LOUD_GROUPS = statement(
    select(GROUP.c.id, GROUP.c.incident_id)
    .where(
        GROUP.c.team == bindparam("team_key"),
        GROUP.c.opened_at > bindparam("since"),
        GROUP.c.loud.is_(True),
    )
    .order_by(GROUP.c.opened_at.desc(), GROUP.c.id.desc())
    .limit(bindparam("limit"))
)
_JOIN = upsert(MEMBER, ("group_id", "occurrence_id"))
_COUNT_GROUP = statement(
    update(GROUP)
    .where(GROUP.c.id == bindparam("group_id"))
    .values(firing=GROUP.c.firing + bindparam("delta"))
)
_CLOSE_GROUP = statement(
    update(GROUP)
    .where(GROUP.c.id == bindparam("group_id"), GROUP.c.firing <= 0)
    .values(closed_at=bindparam("at"))
)
_UNCOUNTED_GROUPS = Statement(
    lambda dialect: locking(
        select(GROUP.c.id, GROUP.c.counted_to)
        .where(GROUP.c.incident_id == bindparam("incident_id"), GROUP.c.counted_to.is_not(None))
        .order_by(GROUP.c.id),
        dialect,
    )
)
_UNCOUNTED = and_(
    MEMBER.c.group_id == bindparam("group_id"), MEMBER.c.occurrence_id > bindparam("after")
)
_COUNT_UNCOUNTED = statement(select(func.count().label("members")).where(_UNCOUNTED))
_FIRST_UNCOUNTED = statement(
    select(ALERT.c.name, OCCURRENCE.c.opened_at)
    .select_from(
        MEMBER.join(OCCURRENCE, OCCURRENCE.c.id == MEMBER.c.occurrence_id).join(
            ALERT, ALERT.c.id == OCCURRENCE.c.alert_id
        )
    )
    .where(_UNCOUNTED)
    .order_by(MEMBER.c.occurrence_id)
    .limit(bindparam("limit"))
)
_UNCOUNTED_OF_INCIDENT = statement(
    select(func.count().label("members"))
    .select_from(GROUP.join(MEMBER, MEMBER.c.group_id == GROUP.c.id))
    .where(
        GROUP.c.incident_id == bindparam("incident_id"),
        GROUP.c.counted_to.is_not(None),
        MEMBER.c.occurrence_id > GROUP.c.counted_to,
    )
)
_COUNTED = statement(
    update(GROUP).where(GROUP.c.id == bindparam("group_id")).values(counted_to=None)
)
_COUNT_LATER = statement(
    update(GROUP)
    .where(any_of(GROUP.c.id, "group_ids"), GROUP.c.closed_at.is_(None))
    .values(
        counted_to=select(func.max(MEMBER.c.occurrence_id))
        .where(MEMBER.c.group_id == GROUP.c.id)
        .scalar_subquery()
    )
)
_GROUPS_OF = Statement(
    lambda dialect: locking(
        select(
            MEMBER.c.occurrence_id,
            GROUP.c.id.label("group_id"),
            GROUP.c.incident_id,
            GROUP.c.counted_to,
        )
        .select_from(MEMBER.join(GROUP, GROUP.c.id == MEMBER.c.group_id))
        .where(any_of(MEMBER.c.occurrence_id, "occurrence_ids"))
        .order_by(GROUP.c.id),
        dialect,
        GROUP,
    )
)
_GROUP = statement(
    select(
        GROUP.c.id,
        GROUP.c.source_id,
        GROUP.c.route_key,
        GROUP.c.group_key,
        GROUP.c.team,
        GROUP.c.incident_id,
        GROUP.c.firing,
        GROUP.c.opened_at,
        GROUP.c.closed_at,
    ).where(GROUP.c.id == bindparam("group_id"))
)
_GIVE_GROUPS = statement(
    update(GROUP)
    .where(any_of(GROUP.c.id, "group_ids"))
    .values(incident_id=bindparam("to_incident"))
)
_MOVE_GROUPS = statement(
    update(GROUP)
    .where(GROUP.c.incident_id == bindparam("from_incident"))
    .values(incident_id=bindparam("to_incident"))
)
_FIRST_MEMBER = statement(
    select(
        ALERT.c.labels,
        OCCURRENCE.c.annotations,
        OCCURRENCE.c.expression,
        OCCURRENCE.c.starts_at,
        OCCURRENCE.c.id,
    )
    .select_from(
        MEMBER.join(OCCURRENCE, OCCURRENCE.c.id == MEMBER.c.occurrence_id).join(
            ALERT, ALERT.c.id == OCCURRENCE.c.alert_id
        )
    )
    .where(MEMBER.c.group_id == bindparam("group_id"))
    .order_by(OCCURRENCE.c.id)
    .limit(1)
)
_COUNT_MEMBERS = statement(
    select(func.count().label("members")).where(MEMBER.c.group_id == bindparam("group_id"))
)
_MEMBERS_OF_INCIDENT = (
    select(
        OCCURRENCE.c.id.label("occurrence_id"),
        OCCURRENCE.c.starts_at,
        OCCURRENCE.c.ended_at,
        OCCURRENCE.c.muted_by,
        OCCURRENCE.c.annotations,
        OCCURRENCE.c.expression,
        ALERT.c.id.label("alert_id"),
        ALERT.c.source_id,
        ALERT.c.fingerprint,
        ALERT.c.name,
        ALERT.c.labels,
        GROUP.c.id.label("group_id"),
    )
    .select_from(
        GROUP.join(MEMBER, MEMBER.c.group_id == GROUP.c.id)
        .join(OCCURRENCE, OCCURRENCE.c.id == MEMBER.c.occurrence_id)
        .join(ALERT, ALERT.c.id == OCCURRENCE.c.alert_id)
    )
    .where(GROUP.c.incident_id == bindparam("incident_id"))
)
_OPEN_MEMBERS = statement(
    _MEMBERS_OF_INCIDENT.where(OCCURRENCE.c.ended_at.is_(None))
    .order_by(OCCURRENCE.c.id)
    .limit(bindparam("limit"))
)
_ALL_MEMBERS = statement(_MEMBERS_OF_INCIDENT.order_by(OCCURRENCE.c.id).limit(bindparam("limit")))
_PLACES = statement(
    select(ALERT.c.name, func.count().label("firing"))
    .select_from(
        GROUP.join(MEMBER, MEMBER.c.group_id == GROUP.c.id)
        .join(OCCURRENCE, OCCURRENCE.c.id == MEMBER.c.occurrence_id)
        .join(ALERT, ALERT.c.id == OCCURRENCE.c.alert_id)
    )
    .where(GROUP.c.incident_id == bindparam("incident_id"), OCCURRENCE.c.ended_at.is_(None))
    .group_by(ALERT.c.name)
    .order_by(func.count().desc(), ALERT.c.name)
    .limit(bindparam("limit"))
)


def open_groups(tx: Reader, source_id: int, route_key: str, keys: Sequence[str]) -> dict[str, Row]:
    rows = tx.all(_OPEN_GROUPS, source_id=source_id, route_key=route_key, group_keys=list(keys))
    return {row.group_key: row for row in rows}


def last_group(
    tx: Reader, source_id: int, route_key: str, key: str, *, since: datetime
) -> Row | None:
    """The group of this key that closed last, not before `since`."""
    return tx.first(_LAST_GROUP, source_id=source_id, route_key=route_key, key=key, since=since)


def insert_groups(tx: Tx, rows: Iterable[Mapping[str, Any]]) -> None:
    tx.many(_INSERT_GROUP, rows)


def reopen_group(tx: Tx, group_id: int) -> None:
    tx.run(_REOPEN_GROUP, group_id=group_id)


def recent_loud_groups(tx: Reader, team: str, *, since: datetime, limit: int) -> list[Row]:
    """Newest first: groups of the team that may page, opened after `since`."""
    return tx.all(_RECENT_LOUD_GROUPS, team_key=team, since=since, limit=limit)


def join(tx: Tx, pairs: Iterable[tuple[int, int]]) -> None:
    tx.many(_JOIN, [{"group_id": group, "occurrence_id": one} for group, one in pairs])


def count_groups(tx: Tx, deltas: Mapping[int, int]) -> None:
    """Change each group's firing counter, and close those that fell to nothing."""
    tx.many(_COUNT_GROUP, [{"group_id": g, "delta": d} for g, d in sorted(deltas.items()) if d])
    tx.many(
        _CLOSE_GROUP, [{"group_id": g, "at": tx.now} for g, d in sorted(deltas.items()) if d < 0]
    )


@dataclass(frozen=True, slots=True)
class Uncounted:
    """Members of a group that no counter knows yet: how many, the first one's names, and when the first came."""

    count: int = 0
    names: Sequence[str] = ()
    since: datetime | None = None


def uncounted_groups(tx: Tx, incident_id: int) -> list[Row]:
    """The incident's groups whose newest members are counted later, locked: `id, counted_to`."""
    return tx.all(_UNCOUNTED_GROUPS, incident_id=incident_id)


def take_uncounted(tx: Tx, group_id: int, counted_to: int, *, names: int) -> Uncounted:
    """What a locked group's counters lack; from now on every member counts at once again. The caller counts it."""
    count = int(tx.scalar(_COUNT_UNCOUNTED, group_id=group_id, after=counted_to) or 0)
    tx.run(_COUNTED, group_id=group_id)
    if not count:
        return Uncounted()
    first = tx.all(_FIRST_UNCOUNTED, group_id=group_id, after=counted_to, limit=names)
    return Uncounted(count, [row.name for row in first], first[0].opened_at)


def count_later(tx: Tx, group_ids: Iterable[int]) -> None:
    """Members that join these groups from now on are not counted until `take_uncounted`."""
    if wanted := sorted(group_ids):
        tx.run(_COUNT_LATER, group_ids=wanted)


def uncounted(tx: Reader, incident_id: int) -> int:
    """How many alerts fire in the incident that its counters do not know yet."""
    return int(tx.scalar(_UNCOUNTED_OF_INCIDENT, incident_id=incident_id) or 0)


def groups_of(tx: Reader, occurrence_ids: Sequence[int]) -> list[Row]:
    """The groups these occurrences belong to, locked."""
    return tx.all(_GROUPS_OF, occurrence_ids=list(occurrence_ids)) if occurrence_ids else []


def group(tx: Reader, group_id: int) -> Row | None:
    return tx.first(_GROUP, group_id=group_id)


def give_groups(tx: Tx, group_ids: Sequence[int], incident_id: int) -> None:
    tx.run(_GIVE_GROUPS, group_ids=list(group_ids), to_incident=incident_id)


def move_groups(tx: Tx, from_incident: int, to_incident: int) -> None:
    tx.run(_MOVE_GROUPS, from_incident=from_incident, to_incident=to_incident)


def first_member(tx: Reader, group_id: int) -> Row | None:
    return tx.first(_FIRST_MEMBER, group_id=group_id)


def count_members(tx: Reader, group_id: int) -> int:
    return int(tx.scalar(_COUNT_MEMBERS, group_id=group_id) or 0)


def open_members(tx: Reader, incident_id: int, *, limit: int = 200) -> list[Row]:
    """What fires in the incident now, oldest first."""
    return tx.all(_OPEN_MEMBERS, incident_id=incident_id, limit=limit)


def all_members(tx: Reader, incident_id: int, *, limit: int = 500) -> list[Row]:
    return tx.all(_ALL_MEMBERS, incident_id=incident_id, limit=limit)


def firing_names(tx: Reader, incident_id: int, *, limit: int = 5) -> list[Row]:
    """Alert names that fire in the incident with their counts, most first."""
    return tx.all(_PLACES, incident_id=incident_id, limit=limit)
