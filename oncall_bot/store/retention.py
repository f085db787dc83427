"""What may be forgotten, in slices. Knows ages; the file's `retention` gives them. Serves the retention job.

Whatever grows with time has its line here: events seen, timers, messages with their tries and receipts, ended alerts
with their closed groups, unreadable bodies, sign-in links and sessions, talk, absences and covers that are over, the
audit with the calls of the model. Incidents themselves are store.retention_incidents's; shifts stay, for they are pay.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import and_, bindparam, delete, exists, select, tuple_, update

from oncall_bot.core.talk.about import FORGOTTEN_AFTER
from oncall_bot.store import tables as t
from oncall_bot.store.statements import Statement, any_of, one_of, statement
from oncall_bot.store.transactions import Tx

SEEN, TIMER = t.InboundSeen.__table__, t.Timer.__table__  # type: ignore[attr-defined]
CALL = t.LlmCall.__table__  # type: ignore[attr-defined]
AUDIT, UNREADABLE = t.Audit.__table__, t.UnreadableBody.__table__  # type: ignore[attr-defined]
OUTBOX, DELIVERY = t.Outbox.__table__, t.Delivery.__table__  # type: ignore[attr-defined]
OCCURRENCE, MEMBER = t.Occurrence.__table__, t.GroupMember.__table__  # type: ignore[attr-defined]
ALERT = t.Alert.__table__  # type: ignore[attr-defined]
RECEIPT = t.Receipt.__table__  # type: ignore[attr-defined]
GROUP, MATCH = t.AlertGroup.__table__, t.RunbookMatch.__table__  # type: ignore[attr-defined]
TALK, LEAVE = t.Conversation.__table__, t.Leave.__table__  # type: ignore[attr-defined]
AWAY, WARNED = t.Away.__table__, t.CoverageWarning.__table__  # type: ignore[attr-defined]
COVER, ASK = t.CoverRequest.__table__, t.CoverAsk.__table__  # type: ignore[attr-defined]
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

_TALK = _oldest(TALK, (TALK.c.key,), TALK.c.said_at < bindparam("before"))
_LEAVE = _oldest(LEAVE, (LEAVE.c.id,), LEAVE.c.ends_at < bindparam("before"))
_WARNED = _oldest(WARNED, (WARNED.c.key,), WARNED.c.ends_at < bindparam("before"))
_AWAY = _oldest(AWAY, (AWAY.c.id,), AWAY.c.ends_at < bindparam("before"))
_COVERS = statement(
    select(COVER.c.id)
    .where(COVER.c.state != "open", COVER.c.closed_at < bindparam("before"))
    .limit(bindparam("slice"))
)
_DROP_ASKS = statement(delete(ASK).where(any_of(ASK.c.request_id, "row_ids")))
_DROP_COVERS = statement(delete(COVER).where(any_of(COVER.c.id, "row_ids")))
_GROUPS = _oldest(
    GROUP,
    (GROUP.c.id,),
    and_(
        GROUP.c.closed_at < bindparam("before"),
        ~exists().where(MEMBER.c.group_id == GROUP.c.id),
        ~exists().where(MATCH.c.group_id == GROUP.c.id),
    ),
)

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
_DROP_RECEIPTS = statement(delete(RECEIPT).where(any_of(RECEIPT.c.outbox_id, "row_ids")))
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
    gone += tx.run(_TALK, before=tx.now - FORGOTTEN_AFTER, slice=SLICE)
    gone += tx.run(_LEAVE, before=tx.now - DONE_FOR, slice=SLICE)
    gone += tx.run(_WARNED, before=tx.now - DONE_FOR, slice=SLICE)
    gone += _forget_messages(tx, _EDITS, EDITS_FOR)
    gone += _forget_messages(tx, _PAGES, keep.get("messages"))
    gone += _forget_absences(tx, keep.get("messages"))
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
    tx.run(_DROP_RECEIPTS, row_ids=ids)
    return tx.run(_DROP_MESSAGES, row_ids=ids)


def _forget_absences(tx: Tx, age: timedelta | None) -> int:
    """Holidays, and requests for cover with their notes; what came of them stays in the overrides."""
    if age is None:
        return 0
    gone = tx.run(_AWAY, before=tx.now - age, slice=SLICE)
    ids = [row.id for row in tx.all(_COVERS, before=tx.now - age, slice=SLICE)]
    if ids:
        tx.run(_DROP_ASKS, row_ids=ids)
        gone += tx.run(_DROP_COVERS, row_ids=ids)
    return gone


def _forget_alerts(tx: Tx, age: timedelta | None) -> int:
    """Occurrences that ended long ago, alerts that have no other, and bodies that could not be read.

    A slice is of the oldest: one that still fires after so long keeps its place and hides no more than itself.
    """
    if age is None:
        return 0
    gone = tx.run(_UNREADABLE, before=tx.now - age, slice=SLICE)
    ids = [row.id for row in tx.all(_ENDED, before=tx.now - age, slice=SLICE)]
    gone += tx.run(_GROUPS, before=tx.now - age, slice=SLICE)
    if not ids:
        return gone
    alert_ids = [row.alert_id for row in tx.all(_ALERTS_OF, row_ids=ids)]
    tx.run(_LEAVE_GROUPS, row_ids=ids)
    tx.run(_FORGET_NEWEST, alert_ids=alert_ids, row_ids=ids)
    gone += tx.run(_DROP_OCCURRENCES, row_ids=ids)
    tx.run(_DROP_ALERTS, alert_ids=alert_ids)
    return gone
