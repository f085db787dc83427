"""Ask for cover of a shift, or for a swap: put to people by name, or to the whole team; nothing changes by it.

Knows what a request needs to be put. Refuses to know what becomes of it: `answer_cover` does. Serves Slack, and
`absence`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from oncall_bot.core.covers import Kind, expiry
from oncall_bot.core.outcomes import Actor, Outcome
from oncall_bot.core.rota_rights import mates, may_take
from oncall_bot.flows import cover_shown
from oncall_bot.flows.cover_shown import Piece, own_shifts
from oncall_bot.store import covers, incidents, messages, timers
from oncall_bot.store.transactions import Tx

LONGEST = timedelta(days=60)
ASKED_MAX = 20
NOTE_MAX = 300


@dataclass(frozen=True, slots=True)
class Put(Outcome):
    """What became of a wish for cover: the request, and whom it was put to."""

    request_id: int | None = None
    asked: tuple[str, ...] = ()


def ask_cover(
    tx: Tx, asker: str, wanted: Piece, named: Sequence[str], note: str, actor: Actor
) -> Put:
    """Put it to the people named, or to the whole team when nobody is; nothing changes until one says yes."""
    mine = _own_time(tx, asker, wanted)
    if isinstance(mine, str):
        return Put(False, mine)
    whom = _whom(tx, asker, mine, named)
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
    whom = _whom(tx, asker, mine, [other])
    if isinstance(whom, str):
        return Put(False, whom)
    return _put(tx, Kind.SWAP, asker, mine, theirs, whom, note, actor)


def _own_time(tx: Tx, person: str, wanted: Piece) -> Piece | str:
    """The stretch as far as the person is on call in it, or why there is none."""
    snapshot, name = tx.snapshot, tx.snapshot.name(person)
    if wanted.schedule not in snapshot.config.schedules:
        known = ", ".join(snapshot.config.schedules) or "none"
        return f"There is no schedule {wanted.schedule[:60]!r}. Schedules: {known}."
    if person not in snapshot.people or not may_take(snapshot.rights, person):
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


def _whom(tx: Tx, asker: str, mine: Piece, named: Sequence[str]) -> list[str] | str:
    """Those named, or the team without whoever is on holiday when the shift begins."""
    snapshot = tx.snapshot
    team = mates(snapshot.rights, mine.schedule, asker)
    here = [key for key in team if snapshot.away_until(key, mine.starts_at) is None]
    whom = list(dict.fromkeys(named)) or here or team
    for key in whom:
        if key == asker:
            return "You can't cover for yourself. Name somebody else, or nobody to ask the team."
        if not may_take(snapshot.rights, key):
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
    cover_shown.show(tx, request_id)
    what = f"{mine.schedule}, {cover_shown.said(tx, mine)}"
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


def _names(tx: Tx, keys: Sequence[str]) -> str:
    names = [tx.snapshot.name(key) for key in keys]
    shown = names if len(names) < 5 else [*names[:3], f"{len(names) - 3} more"]
    verb = "is" if len(names) == 1 else "are"
    joined = f"{', '.join(shown[:-1])} and {shown[-1]}" if len(shown) > 1 else shown[0]
    return f"{joined} {verb}"
