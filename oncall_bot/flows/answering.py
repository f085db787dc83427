"""A person answers: the few lines that acknowledge, resolve, mitigate, escalate and hand over share.

Knows how a press finds its incident, asks `core.rights` in the same transaction, and what the loser of a race is told.
Whoever may not changes nothing, hears why, and leaves one row in the audit. Refuses to know buttons.
Serves every flow that changes something, so that each door (button, form, command, card of the talk, link) is covered.
"""

from __future__ import annotations

from oncall_bot.core.incidents import OPEN, Status
from oncall_bot.core.outcomes import Actor, Outcome
from oncall_bot.core.rights import Right
from oncall_bot.flows.refuse import refuse
from oncall_bot.store import incidents, runs
from oncall_bot.store.statements import Row
from oncall_bot.store.transactions import Reader, Tx


def find(tx: Tx, incident_id: int, actor: Actor, right: Right) -> Row | Outcome:
    """The open incident, locked; or the sentence for the one who pressed too late, or may not."""
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
    return refused_on(tx, incident, actor, right) or incident


def known(tx: Tx, incident_id: int, actor: Actor, right: Right) -> Row | Outcome:
    """As `find`, for what may be done to an incident that is over as well."""
    incident = incidents.lock(tx, incident_id)
    if incident is None:
        return Outcome(False, f"There is no incident {incident_id}.")
    return refused_on(tx, incident, actor, right) or incident


def may(reader: Reader, incident: Row, actor: Actor, right: Right) -> bool:
    """Whether the actor may do this to the incident; whoever was paged for it may always answer."""
    rights = reader.snapshot.rights
    if rights.may(actor, right, incident.team):
        return True
    paged = actor.kind == "person" and runs.was_paged(reader, incident.id, actor.key)
    return paged and rights.may(actor, right, incident.team, paged=True)


def refused_on(tx: Tx, incident: Row, actor: Actor, right: Right) -> Outcome | None:
    """Why the actor may not do this to the incident, None when they may."""
    if may(tx, incident, actor, right):
        return None
    reason = tx.snapshot.rights.refusal(actor, right, incident.team)
    if incident.acked_by_name:
        reason += f" {incident.acked_by_name} has it and can do it now."
    return turned_down(tx, actor, str(right), reason, incident.id)


def refused(tx: Tx, actor: Actor, right: Right, about: str, team: str | None) -> Outcome | None:
    """As `refused_on`, for what belongs to no incident; `about` is its name in the audit."""
    rights = tx.snapshot.rights
    if rights.may(actor, right, team):
        return None
    return turned_down(tx, actor, str(right), rights.refusal(actor, right, team), None, about)


def turned_down(
    tx: Tx, actor: Actor, verb: str, reason: str, incident_id: int | None, about: str = ""
) -> Outcome:
    """The outcome of what the actor may not, with its row in the audit."""
    refuse(tx, actor, verb, about or f"incident:{incident_id}", reason)
    return Outcome(False, reason, incident_id, refused=True)


def audited(tx: Tx, actor: Actor, verb: str, incident_id: int, **after: object) -> None:
    incidents.audit(
        tx, str(actor), verb, f"incident:{incident_id}", after={"by": actor.by, **after}
    )
