"""How each road of a person did last, and which are set aside because their address will not work.

Knows rows of `road_health` and `receipt`, and `contact_method.disabled_at`. Refuses to judge what a failure means.
Serves the flows that hear of deliveries, the snapshot's writers and the views of contacts and incidents.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, select, update

from oncall_bot.store import rules
from oncall_bot.store import tables as t
from oncall_bot.store.statements import Row, any_of, statement, upsert
from oncall_bot.store.transactions import Reader, Tx

HEALTH, RECEIPT = t.RoadHealth.__table__, t.Receipt.__table__  # type: ignore[attr-defined]
CONTACT = t.ContactMethod.__table__  # type: ignore[attr-defined]
OUTBOX = t.Outbox.__table__  # type: ignore[attr-defined]

_TELLING = ("failed", "picked up", "missed", "rang", "delivered")
OWN = "c"
"""How the refs of a person's own contacts begin; those of the file begin with `file:`."""

_KEY = ("person_id", "contact")
_WORKED = upsert(HEALTH, _KEY, ("address", "worked_at", "failed_at", "why", "disabled_at"))
_OF = statement(select(HEALTH).where(HEALTH.c.person_id == bindparam("of_person")))
_GET = statement(
    select(HEALTH).where(
        HEALTH.c.person_id == bindparam("of_person"), HEALTH.c.contact == bindparam("of_contact")
    )
)
_SET_ASIDE = statement(
    update(CONTACT)
    .where(CONTACT.c.id == bindparam("contact_id"))
    .values(disabled_at=bindparam("at"))
)
_ADD_RECEIPT = upsert(RECEIPT, ("outbox_id", "state"), also=("at", "why"))
_RECEIPTS = statement(
    select(RECEIPT).where(any_of(RECEIPT.c.outbox_id, "row_ids")).order_by(RECEIPT.c.at)
)
_ROW = statement(select(OUTBOX).where(OUTBOX.c.id == bindparam("row_id")))


def of_person(reader: Reader, person_id: int) -> dict[str, Row]:
    """By contact: how it did last."""
    return {row.contact: row for row in reader.all(_OF, of_person=person_id)}


def worked(tx: Tx, person_id: int, contact: str, address: str) -> None:
    """A message went out by it; whatever was held against it is over."""
    before = _known(tx, person_id, contact, address)
    _put(tx, person_id, contact, address, worked_at=tx.now)
    if before is not None and before.disabled_at is not None:
        _stand(tx, contact, None)


def failed(tx: Tx, person_id: int, contact: str, address: str, why: str) -> None:
    """A message was refused; when it last worked is kept."""
    before = _known(tx, person_id, contact, address)
    _put(
        tx,
        person_id,
        contact,
        address,
        worked_at=before.worked_at if before else None,
        failed_at=tx.now,
        why=why[:300],
        disabled_at=before.disabled_at if before else None,
    )


def set_aside(tx: Tx, person_id: int, contact: str, address: str, why: str) -> bool:
    """Its address will not work: it is used only when nothing else is left. True when that is news."""
    before = _known(tx, person_id, contact, address)
    since = before.disabled_at if before else None
    _put(
        tx,
        person_id,
        contact,
        address,
        worked_at=before.worked_at if before else None,
        failed_at=tx.now,
        why=why[:300],
        disabled_at=since or tx.now,
    )
    if since is None:
        _stand(tx, contact, tx.now)
    return since is None


def _known(tx: Reader, person_id: int, contact: str, address: str) -> Row | None:
    """What is known of this address; what was said of another one counts no more."""
    row = tx.first(_GET, of_person=person_id, of_contact=contact)
    return row if row is not None and row.address == address else None


def _put(
    tx: Tx,
    person_id: int,
    contact: str,
    address: str,
    *,
    worked_at: datetime | None = None,
    failed_at: datetime | None = None,
    why: str | None = None,
    disabled_at: datetime | None = None,
) -> None:
    tx.run(
        _WORKED,
        person_id=person_id,
        contact=contact,
        address=address,
        worked_at=worked_at,
        failed_at=failed_at,
        why=why,
        disabled_at=disabled_at,
    )


def _stand(tx: Tx, contact: str, disabled_at: datetime | None) -> None:
    """Snapshots are stale: pages choose other roads from now on, or this one again."""
    if contact.startswith(OWN) and contact[1:].isdigit():
        tx.run(_SET_ASIDE, contact_id=int(contact[1:]), at=disabled_at)
    rules.changed(tx)


def add_receipt(tx: Tx, row_id: int, state: str, why: str | None) -> bool:
    """What a provider told of a message; False when it told so before."""
    return tx.run(_ADD_RECEIPT, outbox_id=row_id, state=state, at=tx.now, why=why) > 0


def receipts(reader: Reader, row_ids: Sequence[int]) -> dict[int, list[Row]]:
    """By message: its receipts, oldest first."""
    found: dict[int, list[Row]] = {}
    if row_ids:
        for row in reader.all(_RECEIPTS, row_ids=sorted(row_ids)):
            found.setdefault(row.outbox_id, []).append(row)
    return found


def most_telling(receipts: Sequence[Row]) -> Row | None:
    """Of what a provider told, in whatever order, that which says most."""
    by_state = {row.state: row for row in receipts}
    return next((by_state[one] for one in _TELLING if one in by_state), None)


def message(reader: Reader, row_id: int) -> Row | None:
    """The message a receipt is for."""
    return reader.first(_ROW, row_id=row_id)
