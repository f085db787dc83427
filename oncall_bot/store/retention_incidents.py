"""Old incidents: the words people said in them go first, and whole incidents where the file gives them a period.

Knows an incident's rows in all tables, and the order in which they may go. Refuses an incident that is not over. One
incident is one short transaction; which are due is looked up outside the writer. Serves the retention duty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Executable, bindparam, delete, select, update

from oncall_bot.store import tables as t
from oncall_bot.store.statements import any_of, one_of, statement
from oncall_bot.store.transactions import Reader, Tx

TABLES = t.METADATA.tables
INCIDENT, EVENT, PAGE, RUN = (
    TABLES[one] for one in ("incident", "incident_event", "page", "page_run")
)
OUTBOX, MESSAGE = TABLES["outbox"], TABLES["slack_message"]
GROUP, MEMBER, MATCH = TABLES["alert_group"], TABLES["group_member"], TABLES["runbook_match"]
DRAFT, CALL, COVER, ASK = (
    TABLES[one] for one in ("draft", "llm_call", "cover_request", "cover_ask")
)

GONE = "(removed: older than messages are kept)"
"""Stands where the words of a person stood."""

SLICE = 200
WORDS = ("chat", "note")
OVER = ("resolved", "merged")

_OLDEST = statement(
    select(INCIDENT.c.id, INCIDENT.c.status, INCIDENT.c.resolved_at, INCIDENT.c.updated_at)
    .where(INCIDENT.c.id > bindparam("after"))
    .order_by(INCIDENT.c.id)
    .limit(bindparam("slice"))
)
_WITH_WORDS = statement(
    select(EVENT.c.incident_id)
    .where(
        any_of(EVENT.c.incident_id, "incident_ids"),
        one_of(EVENT.c.kind, WORDS),
        EVENT.c.text != bindparam("gone"),
    )
    .distinct()
)
_TAKE_WORDS = statement(
    update(EVENT)
    .where(
        EVENT.c.incident_id == bindparam("of_incident"),
        one_of(EVENT.c.kind, WORDS),
        EVENT.c.text != bindparam("gone"),
    )
    .values(text=bindparam("gone"))
)
_MESSAGES = select(MESSAGE.c.id).where(MESSAGE.c.incident_id == bindparam("of_incident"))
_ROWS = select(OUTBOX.c.id).where(OUTBOX.c.incident_id == bindparam("of_incident"))
_GROUPS = select(GROUP.c.id).where(GROUP.c.incident_id == bindparam("of_incident"))
_DRAFTS = select(DRAFT.c.id).where(DRAFT.c.incident_id == bindparam("of_incident"))
_BUSY = statement(
    select(OUTBOX.c.id)
    .where(
        OUTBOX.c.incident_id == bindparam("of_incident"),
        one_of(OUTBOX.c.state, ["pending", "sending"]),
    )
    .limit(1)
)
_STATUS = statement(select(INCIDENT.c.status).where(INCIDENT.c.id == bindparam("of_incident")))


def _of(table: str) -> Executable:
    held = TABLES[table]
    return delete(held).where(held.c.incident_id == bindparam("of_incident"))


_DROP = tuple(
    statement(one)
    for one in (
        delete(TABLES["receipt"]).where(TABLES["receipt"].c.outbox_id.in_(_ROWS)),
        delete(TABLES["delivery"]).where(TABLES["delivery"].c.outbox_id.in_(_ROWS)),
        _of("outbox"),
        update(COVER).where(COVER.c.message_id.in_(_MESSAGES)).values(message_id=None),
        update(ASK).where(ASK.c.message_id.in_(_MESSAGES)).values(message_id=None),
        _of("slack_message"),
        _of("page"),
        _of("page_run"),
        update(CALL).where(CALL.c.draft_id.in_(_DRAFTS)).values(draft_id=None),
        _of("draft"),
        _of("incident_picture"),
        _of("incident_look"),
        delete(MATCH).where(MATCH.c.group_id.in_(_GROUPS)),
        _of("runbook_match"),
        delete(MEMBER).where(MEMBER.c.group_id.in_(_GROUPS)),
        _of("alert_group"),
        update(TABLES["unreadable"])
        .where(TABLES["unreadable"].c.incident_id == bindparam("of_incident"))
        .values(incident_id=None),
        update(INCIDENT)
        .where(INCIDENT.c.merged_into_id == bindparam("of_incident"))
        .values(merged_into_id=None),
        _of("incident_event"),
        delete(INCIDENT).where(INCIDENT.c.id == bindparam("of_incident")),
    )
)
"""Children before parents."""


@dataclass(frozen=True, slots=True)
class Looked:
    """One slice of incidents: whose words are due, which are due as a whole, and where to go on (None: at the end).

    `settled`: everything up to this one is over and done with, so that nobody has to look at it again.
    """

    words: Sequence[int]
    whole: Sequence[int]
    go_on: int | None
    settled: int


def look(reader: Reader, after: int) -> Looked:
    """What is due among the next incidents by number."""
    keep = reader.snapshot.config.retention
    rows = reader.all(_OLDEST, after=after, slice=SLICE)
    words_before = _before(reader.now, keep.get("messages"))
    whole_before = _before(reader.now, keep.get("incidents"))
    ended = {row.id: row.resolved_at or row.updated_at for row in rows if row.status in OVER}
    whole = [one for one, at in ended.items() if whole_before and at < whole_before]
    old = [one for one, at in ended.items() if words_before and at < words_before]
    found = reader.all(_WITH_WORDS, incident_ids=old, gone=GONE) if old else []
    words = sorted({row.incident_id for row in found} - {*whole})
    settled = after
    for row in rows:
        if row.id not in old or whole_before is not None:
            break
        settled = row.id
    return Looked(words, whole, rows[-1].id if len(rows) == SLICE else None, settled)


def _before(now: datetime, age: timedelta | None) -> datetime | None:
    return None if age is None else now - age


def forget_words(tx: Tx, incident_id: int) -> int:
    """What people wrote in its thread goes; that they wrote, who and when stays."""
    return tx.run(_TAKE_WORDS, of_incident=incident_id, gone=GONE)


def forget_incident(tx: Tx, incident_id: int) -> bool:
    """The incident with its pages, timeline, drafts and messages; not while something of it is still to be sent."""
    if tx.scalar(_STATUS, of_incident=incident_id) not in OVER:
        return False
    if tx.first(_BUSY, of_incident=incident_id) is not None:
        return False
    for one in _DROP:
        tx.run(one, of_incident=incident_id)
    return True
