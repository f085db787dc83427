"""I'm out: cover is asked for every shift somebody has in that time, and each that nobody can be asked for is named.

Knows the bounds. What a request is, `ask_cover` knows. Serves `/oncall out`. Nobody leaves a rota by this: each shift
stays theirs until somebody says yes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from oncall_bot.core.covers import State
from oncall_bot.core.outcomes import Actor, Outcome
from oncall_bot.core.rotations import people_named
from oncall_bot.flows.answer_cover import withdraw
from oncall_bot.flows.ask_cover import ask_cover
from oncall_bot.flows.cover_shown import Piece, own_shifts
from oncall_bot.store import covers
from oncall_bot.store.transactions import Tx

LONGEST = timedelta(days=60)
SHIFTS_MAX = 20


@dataclass(frozen=True, slots=True)
class Uncovered:
    """One shift of the absence: whom it was put to, or why to nobody."""

    piece: Piece
    asked: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Away(Outcome):
    shifts: tuple[Uncovered, ...] = ()


def be_out(
    tx: Tx, person: str, starts_at: datetime, ends_at: datetime, note: str, actor: Actor
) -> Away:
    """Ask the teams for cover of every shift in that time, one request a shift."""
    start = max(starts_at, tx.now)
    if ends_at <= start or ends_at - start > LONGEST:
        return Away(False, "Give a time that is to come, within 60 days.")
    pieces = _pieces(tx, person, start, ends_at)
    if not pieces:
        return Away(True, "You have no shift in that time, so nothing has to be covered.")
    asked = tuple(_ask(tx, person, piece, note, actor) for piece in pieces[:SHIFTS_MAX])
    bare = sum(1 for one in asked if not one.asked) + max(0, len(pieces) - SHIFTS_MAX)
    shifts = "1 shift" if len(pieces) == 1 else f"{len(pieces)} shifts"
    text = f"{shifts} in that time: cover is asked for {len(pieces) - bare}."
    if bare:
        text += f" For {bare} nobody is asked."
    return Away(True, text, shifts=asked)


def be_back(tx: Tx, person: str, actor: Actor) -> Outcome:
    """Everything the person still asks for is withdrawn; covers that were accepted stay, each with its undo."""
    known = tx.snapshot.people.get(person)
    rows = covers.of_asker(tx, known.id) if known else []
    waiting = [row.id for row in rows if row.state == State.OPEN]
    for request_id in waiting:
        withdraw(tx, request_id, actor)
    if not waiting:
        return Outcome(False, "You ask for no cover just now.")
    taken = len(rows) - len(waiting)
    stay = f" {taken} accepted before stay; undo them one by one." if taken else ""
    count = "1 request is" if len(waiting) == 1 else f"{len(waiting)} requests are"
    return Outcome(True, f"{count} withdrawn, those shifts are yours.{stay}")


def _pieces(tx: Tx, person: str, start: datetime, end: datetime) -> list[Piece]:
    snapshot = tx.snapshot
    found = [
        Piece(key, shift.start, shift.end)
        for key, schedule in snapshot.config.schedules.items()
        if person in people_named(schedule.definition)
        or any(one.user == person for one in snapshot.overrides.get(key, ()))
        for shift in own_shifts(tx, person, key, start, end)
    ]
    return sorted(found, key=lambda piece: (piece.starts_at, piece.schedule))


def _ask(tx: Tx, person: str, piece: Piece, note: str, actor: Actor) -> Uncovered:
    put = ask_cover(tx, person, piece, (), note, actor)
    names = tuple(tx.snapshot.name(key) for key in put.asked)
    return Uncovered(piece, names, "" if put.done else put.reason)
