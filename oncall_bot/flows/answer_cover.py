"""Answer a request for cover: the first yes changes the rota; decline, withdraw, undo, and the end of waiting.

Writes what `core.covers` decided: overrides (two for a swap, in one transaction), hand-offs, and the messages that show
it. Refuses rota arithmetic. Serves Slack and the tick.
"""

from __future__ import annotations

from oncall_bot.core.covers import Act, Kind, Request, State, Why, act
from oncall_bot.core.outcomes import SYSTEM, Actor, Outcome
from oncall_bot.core.rights import Right
from oncall_bot.core.rota_rights import leads, may_take
from oncall_bot.flows import cover_shown, notices, shifts
from oncall_bot.flows.answering import turned_down
from oncall_bot.flows.cover_shown import Piece, own_shifts
from oncall_bot.store import covers, incidents, people, timers
from oncall_bot.store.statements import Row
from oncall_bot.store.transactions import Tx


def accept(tx: Tx, request_id: int, actor: Actor) -> Outcome:
    """The first yes takes it: the rota changes with it, for a swap both halves or none."""
    decided = _decided(tx, request_id, Act.ACCEPT, actor)
    if isinstance(decided, Outcome):
        return decided
    found, after = decided
    gone = _gone(tx, found, actor.key)
    if gone is not None:
        covers.save(tx, request_id, str(State.WITHDRAWN), None, closed=True)
        cover_shown.show(tx, request_id)
        return Outcome(False, gone)
    _paint(tx, found, actor)
    _answered(tx, found, after, actor)
    text = f"{actor.name} {_what_is_done(tx, found)}"
    notices.tell_person(tx, found.asker, f"{text}.", f"cover_taken:{request_id}")
    return Outcome(True, f"You {_what_is_done(tx, found, you=True)}.")


def decline(tx: Tx, request_id: int, actor: Actor) -> Outcome:
    """One no less to wait for; when everybody said it, the asker is told that the shift is still theirs."""
    decided = _decided(tx, request_id, Act.DECLINE, actor)
    if isinstance(decided, Outcome):
        return decided
    found, after = decided
    _answered(tx, found, after, actor)
    if after.state is State.DECLINED:
        text = f"Nobody can take {_shift(tx, found)}. It is still yours; ask others, or your team."
        notices.tell_person(tx, found.asker, text, f"cover_declined:{request_id}")
    return Outcome(True, "You declined; nothing changes for you.")


def withdraw(tx: Tx, request_id: int, actor: Actor) -> Outcome:
    """The asker needs no cover any more; those who were asked see it in their message."""
    decided = _decided(tx, request_id, Act.WITHDRAW, actor)
    if isinstance(decided, Outcome):
        return decided
    found, after = decided
    _close(tx, found, after, "withdraw", actor)
    return Outcome(True, f"Withdrawn: {_shift(tx, found)} stays yours.")


def undo(tx: Tx, request_id: int, actor: Actor) -> Outcome:
    """An accepted request is taken back from now on, a swap as one; everybody it touches is told."""
    decided = _decided(tx, request_id, Act.UNDO, actor)
    if isinstance(decided, Outcome):
        return decided
    found, after = decided
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
    decided = _decided(tx, request_id, Act.EXPIRE, SYSTEM)
    if isinstance(decided, Outcome):
        return
    found, after = decided
    _close(tx, found, after, "expire", SYSTEM)
    text = f"Nobody took {_shift(tx, found)} in time. You are on call for it."
    notices.tell_person(tx, found.asker, text, f"cover_expired:{request_id}")


# --- what an answer writes ----------------------------------------------------------------------------------------


def _decided(tx: Tx, request_id: int, verb: Act, actor: Actor) -> tuple[Row, Request] | Outcome:
    """The locked row and the request as it is after the act, or the refusal to tell."""
    found = covers.lock(tx, request_id)
    if found is None:
        return Outcome(False, "That request is no longer known here.")
    after = act(_request(tx, found), verb, actor.key, tx.now)
    if not isinstance(after, Why):
        return found, after
    refusal = _refusal(tx, found, after)
    if after is Why.NOT_YOURS:
        about = f"cover:{request_id}"
        return turned_down(tx, actor, str(Right.UNDO_COVER), refusal.reason, None, about)
    return refusal


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
        trusted=leads(tx.snapshot.rights, row.schedule),
    )


def _gone(tx: Tx, row: Row, taker: str) -> str | None:
    """Why there is nothing left to take: the rota has changed since it was asked."""
    if not may_take(tx.snapshot.rights, taker):
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
    cover_shown.show(tx, row.id)


def _close(tx: Tx, row: Row, after: Request, verb: str, actor: Actor) -> None:
    covers.save(tx, row.id, str(after.state), row.taken_by_id, closed=True)
    timers.drop(tx, "cover_expires", f"cover:{row.id}")
    incidents.audit(
        tx, str(actor), f"{row.kind}_{verb}", f"cover:{row.id}", before={"state": row.state}
    )
    cover_shown.show(tx, row.id)


# --- words --------------------------------------------------------------------------------------------------------


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
        f" {back.schedule}, {cover_shown.said(tx, back)}"
    )


def _shift(tx: Tx, row: Row) -> str:
    return (
        f"{row.schedule}, {cover_shown.said(tx, Piece(row.schedule, row.starts_at, row.ends_at))}"
    )
