"""What the auditor asks the database: rows that wait for something that will never come.

Knows the queries, each on an index over open, waiting or pending rows only, so that a million rows of history cost
nothing (tests/component/store/test_plans.py), and the few writes that put a row back. Refuses to say what a fault
means and to page. Serves `flows.checks`, where every fault is named, and `flows.repair`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    and_,
    bindparam,
    cast,
    delete,
    exists,
    func,
    literal,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.types import Text

from oncall_bot.core.escalation import Status as RunStatus
from oncall_bot.core.incidents import OPEN
from oncall_bot.store import tables as t
from oncall_bot.store.statements import Row, any_of, one_of, statement
from oncall_bot.store.transactions import Reader, Tx

INCIDENT, RUN, TIMER = t.Incident.__table__, t.PageRun.__table__, t.Timer.__table__  # type: ignore[attr-defined]
OUTBOX, PAGE = t.Outbox.__table__, t.Page.__table__  # type: ignore[attr-defined]
DESTINATION, LEASE = t.Destination.__table__, t.Lease.__table__  # type: ignore[attr-defined]
PROCESS = t.Process.__table__  # type: ignore[attr-defined]
OCCURRENCE, GROUP = t.Occurrence.__table__, t.AlertGroup.__table__  # type: ignore[attr-defined]
ALERT, SOURCE = t.Alert.__table__, t.Source.__table__  # type: ignore[attr-defined]
MESSAGE = t.SlackMessage.__table__  # type: ignore[attr-defined]

SLICE = 25
"""So many rows of one fault are looked at, and mended, in one transaction; the auditor comes again for more."""

_KNOWN_STATES = [str(status) for status in RunStatus]
_IS_OPEN = one_of(INCIDENT.c.status, [str(status) for status in OPEN])
_RUN_OPEN = RUN.c.state != "done"
_MOVES = and_(_RUN_OPEN, one_of(RUN.c.state, ["waiting", "running"]))


def _waits(kind: str, subject: Any) -> Any:
    """A timer of this kind will strike for the subject, in a time that a policy can have meant."""
    return and_(
        TIMER.c.subject == subject,
        TIMER.c.kind == kind,
        TIMER.c.state == "pending",
        TIMER.c.due_at <= bindparam("latest"),
    )


def _of_run(kind: str) -> Any:
    """Its timer under its present epoch."""
    run = cast(RUN.c.id, Text)
    key = literal(f"{kind}:", Text) + run + ":" + cast(RUN.c.epoch, Text) + ":%"
    return and_(_waits(kind, literal("run:", Text) + run), TIMER.c.dedupe_key.like(key))


# --- incidents and their paging -----------------------------------------------------------------------------------

_UNWATCHED = statement(
    select(INCIDENT.c.id)
    .where(
        _IS_OPEN,
        INCIDENT.c.status == "open",
        INCIDENT.c.urgency != "none",
        INCIDENT.c.silence_id.is_(None),
        or_(
            INCIDENT.c.held == 0,  # who ends its holds is looked for below
            ~exists().where(RUN.c.incident_id == INCIDENT.c.id, RUN.c.state == "held"),
        ),
        ~exists().where(RUN.c.incident_id == INCIDENT.c.id, _MOVES),
        or_(
            INCIDENT.c.urgency == "high",
            ~exists().where(RUN.c.incident_id == INCIDENT.c.id, _RUN_OPEN, RUN.c.state == "asked"),
        ),
    )
    .limit(SLICE)
)
_NO_NEXT_STEP = statement(
    select(RUN.c.incident_id, RUN.c.id.label("run_id"))
    .select_from(RUN.join(INCIDENT, INCIDENT.c.id == RUN.c.incident_id))
    .where(_MOVES, _IS_OPEN, ~exists().where(_of_run("escalate")))
    .limit(SLICE)
)
_NO_ACK_TIMEOUT = statement(
    select(RUN.c.incident_id, RUN.c.id.label("run_id"), RUN.c.epoch, RUN.c.policy_key)
    .add_columns(INCIDENT.c.acked_at)
    .select_from(RUN.join(INCIDENT, INCIDENT.c.id == RUN.c.incident_id))
    .where(
        _RUN_OPEN,
        RUN.c.state == "acked",
        any_of(RUN.c.policy_key, "policies"),
        _IS_OPEN,
        INCIDENT.c.urgency == "high",
        INCIDENT.c.acked_at.is_not(None),
        ~exists().where(_of_run("ack_timeout")),
    )
    .limit(SLICE)
)
_ARRIVES = one_of(OUTBOX.c.state, ["pending", "sending", "sent"])
_BESIDE = PAGE.alias("beside")  # the pages of the same step
_LOST_PAGES = statement(
    select(
        RUN.c.incident_id,
        RUN.c.id.label("run_id"),
        PAGE.c.id.label("page_id"),
        PAGE.c.step,
        PAGE.c.person,
        PAGE.c.target,
    )
    .select_from(
        RUN.join(INCIDENT, INCIDENT.c.id == RUN.c.incident_id).join(
            PAGE, and_(PAGE.c.run_id == RUN.c.id, PAGE.c.epoch == RUN.c.epoch)
        )
    )
    .where(
        _RUN_OPEN,
        one_of(RUN.c.state, ["waiting", "running", "asked"]),
        _IS_OPEN,
        PAGE.c.bundle_id.is_(None),
        PAGE.c.decided_at <= bindparam("before"),
        ~exists().where(OUTBOX.c.page_id == PAGE.c.id, _ARRIVES),
        or_(
            ~exists().where(OUTBOX.c.page_id == PAGE.c.id),
            ~exists().where(
                _BESIDE.c.run_id == PAGE.c.run_id,
                _BESIDE.c.epoch == PAGE.c.epoch,
                _BESIDE.c.round == PAGE.c.round,
                _BESIDE.c.step == PAGE.c.step,
                OUTBOX.c.page_id == _BESIDE.c.id,
                _ARRIVES,
            ),
        ),
    )
    .limit(SLICE)
)
_MESSAGES_OF_PAGE = statement(
    select(OUTBOX.c.id, OUTBOX.c.state, OUTBOX.c.failures, OUTBOX.c.last_error)
    .where(OUTBOX.c.page_id == bindparam("page"))
    .order_by(OUTBOX.c.id)
)
_REVIVE = statement(
    update(OUTBOX)
    .where(any_of(OUTBOX.c.id, "row_ids"), OUTBOX.c.state == "dead")
    .values(
        state="pending",
        next_attempt_at=bindparam("at"),
        done_at=None,
        lease_owner=None,
        lease_until=None,
    )
)
_KNOWN_AGAIN = statement(
    update(RUN)
    .where(
        RUN.c.incident_id == bindparam("of_incident"),
        _RUN_OPEN,
        not_(one_of(RUN.c.state, _KNOWN_STATES)),
    )
    .values(state="held")
)

# --- holds, groups, timers ----------------------------------------------------------------------------------------

_HOLD_END = literal("silence:", Text) + cast(INCIDENT.c.silence_id, Text)
_HELD_INCIDENTS = statement(
    select(_HOLD_END.label("hold"))
    .where(
        _IS_OPEN,
        INCIDENT.c.silence_id.is_not(None),
        ~exists().where(_waits("hold_end", _HOLD_END)),
    )
    .distinct()
    .limit(SLICE)
)
_HELD_OCCURRENCES = statement(
    select(OCCURRENCE.c.muted_by.label("hold"))
    .where(
        OCCURRENCE.c.muted_by.is_not(None),
        OCCURRENCE.c.ended_at.is_(None),
        OCCURRENCE.c.muted_by.not_like("source:%"),
        ~exists().where(_waits("hold_end", OCCURRENCE.c.muted_by)),
    )
    .distinct()
    .limit(SLICE)
)
_AT_SOURCE = literal("source:", Text) + SOURCE.c.key
_HELD_AT_SOURCE = statement(
    select(_AT_SOURCE.label("hold"))
    .select_from(
        OCCURRENCE.join(ALERT, ALERT.c.id == OCCURRENCE.c.alert_id).join(
            SOURCE, SOURCE.c.id == ALERT.c.source_id
        )
    )
    .where(
        OCCURRENCE.c.muted_by.is_not(None),
        OCCURRENCE.c.ended_at.is_(None),
        OCCURRENCE.c.muted_by.like("source:%"),
        ~exists().where(_waits("source_hold", _AT_SOURCE)),
    )
    .distinct()
    .limit(SLICE)
)
_GROUPS_ALONE = statement(
    select(GROUP.c.id)
    .where(
        GROUP.c.closed_at.is_(None),
        GROUP.c.incident_id.is_(None),
        GROUP.c.opened_at <= bindparam("before"),
    )
    .limit(SLICE)
)
_OVERDUE = statement(
    select(TIMER.c.id, TIMER.c.kind, TIMER.c.subject, TIMER.c.due_at)
    .where(TIMER.c.state == "pending", TIMER.c.due_at <= bindparam("before"))
    .order_by(TIMER.c.due_at)
    .limit(SLICE)
)
_FAILING_TIMERS = statement(
    select(TIMER.c.id, TIMER.c.kind, TIMER.c.subject, TIMER.c.attempts, TIMER.c.last_error)
    .where(TIMER.c.state == "pending", TIMER.c.attempts >= bindparam("tries"))
    .limit(SLICE)
)
_SOONEST = statement(
    select(func.min(TIMER.c.due_at).label("due_at")).where(
        TIMER.c.state == "pending",
        TIMER.c.kind == bindparam("which"),
        TIMER.c.subject == bindparam("of"),
    )
)

# --- messages -----------------------------------------------------------------------------------------------------

_IS_WAKING = or_(OUTBOX.c.lane == 0, OUTBOX.c.kind == "loud")
_STILL_MEANT = or_(
    OUTBOX.c.page_id.is_(None),
    OUTBOX.c.epoch.is_(None),
    exists().where(
        PAGE.c.id == OUTBOX.c.page_id,
        RUN.c.id == PAGE.c.run_id,
        _RUN_OPEN,
        RUN.c.epoch <= OUTBOX.c.epoch,
    ),
)
_WAITING = (OUTBOX.c.id, OUTBOX.c.incident_id, OUTBOX.c.destination, OUTBOX.c.attempts)
_SINCE_LONG = or_(
    OUTBOX.c.first_tried_at <= bindparam("before"),
    OUTBOX.c.next_attempt_at <= bindparam("before"),
)
_LATE_PENDING, _LATE_SENDING = (
    statement(
        select(*_WAITING, OUTBOX.c.last_error)
        .where(OUTBOX.c.state == state, _IS_WAKING, _SINCE_LONG, _STILL_MEANT)
        .limit(SLICE)
    )
    for state in ("pending", "sending")
)
_STUCK_SENDING = statement(
    select(*_WAITING)
    .where(OUTBOX.c.state == "sending", OUTBOX.c.lease_until > bindparam("latest"))
    .order_by(OUTBOX.c.lease_until)
    .limit(SLICE)
)
_FREE_SENDING = statement(
    update(OUTBOX)
    .where(OUTBOX.c.state == "sending", OUTBOX.c.lease_until > bindparam("latest"))
    .values(state="pending", lease_owner=None, lease_until=None, next_attempt_at=bindparam("at"))
)
_PARKED = or_(
    DESTINATION.c.lease_until > bindparam("latest"), DESTINATION.c.not_before > bindparam("rest")
)
_STUCK_DESTINATIONS = statement(select(DESTINATION.c.key).where(_PARKED).limit(SLICE))
_FREE_DESTINATIONS = statement(
    update(DESTINATION).where(_PARKED).values(lease_owner=None, lease_until=None, not_before=None)
)
_DEAD_WORDS = statement(
    select(OUTBOX.c.id, OUTBOX.c.page_id, OUTBOX.c.dedupe_key, OUTBOX.c.last_error)
    .where(
        OUTBOX.c.state == "dead",
        OUTBOX.c.kind == "loud",
        OUTBOX.c.done_at > bindparam("since"),
    )
    .order_by(OUTBOX.c.done_at)
    .limit(SLICE)
)
_OF_CARD = (
    OUTBOX.c.incident_id == MESSAGE.c.incident_id,
    OUTBOX.c.kind == "message",
    OUTBOX.c.dedupe_key.like(literal("card:", Text) + cast(MESSAGE.c.id, Text) + ":%"),
)
_ON_ITS_WAY = one_of(OUTBOX.c.state, ["pending", "sending"])
_NEWS_WAITS = exists().where(*_OF_CARD, _ON_ITS_WAY)
_NEWS_COMES = exists().where(
    *_OF_CARD,
    _ON_ITS_WAY,
    OUTBOX.c.next_attempt_at > bindparam("before"),
    or_(OUTBOX.c.first_tried_at.is_(None), OUTBOX.c.first_tried_at > bindparam("before")),
)
_REFUSED = exists().where(
    *_OF_CARD,
    OUTBOX.c.state == "dead",
    OUTBOX.c.done_at >= func.coalesce(MESSAGE.c.rendered_at, INCIDENT.c.opened_at),
)
_CARDS = statement(
    select(
        INCIDENT.c.id,
        MESSAGE.c.id.label("message_id"),
        MESSAGE.c.channel,
        _NEWS_WAITS.label("waits"),
        _REFUSED.label("refused"),
    )
    .select_from(INCIDENT.join(MESSAGE, MESSAGE.c.incident_id == INCIDENT.c.id))
    .where(
        _IS_OPEN,
        MESSAGE.c.role == "root",
        MESSAGE.c.page_id.is_(None),
        INCIDENT.c.opened_at <= bindparam("before"),
        or_(
            MESSAGE.c.ts.is_(None),
            MESSAGE.c.generation > MESSAGE.c.rendered_generation,
        ),
        not_(_NEWS_COMES),
    )
    .order_by(INCIDENT.c.id)
    .limit(SLICE)
)

_CARD_STATE = statement(
    select(_NEWS_WAITS.label("waits"), _REFUSED.label("refused"))
    .select_from(INCIDENT.join(MESSAGE, MESSAGE.c.incident_id == INCIDENT.c.id))
    .where(
        INCIDENT.c.id == bindparam("of_incident"),
        MESSAGE.c.role == "root",
        MESSAGE.c.page_id.is_(None),
    )
    .limit(1)
)

# --- processes and rules ------------------------------------------------------------------------------------------

_LEASES = statement(select(LEASE.c.name, LEASE.c.owner).where(LEASE.c.until > bindparam("latest")))
_FREE_LEASES = statement(delete(LEASE).where(LEASE.c.until > bindparam("latest")))
_PROCESSES = statement(select(PROCESS.c.instance, PROCESS.c.beat_at, PROCESS.c.started_at))
_FORGET_FUTURE = statement(delete(PROCESS).where(PROCESS.c.beat_at > bindparam("latest")))


def unwatched(reader: Reader) -> list[Row]:
    """Open incidents that no run pages for, without a reason: not silenced, not of low urgency and asked once."""
    return reader.all(_UNWATCHED)


def no_next_step(reader: Reader, latest: datetime) -> list[Row]:
    """Runs that page, and have no timer of their epoch that is due by `latest`."""
    return reader.all(_NO_NEXT_STEP, latest=latest)


def no_ack_timeout(reader: Reader, policies: Sequence[str], latest: datetime) -> list[Row]:
    """Acknowledged runs of these policies that no timer will ask for a word."""
    if not policies:
        return []
    return reader.all(_NO_ACK_TIMEOUT, policies=list(policies), latest=latest)


def lost_pages(reader: Reader, before: datetime) -> list[Row]:
    """Pages in force, decided before then, without any message; or whose step reached nobody and cannot any more."""
    return reader.all(_LOST_PAGES, before=before)


def messages_of_page(reader: Reader, page_id: int) -> list[Row]:
    return reader.all(_MESSAGES_OF_PAGE, page=page_id)


def revive(tx: Tx, outbox_ids: Sequence[int]) -> None:
    """Dead messages wait again, from now on."""
    tx.run(_REVIVE, row_ids=list(outbox_ids), at=tx.now)
    tx.nudge()


def make_known(tx: Tx, incident_id: int) -> None:
    """Runs in a state that no version knows are held, from where paging can begin anew."""
    tx.run(_KNOWN_AGAIN, of_incident=incident_id)


def holds_without_end(reader: Reader, latest: datetime) -> list[str]:
    """`silence:ID`, `maintenance:KEY` and `source:KEY` that hold something back and that no timer ends."""
    found = reader.all(_HELD_INCIDENTS, latest=latest)
    found += reader.all(_HELD_OCCURRENCES, latest=latest)
    found += reader.all(_HELD_AT_SOURCE, latest=latest)
    return list(dict.fromkeys(row.hold for row in found))


def groups_alone(reader: Reader, before: datetime) -> list[int]:
    """Open groups from before then that were given to no incident."""
    return [row.id for row in reader.all(_GROUPS_ALONE, before=before)]


def overdue_timers(reader: Reader, before: datetime) -> list[Row]:
    return reader.all(_OVERDUE, before=before)


def failing_timers(reader: Reader, tries: int) -> list[Row]:
    """Timers that were struck so often in vain."""
    return reader.all(_FAILING_TIMERS, tries=tries)


def soonest_timer(reader: Reader, kind: str, subject: str) -> datetime | None:
    """When a timer of this kind strikes next for the subject."""
    found: datetime | None = reader.scalar(_SOONEST, which=kind, of=subject)
    return found


def late_pages(reader: Reader, before: datetime) -> list[Row]:
    """What should wake somebody, was due or first tried before then, and has not left."""
    return [row for one in (_LATE_PENDING, _LATE_SENDING) for row in reader.all(one, before=before)]


def stuck_sending(reader: Reader, latest: datetime) -> list[Row]:
    """Messages in hand under a lease that ends after `latest`: nobody leases for so long."""
    return reader.all(_STUCK_SENDING, latest=latest)


def free_sending(tx: Tx, latest: datetime) -> None:
    """They wait again. One that was in fact sent may go out twice: a doubled page beats none."""
    tx.run(_FREE_SENDING, latest=latest, at=tx.now)
    tx.nudge()


def stuck_destinations(reader: Reader, latest: datetime, rest: datetime) -> list[str]:
    """Destinations leased until after `latest`, or at rest until after `rest`."""
    return [row.key for row in reader.all(_STUCK_DESTINATIONS, latest=latest, rest=rest)]


def free_destinations(tx: Tx, latest: datetime, rest: datetime) -> None:
    tx.run(_FREE_DESTINATIONS, latest=latest, rest=rest)
    tx.nudge()


def dead_words(reader: Reader, since: datetime) -> list[Row]:
    """Loud words to admins that were given up since then."""
    return [row for row in reader.all(_DEAD_WORDS, since=since) if row.page_id is None]


def cards_behind(reader: Reader, before: datetime) -> list[Row]:
    """Cards of incidents from before then that are not posted, or old with nothing on its way.

    `waits`: a message is on its way, for too long. `refused`: Slack refused it for good since it was last drawn.
    """
    return reader.all(_CARDS, before=before)


def card_state(reader: Reader, incident_id: int) -> Row | None:
    """`waits` and `refused` of the incident's card, as above."""
    return reader.first(_CARD_STATE, of_incident=incident_id)


def leases_for_ever(reader: Reader, latest: datetime) -> list[str]:
    return [row.name for row in reader.all(_LEASES, latest=latest)]


def free_leases(tx: Tx, latest: datetime) -> None:
    tx.run(_FREE_LEASES, latest=latest)


def processes(reader: Reader) -> list[Row]:
    return reader.all(_PROCESSES)


def forget_future_processes(tx: Tx, latest: datetime) -> None:
    """A beat from the future would make a dead process look alive until then."""
    tx.run(_FORGET_FUTURE, latest=latest)
