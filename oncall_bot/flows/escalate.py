"""More people: the next step now, a page by hand, a hand-over.

Serves Slack and the CLI. Escalate is idempotent for one person and incident within 30 seconds: impatient thumbs.
"""

from __future__ import annotations

from datetime import timedelta

from oncall_bot.core import escalation
from oncall_bot.core.config import Config, Target, Urgency
from oncall_bot.core.escalation import Run, Status
from oncall_bot.core.incidents import Status as IncidentStatus
from oncall_bot.core.outcomes import Actor, Outcome
from oncall_bot.core.rights import Right
from oncall_bot.core.timeline import Entry, Kind
from oncall_bot.flows import acknowledge, inbound, paging, showing
from oncall_bot.flows.answering import audited, find
from oncall_bot.store import incidents, runs
from oncall_bot.store.statements import Row
from oncall_bot.store.transactions import Tx

SAME_PRESS = timedelta(seconds=30)


def escalate(tx: Tx, incident_id: int, actor: Actor) -> Outcome:
    """The next step of every running policy is paged now; an acknowledgement does not stand in the way."""
    incident = find(tx, incident_id, actor, Right.ESCALATE)
    if isinstance(incident, Outcome):
        return incident
    press = int(tx.now.timestamp() / SAME_PRESS.total_seconds())
    if inbound.seen(tx, f"escalate:{incident_id}:{actor}", str(press)):
        return Outcome(False, "The next step is already being paged.", incident_id)
    incidents.write(
        tx,
        incident_id,
        [Entry(Kind.ACTION, f"{actor.name} asked for the next step", tx.now, actor)],
    )
    incident = _asks_for_people(tx, incident)
    open_runs = runs.open_of(tx, incident_id)
    if not open_runs:
        paging.begin(tx, incident, None)
    config = tx.snapshot.config
    for row in open_runs:
        policy = paging.policy_of(config, row, row.policy_key, incident.team)
        roster = paging.roster_of(config, incident.team)
        urgency = paging.urgency_of(incident, row)
        decision = escalation.escalated(policy, roster, runs.run_of(row), urgency, tx.now)
        paging.carry_out(tx, incident, row, policy, decision)
    audited(tx, actor, "escalate", incident_id)
    showing.changed(tx, incident_id, at_once=True, pages=True)
    return Outcome(True, f"The next step of incident {incident_id} is paged now.", incident_id)


def _asks_for_people(tx: Tx, incident: Row) -> Row:
    """Who had it needs others, and what was quiet is quiet no more. Whoever is paged may take it."""
    changes: dict[str, object] = {}
    if incident.status == IncidentStatus.ACKED:
        changes |= {"status": str(IncidentStatus.OPEN), "acked_by": None, "acked_by_name": None}
        changes |= {"acked_at": None}
    if incident.urgency == Urgency.NONE:
        changes["urgency"] = str(Urgency.HIGH)
    if not changes:
        return incident
    incidents.change(tx, incident.id, **changes)
    if "urgency" in changes:
        showing.open_messages(tx, incident.id, incident.channel, runbook=False)
    return incidents.lock(tx, incident.id) or incident


def page_by_hand(tx: Tx, incident_id: int, target: str, actor: Actor, *, note: str = "") -> Outcome:
    """Page a person, a team or a second policy for this incident, whatever its own policy does."""
    incident = find(tx, incident_id, actor, Right.PAGE)
    if isinstance(incident, Outcome):
        return incident
    wanted = target_named(tx.snapshot.config, target)
    if wanted is None:
        return Outcome(
            False, f"I don't know {target!r}. Name a person, a team or a policy of the file."
        )
    key = wanted.key if wanted.kind == "policy" else f"manual:{wanted}"
    if any(
        row.policy_key == key and row.state == Status.RUNNING
        for row in runs.open_of(tx, incident_id)
    ):
        return Outcome(
            False, f"{wanted.key} is already being paged for incident {incident_id}.", incident_id
        )
    for row in runs.open_of(tx, incident_id):
        if row.policy_key == key:
            runs.save(tx, row.id, escalation.done(runs.run_of(row)).run, "paged anew by hand")
    text = f"{actor.name} pages {wanted.key}" + (f": {note}" if note else "")
    incidents.write(
        tx, incident_id, [Entry(Kind.ACTION, text, tx.now, actor, {"target": str(wanted)})]
    )
    targets = None if wanted.kind == "policy" else [str(wanted)]
    paging.begin(tx, incident, key, targets=targets)
    audited(tx, actor, "page", incident_id, target=str(wanted))
    showing.changed(tx, incident_id, at_once=True)
    return Outcome(True, f"{wanted.key} is paged for incident {incident_id}.", incident_id)


def target_named(config: Config, text: str) -> Target | None:
    """`person:ana`, `team:shop`, `schedule:x`, `policy:y`, or a bare key that names one of them."""
    kinds = {
        "person": config.people,
        "team": config.teams,
        "schedule": config.schedules,
        "policy": config.policies,
    }
    kind, _, key = text.strip().partition(":")
    if key:
        return Target(kind, key) if key in kinds.get(kind, {}) else None
    return next((Target(k, kind) for k, known in kinds.items() if kind in known), None)


def hand_over(tx: Tx, incident_id: int, to_person: str, actor: Actor) -> Outcome:
    """The incident goes to another person, who is paged for it until they answer."""
    incident = find(tx, incident_id, actor, Right.HAND_OVER)
    if isinstance(incident, Outcome):
        return incident
    if to_person not in tx.snapshot.config.people:
        return Outcome(False, f"I don't know {to_person!r}. Name a person of the file.")
    if (actor.kind, actor.key) == ("person", to_person):
        return acknowledge.take_over(tx, incident_id, actor)
    name = tx.snapshot.name(to_person)
    acknowledge.hold_for(tx, incident, actor)
    text = f"{actor.name} hands over to {name}"
    incidents.write(tx, incident_id, [Entry(Kind.ACTION, text, tx.now, actor, {"to": to_person})])
    incidents.change(
        tx,
        incident_id,
        status=str(IncidentStatus.OPEN),
        acked_by=None,
        acked_by_name=None,
        acked_at=None,
    )
    if incident.acked_by and incident.acked_by not in (str(actor), f"person:{to_person}"):
        acknowledge.tell_former(tx, incident, f"{actor.name} handed it to {name}")
    waiting = incidents.lock(tx, incident_id)
    key = f"manual:person:{to_person}"
    for row in runs.open_of(tx, incident_id):
        if row.policy_key == key:
            runs.save(
                tx, row.id, escalation.done(Run(Status.DONE, row.epoch)).run, "handed over anew"
            )
    paging.begin(tx, waiting, key, targets=[f"person:{to_person}"])
    audited(tx, actor, "hand_over", incident_id, to=to_person)
    showing.changed(tx, incident_id, at_once=True, pages=True)
    return Outcome(True, f"{name} is paged for incident {incident_id}.", incident_id)
