"""Alerts that come and go become lines of their incident's timeline: one at once, then one in three seconds.

Knows what was not told yet (`incident.untold`) and the timer that tells it. Refuses to count: the incident's counters
move with every alert. Serves placing. A storm so leaves a line a few seconds, whatever number of alerts it has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from oncall_bot.core.timeline import Entry, Kind
from oncall_bot.flows import showing
from oncall_bot.store import incidents, timers
from oncall_bot.store.db import Tx
from oncall_bot.store.statements import Row

TOLD_EVERY = timedelta(seconds=3)
NAMES_SHOWN = 5
NAMES_KEPT = 50


@dataclass(frozen=True, slots=True)
class Telling:
    """The lines to write now, and what the incident keeps for later."""

    entries: Sequence[Entry]
    untold: Mapping[str, Any] | None
    told_at: datetime


def tell(tx: Tx, row: Row, fires: Sequence[str], ended: int, *, at_once: bool) -> Telling:
    """What a locked incident's timeline is told of the alerts that began (by name) and of how many ended.

    At once when it has been quiet, or when the caller says that something hangs on the order; else it waits for the
    timer, which is planned here. A line that waited stands at the moment when its first alert moved.
    """
    untold = _added(row.untold, fires, ended, tx.now)
    if untold is None:
        return Telling((), None, row.told_at or tx.now)
    due_at = row.told_at + TOLD_EVERY if row.told_at is not None else tx.now
    if at_once or due_at <= tx.now:
        return Telling(_lines(untold), None, tx.now)
    if row.untold is None:
        stamp = int(row.told_at.timestamp() * 1_000_000)
        timers.add(tx, "tell", f"incident:{row.id}", due_at, f"tell:{row.id}:{stamp}")
    return Telling((), untold, row.told_at)


def tell_rest(tx: Tx, incident_id: int) -> None:
    """The timer is due: what waited is told, if nothing told it meanwhile."""
    incident = incidents.lock(tx, incident_id)
    if incident is None or incident.untold is None:
        return
    incidents.change(tx, incident_id, untold=None, told_at=tx.now)
    incidents.write(tx, incident_id, _lines(incident.untold))
    showing.changed(tx, incident_id)


def fire_entry(at: datetime, names: Sequence[str], count: int) -> Entry:
    """One line for `count` alerts of these names that began to fire."""
    distinct = list(dict.fromkeys(names))
    shown = ", ".join(distinct[:NAMES_SHOWN]) + (" …" if len(distinct) > NAMES_SHOWN else "")
    text = f"{shown} fires" if count == 1 else f"{count} alerts fire: {shown}"
    data = {"alerts": distinct[:NAMES_KEPT], "count": count}
    return Entry(Kind.ALERT, text, at, data=data, trust="external")


def _added(
    untold: Mapping[str, Any] | None, fires: Sequence[str], ended: int, now: datetime
) -> Mapping[str, Any] | None:
    if not fires and not ended:
        return untold
    before = untold or {"at": now.isoformat(), "fire": 0, "end": 0, "names": []}
    return {
        "at": before["at"],
        "fire": before["fire"] + len(fires),
        "end": before["end"] + ended,
        "names": list(dict.fromkeys([*before["names"], *fires]))[:NAMES_KEPT],
    }


def _lines(untold: Mapping[str, Any]) -> list[Entry]:
    lines, at = [], datetime.fromisoformat(untold["at"])
    if untold["fire"]:
        lines.append(fire_entry(at, untold["names"], untold["fire"]))
    if untold["end"]:
        text = "1 alert ended" if untold["end"] == 1 else f"{untold['end']} alerts ended"
        lines.append(Entry(Kind.RESOLVE, text, at, data={"count": untold["end"]}))
    return lines
