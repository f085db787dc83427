"""How often one person may be rung: several pages in one message, caps that delay and never drop, late pages folded.

    (what waits on one road, what rang there, cap, now) -> Plan(send these together now, hold those until)

Knows gaps, caps and what is late. Refuses to know rows, roads and words; docs/decisions/0012 says why it is so.
Serves `store.bundling`. Four rules, in this order:

1. The first page goes at once. While nobody answers it, what follows is gathered into one message for a gap of seconds.
2. Past the cap of a road everything waits until the cap allows one more message, which then tells of all of it.
3. High urgency is held back only by high urgency: neither a gap nor a cap that low urgency used up stops it.
4. A message that goes takes along all that waits on its road, so nothing waits longer than cap and gap together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from oncall_bot.core.config import Cap

GAP = timedelta(seconds=3)
"""How long after a message to a person on one road that nobody answered the next may go: a burst is one message more,
and another incident still pages in its normal time."""

LATELY = timedelta(minutes=2)
"""Messages count for the gap so long."""

LATE_AFTER = timedelta(minutes=10)
"""A page that is due for longer is marked late."""

GATHER_LATE = timedelta(seconds=2)
"""A late page waits so long for the others: after a long downtime they are decided one by one."""

ALONE_AFTER = 2
"""A message that failed for good, or ended a process, so often travels alone: it takes no other with it."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One page on one road of one person, due by now or held back by an earlier plan."""

    id: int
    due_at: datetime
    made_at: datetime
    urgent: bool = True
    contact: str = ""
    tried_in: int | None = None  # the bundle in which it may have gone out when a process ended
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Rung:
    """One message that went out on this road, to any contact of the person. `asks`: nobody has answered it yet."""

    at: datetime
    urgent: bool = True
    contact: str = ""
    asks: bool = True


@dataclass(frozen=True, slots=True)
class Hold:
    """Pages that wait, until when, and why in words; `why` is empty when it is not worth a word."""

    ids: tuple[int, ...]
    until: datetime
    why: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do now: one message at most, and what waits. `bundle`: it was tried before, under this number."""

    send: tuple[int, ...] = ()
    bundle: int | None = None
    holds: tuple[Hold, ...] = ()


def plan(waiting: Sequence[Waiting], rung: Sequence[Rung], cap: Cap | None, now: datetime) -> Plan:
    """What of `waiting` goes now as one message, worst urgency first, and until when the rest waits.

    All of `waiting` goes to one contact on one road; `rung` is what went out on that road to the person.
    """
    ordered = sorted(waiting, key=lambda one: (not one.urgent, one.due_at, one.id))
    again = [one for one in ordered if one.tried_in is not None and one.failures < ALONE_AFTER]
    if again:  # perhaps it went out: the same pages under one key, so that the provider can tell
        bundle = again[0].tried_in
        return Plan(tuple(one.id for one in again if one.tried_in == bundle), bundle=bundle)
    holds = {one.id: _hold(one, rung, cap, now) for one in ordered}
    ready = [one for one in ordered if holds[one.id] is None]
    if not ready:
        return Plan(holds=_together(hold for hold in holds.values() if hold is not None))
    if ready[0].failures >= ALONE_AFTER:
        return Plan(send=(ready[0].id,))
    return Plan(send=tuple(one.id for one in ordered if one.failures < ALONE_AFTER))


def is_late(due_at: datetime, now: datetime) -> bool:
    return now - due_at > LATE_AFTER


def horizon(cap: Cap | None) -> timedelta:
    """How far back `rung` has to reach."""
    return max(LATELY, cap.within) if cap is not None else LATELY


def _hold(one: Waiting, rung: Sequence[Rung], cap: Cap | None, now: datetime) -> Hold | None:
    """Why this page must wait, if it must: the reason that lasts longest."""
    counted = [r for r in rung if r.urgent >= one.urgent]
    reasons = (_gathering(one, now), _too_soon(one, counted, now), _capped(one, counted, cap))
    found = [hold for hold in reasons if hold is not None and hold.until > now]
    return max(found, key=lambda hold: hold.until, default=None)


def _gathering(one: Waiting, now: datetime) -> Hold | None:
    if not is_late(one.due_at, now):
        return None
    return Hold((one.id,), one.made_at + GATHER_LATE)


def _too_soon(one: Waiting, counted: Sequence[Rung], now: datetime) -> Hold | None:
    ats = [r.at for r in counted if r.asks and r.contact == one.contact and now - r.at < LATELY]
    if not ats:
        return None
    why = f"{len(ats)} unanswered, the next after {GAP.total_seconds():g} s"
    return Hold((one.id,), max(ats) + GAP, why)


def _capped(one: Waiting, counted: Sequence[Rung], cap: Cap | None) -> Hold | None:
    if cap is None or len(counted) < cap.count:
        return None
    oldest = sorted(r.at for r in counted)[-cap.count]
    minutes = f"{cap.within.total_seconds() / 60:g} min"
    return Hold((one.id,), oldest + cap.within, f"at most {cap.count} in {minutes}")


def _together(holds: Iterable[Hold]) -> tuple[Hold, ...]:
    """Those that wait for the same instant for the same reason, as one."""
    ids: dict[tuple[datetime, str], list[int]] = {}
    for hold in holds:
        ids.setdefault((hold.until, hold.why), []).extend(hold.ids)
    return tuple(Hold(tuple(members), until, why) for (until, why), members in ids.items())
