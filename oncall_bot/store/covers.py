"""Cover requests, whom they were put to, and the overrides that came of them.

Knows rows. Refuses to know rights and states' rules (core.covers). Serves the cover flows and views.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update

from oncall_bot.store import rules
from oncall_bot.store import tables as t
from oncall_bot.store.statements import Row, Statement, insert_of, locking, one_of, statement
from oncall_bot.store.transactions import Reader, Tx

REQUEST, ASK = t.CoverRequest.__table__, t.CoverAsk.__table__  # type: ignore[attr-defined]
OVERRIDE, SCHEDULE = t.Override.__table__, t.Schedule.__table__  # type: ignore[attr-defined]
PERSON = t.Person.__table__  # type: ignore[attr-defined]
BACK, TAKER = SCHEDULE.alias("back"), PERSON.alias("taker")

LISTED = 50

_INSERT = insert_of(
    REQUEST,
    "id",
    "kind",
    "asker_id",
    "schedule_id",
    "starts_at",
    "ends_at",
    "back_schedule_id",
    "back_starts_at",
    "back_ends_at",
    "note",
    "expires_at",
    "message_id",
    "created_at",
    state="open",
    taken_by_id=None,
    closed_at=None,
)
_INSERT_ASK = insert_of(ASK, "request_id", "person_id", "message_id", answer=None, answered_at=None)
_LOCK = Statement(
    lambda dialect: locking(
        select(REQUEST.c.id).where(REQUEST.c.id == bindparam("request_id")), dialect
    )
)
_SHOWN = (
    select(REQUEST)
    .add_columns(
        PERSON.c.key.label("asker"),
        SCHEDULE.c.key.label("schedule"),
        BACK.c.key.label("back_schedule"),
        TAKER.c.key.label("taken_by"),
    )
    .join(PERSON, PERSON.c.id == REQUEST.c.asker_id)
    .join(SCHEDULE, SCHEDULE.c.id == REQUEST.c.schedule_id)
    .outerjoin(BACK, BACK.c.id == REQUEST.c.back_schedule_id)
    .outerjoin(TAKER, TAKER.c.id == REQUEST.c.taken_by_id)
)
_GET = statement(_SHOWN.where(REQUEST.c.id == bindparam("request_id")))
_OF_ASKER = statement(
    _SHOWN.where(
        REQUEST.c.asker_id == bindparam("person_id"),
        REQUEST.c.ends_at > bindparam("now"),
        one_of(REQUEST.c.state, ["open", "taken"]),
    )
    .order_by(REQUEST.c.starts_at, REQUEST.c.id)
    .limit(LISTED)
)
_WAITING_FOR = statement(
    _SHOWN.join(ASK, ASK.c.request_id == REQUEST.c.id)
    .where(
        ASK.c.person_id == bindparam("person_id"),
        ASK.c.answer.is_(None),
        REQUEST.c.state == "open",
        REQUEST.c.expires_at > bindparam("now"),
    )
    .order_by(REQUEST.c.starts_at, REQUEST.c.id)
    .limit(LISTED)
)
_ASKED = statement(
    select(ASK, PERSON.c.key.label("person"))
    .join(PERSON, PERSON.c.id == ASK.c.person_id)
    .where(ASK.c.request_id == bindparam("request_id"))
    .order_by(PERSON.c.key)
)
_SAVE = statement(
    update(REQUEST)
    .where(REQUEST.c.id == bindparam("request_id"))
    .values(
        state=bindparam("new_state"),
        taken_by_id=bindparam("taker_id"),
        closed_at=bindparam("at"),
    )
)
_ANSWER = statement(
    update(ASK)
    .where(ASK.c.request_id == bindparam("request_id"), ASK.c.person_id == bindparam("of_person"))
    .values(answer=bindparam("said"), answered_at=bindparam("at"))
)
_PAINTED = statement(
    select(OVERRIDE, SCHEDULE.c.key.label("schedule"))
    .join(SCHEDULE, SCHEDULE.c.id == OVERRIDE.c.schedule_id)
    .where(OVERRIDE.c.swap_id == bindparam("request_id"), OVERRIDE.c.cancelled_at.is_(None))
    .order_by(OVERRIDE.c.id)
)
_OVERRIDE = Statement(
    lambda dialect: locking(
        select(OVERRIDE, SCHEDULE.c.key.label("schedule"), PERSON.c.key.label("person"))
        .join(SCHEDULE, SCHEDULE.c.id == OVERRIDE.c.schedule_id)
        .outerjoin(PERSON, PERSON.c.id == OVERRIDE.c.person_id)
        .where(OVERRIDE.c.id == bindparam("override_id")),
        dialect,
        OVERRIDE,
    )
)
_REPLACED = PERSON.alias("replaced")
_AHEAD = statement(
    select(
        OVERRIDE,
        SCHEDULE.c.key.label("schedule"),
        PERSON.c.key.label("person"),
        _REPLACED.c.key.label("replaces"),
    )
    .join(SCHEDULE, SCHEDULE.c.id == OVERRIDE.c.schedule_id)
    .outerjoin(PERSON, PERSON.c.id == OVERRIDE.c.person_id)
    .outerjoin(_REPLACED, _REPLACED.c.id == OVERRIDE.c.replaces_id)
    .where(
        SCHEDULE.c.key == bindparam("of_schedule"),
        OVERRIDE.c.cancelled_at.is_(None),
        OVERRIDE.c.ends_at > bindparam("since"),
        OVERRIDE.c.starts_at < bindparam("until"),
    )
    .order_by(OVERRIDE.c.starts_at, OVERRIDE.c.id)
    .limit(LISTED)
)
_CANCEL = statement(
    update(OVERRIDE)
    .where(OVERRIDE.c.id == bindparam("override_id"))
    .values(cancelled_at=bindparam("at"))
)
_CUT = statement(
    update(OVERRIDE)
    .where(OVERRIDE.c.id == bindparam("override_id"))
    .values(ends_at=bindparam("at"))
)
_OPEN_LIKE = statement(
    select(REQUEST.c.id)
    .where(
        REQUEST.c.asker_id == bindparam("person_id"),
        REQUEST.c.schedule_id == bindparam("of_schedule"),
        REQUEST.c.state == "open",
        REQUEST.c.starts_at < bindparam("until"),
        REQUEST.c.ends_at > bindparam("since"),
    )
    .order_by(REQUEST.c.id)
    .limit(1)
)


def new_id(tx: Tx) -> int:
    return int(tx.new_ids("cover_request", 1)[0])


def insert(tx: Tx, **values: Any) -> None:
    tx.run(_INSERT, created_at=tx.now, **values)


def ask(tx: Tx, request_id: int, person_id: int, message_id: int | None) -> None:
    tx.run(_INSERT_ASK, request_id=request_id, person_id=person_id, message_id=message_id)


def lock(tx: Tx, request_id: int) -> Row | None:
    """The request with the keys of whom it names; nobody else changes it until the commit."""
    return get(tx, request_id) if tx.first(_LOCK, request_id=request_id) is not None else None


def get(tx: Reader, request_id: int) -> Row | None:
    return tx.first(_GET, request_id=request_id)


def asked(tx: Reader, request_id: int) -> list[Row]:
    """Everybody it was put to, with key, answer and the message that asks."""
    return tx.all(_ASKED, request_id=request_id)


def of_asker(tx: Reader, person_id: int) -> list[Row]:
    """What the person asked for and is not over, the next first."""
    return tx.all(_OF_ASKER, person_id=person_id, now=tx.now)


def waiting_for(tx: Reader, person_id: int) -> list[Row]:
    """What waits for the person's answer."""
    return tx.all(_WAITING_FOR, person_id=person_id, now=tx.now)


def like(
    tx: Reader, person_id: int, schedule_id: int, since: datetime, until: datetime
) -> int | None:
    """An open request of the person for some of that time."""
    found = tx.scalar(
        _OPEN_LIKE, person_id=person_id, of_schedule=schedule_id, since=since, until=until
    )
    return int(found) if found is not None else None


def save(tx: Tx, request_id: int, state: str, taker_id: int | None, *, closed: bool) -> None:
    tx.run(
        _SAVE,
        request_id=request_id,
        new_state=state,
        taker_id=taker_id,
        at=tx.now if closed else None,
    )


def answer(tx: Tx, request_id: int, person_id: int, said: str) -> None:
    tx.run(_ANSWER, request_id=request_id, of_person=person_id, said=said, at=tx.now)


def painted(tx: Reader, request_id: int) -> list[Row]:
    """The overrides of an accepted request that stand."""
    return tx.all(_PAINTED, request_id=request_id)


def lock_override(tx: Tx, override_id: int) -> Row | None:
    return tx.first(_OVERRIDE, override_id=override_id)


def overrides_ahead(
    tx: Reader, schedule: str, until: datetime, since: datetime | None = None
) -> list[Row]:
    """Overrides of the schedule that touch the time from now (or `since`) until then."""
    return tx.all(_AHEAD, of_schedule=schedule, since=since or tx.now, until=until)


def end(tx: Tx, overrides: Iterable[Row]) -> None:
    """They no longer act: those to come are cancelled, one that runs is cut now, so that the past stays as it was."""
    for one in overrides:
        if one.starts_at >= tx.now:
            tx.run(_CANCEL, override_id=one.id, at=tx.now)
        elif one.ends_at > tx.now:
            tx.run(_CUT, override_id=one.id, at=tx.now)
    rules.changed(tx)
