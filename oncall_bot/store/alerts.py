"""Alerts and occurrences in SQL: the hot path's statements and what off-path readers ask.

Knows how to read what is known of many alerts at once and how to write many changes at once.
Refuses to judge: `core.alerts` does. Serves `flows.receive_alerts`, the reconciler and the views.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select, update

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
SEEN, UNREADABLE = t.InboundSeen.__table__, t.UnreadableBody.__table__  # type: ignore[attr-defined]
_KNOWN_COLUMNS = (
    ALERT.c.id,
    ALERT.c.fingerprint,
    OCCURRENCE.c.id.label("occurrence_id"),
    OCCURRENCE.c.starts_at,
    OCCURRENCE.c.ended_at,
    OCCURRENCE.c.ended_by,
    OCCURRENCE.c.doubted_at,
    OCCURRENCE.c.muted_by,
    OCCURRENCE.c.annotations,
)
_KNOWN = Statement(
    lambda dialect: locking(
        select(*_KNOWN_COLUMNS)
        .select_from(ALERT.outerjoin(OCCURRENCE, OCCURRENCE.c.id == ALERT.c.occurrence_id))
        .where(
            ALERT.c.source_id == bindparam("source_id"), any_of(ALERT.c.fingerprint, "fingerprints")
        )
        .order_by(ALERT.c.fingerprint),
        dialect,
        ALERT,
    )
)
_SEEN = statement(
    select(SEEN.c.event_id).where(
        SEEN.c.origin == bindparam("origin"), any_of(SEEN.c.event_id, "event_ids")
    )
)
_SEE = upsert(SEEN, ("origin", "event_id"))
_INSERT_ALERT = insert_of(
    ALERT, "id", "source_id", "fingerprint", "name", "rule_key", "labels", "occurrence_id"
)
_POINT_ALERT = statement(
    update(ALERT)
    .where(ALERT.c.id == bindparam("alert_id"))
    .values(occurrence_id=bindparam("newest_id"))
)
_INSERT_OCCURRENCE = insert_of(
    OCCURRENCE,
    "id",
    "alert_id",
    "starts_at",
    "opened_at",
    "ended_at",
    "ended_by",
    "end_reason",
    "last_seen_at",
    "annotations",
    "muted_by",
    "expression",
    missing_lists=0,
)
_SEEN_AGAIN = statement(
    update(OCCURRENCE)
    .where(OCCURRENCE.c.id == bindparam("occurrence_id"))
    .values(last_seen_at=bindparam("seen_at"), missing_since=None, missing_lists=0)
)
_ANNOTATE = statement(
    update(OCCURRENCE)
    .where(OCCURRENCE.c.id == bindparam("occurrence_id"))
    .values(annotations=bindparam("texts"))
)
_END = statement(
    update(OCCURRENCE)
    .where(OCCURRENCE.c.id == bindparam("occurrence_id"))
    .values(
        ended_at=bindparam("at"),
        ended_by=bindparam("by"),
        end_reason=bindparam("reason"),
        last_seen_at=bindparam("seen_at"),
        doubted_at=None,
        missing_since=None,
    )
)
_INTAKE = 0x696E74616B65  # "intake": one of our keys of pg_advisory_xact_lock
_LINE_UP = statement(select(func.pg_advisory_xact_lock(bindparam("key"))))
_MOVE_END = statement(
    update(OCCURRENCE)
    .where(OCCURRENCE.c.id == bindparam("occurrence_id"), OCCURRENCE.c.ended_at.is_not(None))
    .values(ended_at=bindparam("at"))
)
_REOPEN = statement(
    update(OCCURRENCE)
    .where(OCCURRENCE.c.id == bindparam("occurrence_id"))
    .values(
        ended_at=None,
        ended_by=None,
        end_reason=None,
        doubted_at=None,
        last_seen_at=bindparam("seen_at"),
        muted_by=bindparam("mute"),
    )
)
_DOUBT = statement(
    update(OCCURRENCE)
    .where(OCCURRENCE.c.id == bindparam("occurrence_id"))
    .values(doubted_at=bindparam("at"))
)
_MUTE = statement(
    update(OCCURRENCE)
    .where(OCCURRENCE.c.id == bindparam("occurrence_id"))
    .values(muted_by=bindparam("mute"))
)
_OCCURRENCE = Statement(
    lambda dialect: locking(
        select(
            OCCURRENCE.c.id,
            OCCURRENCE.c.starts_at,
            OCCURRENCE.c.ended_at,
            OCCURRENCE.c.ended_by,
            OCCURRENCE.c.doubted_at,
            OCCURRENCE.c.muted_by,
            OCCURRENCE.c.annotations,
            OCCURRENCE.c.last_seen_at,
            ALERT.c.id.label("alert_id"),
            ALERT.c.source_id,
            ALERT.c.fingerprint,
            ALERT.c.labels,
            ALERT.c.occurrence_id.label("newest_id"),
        )
        .select_from(OCCURRENCE.join(ALERT, ALERT.c.id == OCCURRENCE.c.alert_id))
        .where(OCCURRENCE.c.id == bindparam("occurrence_id")),
        dialect,
        ALERT,
    )
)
_HELD = statement(
    select(OCCURRENCE.c.id)
    .where(OCCURRENCE.c.muted_by == bindparam("mute"), OCCURRENCE.c.ended_at.is_(None))
    .order_by(OCCURRENCE.c.id)
    .limit(bindparam("limit"))
)
_KEEP_UNREADABLE = upsert(
    UNREADABLE,
    ("source_id", "sha256"),
    ("last_at",),
    also=("body", "reason", "first_at", "incident_id"),
)
_LINK_UNREADABLE = statement(
    update(UNREADABLE)
    .where(
        UNREADABLE.c.source_id == bindparam("of_source"), UNREADABLE.c.sha256 == bindparam("sha")
    )
    .values(incident_id=bindparam("to_incident"))
)
_OPEN_OF_SOURCE = statement(
    select(
        OCCURRENCE.c.id,
        OCCURRENCE.c.starts_at,
        OCCURRENCE.c.last_seen_at,
        OCCURRENCE.c.missing_since,
        OCCURRENCE.c.missing_lists,
        OCCURRENCE.c.muted_by,
        ALERT.c.fingerprint,
    )
    .select_from(OCCURRENCE.join(ALERT, ALERT.c.id == OCCURRENCE.c.alert_id))
    .where(
        ALERT.c.source_id == bindparam("source_id"),
        OCCURRENCE.c.ended_at.is_(None),
        OCCURRENCE.c.id > bindparam("after"),
    )
    .order_by(OCCURRENCE.c.id)
    .limit(bindparam("limit"))
)
_ENDED_LISTED = statement(
    select(
        OCCURRENCE.c.id,
        OCCURRENCE.c.starts_at,
        OCCURRENCE.c.ended_at,
        OCCURRENCE.c.ended_by,
        ALERT.c.fingerprint,
    )
    .select_from(ALERT.join(OCCURRENCE, OCCURRENCE.c.id == ALERT.c.occurrence_id))
    .where(
        ALERT.c.source_id == bindparam("source_id"),
        any_of(ALERT.c.fingerprint, "fingerprints"),
        OCCURRENCE.c.ended_at.is_not(None),
    )
)
_FIRING_OF_INCIDENT = (
    GROUP.join(MEMBER, MEMBER.c.group_id == GROUP.c.id).join(
        OCCURRENCE, OCCURRENCE.c.id == MEMBER.c.occurrence_id
    ),
    (GROUP.c.incident_id == bindparam("incident_id")) & OCCURRENCE.c.ended_at.is_(None),
)
_HELD_OF_INCIDENT = statement(
    select(func.count().label("held"), func.min(OCCURRENCE.c.muted_by).label("hold"))
    .select_from(_FIRING_OF_INCIDENT[0])
    .where(_FIRING_OF_INCIDENT[1], OCCURRENCE.c.muted_by.is_not(None))
)
_LEAST_HEARD = statement(
    select(func.min(OCCURRENCE.c.last_seen_at).label("at"))
    .select_from(_FIRING_OF_INCIDENT[0])
    .where(_FIRING_OF_INCIDENT[1])
)
_MISSING = statement(
    update(OCCURRENCE)
    .where(OCCURRENCE.c.id == bindparam("occurrence_id"))
    .values(missing_since=bindparam("since"), missing_lists=bindparam("lists"))
)


def line_up(tx: Tx) -> None:
    """On PostgreSQL intakes pass here one after the other until each commits, as they do on SQLite anyway.

    Two slices of one storm open the same groups, incidents and destinations, each in the order of its own alerts:
    side by side they met in deadlocks that took a second each and outlasted every retry (5,000 alerts: 68 s, now 1 s).
    """
    if tx.postgresql:
        tx.all(_LINE_UP, key=_INTAKE)


def seen_bodies(tx: Reader, source: str, keys: Sequence[str]) -> set[str]:
    """Those bodies that this source has sent before and that were accepted."""
    return {row[0] for row in tx.all(_SEEN, origin=source, event_ids=list(keys))}


def remember_bodies(tx: Tx, source: str, keys: Iterable[str]) -> None:
    tx.many(_SEE, [{"origin": source, "event_id": key, "seen_at": tx.now} for key in keys])


def known(tx: Reader, source_id: int, fingerprints: Sequence[str]) -> dict[str, Row]:
    """By fingerprint: the alert and its newest occurrence; locked until the end of the transaction."""
    rows = tx.all(_KNOWN, source_id=source_id, fingerprints=list(fingerprints))
    return {row.fingerprint: row for row in rows}


def insert_alerts(tx: Tx, rows: Iterable[Mapping[str, Any]]) -> None:
    tx.many(_INSERT_ALERT, rows)


def point_alerts(tx: Tx, rows: Iterable[Mapping[str, Any]]) -> None:
    """Name each alert's newest occurrence."""
    tx.many(_POINT_ALERT, rows)


def insert_occurrences(tx: Tx, rows: Iterable[Mapping[str, Any]]) -> None:
    tx.many(_INSERT_OCCURRENCE, rows)


def seen_again(tx: Tx, occurrence_ids: Iterable[int]) -> None:
    tx.many(_SEEN_AGAIN, [{"occurrence_id": one, "seen_at": tx.now} for one in occurrence_ids])


def annotate(tx: Tx, texts: Mapping[int, Mapping[str, str]]) -> None:
    tx.many(_ANNOTATE, [{"occurrence_id": one, "texts": text} for one, text in texts.items()])


def end_occurrences(tx: Tx, ends: Iterable[Mapping[str, Any]]) -> None:
    """Each of `occurrence_id, at, by, reason`."""
    tx.many(_END, [{**end, "seen_at": tx.now} for end in ends])


def move_ends(tx: Tx, ends: Mapping[int, datetime]) -> None:
    """An end that is known by now to have been later; who may re-open stays as it was."""
    tx.many(_MOVE_END, [{"occurrence_id": one, "at": at} for one, at in ends.items()])


def reopen_occurrences(tx: Tx, mutes: Mapping[int, str | None]) -> None:
    tx.many(
        _REOPEN,
        [{"occurrence_id": one, "seen_at": tx.now, "mute": mute} for one, mute in mutes.items()],
    )


def doubt(tx: Tx, occurrence_ids: Iterable[int], at: datetime | None) -> None:
    tx.many(_DOUBT, [{"occurrence_id": one, "at": at} for one in occurrence_ids])


def mute(tx: Tx, mutes: Mapping[int, str | None]) -> None:
    tx.many(_MUTE, [{"occurrence_id": one, "mute": by} for one, by in mutes.items()])


def occurrence(tx: Reader, occurrence_id: int) -> Row | None:
    return tx.first(_OCCURRENCE, occurrence_id=occurrence_id)


def held_by(tx: Reader, hold: str, *, limit: int) -> list[int]:
    return [row.id for row in tx.all(_HELD, mute=hold, limit=limit)]


def keep_unreadable(tx: Tx, source_id: int, sha256: str, body: bytes, reason: str) -> None:
    tx.run(
        _KEEP_UNREADABLE,
        source_id=source_id,
        sha256=sha256,
        body=body,
        reason=reason,
        first_at=tx.now,
        last_at=tx.now,
        incident_id=None,
    )


def link_unreadable(tx: Tx, source_id: int, sha256: str, incident_id: int) -> None:
    tx.run(_LINK_UNREADABLE, of_source=source_id, sha=sha256, to_incident=incident_id)


def open_of_source(tx: Reader, source_id: int, *, after: int, limit: int) -> list[Row]:
    return tx.all(_OPEN_OF_SOURCE, source_id=source_id, after=after, limit=limit)


def ended_among(tx: Reader, source_id: int, fingerprints: Sequence[str]) -> list[Row]:
    return tx.all(_ENDED_LISTED, source_id=source_id, fingerprints=list(fingerprints))


def missing(tx: Tx, counts: Mapping[int, tuple[datetime | None, int]]) -> None:
    """By occurrence: since when, and in how many lists it has been missing."""
    tx.many(
        _MISSING,
        [
            {"occurrence_id": one, "since": since, "lists": lists}
            for one, (since, lists) in counts.items()
        ],
    )


def held_of_incident(tx: Reader, incident_id: int) -> tuple[int, str | None]:
    """How many of the incident's firing alerts are held back, as its counter counts them, and one that holds."""
    row = tx.one(_HELD_OF_INCIDENT, incident_id=incident_id)
    return int(row.held), row.hold


def least_heard(tx: Reader, incident_id: int) -> datetime | None:
    """When the incident's firing alert that was not heard of longest was heard of last."""
    found: datetime | None = tx.scalar(_LEAST_HEARD, incident_id=incident_id)
    return found
