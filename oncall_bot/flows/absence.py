"""On holiday: cover is asked for every shift somebody has in that time, and each that nobody can be asked for is named.

Knows the bounds. What a request is, `ask_cover` knows; whom a holiday leaves out of pages, `core.away`. Serves
`/oncall out` and `/oncall back`. Nobody leaves a rota by this: each shift stays theirs until somebody says yes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from oncall_bot.core.covers import State
from oncall_bot.core.outcomes import Actor, Outcome
from oncall_bot.core.rotations import people_named
from oncall_bot.flows.answer_cover import withdraw
from oncall_bot.flows.ask_cover import NOTE_MAX, ask_cover
from oncall_bot.flows.cover_shown import Piece, own_shifts
from oncall_bot.store import covers, incidents, personal
from oncall_bot.store.statements import Row
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
    """What became of it: the holiday as it is kept, and each shift in it."""

    shifts: tuple[Uncovered, ...] = ()
    starts_at: datetime | None = None
    ends_at: datetime | None = None


def be_out(
    tx: Tx, person: str, starts_at: datetime, ends_at: datetime, note: str, actor: Actor
) -> Away:
    """Ask the teams for cover of every shift in that time, one request a shift, and keep the holiday.

    One that it touches goes up in it: it begins with the earlier of the two, and ends as was said now.
    """
    known = tx.snapshot.people.get(person)
    start = max(starts_at, tx.now)
    if ends_at <= start or ends_at - start > LONGEST:
        return Away(False, "Give a time that is to come, within 60 days.")
    if known is None or actor.kind != "person" or actor.key != person:
        return Away(False, "Nobody is sent on holiday by others: each says it for themselves.")
    begins = _keep(tx, known.id, start, ends_at, note)
    after = {"from": begins.isoformat(), "until": ends_at.isoformat()}
    incidents.audit(tx, str(actor), "holiday_set", f"person:{person}", after=after)
    pieces = _pieces(tx, person, start, ends_at)
    if not pieces:
        text = "You have no shift in that time, so nothing has to be covered."
        return Away(True, text, starts_at=begins, ends_at=ends_at)
    asked = tuple(_ask(tx, person, piece, note, actor) for piece in pieces[:SHIFTS_MAX])
    bare = sum(1 for one in asked if not one.asked) + max(0, len(pieces) - SHIFTS_MAX)
    shifts = "1 shift" if len(pieces) == 1 else f"{len(pieces)} shifts"
    text = f"{shifts} in that time: cover is asked for {len(pieces) - bare}."
    if bare:
        text += f" For {bare} nobody is asked."
    return Away(True, text, shifts=asked, starts_at=begins, ends_at=ends_at)


def _keep(tx: Tx, person_id: int, start: datetime, end: datetime, note: str) -> datetime:
    """The holiday as a row; its beginning."""
    touched = [
        row
        for row in personal.holidays_ahead(tx, person_id)
        if row.starts_at <= end and start <= row.ends_at
    ]
    for row in touched:
        personal.end_holiday(tx, row.id)
    begins: datetime = min([start, *(row.starts_at for row in touched)])
    personal.add_holiday(tx, person_id, begins, end, note.strip()[:NOTE_MAX])
    return begins


def be_back(tx: Tx, person: str, actor: Actor, *, begun: int | None = None) -> Outcome:
    """The holiday is over, or the next one does not come, and what is still asked for in it is withdrawn.

    Covers that were accepted stay, each with its undo. Without a holiday, all that is still asked for is withdrawn.
    `begun`: the one that begins in that second (Unix time), and no other.
    """
    known = tx.snapshot.people.get(person)
    if known is None:
        return Outcome(False, "You are not in oncall.yaml; ask an admin to add you there first.")
    ended = _end(tx, person, known.id, actor, begun)
    if begun is not None and not ended:
        return Outcome(False, "That holiday is over already.")
    rows = [row for row in covers.of_asker(tx, known.id) if not ended or _in(row, ended)]
    waiting = [row.id for row in rows if row.state == State.OPEN]
    for request_id in waiting:
        withdraw(tx, request_id, actor)
    said = ["Your holiday is over." if _ran(tx, ended) else "Your holiday is cancelled."]
    said = said if ended else []
    if waiting:
        count = "1 request is" if len(waiting) == 1 else f"{len(waiting)} requests are"
        said.append(f"{count} withdrawn, those shifts are yours.")
    taken = len(rows) - len(waiting)
    if taken and said:
        said.append(f"{taken} accepted before stay; undo them one by one.")
    if not said:
        return Outcome(False, "You are not on holiday, and ask for no cover just now.")
    return Outcome(True, " ".join(said))


def _end(tx: Tx, person: str, person_id: int, actor: Actor, begun: int | None) -> list[Row]:
    """End the holiday that is meant, else the one that runs, else the next."""
    ahead = personal.holidays_ahead(tx, person_id)
    ended = [row for row in ahead if row.starts_at <= tx.now] or ahead[:1]
    if begun is not None:
        ended = [row for row in ahead if int(row.starts_at.timestamp()) == begun]
    for row in ended:
        personal.end_holiday(tx, row.id)
        before = {"from": row.starts_at.isoformat(), "until": row.ends_at.isoformat()}
        incidents.audit(tx, str(actor), "holiday_end", f"person:{person}", before=before)
    return ended


def _ran(tx: Tx, ended: Sequence[Row]) -> bool:
    return any(row.starts_at <= tx.now for row in ended)


def _in(request: Row, holidays: Sequence[Row]) -> bool:
    return any(
        request.starts_at < one.ends_at and one.starts_at < request.ends_at for one in holidays
    )


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
