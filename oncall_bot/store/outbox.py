"""The outbox: every message as a row before it is an act.

Knows lanes, leases, one message in flight for each destination, backoff and the fate of each try.
Refuses to know what a message says and how it is sent. Serves flows (which add) and `engine.delivery` (which claims).

Never marked before sending; a finish by a former owner of the lease changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any

from sqlalchemy import Boolean, and_, bindparam, func, not_, or_, select, update

from oncall_bot.ports import Blame
from oncall_bot.store import bundling
from oncall_bot.store import tables as t
from oncall_bot.store.bundling import Delayed
from oncall_bot.store.processes import BEAT_STALE_AFTER, LIVE
from oncall_bot.store.statements import Row, Statement, any_of, insert_of, one_of, statement, upsert
from oncall_bot.store.transactions import Reader, Tx
from oncall_bot.store.types import Instant

OUTBOX, DESTINATION = t.Outbox.__table__, t.Destination.__table__  # type: ignore[attr-defined]
DELIVERY = t.Delivery.__table__  # type: ignore[attr-defined]
PAGE, RUN = t.Page.__table__, t.PageRun.__table__  # type: ignore[attr-defined]

DEAD_AFTER_PERMANENT = 3
DEAD_AFTER_CRASHES = 10
BACKOFF_MAX = timedelta(seconds=60)
CANDIDATES = 200
SLACK = "slack:"
"""How the destinations in Slack begin."""


class Lane(IntEnum):
    """Lower goes first. Only lanes below `PAGE` may ever be merged."""

    PAGE = 0
    ANSWER = 1
    CARD = 2
    THREAD = 3
    NOTICE = 4
    DRAFT = 5
    QUERY = 6


_ADD = upsert(
    OUTBOX,
    ("dedupe_key",),
    also=(
        "lane",
        "kind",
        "destination",
        "page_id",
        "incident_id",
        "epoch",
        "payload",
        "generation",
        "state",
        "created_at",
        "due_at",
        "next_attempt_at",
        "attempts",
        "failures",
    ),
)
_ADD_DESTINATION = upsert(DESTINATION, ("key",))
_FREE = and_(
    or_(DESTINATION.c.not_before.is_(None), DESTINATION.c.not_before <= bindparam("now")),
    or_(
        DESTINATION.c.lease_owner.is_(None),
        DESTINATION.c.lease_until <= bindparam("now"),
        not_(DESTINATION.c.lease_owner.in_(LIVE)),
    ),
)


def _due_and_free(dialect: str) -> Any:
    query = (
        select(OUTBOX)
        .join(DESTINATION, DESTINATION.c.key == OUTBOX.c.destination)
        .where(
            OUTBOX.c.state == "pending",
            OUTBOX.c.next_attempt_at <= bindparam("now"),
            OUTBOX.c.destination.like(f"{SLACK}%") == bindparam("slack", type_=Boolean()),
            _FREE,
        )
        .order_by(OUTBOX.c.lane, OUTBOX.c.next_attempt_at, OUTBOX.c.id)
        .limit(bindparam("limit"))
    )
    return query.with_for_update(skip_locked=True) if dialect == "postgresql" else query


_CANDIDATES = Statement(_due_and_free)
_HAS_DUE = statement(
    select(OUTBOX.c.id)
    .where(OUTBOX.c.state == "pending", OUTBOX.c.next_attempt_at <= bindparam("now"))
    .limit(1)
)
_EPOCHS = statement(
    select(PAGE.c.id, RUN.c.epoch, RUN.c.state)
    .join(RUN, RUN.c.id == PAGE.c.run_id)
    .where(any_of(PAGE.c.id, "page_ids"))
)
_CLAIM = statement(
    update(OUTBOX)
    .where(any_of(OUTBOX.c.id, "row_ids"), OUTBOX.c.state == "pending")
    .values(
        state="sending",
        attempts=OUTBOX.c.attempts + 1,
        lease_owner=bindparam("owner"),
        lease_until=bindparam("until"),
        first_tried_at=func.coalesce(OUTBOX.c.first_tried_at, bindparam("at", type_=Instant())),
    )
    .returning(OUTBOX)
)
_LEASE_DESTINATION = statement(
    update(DESTINATION)
    .where(any_of(DESTINATION.c.key, "keys"))
    .values(lease_owner=bindparam("owner"), lease_until=bindparam("until"))
)
_OUTDATE = statement(
    update(OUTBOX)
    .where(any_of(OUTBOX.c.id, "row_ids"))
    .values(state="outdated", done_at=bindparam("at"))
)
_FINISH = statement(
    update(OUTBOX)
    .where(
        OUTBOX.c.id == bindparam("row_id"),
        OUTBOX.c.state == "sending",
        OUTBOX.c.lease_owner == bindparam("owner"),
    )
    .values(
        state=bindparam("new_state"),
        provider_id=bindparam("provider"),
        last_error=bindparam("error"),
        failures=OUTBOX.c.failures + bindparam("more_failures"),
        bundle_id=bindparam("bundle"),
        next_attempt_at=bindparam("again_at"),
        done_at=bindparam("ended_at"),
        lease_owner=None,
        lease_until=None,
    )
    .returning(OUTBOX)
)
_RELEASE = statement(
    update(DESTINATION)
    .where(DESTINATION.c.key == bindparam("dest"), DESTINATION.c.lease_owner == bindparam("owner"))
    .values(
        lease_owner=None,
        lease_until=None,
        not_before=bindparam("pause_until"),
        failing_since=bindparam("failing"),
    )
)
_DESTINATION = statement(select(DESTINATION).where(DESTINATION.c.key == bindparam("dest")))
_TOLD = insert_of(DELIVERY, "outbox_id", "attempt", "at", "outcome", "provider_answer")
_RECOVER = statement(
    update(OUTBOX)
    .where(
        OUTBOX.c.state == "sending",
        or_(
            OUTBOX.c.lease_until <= bindparam("now"),
            not_(OUTBOX.c.lease_owner.in_(LIVE)),
        ),
    )
    .values(state="pending", lease_owner=None, lease_until=None, failures=OUTBOX.c.failures + 1)
    .returning(OUTBOX.c.id, OUTBOX.c.failures, OUTBOX.c.kind)
)
_BURY = statement(
    update(OUTBOX)
    .where(any_of(OUTBOX.c.id, "row_ids"), OUTBOX.c.state == "pending")
    .values(state="dead", done_at=bindparam("at"), last_error="The bot ended each time it was sent")
    .returning(OUTBOX)
)
_SKIP_CHAT = statement(
    update(OUTBOX)
    .where(
        OUTBOX.c.state == "pending",
        OUTBOX.c.next_attempt_at <= bindparam("now"),
        one_of(OUTBOX.c.kind, ["message", "notice"]),
    )
    .values(state="skipped", done_at=bindparam("at"), last_error="Slack is not connected")
    .returning(OUTBOX.c.payload)
)
_FREE_DESTINATIONS = statement(
    update(DESTINATION)
    .where(DESTINATION.c.lease_owner.is_not(None), not_(DESTINATION.c.lease_owner.in_(LIVE)))
    .values(lease_owner=None, lease_until=None)
)
_GIVE_BACK = statement(
    update(OUTBOX)
    .where(OUTBOX.c.state == "sending", OUTBOX.c.lease_owner == bindparam("owner"))
    .values(state="pending", lease_owner=None, lease_until=None)
    .returning(OUTBOX.c.id)
)
_GIVE_BACK_DESTINATIONS = statement(
    update(DESTINATION)
    .where(DESTINATION.c.lease_owner == bindparam("owner"))
    .values(lease_owner=None, lease_until=None)
)
_HOLDS = statement(
    select(OUTBOX.c.id).where(
        OUTBOX.c.id == bindparam("row_id"),
        OUTBOX.c.state == "sending",
        OUTBOX.c.lease_owner == bindparam("owner"),
    )
)
_OF_INCIDENT = statement(
    select(OUTBOX)
    .where(OUTBOX.c.incident_id == bindparam("incident_id"), OUTBOX.c.page_id.is_not(None))
    .order_by(OUTBOX.c.id)
    .limit(500)
)
_LAST_RANG = statement(
    select(func.max(OUTBOX.c.done_at).label("at")).where(
        OUTBOX.c.incident_id == bindparam("incident_id"),
        OUTBOX.c.page_id.is_not(None),
        OUTBOX.c.state == "sent",
    )
)
_LATER = statement(
    select(OUTBOX.c.id, OUTBOX.c.payload)
    .where(
        OUTBOX.c.page_id == bindparam("of_page"),
        OUTBOX.c.state == "pending",
        OUTBOX.c.kind == "loud",
        OUTBOX.c.next_attempt_at > bindparam("now"),
        OUTBOX.c.attempts == 0,
    )
    .order_by(OUTBOX.c.next_attempt_at, OUTBOX.c.id)
)
_GO_NOW = statement(
    update(OUTBOX)
    .where(OUTBOX.c.id == bindparam("row_id"), OUTBOX.c.state == "pending")
    .values(next_attempt_at=bindparam("at"), due_at=bindparam("at"))
)
_SENT_TO = statement(
    select(OUTBOX.c.id, OUTBOX.c.page_id, OUTBOX.c.bundle_id, OUTBOX.c.payload)
    .where(
        OUTBOX.c.destination == bindparam("dest"),
        OUTBOX.c.state == "sent",
        OUTBOX.c.page_id.is_not(None),
        OUTBOX.c.done_at > bindparam("since"),
    )
    .order_by(OUTBOX.c.done_at.desc(), OUTBOX.c.id.desc())
    .limit(200)
)
_OLDEST = statement(
    select(OUTBOX.c.lane, func.min(OUTBOX.c.next_attempt_at).label("since"))
    .where(OUTBOX.c.state == "pending", OUTBOX.c.next_attempt_at <= bindparam("now"))
    .group_by(OUTBOX.c.lane)
)
_PENDING_FOR = statement(
    select(func.count().label("rows")).where(
        OUTBOX.c.kind == bindparam("which"),
        OUTBOX.c.incident_id == bindparam("incident_id"),
        one_of(OUTBOX.c.state, ["pending", "sending"]),
    )
)


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one try. `again_at` set: it is tried again; `dead`: never again; neither: it is done."""

    outcome: str  # sent, unchanged, failed, outdated, skipped
    provider_id: str | None = None
    answer: str = ""
    permanent: bool = False
    retry_after: timedelta | None = None
    rate_limited: bool = False
    pace: timedelta = timedelta(0)  # how long the destination rests after a success
    blame: Blame = Blame.MESSAGE  # a bad address is refused for ever: no second try


def add(
    tx: Tx,
    *,
    lane: Lane,
    kind: str,
    destination: str,
    dedupe_key: str,
    payload: Mapping[str, Any] | None = None,
    page_id: int | None = None,
    incident_id: int | None = None,
    epoch: int | None = None,
    generation: int = 0,
    not_before: datetime | None = None,
    due_at: datetime | None = None,
) -> None:
    """Leave a message to be sent, at once or `not_before`. A key that was ever used sends nothing again.

    `due_at` is when it should have gone, if that is past: then it is late.
    """
    tx.run(_ADD_DESTINATION, key=destination)
    tx.run(
        _ADD,
        lane=int(lane),
        kind=kind,
        destination=destination,
        page_id=page_id,
        incident_id=incident_id,
        epoch=epoch,
        payload=dict(payload or {}),
        generation=generation,
        state="pending",
        created_at=tx.now,
        due_at=due_at or not_before or tx.now,
        next_attempt_at=not_before or tx.now,
        attempts=0,
        failures=0,
        dedupe_key=dedupe_key,
    )
    tx.nudge()


def _untold(tx: Tx, row: Row, until: datetime, why: str) -> None:
    """Nobody asked to hear of pages that wait."""


def claim(
    tx: Tx,
    owner: str,
    limit: int,
    lease_for: timedelta,
    *,
    slack_limit: int | None = None,
    delayed: Delayed = _untold,
) -> list[Row]:
    """Up to `limit` due messages, one for each free destination, leased to `owner`; pages of one person may travel
    together, then it is the first that is answered (`carried` names the others).

    Pages that were decided before the run's present epoch are marked outdated instead: somebody has it by now.
    No more than `slack_limit` are for Slack. `delayed` hears of pages that wait for others.
    """
    left = {True: limit if slack_limit is None else slack_limit, False: limit}
    rows = [row for slack in (False, True) if left[slack] > 0 for row in _candidates(tx, slack)]
    rows = _current(tx, sorted(rows, key=lambda row: (row.lane, row.next_attempt_at, row.id)))
    chosen: dict[str, list[int]] = {}
    for destination, due in _by_destination(rows).items():
        if len(chosen) == limit:
            break
        to_slack = destination.startswith(SLACK)
        if left[to_slack] > 0 and (ids := _chosen(tx, destination, due, delayed)):
            chosen[destination] = ids
            left[to_slack] -= 1
    if not chosen:
        return []
    until = tx.now + lease_for
    tx.run(_LEASE_DESTINATION, keys=sorted(chosen), owner=owner, until=until)
    row_ids = sorted(one for ids in chosen.values() for one in ids)
    claimed = tx.all(_CLAIM, row_ids=row_ids, owner=owner, until=until, at=tx.now)
    leads = {ids[0] for ids in chosen.values()}
    return sorted((row for row in claimed if row.id in leads), key=lambda row: (row.lane, row.id))


def _candidates(tx: Tx, slack: bool) -> list[Row]:
    """What is due at places that are free: in Slack, or on all other roads, so that neither stands before the other."""
    beat_after = tx.now - BEAT_STALE_AFTER
    return tx.all(_CANDIDATES, now=tx.now, beat_after=beat_after, slack=slack, limit=CANDIDATES)


def _by_destination(rows: Sequence[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.destination, []).append(row)
    return found


def _chosen(tx: Tx, destination: str, due: Sequence[Row], delayed: Delayed) -> list[int]:
    """Of what is due at one destination, what goes next: pages before all else, together where they may."""
    pages = {row.id: row for row in due if bundling.is_page_to_a_person(row)}
    if pages:
        pages |= {row.id: row for row in _current(tx, bundling.held(tx, destination))}
        if ids := bundling.choose(tx, destination, list(pages.values()), delayed):
            return ids
    return next(([row.id] for row in due if row.id not in pages), [])


def _current(tx: Tx, rows: Sequence[Row]) -> list[Row]:
    """The rows without pages that nobody needs any more; those are marked outdated."""
    stale = _outdated(tx, rows)
    if stale:
        tx.run(_OUTDATE, row_ids=sorted(stale), at=tx.now)
    return [row for row in rows if row.id not in stale]


def _outdated(tx: Tx, rows: Sequence[Row]) -> set[int]:
    page_ids = sorted(
        {row.page_id for row in rows if row.page_id is not None and row.epoch is not None}
    )
    if not page_ids:
        return set()
    runs = {row.id: row for row in tx.all(_EPOCHS, page_ids=page_ids)}
    return {
        row.id
        for row in rows
        if row.epoch is not None
        and row.page_id in runs
        and (runs[row.page_id].epoch > row.epoch or runs[row.page_id].state == "done")
    }


def finish(tx: Tx, row_id: int, owner: str, fate: Fate) -> Row | None:
    """Write down what became of the try and free the destination; None when the lease was lost meanwhile."""
    before = tx.first(_ROW, row_id=row_id)
    if before is None:
        return None
    state, again_at = _next_state(tx, before, fate)
    row = tx.first(
        _FINISH,
        row_id=row_id,
        owner=owner,
        new_state=state,
        provider=fate.provider_id or before.provider_id,
        error=None if state == "sent" else fate.answer[:500],
        more_failures=1 if fate.permanent else 0,
        bundle=None if again_at else before.bundle_id,
        again_at=again_at or before.next_attempt_at,
        ended_at=None if again_at else tx.now,
    )
    if row is None:
        return None
    tx.run(
        _TOLD,
        outbox_id=row_id,
        attempt=row.attempts,
        at=tx.now,
        outcome=fate.outcome if state != "dead" else "dead",
        provider_answer=fate.answer[:500],
    )
    _release(tx, row, owner, fate, failed=again_at is not None)
    tx.nudge(others=False)
    return row


_ROW = statement(select(OUTBOX).where(OUTBOX.c.id == bindparam("row_id")))
_SAID = statement(
    update(OUTBOX)
    .where(OUTBOX.c.id == bindparam("row_id"))
    .values(payload=bindparam("left", type_=OUTBOX.c.payload.type))
)


def forget_text(tx: Tx, row: Row) -> None:
    """What the message said is no longer needed and must not stand here: a code, once it was told."""
    tx.run(_SAID, row_id=row.id, left={k: v for k, v in row.payload.items() if k != "text"})


def carried(tx: Reader, row: Row) -> list[Row]:
    """The claimed row and all that travel in the same message, while it is in hand."""
    others = [
        one
        for one in bundling.members(tx, row.bundle_id)
        if one.id != row.id and one.state == "sending" and one.lease_owner == row.lease_owner
    ]
    return [row, *others]


def in_hand(tx: Reader, row_id: int, owner: str) -> list[Row]:
    """As `carried`, by the row's id; empty when the lease was lost."""
    row = tx.first(_ROW, row_id=row_id)
    if row is None or row.state != "sending" or row.lease_owner != owner:
        return []
    return carried(tx, row)


def _next_state(tx: Tx, row: Row, fate: Fate) -> tuple[str, datetime | None]:
    if fate.outcome in ("sent", "unchanged"):
        return "sent", None
    if fate.outcome in ("outdated", "skipped"):
        return fate.outcome, None
    if fate.permanent and (fate.blame is Blame.ADDRESS or row.failures + 1 >= DEAD_AFTER_PERMANENT):
        return "dead", None
    return "pending", tx.now + _backoff(row.attempts, fate)


def _backoff(attempts: int, fate: Fate) -> timedelta:
    if fate.retry_after is not None:
        return fate.retry_after
    return min(timedelta(seconds=0.5 * 2 ** min(attempts, 10)), BACKOFF_MAX)


def _release(tx: Tx, row: Row, owner: str, fate: Fate, *, failed: bool) -> None:
    pause = fate.retry_after if fate.rate_limited and fate.retry_after else fate.pace
    destination = tx.first(_DESTINATION, dest=row.destination)
    since = (destination.failing_since if destination else None) or tx.now
    tx.run(
        _RELEASE,
        dest=row.destination,
        owner=owner,
        pause_until=tx.now + pause if pause else None,
        failing=since if failed else None,
    )


def skip_chat(tx: Tx) -> list[int]:
    """Without Slack: what was left for it is skipped, all at once. Answers the ids of the messages concerned."""
    rows = tx.all(_SKIP_CHAT, now=tx.now, at=tx.now)
    return [int(row.payload["message_id"]) for row in rows if "message_id" in row.payload]


def recover(tx: Tx) -> list[Row]:
    """Leases of the dead come back; each counts as a crash of its row. Answers id, failures and kind."""
    beat_after = tx.now - BEAT_STALE_AFTER
    tx.run(_FREE_DESTINATIONS, beat_after=beat_after)
    rows = tx.all(_RECOVER, now=tx.now, beat_after=beat_after)
    if rows:
        tx.nudge()
    return rows


def give_back(tx: Tx, owner: str) -> int:
    """Who stops leaves what it could not finish to the others, at once and without blame; how many messages."""
    rows = tx.all(_GIVE_BACK, owner=owner)
    tx.run(_GIVE_BACK_DESTINATIONS, owner=owner)
    if rows:
        tx.nudge()
    return len(rows)


def holds(tx: Reader, row_id: int, owner: str) -> bool:
    """Whether the message is still the owner's to send; nobody took it over."""
    return tx.first(_HOLDS, row_id=row_id, owner=owner) is not None


def bury(tx: Tx, recovered: Iterable[Row]) -> list[Row]:
    """Of what `recover` gave back, that which was in hand at DEAD_AFTER_CRASHES crashes is never sent again."""
    poison = [row.id for row in recovered if row.failures >= DEAD_AFTER_CRASHES]
    return tx.all(_BURY, row_ids=poison, at=tx.now) if poison else []


def pages_of_incident(tx: Reader, incident_id: int) -> list[Row]:
    """Every message of every page of the incident, with its fate so far."""
    return tx.all(_OF_INCIDENT, incident_id=incident_id)


def last_rang(tx: Reader, incident_id: int) -> datetime | None:
    """When a page of the incident last went out, on any road; a cap or a downtime may have made it late."""
    found: datetime | None = tx.scalar(_LAST_RANG, incident_id=incident_id)
    return found


def hurry(tx: Tx, page_id: int, roads: Sequence[str]) -> str | None:
    """The page's next message on one of these roads goes now instead of later; answers which road, if there was one."""
    for row in tx.all(_LATER, of_page=page_id, now=tx.now):
        if row.payload.get("road") in roads:
            tx.run(_GO_NOW, row_id=row.id, at=tx.now)
            tx.nudge()
            return str(row.payload["road"])
    return None


def sent_to(tx: Reader, destination: str, since: datetime) -> list[Row]:
    """The newest 200 pages that went out there since then, newest first: id, page_id, bundle_id, payload."""
    return tx.all(_SENT_TO, dest=destination, since=since)


def oldest(tx: Reader) -> dict[int, datetime]:
    """By lane: since when its oldest due message waits."""
    return {row.lane: row.since for row in tx.all(_OLDEST, now=tx.now)}


def has_due(tx: Reader) -> bool:
    """Whether anything is due; spares an idle installation the write of a claim."""
    return tx.first(_HAS_DUE, now=tx.now) is not None


def waits(tx: Reader, kind: str, incident_id: int) -> bool:
    return bool(tx.scalar(_PENDING_FOR, which=kind, incident_id=incident_id))
