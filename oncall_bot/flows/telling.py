"""Alerts that come and go become counters and lines of their incident: at once, then once in three seconds.

Knows what was not told yet (`incident.untold`), which members no counter knows yet (`alert_group.counted_to`), and the
timer that catches up with both. Refuses to judge what joins. Serves placing, and whoever ends or merges an incident.
A storm so leaves a line and moves its counters every few seconds, whatever number of alerts it has; who reads
the number of alerts that fire (store.views) still gets all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from oncall_bot.core.timeline import Entry, Kind
from oncall_bot.flows import showing
from oncall_bot.store import groups, incidents, timers
from oncall_bot.store.groups import Uncounted
from oncall_bot.store.statements import Row
from oncall_bot.store.transactions import Tx

TOLD_EVERY = timedelta(seconds=3)
NAMES_SHOWN = 5
NAMES_KEPT = 50


@dataclass(frozen=True, slots=True)
class Telling:
    """The lines to write now, and what the incident keeps for later."""

    entries: Sequence[Entry]
    untold: Mapping[str, Any] | None
    told_at: datetime


@dataclass(slots=True)
class Moved:
    """What began and ended: how many alerts, the names of those that began (the first ones do), since when."""

    fired: int = 0
    ended: int = 0
    names: list[str] = field(default_factory=list)
    since: datetime | None = None

    def came(self, uncounted: Uncounted) -> None:
        """Members that were there before anybody counted them."""
        self.fired += uncounted.count
        self.names += uncounted.names
        if uncounted.since is not None:
            self.since = min(self.since or uncounted.since, uncounted.since)


def tell(tx: Tx, row: Row, moved: Moved, *, at_once: bool) -> Telling:
    """What a locked incident's timeline is told of the alerts that began and ended.

    At once when it has been quiet, or when the caller says that something hangs on the order; else it waits for the
    timer, which is planned here. A line that waited stands at the moment when its first alert moved.
    """
    untold = _added(row.untold, moved, tx.now)
    if untold is None:
        return Telling((), None, row.told_at or tx.now)
    due_at = row.told_at + TOLD_EVERY if row.told_at is not None else tx.now
    if at_once or due_at <= tx.now:
        return Telling(_lines(untold), None, tx.now)
    if row.untold is None:
        _plan(tx, row.id, row.told_at)
    return Telling((), untold, row.told_at)


def tell_rest(tx: Tx, incident_id: int) -> None:
    """The timer is due: what waited is counted and told. While more keeps coming, it goes on waiting."""
    busy = catch_up(tx, incident_id)
    if busy:
        groups.count_later(tx, busy)
        _plan(tx, incident_id, tx.now)


def catch_up(tx: Tx, incident_id: int) -> Sequence[int]:
    """Count and tell now whatever waits; answers the groups that had uncounted members.

    Call it before the incident is locked: groups are locked before incidents everywhere.
    """
    moved, busy = Moved(), []
    for group in groups.uncounted_groups(tx, incident_id):
        uncounted = groups.take_uncounted(tx, group.id, group.counted_to, names=NAMES_KEPT)
        if uncounted.count:
            moved.came(uncounted)
            busy.append(group.id)
            groups.count_groups(tx, {group.id: uncounted.count})
    incident = incidents.lock(tx, incident_id)
    untold = _added(incident.untold, moved, tx.now) if incident is not None else None
    if untold is None:
        return ()
    incidents.count(tx, incident_id, firing=moved.fired, ever=moved.fired)
    incidents.change(tx, incident_id, untold=None, told_at=tx.now)
    incidents.write(tx, incident_id, _lines(untold))
    showing.changed(tx, incident_id)
    return busy


def _plan(tx: Tx, incident_id: int, told_at: datetime) -> None:
    """The timer of the next line; its key names the last one, so that it is planned once."""
    stamp = int(told_at.timestamp() * 1_000_000)
    key = f"tell:{incident_id}:{stamp}"
    timers.add(tx, "tell", f"incident:{incident_id}", told_at + TOLD_EVERY, key)


def fire_entry(at: datetime, names: Sequence[str], count: int) -> Entry:
    """One line for `count` alerts of these names that began to fire."""
    distinct = list(dict.fromkeys(names))
    shown = ", ".join(distinct[:NAMES_SHOWN]) + (" …" if len(distinct) > NAMES_SHOWN else "")
    text = f"{shown} fires" if count == 1 else f"{count} alerts fire: {shown}"
    data = {"alerts": distinct[:NAMES_KEPT], "count": count}
    return Entry(Kind.ALERT, text, at, data=data, trust="external")


def _added(
    untold: Mapping[str, Any] | None, moved: Moved, now: datetime
) -> Mapping[str, Any] | None:
    if not moved.fired and not moved.ended:
        return untold
    since = moved.since or now
    before = untold or {"at": since.isoformat(), "fire": 0, "end": 0, "names": []}
    return {
        "at": before["at"],
        "fire": before["fire"] + moved.fired,
        "end": before["end"] + moved.ended,
        "names": list(dict.fromkeys([*before["names"], *moved.names]))[:NAMES_KEPT],
    }


def _lines(untold: Mapping[str, Any]) -> list[Entry]:
    lines, at = [], datetime.fromisoformat(untold["at"])
    if untold["fire"]:
        lines.append(fire_entry(at, untold["names"], untold["fire"]))
    if untold["end"]:
        text = "1 alert ended" if untold["end"] == 1 else f"{untold['end']} alerts ended"
        lines.append(Entry(Kind.RESOLVE, text, at, data={"count": untold["end"]}))
    return lines
