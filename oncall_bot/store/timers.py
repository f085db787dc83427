"""Timers in SQL: what must happen later, taken, decided and marked done in one transaction.

Knows due rows and their keys. Refuses to know what a timer means: `engine.tick` names the flow of each kind.
A timer has no lease: whoever works on it holds its row until the commit (SKIP LOCKED on PostgreSQL).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, select, update

from oncall_bot.store import tables as t
from oncall_bot.store.statements import Row, Statement, locking, one_of, statement, upsert
from oncall_bot.store.transactions import Reader, Tx

TIMER = t.Timer.__table__  # type: ignore[attr-defined]

_PAGES = one_of(TIMER.c.kind, ["escalate", "ack_timeout"])
"""The timers of steps that page people."""

FIND_RUNBOOK = "find_runbook"
"""The one kind that is not struck: a search takes a while, so it is done on a reader, by `engine.librarian`."""

_ADD = upsert(
    TIMER, ("dedupe_key",), also=("kind", "subject", "due_at", "state", "data", "attempts")
)
_REARM = upsert(
    TIMER, ("dedupe_key",), ("due_at", "state"), also=("kind", "subject", "data", "attempts")
)


def _due_of(kinds: ColumnElement[bool], *columns: Any) -> Statement:
    """What is due of some kinds, the oldest first."""
    return statement(
        select(*columns)
        .where(TIMER.c.state == "pending", TIMER.c.due_at <= bindparam("now"), kinds)
        .order_by(TIMER.c.due_at)
        .limit(bindparam("limit"))
    )


_DUE = _due_of(TIMER.c.kind != FIND_RUNBOOK, TIMER.c.id)
_DUE_PAGES = _due_of(_PAGES, TIMER.c.id)
_SEARCHES = _due_of(TIMER.c.kind == FIND_RUNBOOK, TIMER.c.id, TIMER.c.subject, TIMER.c.data)
_TAKE = Statement(
    lambda dialect: locking(
        select(TIMER).where(
            TIMER.c.id == bindparam("timer_id"),
            TIMER.c.state == "pending",
            TIMER.c.due_at <= bindparam("now"),
        ),
        dialect,
        skip_locked=True,
    )
)
_DONE = statement(
    update(TIMER)
    .where(TIMER.c.id == bindparam("timer_id"))
    .values(state="done", done_at=bindparam("at"))
)
_DROP = statement(
    update(TIMER)
    .where(
        TIMER.c.subject == bindparam("of"),
        TIMER.c.kind == bindparam("which"),
        TIMER.c.state == "pending",
    )
    .values(state="done", done_at=bindparam("at"))
)
_FAILED = statement(
    update(TIMER)
    .where(TIMER.c.id == bindparam("timer_id"))
    .values(
        attempts=TIMER.c.attempts + 1,
        last_error=bindparam("error"),
        due_at=bindparam("again_at"),
    )
    .returning(TIMER.c.attempts, TIMER.c.kind, TIMER.c.subject)
)
_OVERDUE = statement(
    select(TIMER.c.id)
    .where(
        TIMER.c.state == "pending",
        TIMER.c.due_at <= bindparam("before"),
        _PAGES,
    )
    .limit(1)
)
_ATTEMPTS = statement(select(TIMER.c.attempts).where(TIMER.c.id == bindparam("timer_id")))
_GET = statement(
    select(TIMER).where(TIMER.c.id == bindparam("timer_id"), TIMER.c.state == "pending")
)
_NEXT = statement(
    select(func.min(TIMER.c.due_at).label("due_at")).where(TIMER.c.state == "pending")
)
_OF = statement(
    select(TIMER)
    .where(TIMER.c.subject == bindparam("of"), TIMER.c.state == "pending")
    .order_by(TIMER.c.due_at)
)


def add(
    tx: Tx,
    kind: str,
    subject: str,
    due_at: datetime,
    dedupe_key: str,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Plan it once: a key that was ever used plans nothing again."""
    tx.run(_ADD, **_planned(kind, subject, due_at, dedupe_key, data))
    tx.nudge()


def rearm(
    tx: Tx,
    kind: str,
    subject: str,
    due_at: datetime,
    dedupe_key: str,
    data: Mapping[str, Any] | None = None,
) -> None:
    """One timer for the key, due at `due_at` from now on, whatever it was before: a deadline that is pushed."""
    tx.run(_REARM, **_planned(kind, subject, due_at, dedupe_key, data))


def _planned(
    kind: str, subject: str, due_at: datetime, dedupe_key: str, data: Mapping[str, Any] | None
) -> dict[str, Any]:
    return {
        "kind": kind,
        "subject": subject,
        "due_at": due_at,
        "state": "pending",
        "data": dict(data or {}),
        "attempts": 0,
        "dedupe_key": dedupe_key,
    }


def due(tx: Reader, *, limit: int) -> list[int]:
    """What is due: up to half are steps that page people, before the rest in order of time.

    After a long downtime thousands of other timers may be due before the first step is.
    """
    pages = tx.all(_DUE_PAGES, now=tx.now, limit=limit // 2)
    rest = tx.all(_DUE, now=tx.now, limit=limit)
    return list(dict.fromkeys(row.id for row in (*pages, *rest)))[:limit]


def searches(tx: Reader, *, limit: int) -> list[Row]:
    """Incidents for which a runbook is to be looked for, oldest first: timers that `due` leaves out."""
    return tx.all(_SEARCHES, now=tx.now, limit=limit)


def pages_overdue(tx: Reader, before: datetime) -> bool:
    """Whether a step that pages people was due before that instant."""
    return tx.first(_OVERDUE, before=before) is not None


def take(tx: Tx, timer_id: int) -> Row | None:
    """The timer, if it is still due and nobody else works on it."""
    return tx.first(_TAKE, timer_id=timer_id, now=tx.now)


def done(tx: Tx, timer_id: int) -> None:
    tx.run(_DONE, timer_id=timer_id, at=tx.now)


def drop(tx: Tx, kind: str, subject: str) -> None:
    """Nothing of this kind waits for the subject any more."""
    tx.run(_DROP, of=subject, which=kind, at=tx.now)


def attempts(tx: Reader, timer_id: int) -> int:
    return int(tx.scalar(_ATTEMPTS, timer_id=timer_id) or 0)


def failed(tx: Tx, timer_id: int, error: str, again_at: datetime) -> Row:
    """Count a failed try and plan the next; answers attempts, kind and subject."""
    return tx.one(_FAILED, timer_id=timer_id, error=error[:1000], again_at=again_at)


def get(tx: Reader, timer_id: int) -> Row | None:
    """The timer, while it waits."""
    return tx.first(_GET, timer_id=timer_id)


def next_due(tx: Reader) -> datetime | None:
    found: datetime | None = tx.scalar(_NEXT)
    return found


def of(tx: Reader, subject: str) -> list[Row]:
    """What waits for the subject, soonest first."""
    return tx.all(_OF, of=subject)
