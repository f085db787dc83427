"""It is over, or users are fine: resolve and mitigate by a person.

Serves Slack, the web and the CLI. A resolved incident waits its quiet window before anything is drafted.
"""

from __future__ import annotations

from oncall_bot.core.incidents import Status
from oncall_bot.core.outcomes import Actor, Outcome
from oncall_bot.core.rights import Right
from oncall_bot.core.timeline import Entry, Kind
from oncall_bot.flows import drafting, paging, showing, telling
from oncall_bot.flows.acknowledge import take
from oncall_bot.flows.answering import audited, find, may
from oncall_bot.store import incidents
from oncall_bot.store.transactions import Tx


def resolve(tx: Tx, incident_id: int, actor: Actor, *, reason: str = "") -> Outcome:
    """The actor says it is over. What still fires opens it again only when it fires anew."""
    seen = incidents.get(tx, incident_id)
    if seen is not None and may(tx, seen, actor, Right.RESOLVE):
        telling.catch_up(tx, incident_id)  # before the lock: groups are locked before incidents
    incident = find(tx, incident_id, actor, Right.RESOLVE)
    if isinstance(incident, Outcome):
        return incident
    incidents.change(
        tx,
        incident_id,
        status=str(Status.RESOLVED),
        resolved_at=tx.now,
        resolved_by=str(actor),
        resolved_by_name=actor.name,
        nobody=None,
    )
    text = f"{actor.name} resolved it" + (f": {reason}" if reason else "")
    incidents.write(tx, incident_id, [Entry(Kind.STATUS, text, tx.now, actor, {"to": "resolved"})])
    paging.stop(tx, incident)
    drafting.await_quiet(tx, incident_id)
    audited(tx, actor, "resolve", incident_id, reason=reason[:500])
    showing.changed(tx, incident_id, at_once=True, pages=True)
    return Outcome(True, f"Incident {incident_id} is resolved.", incident_id)


def mitigate(tx: Tx, incident_id: int, actor: Actor) -> Outcome:
    """Users are fine, it is being watched. Whoever says so has the incident, if nobody had."""
    incident = find(tx, incident_id, actor, Right.MITIGATE)
    if isinstance(incident, Outcome):
        return incident
    if incident.status == Status.MITIGATED:
        return Outcome(False, f"Incident {incident_id} is mitigated already.", incident_id)
    if not incident.acked_by:
        take(tx, incident, actor)
    incidents.change(tx, incident_id, status=str(Status.MITIGATED), mitigated_at=tx.now)
    text = f"{actor.name} called it mitigated"
    incidents.write(tx, incident_id, [Entry(Kind.STATUS, text, tx.now, actor, {"to": "mitigated"})])
    audited(tx, actor, "mitigate", incident_id)
    showing.changed(tx, incident_id, at_once=True, pages=True)
    return Outcome(True, f"Incident {incident_id} is mitigated.", incident_id)
