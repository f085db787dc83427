"""A person answers: the few lines that acknowledge, resolve, mitigate, escalate and hand over share.

Knows how a press finds its incident, and what the loser of a race is told. Refuses to know buttons and rights.
Serves the flows of the same names.
"""

from __future__ import annotations

from oncall_bot.core.config import Role
from oncall_bot.core.incidents import OPEN, Status
from oncall_bot.core.outcomes import Actor, Outcome
from oncall_bot.store import incidents
from oncall_bot.store.statements import Row
from oncall_bot.store.transactions import Tx


def find(tx: Tx, incident_id: int) -> Row | Outcome:
    """The open incident, locked; or the sentence for the one who pressed too late."""
    incident = incidents.lock(tx, incident_id)
    if incident is None:
        return Outcome(False, f"There is no incident {incident_id}.")
    if incident.status == Status.MERGED:
        into = incident.merged_into_id
        return Outcome(False, f"Incident {incident_id} is part of incident {into} now.", into)
    if incident.status not in OPEN:
        by = incident.resolved_by_name
        who = f"{by} resolved it" if by else "its alerts ended"
        return Outcome(
            False, f"Incident {incident_id} is over: {who}. Nothing is left to do.", incident_id, by
        )
    return incident


def may_not_change(tx: Tx, actor: Actor) -> Outcome | None:
    """Why this actor may change nothing here, None when they may. The edge has turned guests away already."""
    person = tx.snapshot.config.people.get(actor.key) if actor.kind == "person" else None
    if person is not None and person.role is Role.VIEWER:
        return Outcome(False, "Your role is viewer: you may read incidents but not change them.")
    return None


def audited(tx: Tx, actor: Actor, verb: str, incident_id: int, **after: object) -> None:
    incidents.audit(
        tx, str(actor), verb, f"incident:{incident_id}", after={"by": actor.by, **after}
    )
