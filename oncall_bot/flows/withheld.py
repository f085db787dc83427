"""An incident of which everything is held back pages nobody, and pages again as soon as something is not.

Knows how many of an incident's firing alerts are held, by silences here or at their source, and keeps `incident.held`.
Refuses to decide what is held. Serves placing, holding and the reconciler: whoever moves alerts or holds.
"""

from __future__ import annotations

from oncall_bot.core.escalation import Status as RunStatus
from oncall_bot.core.incidents import OPEN, Status
from oncall_bot.core.timeline import Entry, Kind
from oncall_bot.flows import paging, showing
from oncall_bot.store import alerts, groups, incidents, runs
from oncall_bot.store.statements import Row
from oncall_bot.store.transactions import Tx

AT_SOURCE = "source:"


def recount(tx: Tx, incident_id: int) -> None:
    """Count what is held anew; paging stops when that is all of it, and begins when it is not all any more."""
    incident = incidents.lock(tx, incident_id)
    if incident is None or incident.status not in OPEN:
        return
    held, by = count(tx, incident)
    if incident.status != Status.OPEN or incident.declared_at is not None:
        return
    if held >= incident.firing + groups.uncounted(tx, incident_id) > 0:
        _hold(tx, incident, by or "")
    elif any(row.state == RunStatus.HELD for row in runs.open_of(tx, incident_id)):
        _release(tx, incident)


def count(tx: Tx, incident: Row) -> tuple[int, str | None]:
    """How many of a locked incident's firing alerts are held, and by one of which holds; the counter says so too."""
    held, by = alerts.held_of_incident(tx, incident.id)
    if held != incident.held:
        incidents.change(tx, incident.id, held=held)
        showing.changed(tx, incident.id)
    return held, by


def _hold(tx: Tx, incident: Row, by: str) -> None:
    if incident.silence_id is not None:
        return  # that silence holds it already
    if not paging.hold(tx, incident, f"held back by {spelled(by)}", by_hand=False):
        return
    text = f"All that fires is held back by {spelled(by)}: nobody is paged until it is released"
    incidents.write(tx, incident.id, [Entry(Kind.SYSTEM, text, tx.now)])
    showing.changed(tx, incident.id, at_once=True, pages=True)


def _release(tx: Tx, incident: Row) -> None:
    text = "It fires and is not held back any more: paging begins anew"
    incidents.change(tx, incident.id, silence_id=None)
    incidents.write(tx, incident.id, [Entry(Kind.SYSTEM, text, tx.now)])
    paging.release(tx, incidents.lock(tx, incident.id))
    showing.changed(tx, incident.id, at_once=True, pages=True)


def spelled(hold: str) -> str:
    """`source:silence 1a2b` as `its source (silence 1a2b)`; our own holds as they are called."""
    if hold.startswith(AT_SOURCE):
        return f"its source ({hold.removeprefix(AT_SOURCE)})"
    return hold.replace(":", " ") or "a hold"
