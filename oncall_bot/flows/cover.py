"""Cover and swaps: somebody asks, others answer, the first yes changes the rota; all of it can be taken back.

Knows what a request needs to be put, and writes what `core.covers` decided: overrides (two for a swap, in one
transaction), hand-offs, and the messages that show it. Refuses rota arithmetic. Serves Slack and the tick.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from oncall_bot.core.covers import Act, Kind, Request, State, Why, act, expiry
from oncall_bot.core.outcomes import SYSTEM, Actor, Outcome
from oncall_bot.core.rota_rights import leads, mates, may_take
from oncall_bot.core.rota_words import span
from oncall_bot.core.rotations import Shift
from oncall_bot.flows import notices, shifts
from oncall_bot.store import covers, incidents, messages, people, timers
from oncall_bot.store.statements import Row
from oncall_bot.store.transactions import Reader, Tx

LONGEST = timedelta(days=60)
ASKED_MAX = 20
NOTE_MAX = 300


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of one schedule."""

    schedule: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Put(Outcome):
    """What became of a wish for cover: the request, and whom it was put to."""

    request_id: int | None = None
    asked: tuple[str, ...] = ()


# --- asking -------------------------------------------------------------------------------------------------------


def ask_cover(
    tx: Tx, asker: str, wanted: Piece, named: Sequence[str], note: str, actor: Actor
) -> Put:
    """Put it to the people named, or to the whole team when nobody is; nothing changes until one says yes."""
    mine = _own_time(tx, asker, wanted)
    if isinstance(mine, str):
        return Put(False, mine)
    whom = _whom(tx, asker, mine.schedule, named)
    if isinstance(whom, str):
        return Put(False, whom)
    return _put(tx, Kind.COVER, asker, mine, None, whom, note, actor)


def ask_swap(
    tx: Tx, asker: str, give: Piece, take: Piece, other: str, note: str, actor: Actor
) -> Put:
    """Offer the own shift for one of the other's; both change hands with one yes, or neither."""
    mine, theirs = _own_time(tx, asker, give), _own_time(tx, other, take)
    if isinstance(mine, str):
        return Put(False, mine)
    if isinstance(theirs, str):
        return Put(False, theirs)
    whom = _whom(tx, asker, mine.schedule, [other])
    if isinstance(whom, str):
        return Put(False, whom)
    return _put(tx, Kind.SWAP, asker, mine, theirs, whom, note, actor)


def own_shifts(
    tx: Reader, person: str, schedule: str, start: datetime, end: datetime
) -> list[Shift]:
    """The person's shifts between two instants, cut there."""
    return [s for s in tx.snapshot.shifts(schedule, start, end) if s.user == person]


def _own_time(tx: Tx, person: str, wanted: Piece) -> Piece | str:
    """The stretch as far as the person is on call in it, or why there is none."""
    snapshot, name = tx.snapshot, tx.snapshot.name(person)
    if wanted.schedule not in snapshot.config.schedules:
        known = ", ".join(snapshot.config.schedules) or "none"
        return f"There is no schedule {wanted.schedule[:60]!r}. Schedules: {known}."
    if person not in snapshot.people or not may_take(snapshot.config, person):
        return f"{person[:60]} is not somebody of oncall.yaml who can be on call."
    start, end = max(_whole(wanted.starts_at), _whole(tx.now)), _whole(wanted.ends_at)
    if end <= start or end - start > LONGEST:
        return "That time ends before it begins, is over, or is longer than 60 days."
    found = own_shifts(tx, person, wanted.schedule, start, end)
    if not found:
        return f"{name} is not on call for {wanted.schedule} then, so there is nothing to cover."
    return Piece(wanted.schedule, found[0].start, found[-1].end)


def _whole(at: datetime) -> datetime:
    """Hand-offs are planned by the second."""
    return at.replace(microsecond=0)


def _whom(tx: Tx, asker: str, schedule: str, named: Sequence[str]) -> list[str] | str:
    snapshot = tx.snapshot
    whom = list(dict.fromkeys(named)) or mates(snapshot.config, schedule, asker)
    for key in whom:
        if key == asker:
            return "You can't cover for yourself. Name somebody else, or nobody to ask the team."
        if not may_take(snapshot.config, key):
            return f"{key[:60]} is not somebody of oncall.yaml who can be on call."
    reached = [key for key in whom if snapshot.slack_id(key)]
    if not reached:
        return "Nobody who could cover can be asked in Slack. Name somebody else."
    return reached[:ASKED_MAX]


def _put(
    tx: Tx,
    kind: Kind,
    asker: str,
    mine: Piece,
    theirs: Piece | None,
    whom: Sequence[str],
    note: str,
    actor: Actor,
) -> Put:
    snapshot = tx.snapshot
    asker_id, schedule_id = snapshot.people[asker].id, snapshot.schedule_ids[mine.schedule]
    if covers.like(tx, asker_id, schedule_id, mine.starts_at, mine.ends_at) is not None:
        return Put(False, "You have asked for some of that time already; withdraw that first.")
    request_id = covers.new_id(tx)
    first = min(mine.starts_at, theirs.starts_at) if theirs else mine.starts_at
    expires_at = expiry(first, mine.ends_at, tx.now)
    covers.insert(
        tx,
        id=request_id,
        kind=str(kind),
        asker_id=asker_id,
        schedule_id=schedule_id,
        starts_at=mine.starts_at,
        ends_at=mine.ends_at,
        back_schedule_id=snapshot.schedule_ids[theirs.schedule] if theirs else None,
        back_starts_at=theirs.starts_at if theirs else None,
        back_ends_at=theirs.ends_at if theirs else None,
        note=note.strip()[:NOTE_MAX],
        expires_at=expires_at,
        message_id=_message(tx, request_id, asker),
    )
    for key in whom:
        covers.ask(tx, request_id, snapshot.people[key].id, _message(tx, request_id, key))
    timers.add(
        tx, "cover_expires", f"cover:{request_id}", expires_at, f"cover_expires:{request_id}"
    )
    _show(tx, request_id)
    what = f"{mine.schedule}, {_span(tx, mine)}"
    incidents.audit(
        tx, str(actor), f"{kind}_ask", f"cover:{request_id}", after={"what": what, "of": asker}
    )
    names = _names(tx, whom)
    return Put(True, f"{names} asked: {what}. Nothing changes until somebody says yes.",
               request_id=request_id, asked=tuple(whom))  # fmt: skip


def _message(tx: Tx, request_id: int, person: str) -> int | None:
    """The person's own message about the request, edited whenever it changes."""
    slack_id = tx.snapshot.slack_id(person)
    if slack_id is None:
        return None
    role = f"{messages.COVER}{request_id}:{person}"
    return messages.create(tx, incident_id=None, role=role, channel=slack_id)


def _show(tx: Tx, request_id: int) -> None:
    """Everybody's message shows how it stands now."""
    request = covers.get(tx, request_id)
    shown = [request.message_id if request else None]
    shown += [row.message_id for row in covers.asked(tx, request_id)]
    for message_id in shown:
        message = messages.get(tx, message_id) if message_id is not None else None
        if message is not None:
            messages.touch(tx, message, at_once=True)


# --- answering ----------------------------------------------------------------------------------------------------


def accept(tx: Tx, request_id: int, actor: Actor) -> Outcome:
    """The first yes takes it: the rota changes with it, for a swap both halves or none."""
    found = covers.lock(tx, request_id)
    if found is None:
        return _unknown()
    after = act(_request(tx, found), Act.ACCEPT, actor.key, tx.now)
    if isinstance(after, Why):
        return _refusal(tx, found, after)
    gone = _gone(tx, found, actor.key)
    if gone is not None:
        covers.save(tx, request_id, str(State.WITHDRAWN), None, closed=True)
        _show(tx, request_id)
        return Outcome(False, gone)
    _paint(tx, found, actor)
    _answered(tx, found, after, actor)
    text = f"{actor.name} {_what_is_done(tx, found)}"
    notices.tell_person(tx, found.asker, f"{text}.", f"cover_taken:{request_id}")
    return Outcome(True, f"You {_what_is_done(tx, found, you=True)}.")


def decline(tx: Tx, request_id: int, actor: Actor) -> Outcome:
    """One no less to wait for; when everybody said it, the asker is told that the shift is still theirs."""
    found = covers.lock(tx, request_id)
    if found is None:
        return _unknown()
    after = act(_request(tx, found), Act.DECLINE, actor.key, tx.now)
    if isinstance(after, Why):
        return _refusal(tx, found, after)
    _answered(tx, found, after, actor)
    if after.state is State.DECLINED:
        text = f"Nobody can take {_shift(tx, found)}. It is still yours; ask others, or your team."
        notices.tell_person(tx, found.asker, text, f"cover_declined:{request_id}")
    return Outcome(True, "You declined; nothing changes for you.")


def withdraw(tx: Tx, request_id: int, actor: Actor) -> Outcome:
    """The asker needs no cover any more; those who were asked see it in their message."""
    found = covers.lock(tx, request_id)
    if found is None:
        return _unknown()
    after = act(_request(tx, found), Act.WITHDRAW, actor.key, tx.now)
    if isinstance(after, Why):
        return _refusal(tx, found, after)
    _close(tx, found, after, "withdraw", actor)
    return Outcome(True, f"Withdrawn: {_shift(tx, found)} stays yours.")


def undo(tx: Tx, request_id: int, actor: Actor) -> Outcome:
    """An accepted request is taken back from now on, a swap as one; everybody it touches is told."""
    found = covers.lock(tx, request_id)
    if found is None:
        return _unknown()
    after = act(_request(tx, found), Act.UNDO, actor.key, tx.now)
    if isinstance(after, Why):
        return _refusal(tx, found, after)
    painted = covers.painted(tx, request_id)
    covers.end(tx, painted)
    for one in painted:
        shifts.plan_edges(tx, one.schedule, one.starts_at, one.ends_at)
    _close(tx, found, after, "undo", actor)
    asker = tx.snapshot.name(found.asker)
    text = f"{actor.name} took it back: {asker} has {_shift(tx, found)} again."
    for person in {found.asker, found.taken_by} - {actor.key, None}:
        notices.tell_person(tx, person, text, f"cover_undone:{request_id}:{person}")
    return Outcome(True, text)


def expire(tx: Tx, request_id: int) -> None:
    """Nobody said yes before it began: the asker is told that the shift is theirs."""
    found = covers.lock(tx, request_id)
    if found is None:
        return
    after = act(_request(tx, found), Act.EXPIRE, SYSTEM.key, tx.now)
    if isinstance(after, Why):
        return
    _close(tx, found, after, "expire", SYSTEM)
    text = f"Nobody took {_shift(tx, found)} in time. You are on call for it."
    notices.tell_person(tx, found.asker, text, f"cover_expired:{request_id}")


# --- what an answer writes ----------------------------------------------------------------------------------------


def _request(tx: Tx, row: Row) -> Request:
    return Request(
        kind=Kind(row.kind),
        asker=row.asker,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        expires_at=row.expires_at,
        asked={one.person: one.answer for one in covers.asked(tx, row.id)},
        state=State(row.state),
        taken_by=row.taken_by,
        back_starts_at=row.back_starts_at,
        trusted=leads(tx.snapshot.config, row.schedule),
    )


def _gone(tx: Tx, row: Row, taker: str) -> str | None:
    """Why there is nothing left to take: the rota has changed since it was asked."""
    if not may_take(tx.snapshot.config, taker):
        return "You can't be on call: you are no longer in oncall.yaml, or a viewer there."
    asker, start = tx.snapshot.name(row.asker), max(row.starts_at, tx.now)
    if not own_shifts(tx, row.asker, row.schedule, start, row.ends_at):
        return f"{asker} is no longer on call for {row.schedule} then. Nothing is left to cover."
    if row.kind == Kind.SWAP and not own_shifts(
        tx, taker, row.back_schedule or "", row.back_starts_at, row.back_ends_at
    ):
        return f"You are no longer on call for {row.back_schedule} then, so it is no swap any more."
    return None


def _paint(tx: Tx, row: Row, taker: Actor) -> None:
    """Covers act only where the person they replace would be on call (R13)."""
    taker_id = tx.snapshot.people[taker.key].id
    start = max(row.starts_at, tx.now)
    halves = [(row.schedule, row.schedule_id, start, row.ends_at, taker_id, row.asker_id)]
    if row.kind == Kind.SWAP:
        back = (row.back_schedule, row.back_schedule_id, row.back_starts_at, row.back_ends_at)
        halves.append((*back, row.asker_id, taker_id))
    for schedule, schedule_id, starts_at, ends_at, person_id, replaces_id in halves:
        people.insert_override(
            tx,
            schedule_id,
            starts_at,
            ends_at,
            person_id,
            str(taker),
            replaces_id=replaces_id,
            request_id=row.id,
        )
        shifts.plan_edges(tx, schedule, starts_at, ends_at)


def _answered(tx: Tx, row: Row, after: Request, actor: Actor) -> None:
    person_id = tx.snapshot.people[actor.key].id
    said = after.asked[actor.key]
    covers.answer(tx, row.id, person_id, str(said))
    taker_id = person_id if after.state is State.TAKEN else None
    closed = after.state is not State.OPEN
    covers.save(tx, row.id, str(after.state), taker_id, closed=closed)
    incidents.audit(tx, str(actor), f"{row.kind}_{said}", f"cover:{row.id}")
    if closed:
        timers.drop(tx, "cover_expires", f"cover:{row.id}")
    _show(tx, row.id)


def _close(tx: Tx, row: Row, after: Request, verb: str, actor: Actor) -> None:
    covers.save(tx, row.id, str(after.state), row.taken_by_id, closed=True)
    timers.drop(tx, "cover_expires", f"cover:{row.id}")
    incidents.audit(
        tx, str(actor), f"{row.kind}_{verb}", f"cover:{row.id}", before={"state": row.state}
    )
    _show(tx, row.id)


# --- words --------------------------------------------------------------------------------------------------------


def _unknown() -> Outcome:
    return Outcome(False, "That request is no longer known here.")


def _refusal(tx: Tx, row: Row, why: Why) -> Outcome:
    """A lost race names the winner and says that nothing is left to do."""
    name = tx.snapshot.name
    if why is Why.IS_OVER and row.state == State.TAKEN:
        text = f"{name(row.taken_by)} has taken {_shift(tx, row)} already. Nothing is left to do."
        return Outcome(False, text, winner=row.taken_by)
    words = {
        Why.IS_OVER: f"That request is over: {_OVER.get(row.state, row.state)}.",
        Why.TOO_LATE: "It is too late for that: the time has come.",
        Why.NOT_ASKED: f"{name(row.asker)} asked others. Only they can answer.",
        Why.NOT_YOURS: f"Only {name(row.asker)}, the managers and admins may do that.",
        Why.HAS_BEGUN: "It has begun. Ask for cover of what is left instead.",
        Why.ANSWERED: "You have answered that already. Nothing is left to do.",
        Why.TOO_EARLY: "It is not over yet.",
    }
    return Outcome(False, words[why])


_OVER = {
    State.WITHDRAWN: "it was withdrawn",
    State.EXPIRED: "nobody answered in time",
    State.DECLINED: "everybody declined",
    State.UNDONE: "it was taken back",
}


def _what_is_done(tx: Tx, row: Row, *, you: bool = False) -> str:
    verb = "cover" if you else "covers"
    if row.kind == Kind.COVER:
        return f"{verb} {_shift(tx, row)} for {tx.snapshot.name(row.asker)}"
    back = Piece(row.back_schedule, row.back_starts_at, row.back_ends_at)
    takes = "take" if you else "takes"
    return (
        f"{takes} {_shift(tx, row)}, and {tx.snapshot.name(row.asker)} takes"
        f" {back.schedule}, {_span(tx, back)}"
    )


def _shift(tx: Tx, row: Row) -> str:
    return f"{row.schedule}, {_span(tx, Piece(row.schedule, row.starts_at, row.ends_at))}"


def _span(tx: Tx, piece: Piece) -> str:
    zone = tx.snapshot.config.schedules.get(piece.schedule)
    if zone is None:
        return f"{piece.starts_at:%a %d %b %H:%M} to {piece.ends_at:%a %d %b %H:%M} UTC"
    return span(piece.starts_at, piece.ends_at, zone.definition.zone)


def _names(tx: Tx, keys: Sequence[str]) -> str:
    names = [tx.snapshot.name(key) for key in keys]
    shown = names if len(names) < 5 else [*names[:3], f"{len(names) - 3} more"]
    verb = "is" if len(names) == 1 else "are"
    joined = f"{', '.join(shown[:-1])} and {shown[-1]}" if len(shown) > 1 else shown[0]
    return f"{joined} {verb}"
