"""Which pages of a person go now, as one message, and which wait: what `core.throttle` needs and decides, as rows.

Knows what rang on a road, what is held back there, and who travels with whom. Refuses to know the rules (core.throttle)
and leases. Serves `store.outbox`, which claims what is chosen here; the destination's row is locked meanwhile, so that
two processes never choose for one person and road.

A row in a bundle names by `bundle_id` the row whose message carries it; a lone page names itself. A try that was
answered with a refusal frees its rows; after a crash they go again together, under the same key.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import bindparam, case, func, select, update

from oncall_bot.core import throttle
from oncall_bot.core.config import Cap
from oncall_bot.core.throttle import Rung, Waiting
from oncall_bot.store import runs
from oncall_bot.store import tables as t
from oncall_bot.store.statements import Row, any_of, statement
from oncall_bot.store.transactions import Reader, Tx
from oncall_bot.store.types import Instant

OUTBOX, PAGE = t.Outbox.__table__, t.Page.__table__  # type: ignore[attr-defined]

NOW = bindparam("now", type_=Instant())
_RUNG = statement(
    select(
        OUTBOX.c.id, OUTBOX.c.page_id, OUTBOX.c.bundle_id, OUTBOX.c.done_at, OUTBOX.c.payload
    ).where(
        OUTBOX.c.destination == bindparam("dest"),
        OUTBOX.c.state == "sent",
        OUTBOX.c.page_id.is_not(None),
        OUTBOX.c.done_at > bindparam("since"),
    )
)
_HELD = statement(
    select(OUTBOX).where(
        OUTBOX.c.destination == bindparam("dest"),
        OUTBOX.c.state == "pending",
        OUTBOX.c.held.is_not(None),
    )
)
_PUT_OFF = statement(
    update(OUTBOX)
    .where(any_of(OUTBOX.c.id, "row_ids"), OUTBOX.c.state == "pending")
    .values(next_attempt_at=bindparam("until"), held=bindparam("why"))
)
_CARRY = statement(
    update(OUTBOX)
    .where(any_of(OUTBOX.c.id, "row_ids"))
    .values(
        bundle_id=bindparam("lead"),
        held=None,
        next_attempt_at=case(
            (OUTBOX.c.next_attempt_at > NOW, NOW),
            else_=OUTBOX.c.next_attempt_at,
        ),
    )
)
_MEMBERS = statement(
    select(OUTBOX).where(OUTBOX.c.bundle_id == bindparam("bundle")).order_by(OUTBOX.c.id)
)
_TOGETHER = statement(
    select(OUTBOX.c.bundle_id, func.count().label("rows"))
    .where(any_of(OUTBOX.c.bundle_id, "bundle_ids"))
    .group_by(OUTBOX.c.bundle_id)
)
_SHOWN_IN = statement(
    update(PAGE).where(any_of(PAGE.c.id, "page_ids")).values(bundle_id=bindparam("message"))
)

Delayed = Callable[[Tx, Row, datetime, str], None]
"""Hears of every page that is made to wait: the row, until when, and why; `why` is empty for a moment's wait."""


def is_page_to_a_person(row: Row) -> bool:
    """Whether the row may travel with others: a page, and not one to a channel."""
    return row.page_id is not None and row.payload.get("road") != "channel"


def held(tx: Reader, destination: str) -> list[Row]:
    """What waits for others at this destination."""
    return tx.all(_HELD, dest=destination)


def choose(tx: Tx, destination: str, rows: Sequence[Row], delayed: Delayed) -> list[int]:
    """Of the pages due at this destination those that go now as one message, the first carrying the others.

    What has to wait is put off. Each contact of the person gets messages of its own.
    """
    cap = _cap_of(tx, destination)
    rung = _rung(tx, destination, cap)
    for waiting in _by_contact(rows).values():
        decided = throttle.plan([_waiting(row) for row in waiting], rung, cap, tx.now)
        by_id = {row.id: row for row in waiting}
        for hold in decided.holds:
            _put_off(tx, [by_id[one] for one in hold.ids], hold, delayed)
        if decided.send:
            lead = decided.bundle or decided.send[0]
            tx.run(_CARRY, row_ids=sorted(decided.send), lead=lead, now=tx.now)
            return list(decided.send)
    return []


def members(tx: Reader, bundle_id: int | None) -> list[Row]:
    """Every row that ever travelled under this number since its last refusal, whatever became of it."""
    return tx.all(_MEMBERS, bundle=bundle_id) if bundle_id is not None else []


def together(tx: Reader, bundle_ids: Sequence[int]) -> dict[int, int]:
    """How many pages travel under each of these numbers."""
    if not bundle_ids:
        return {}
    return {row.bundle_id: row.rows for row in tx.all(_TOGETHER, bundle_ids=sorted(bundle_ids))}


def key_of(rows: Sequence[Row]) -> str:
    """What the provider knows the message by: the page's own key, or one made of all that travel together."""
    if len(rows) == 1:
        return str(rows[0].dedupe_key)
    ids = ",".join(str(row.id) for row in sorted(rows, key=lambda row: row.id))
    return f"page:bundle:{rows[0].bundle_id}:{hashlib.sha256(ids.encode()).hexdigest()[:16]}"


def shown_in(tx: Tx, page_ids: Sequence[int], message_id: int) -> None:
    """These pages are shown by one Slack message from now on."""
    tx.run(_SHOWN_IN, page_ids=sorted(page_ids), message=message_id)


def _put_off(tx: Tx, rows: Sequence[Row], hold: throttle.Hold, delayed: Delayed) -> None:
    tx.run(_PUT_OFF, row_ids=sorted(row.id for row in rows), until=hold.until, why=hold.why)
    for row in rows:
        if row.held != hold.why or row.next_attempt_at < hold.until:
            delayed(tx, row, hold.until, hold.why)


def _cap_of(tx: Reader, destination: str) -> Cap | None:
    channel = tx.snapshot.config.channels.get(destination.partition(":")[0])
    return channel.per_person if channel is not None else None


def _rung(tx: Reader, destination: str, cap: Cap | None) -> list[Rung]:
    """The messages that went out there lately; what travelled together counts once."""
    rows = tx.all(_RUNG, dest=destination, since=tx.now - throttle.horizon(cap))
    if not rows:
        return []
    messages: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        messages[row.bundle_id or row.id].append(row)
    standing = runs.standing(tx, [row.page_id for row in rows])
    asked = {row.id for row in standing if runs.is_asked(row)}
    return [
        Rung(
            max(row.done_at for row in together),
            any(_is_urgent(row) for row in together),
            _contact(together[0]),
            any(row.page_id in asked for row in together),
        )
        for together in messages.values()
    ]


def _by_contact(rows: Sequence[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[_contact(row)].append(row)
    return found


def _waiting(row: Row) -> Waiting:
    return Waiting(
        id=row.id,
        due_at=row.due_at or row.created_at,
        made_at=row.created_at,
        urgent=_is_urgent(row),
        contact=_contact(row),
        tried_in=row.bundle_id,
        failures=row.failures,
    )


def _is_urgent(row: Row) -> bool:
    return bool(row.payload.get("urgent", True))


def _contact(row: Row) -> str:
    return str(row.payload.get("contact", ""))
