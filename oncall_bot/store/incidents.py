"""Incidents and their timelines in SQL.

Knows rows, the counter that numbers entries, and locks. Refuses to know what may follow what: `core.incidents` does.
Serves flows and views. A flow that changes an incident takes its row by `lock` first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select, update

from oncall_bot.core.incidents import OPEN
from oncall_bot.core.timeline import TEXT_MAX, Entry
from oncall_bot.store import tables as t
from oncall_bot.store.statements import (
    Row,
    Statement,
    any_of,
    insert_of,
    locking,
    one_of,
    statement,
)
from oncall_bot.store.transactions import Reader, Tx

INCIDENT, EVENT = t.Incident.__table__, t.IncidentEvent.__table__  # type: ignore[attr-defined]
AUDIT = t.Audit.__table__  # type: ignore[attr-defined]
_OPEN = [str(status) for status in OPEN]

_LOCK = Statement(
    lambda dialect: locking(
        select(INCIDENT).where(INCIDENT.c.id == bindparam("incident_id")), dialect
    )
)
_STANDING = (
    INCIDENT.c.id,
    INCIDENT.c.origin,
    INCIDENT.c.status,
    INCIDENT.c.severity,
    INCIDENT.c.firing,
    INCIDENT.c.held,
    INCIDENT.c.next_seq,
    INCIDENT.c.untold,
    INCIDENT.c.told_at,
)
_LOCK_ALL = Statement(
    lambda dialect: locking(
        select(*_STANDING).where(any_of(INCIDENT.c.id, "incident_ids")).order_by(INCIDENT.c.id),
        dialect,
    )
)
_GET = statement(select(INCIDENT).where(INCIDENT.c.id == bindparam("incident_id")))
_INSERT = insert_of(
    INCIDENT,
    "id",
    "origin",
    "status",
    "title",
    "severity",
    "urgency",
    "postmortem",
    "team",
    "service",
    "channel",
    "opened_at",
    "declared_at",
    "declared_by",
    "press_id",
    "first_alert",
    "updated_at",
    private=False,
    firing=0,
    held=0,
    alerts_ever=0,
    reopened=0,
    next_seq=1,
)
_COUNT = statement(
    update(INCIDENT)
    .where(INCIDENT.c.id == bindparam("incident_id"))
    .values(
        firing=INCIDENT.c.firing + bindparam("firing_delta"),
        alerts_ever=INCIDENT.c.alerts_ever + bindparam("ever_delta"),
        updated_at=bindparam("at"),
    )
)
_GROW = statement(
    update(INCIDENT)
    .where(INCIDENT.c.id == bindparam("incident_id"))
    .values(
        firing=INCIDENT.c.firing + bindparam("firing_delta"),
        alerts_ever=INCIDENT.c.alerts_ever + bindparam("ever_delta"),
        next_seq=INCIDENT.c.next_seq + bindparam("entries"),
        untold=bindparam("waiting"),
        told_at=bindparam("told"),
        updated_at=bindparam("at"),
    )
)
_TAKE_SEQS = statement(
    update(INCIDENT)
    .where(INCIDENT.c.id == bindparam("incident_id"))
    .values(next_seq=INCIDENT.c.next_seq + bindparam("count"), updated_at=bindparam("at"))
    .returning(INCIDENT.c.next_seq)
)
_INSERT_EVENT = insert_of(
    EVENT,
    "incident_id",
    "seq",
    "at",
    "recorded_at",
    "kind",
    "actor",
    "actor_name",
    "trust",
    "standing",
    "text",
    "data",
    "source_ref",
)
_HAS_REF = statement(
    select(EVENT.c.seq).where(
        EVENT.c.incident_id == bindparam("incident_id"), EVENT.c.source_ref == bindparam("ref")
    )
)
_BY_REF = statement(
    select(EVENT.c.incident_id, EVENT.c.seq, EVENT.c.text, EVENT.c.actor)
    .where(EVENT.c.source_ref == bindparam("ref"), EVENT.c.redacted_at.is_(None))
    .limit(1)
)
_EVENTS = statement(
    select(EVENT)
    .where(EVENT.c.incident_id == bindparam("incident_id"), EVENT.c.redacted_at.is_(None))
    .order_by(EVENT.c.at, EVENT.c.seq)
    .limit(bindparam("limit"))
)
_LAST_EVENTS = statement(
    select(EVENT)
    .where(
        EVENT.c.incident_id == bindparam("incident_id"),
        EVENT.c.redacted_at.is_(None),
        any_of(EVENT.c.kind, "kinds"),
    )
    .order_by(EVENT.c.seq.desc())
    .limit(bindparam("limit"))
)
_OPEN_ONES = statement(
    select(INCIDENT)
    .where(one_of(INCIDENT.c.status, _OPEN), INCIDENT.c.urgency != "none")
    .order_by(INCIDENT.c.id.desc())
    .limit(bindparam("limit"))
)
_LATEST = statement(
    select(INCIDENT)
    .where(INCIDENT.c.status != "merged")
    .order_by(INCIDENT.c.id.desc())
    .limit(bindparam("limit"))
)
_LAST_RESOLVED = statement(
    select(INCIDENT)
    .where(INCIDENT.c.status == "resolved", INCIDENT.c.urgency != "none")
    .order_by(INCIDENT.c.resolved_at.desc())
    .limit(1)
)
_OPEN_OF_TEAM = statement(
    select(INCIDENT)
    .where(
        INCIDENT.c.team == bindparam("team_key"),
        INCIDENT.c.origin == "storm",
        one_of(INCIDENT.c.status, _OPEN),
    )
    .order_by(INCIDENT.c.id)
    .limit(1)
)
_BY_PRESS = statement(select(INCIDENT.c.id).where(INCIDENT.c.press_id == bindparam("press")))
_OPEN_COUNTS = statement(
    select(INCIDENT.c.severity, func.count().label("incidents"))
    .where(one_of(INCIDENT.c.status, _OPEN))
    .group_by(INCIDENT.c.severity)
)
_AUDIT = insert_of(AUDIT, "at", "actor", "verb", "object", "before", "after", "refused")
_REFUSED = statement(
    select(AUDIT.c.at)
    .where(
        AUDIT.c.actor == bindparam("by_actor"),
        AUDIT.c.verb == bindparam("of_verb"),
        AUDIT.c.refused.is_(True),
    )
    .order_by(AUDIT.c.id.desc())
    .limit(bindparam("most"))
)
_UPDATES: dict[tuple[str, ...], Statement] = {}


def lock(tx: Tx, incident_id: int) -> Row | None:
    """The incident's row, ours until the end of the transaction."""
    return tx.first(_LOCK, incident_id=incident_id)


def lock_all(tx: Tx, incident_ids: Sequence[int]) -> list[Row]:
    """Where they stand (_STANDING) by id, ours until the commit."""
    return tx.all(_LOCK_ALL, incident_ids=list(incident_ids)) if incident_ids else []


def get(tx: Reader, incident_id: int) -> Row | None:
    return tx.first(_GET, incident_id=incident_id)


def insert(tx: Tx, **values: Any) -> int:
    """A new incident; its id is the number people see."""
    incident_id = int(tx.new_ids("incident", 1)[0])
    blank = dict.fromkeys(
        ("declared_at", "declared_by", "press_id", "first_alert", "team", "service", "channel")
    )
    tx.run(
        _INSERT,
        **{**blank, "postmortem": "on_request", **values, "id": incident_id, "updated_at": tx.now},
    )
    return incident_id


def change(tx: Tx, incident_id: int, **values: Any) -> None:
    """Set these columns and the time of the change."""
    names = tuple(sorted(values))
    if names not in _UPDATES:
        _UPDATES[names] = statement(
            update(INCIDENT)
            .where(INCIDENT.c.id == bindparam("incident_id"))
            .values(
                {
                    **{n: bindparam(f"new_{n}") for n in names},
                    "updated_at": bindparam("new_updated_at"),
                }
            )
        )
    bound = {f"new_{name}": value for name, value in values.items()}
    tx.run(_UPDATES[names], incident_id=incident_id, new_updated_at=tx.now, **bound)


def count(tx: Tx, incident_id: int, *, firing: int, ever: int) -> None:
    """Move the counters that spare every reader a count."""
    tx.run(_COUNT, incident_id=incident_id, firing_delta=firing, ever_delta=ever, at=tx.now)


@dataclass(frozen=True, slots=True)
class Growth:
    """What one transaction adds to a locked incident. Entries carry no `source_ref`; `untold` waits for a later one."""

    row: Row
    firing: int
    ever: int
    entries: Sequence[Entry]
    untold: Mapping[str, Any] | None
    told_at: datetime


def grow(tx: Tx, grown: Sequence[Growth]) -> None:
    """As `count` and `write` for many incidents, in two statements."""
    tx.many(
        _GROW,
        [
            {
                "incident_id": one.row.id,
                "firing_delta": one.firing,
                "ever_delta": one.ever,
                "entries": len(one.entries),
                "waiting": one.untold,
                "told": one.told_at,
                "at": tx.now,
            }
            for one in grown
        ],
    )
    tx.many(
        _INSERT_EVENT,
        [
            _event(tx, one.row.id, one.row.next_seq + n, entry)
            for one in grown
            for n, entry in enumerate(one.entries)
        ],
    )


def write(tx: Tx, incident_id: int, entries: Sequence[Entry]) -> None:
    """Append to the timeline. An entry whose `source_ref` is already there is left out."""
    fresh = [
        e for e in entries if e.source_ref is None or not _known(tx, incident_id, e.source_ref)
    ]
    if not fresh:
        return
    after = tx.scalar(_TAKE_SEQS, incident_id=incident_id, count=len(fresh), at=tx.now)
    first = int(after) - len(fresh)
    tx.many(_INSERT_EVENT, [_event(tx, incident_id, first + n, e) for n, e in enumerate(fresh)])


def _known(tx: Reader, incident_id: int, ref: str) -> bool:
    return tx.first(_HAS_REF, incident_id=incident_id, ref=ref) is not None


def _event(tx: Tx, incident_id: int, seq: int, entry: Entry) -> Mapping[str, Any]:
    return {
        "incident_id": incident_id,
        "seq": seq,
        "at": entry.at,
        "recorded_at": tx.now,
        "kind": str(entry.kind),
        "actor": str(entry.actor),
        "actor_name": entry.actor.name[:200],
        "trust": entry.trusted_as,
        "standing": entry.standing,
        "text": entry.text[:TEXT_MAX],
        "data": dict(entry.data),
        "source_ref": entry.source_ref,
    }


def events(tx: Reader, incident_id: int, *, limit: int = 2000) -> list[Row]:
    return tx.all(_EVENTS, incident_id=incident_id, limit=limit)


def last_events(tx: Reader, incident_id: int, kinds: Iterable[str], *, limit: int) -> list[Row]:
    """Newest first."""
    return tx.all(_LAST_EVENTS, incident_id=incident_id, kinds=[str(k) for k in kinds], limit=limit)


def by_ref(tx: Reader, ref: str) -> Row | None:
    """The entry that this outside event became."""
    return tx.first(_BY_REF, ref=ref)


def open_ones(tx: Reader, *, limit: int) -> list[Row]:
    """Open incidents that are not quiet, newest first."""
    return tx.all(_OPEN_ONES, limit=limit)


def latest(tx: Reader, *, limit: int) -> list[Row]:
    return tx.all(_LATEST, limit=limit)


def last_resolved(tx: Reader) -> Row | None:
    return tx.first(_LAST_RESOLVED)


def open_storm(tx: Reader, team: str) -> Row | None:
    return tx.first(_OPEN_OF_TEAM, team_key=team)


def by_press(tx: Reader, press_id: str) -> int | None:
    found = tx.scalar(_BY_PRESS, press=press_id)
    return int(found) if found is not None else None


def open_counts(tx: Reader) -> dict[str, int]:
    return {row.severity: row.incidents for row in tx.all(_OPEN_COUNTS)}


def audit(
    tx: Tx,
    actor: str,
    verb: str,
    object_: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    refused: bool = False,
) -> None:
    tx.run(
        _AUDIT,
        at=tx.now,
        actor=actor,
        verb=verb,
        object=object_,
        before=dict(before) if before else None,
        after=dict(after) if after else None,
        refused=refused,
    )


def refused_lately(tx: Reader, actor: str, verb: str, most: int) -> list[Row]:
    """When the actor was refused this, newest first."""
    return tx.all(_REFUSED, by_actor=actor, of_verb=verb, most=most)
