"""Silences and maintenance windows end, and what still fires then pages.

Knows how a hold is begun and ended. Refuses to decide who is held (core.routes). Serves receive_alerts, the silence
flows and the tick. Held occurrences are decided anew in slices, so that the end of a wide silence blocks nobody.
"""

from __future__ import annotations

from datetime import datetime

from oncall_bot.core.incidents import OPEN, Status
from oncall_bot.core.routes import Hold, hold
from oncall_bot.core.timeline import Entry, Kind
from oncall_bot.flows import paging, showing, withheld
from oncall_bot.flows.placing import place_again
from oncall_bot.store import alerts, groups, incidents, silences, timers
from oncall_bot.store.statements import Row
from oncall_bot.store.transactions import Tx

SLICE = 200


def plan_end(tx: Tx, key: str, until: datetime) -> None:
    """When the hold ends, what it held is decided anew."""
    stamp = int(until.timestamp() * 1000)
    timers.add(tx, "hold_end", key, until, f"hold_end:{key}:{stamp}")


def hold_ended(tx: Tx, key: str) -> None:
    """Decide anew what `silence:ID` or `maintenance:KEY` held: other holds may apply, the rest fires."""
    ids = alerts.held_by(tx, key, limit=SLICE)
    placed = {row.occurrence_id: row.incident_id for row in groups.groups_of(tx, ids)}
    for occurrence_id in ids:
        row = alerts.occurrence(tx, occurrence_id)
        if row is None or row.ended_at is not None:
            continue
        other = hold_of(tx, row)
        other = None if other and other.key == key else other
        alerts.mute(tx, {occurrence_id: other.key if other else None})
        if other is not None:
            plan_end(tx, other.key, other.until)
        elif occurrence_id not in placed:
            place_again(tx, occurrence_id, row.source_id, row.labels, row.annotations)
    touched = sorted({one for one in placed.values() if one is not None})
    if len(ids) == SLICE:
        timers.add(tx, "hold_end", key, tx.now, f"hold_end:{key}:{ids[-1]}:{tx.now.timestamp()}")
        for row in (incidents.lock(tx, incident_id) for incident_id in touched):
            if row is not None:
                withheld.count(tx, row)
        return
    _wake_incidents(tx, key)
    for incident_id in touched:
        withheld.recount(tx, incident_id)


def hold_of(tx: Tx, row: Row) -> Hold | None:
    snapshot = tx.snapshot
    source = snapshot.source_keys.get(row.source_id)
    return hold(snapshot.config, snapshot.silences, row.labels, tx.now, source=source)


def _wake_incidents(tx: Tx, key: str) -> None:
    """Incidents that this silence held page again when something still fires."""
    if not key.startswith("silence:"):
        return
    silence_id = int(key.removeprefix("silence:"))
    for incident_id in silences.incidents_held(tx, silence_id):
        incident = incidents.lock(tx, incident_id)
        if incident is None:
            continue
        incidents.change(tx, incident_id, silence_id=None)
        if incident.status not in OPEN:
            continue
        incidents.write(
            tx, incident_id, [Entry(Kind.STATUS, "The silence ended", tx.now, data={"to": "open"})]
        )
        if incident.status == Status.OPEN and (incident.firing > 0 or incident.declared_at):
            paging.again(tx, incidents.lock(tx, incident_id))
        showing.changed(tx, incident_id, at_once=True, pages=True)
