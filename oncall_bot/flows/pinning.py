"""Somebody marks what was said in an incident's thread: the cause, the impact, a ruled-out guess, or worth keeping.

Knows whose pin stands and that pinning twice is pinning once. Refuses to judge the words.
Serves the Slack edge; drafts name a cause only from here.
"""

from __future__ import annotations

from collections.abc import Mapping

from oncall_bot.core.outcomes import Actor, Outcome
from oncall_bot.core.pins import PINNED_AS, Pin, PinKind, pins_of
from oncall_bot.core.rights import Right
from oncall_bot.core.timeline import TEXT_MAX, Entry, Kind
from oncall_bot.flows import showing
from oncall_bot.flows.answering import audited, known
from oncall_bot.store import incidents, record
from oncall_bot.store.statements import Row
from oncall_bot.store.transactions import Tx

NOT_OURS = Outcome(False, "Only what was said in an incident's thread can be pinned.")


def pin(tx: Tx, channel: str, ts: str, kind: PinKind, actor: Actor, *, words: str = "") -> Outcome:
    """Pin a message as that; `words` put it better than it was said. The same again changes nothing."""
    found = _locked(tx, channel, ts, actor)
    if isinstance(found, Outcome):
        return found
    words = " ".join(words.split())[:TEXT_MAX]
    own = bool(words) and words != " ".join(found.text.split())
    text = words if own else found.text
    mine = _of(tx, found, actor)
    if any(p.kind is kind and p.text == text for p in mine):
        return Outcome(True, f"You pinned it as {PINNED_AS[kind]} already.", found.incident_id)
    data = {"of": _line(found), "as": str(kind), "said_by": found.actor}
    _write(tx, found, text, actor, data | ({"own_words": True} if own else {}))
    audited(tx, actor, "pin", found.incident_id, line=_line(found), pinned_as=str(kind))
    return Outcome(True, f"Pinned as {PINNED_AS[kind]}.", found.incident_id)


def unpin(tx: Tx, channel: str, ts: str, actor: Actor, *, kind: PinKind | None = None) -> Outcome:
    """Take back the actor's own pin of that kind; without a kind every pin on the message, whoever set it."""
    found = _locked(tx, channel, ts, actor)
    if isinstance(found, Outcome):
        return found
    if kind is None:
        standing = [p for p in _pins(tx, found.incident_id) if p.target == _line(found)]
    else:
        standing = [p for p in _of(tx, found, actor) if p.kind is kind]
    for one in standing:
        text = f"{actor.name} took back the mark {PINNED_AS[one.kind]}: {found.text}"[:TEXT_MAX]
        data = {"of": one.target, "as": str(one.kind), "withdraws": one.by}
        _write(tx, found, text, actor, data)
        audited(tx, actor, "unpin", found.incident_id, line=one.target, pinned_as=str(one.kind))
    said = "The pin is taken back." if standing else "Nothing was pinned there."
    return Outcome(True, said, found.incident_id)


def pin_only(
    tx: Tx, channel: str, ts: str, kind: PinKind | None, actor: Actor, *, words: str = ""
) -> Outcome:
    """From the form: the message is pinned as this and nothing else by this person; None takes every pin back."""
    if kind is None:
        return unpin(tx, channel, ts, actor)
    done = pin(tx, channel, ts, kind, actor, words=words)
    if done.done:
        for other in PinKind:
            if other is not kind:
                unpin(tx, channel, ts, actor, kind=other)
    return done


def _locked(tx: Tx, channel: str, ts: str, actor: Actor) -> Row | Outcome:
    """The line that the message became, its incident locked (two people may pin at once); or why not."""
    found = incidents.by_ref(tx, f"slack:{channel}:{ts}")
    if found is None:
        return NOT_OURS
    incident = known(tx, found.incident_id, actor, Right.PIN)
    return incident if isinstance(incident, Outcome) else found


def _line(found: Row) -> str:
    return f"e{found.seq:03d}"


def _pins(tx: Tx, incident_id: int) -> tuple[Pin, ...]:
    return pins_of(record.pin_lines(tx, incident_id))


def _of(tx: Tx, found: Row, actor: Actor) -> list[Pin]:
    mine = f"@{actor.key}"
    return [p for p in _pins(tx, found.incident_id) if p.target == _line(found) and p.by == mine]


def _write(tx: Tx, found: Row, text: str, actor: Actor, data: Mapping[str, object]) -> None:
    incidents.write(tx, found.incident_id, [Entry(Kind.PIN, text, tx.now, actor, data)])
    showing.changed(tx, found.incident_id)
