"""Contacts and overrides in SQL: what people own, which no file touches.

Knows rows. Refuses to know roads and rota rules. Serves the contact flows, set_override and the views.
Every write here makes snapshots stale.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, delete, select, update

from oncall_bot.store import rules
from oncall_bot.store import tables as t
from oncall_bot.store.statements import Row, insert_of, statement, upsert
from oncall_bot.store.transactions import Reader, Tx

CONTACT, OVERRIDE = t.ContactMethod.__table__, t.Override.__table__  # type: ignore[attr-defined]
SHIFT = t.ShiftLog.__table__  # type: ignore[attr-defined]

_PUT = upsert(
    CONTACT,
    ("person_id", "kind", "address"),
    ("code_sha256", "code_sent_at", "code_tries", "disabled_at"),
)
_OF = statement(
    select(CONTACT).where(CONTACT.c.person_id == bindparam("of_person")).order_by(CONTACT.c.id)
)
_TRY = statement(
    update(CONTACT)
    .where(CONTACT.c.id == bindparam("contact_id"))
    .values(code_tries=CONTACT.c.code_tries + 1)
)
_VERIFY = statement(
    update(CONTACT)
    .where(CONTACT.c.id == bindparam("contact_id"))
    .values(verified_at=bindparam("at"), code_sha256=None)
)
_REMOVE = statement(delete(CONTACT).where(CONTACT.c.id == bindparam("contact_id")))
_INSERT_OVERRIDE = insert_of(
    OVERRIDE,
    "id",
    "schedule_id",
    "starts_at",
    "ends_at",
    "person_id",
    "created_by",
    "created_at",
    "replaces_id",
    "swap_id",
    cancelled_at=None,
)
_LOG_SHIFT = upsert(SHIFT, ("schedule_id", "starts_at"), ("ends_at", "person_id"))


def put_contact(tx: Tx, person_id: int, kind: str, address: str, code_sha256: str) -> None:
    """A contact waits for its code; one that was verified stays so."""
    tx.run(
        _PUT,
        person_id=person_id,
        kind=kind,
        address=address,
        code_sha256=code_sha256,
        code_sent_at=tx.now,
        code_tries=0,
        disabled_at=None,
    )


def contacts(tx: Reader, person_id: int) -> list[Row]:
    return tx.all(_OF, of_person=person_id)


def count_try(tx: Tx, contact_id: int) -> None:
    tx.run(_TRY, contact_id=contact_id)


def verify(tx: Tx, contact_id: int) -> None:
    tx.run(_VERIFY, contact_id=contact_id, at=tx.now)
    rules.changed(tx)


def remove(tx: Tx, contact_id: int) -> None:
    tx.run(_REMOVE, contact_id=contact_id)
    rules.changed(tx)


def insert_override(
    tx: Tx,
    schedule_id: int,
    starts_at: datetime,
    ends_at: datetime,
    person_id: int | None,
    by: str,
    *,
    replaces_id: int | None = None,
    request_id: int | None = None,
) -> int:
    """Painted over what was there before; its id. `request_id`: the cover request it comes from."""
    override_id = int(tx.new_ids("override", 1)[0])
    tx.run(
        _INSERT_OVERRIDE,
        id=override_id,
        replaces_id=replaces_id,
        swap_id=request_id,
        schedule_id=schedule_id,
        starts_at=starts_at,
        ends_at=ends_at,
        person_id=person_id,
        created_by=by,
        created_at=tx.now,
    )
    rules.changed(tx)
    return override_id


def log_shift(
    tx: Tx, schedule_id: int, starts_at: datetime, ends_at: datetime | None, person_id: int | None
) -> None:
    tx.run(
        _LOG_SHIFT,
        schedule_id=schedule_id,
        starts_at=starts_at,
        ends_at=ends_at,
        person_id=person_id,
    )
