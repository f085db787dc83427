"""What may be forgotten, in slices. Knows ages; the file's `retention` gives them. Serves the retention job.

Whatever grows with time has its line here: events seen, timers, messages with their tries, ended alerts, unreadable
bodies, sign-in links and sessions, the audit with the calls of the model. Incidents with their timelines and pages are
the record and stay.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import and_, bindparam, delete, exists, select, tuple_, update

from oncall_bot.store import tables as t
from oncall_bot.store.statements import Statement, any_of, one_of, statement
from oncall_bot.store.transactions import Tx

SEEN, TIMER = t.InboundSeen.__table__, t.Timer.__table__  # type: ignore[attr-defined]
CALL = t.LlmCall.__table__  # type: ignore[attr-defined]
AUDIT, UNREADABLE = t.Audit.__table__, t.UnreadableBody.__table__  # type: ignore[attr-defined]
OUTBOX, DELIVERY = t.Outbox.__table__, t.Delivery.__table__  # type: ignore[attr-defined]
OCCURRENCE, MEMBER = t.Occurrence.__table__, t.GroupMember.__table__  # type: ignore[attr-defined]
ALERT = t.Alert.__table__  # type: ignore[attr-defined]
LINK, SESSION = t.SignInLink.__table__, t.WebSession.__table__  # type: ignore[attr-defined]

SLICE = 1000
SEEN_FOR = timedelta(days=14)
DONE_FOR = timedelta(days=30)
SIGNED_OUT_FOR = timedelta(days=1)
EDITS_FOR = timedelta(days=7)
"""Done messages that belong to no page: edits of cards, answers, notices. Nothing reads them again; their keys never
come back, because they count on (`card:MESSAGE:GENERATION`) or name an instant."""


def _oldest(table: Any, keys: tuple[Any, ...], condition: Any) -> Statement:
    oldest = select(*keys).where(condition).limit(bindparam("slice"))
    return statement(delete(table).where(tuple_(*keys).in_(oldest)))


_SEEN = _oldest(SEEN, (SEEN.c.origin, SEEN.c.event_id), SEEN.c.seen_at < bindparam("before"))
_TIMERS = _oldest(TIMER, (TIMER.c.id,), TIMER.c.done_at < bindparam("before"))
_AUDIT = _oldest(AUDIT, (AUDIT.c.id,), AUDIT.c.at < bindparam("before"))
_CALLS = _oldest(CALL, (CALL.c.id,), CALL.c.at < bindparam("before"))
_LINKS = _oldest(LINK, (LINK.c.id,), LINK.c.expires_at < bindparam("before"))
_SESSIONS = _oldest(SESSION, (SESSION.c.id,), SESSION.c.expires_at < bindparam("before"))
_UNREADABLE = _oldest(UNREADABLE, (UNREADABLE.c.id,), UNREADABLE.c.last_at < bindparam("before"))

_EDITS = statement(
    select(OUTBOX.c.id)
    .where(OUTBOX.c.page_id.is_(None), OUTBOX.c.done_at < bindparam("before"))
    .limit(bindparam("slice"))
)
_OLDEST_PAGES = (
    select(OUTBOX.c.id, OUTBOX.c.done_at)
    .where(OUTBOX.c.page_id.is_not(None))
    .order_by(OUTBOX.c.page_id)
    .limit(bindparam("slice"))
    .subquery()
)
_PAGES = statement(select(_OLDEST_PAGES.c.id).where(_OLDEST_PAGES.c.done_at < bindparam("before")))
_DROP_TRIES = statement(delete(DELIVERY).where(any_of(DELIVERY.c.outbox_id, "row_ids")))
_DROP_MESSAGES = statement(
    delete(OUTBOX).where(
        any_of(OUTBOX.c.id, "row_ids"),
        one_of(OUTBOX.c.state, ["sent", "outdated", "skipped", "dead"]),
    )
)

_OLDEST_OCCURRENCES = (
    select(OCCURRENCE.c.id, OCCURRENCE.c.ended_at)
    .order_by(OCCURRENCE.c.id)
    .limit(bindparam("slice"))
    .subquery()
)
_ENDED = statement(
    select(_OLDEST_OCCURRENCES.c.id).where(_OLDEST_OCCURRENCES.c.ended_at < bindparam("before"))
)
_LEAVE_GROUPS = statement(delete(MEMBER).where(any_of(MEMBER.c.occurrence_id, "row_ids")))
_FORGET_NEWEST = statement(
    update(ALERT)
    .where(any_of(ALERT.c.id, "alert_ids"), any_of(ALERT.c.occurrence_id, "row_ids"))
    .values(occurrence_id=None)
)
_ALERTS_OF = statement(
    select(OCCURRENCE.c.alert_id).where(any_of(OCCURRENCE.c.id, "row_ids")).distinct()
)
_DROP_OCCURRENCES = statement(delete(OCCURRENCE).where(any_of(OCCURRENCE.c.id, "row_ids")))
_DROP_ALERTS = statement(
    delete(ALERT).where(
        and_(any_of(ALERT.c.id, "alert_ids"), ~exists().where(OCCURRENCE.c.alert_id == ALERT.c.id))
    )
)


def forget(tx: Tx) -> int:
    """Delete one slice of each kind that is past its age; the number of rows that went."""
    keep = tx.snapshot.config.retention
    gone = tx.run(_SEEN, before=tx.now - SEEN_FOR, slice=SLICE)
    gone += tx.run(_TIMERS, before=tx.now - DONE_FOR, slice=SLICE)
    gone += tx.run(_LINKS, before=tx.now - SIGNED_OUT_FOR, slice=SLICE)
    gone += tx.run(_SESSIONS, before=tx.now - SIGNED_OUT_FOR, slice=SLICE)
    gone += _forget_messages(tx, _EDITS, EDITS_FOR)
    gone += _forget_messages(tx, _PAGES, keep.get("messages"))
    gone += _forget_alerts(tx, keep.get("alerts"))
    if (audited := keep.get("audit")) is not None:
        gone += tx.run(_AUDIT, before=tx.now - audited, slice=SLICE)
        gone += tx.run(_CALLS, before=tx.now - audited, slice=SLICE)
    return gone


def _forget_messages(tx: Tx, which: Statement, age: timedelta | None) -> int:
    """Messages that are done, with their tries."""
    if age is None:
        return 0
    ids = [row.id for row in tx.all(which, before=tx.now - age, slice=SLICE)]
    if not ids:
        return 0
    tx.run(_DROP_TRIES, row_ids=ids)
    return tx.run(_DROP_MESSAGES, row_ids=ids)


def _forget_alerts(tx: Tx, age: timedelta | None) -> int:
    """Occurrences that ended long ago, alerts that have no other, and bodies that could not be read.

    A slice is of the oldest: one that still fires after so long keeps its place and hides no more than itself.
    """
    if age is None:
        return 0
    gone = tx.run(_UNREADABLE, before=tx.now - age, slice=SLICE)
    ids = [row.id for row in tx.all(_ENDED, before=tx.now - age, slice=SLICE)]
    if not ids:
        return gone
    alert_ids = [row.alert_id for row in tx.all(_ALERTS_OF, row_ids=ids)]
    tx.run(_LEAVE_GROUPS, row_ids=ids)
    tx.run(_FORGET_NEWEST, alert_ids=alert_ids, row_ids=ids)
    gone += tx.run(_DROP_OCCURRENCES, row_ids=ids)
    tx.run(_DROP_ALERTS, alert_ids=alert_ids)
    return gone
