"""A person declares an incident that no alert announced, changes how bad it is, or writes something down.

Serves Slack and the CLI. A declared incident is never closed by alerts.
"""

from __future__ import annotations

from oncall_bot.core import incidents as rules
from oncall_bot.core.config import Severity, Urgency
from oncall_bot.core.incidents import Origin, Status
from oncall_bot.core.outcomes import Actor, Outcome
from oncall_bot.core.rights import Right
from oncall_bot.core.timeline import Entry, Kind
from oncall_bot.flows import open_incident, paging, showing
from oncall_bot.flows.answering import audited, known, refused, refused_on
from oncall_bot.store import incidents
from oncall_bot.store.transactions import Tx

TITLE_MIN = 3


def declare(
    tx: Tx,
    title: str,
    severity: str,
    actor: Actor,
    *,
    service: str | None = None,
    team: str | None = None,
    channel: str | None = None,
    press_id: str,
) -> Outcome:
    """Open an incident by hand. The same press, delivered twice, opens it once."""
    may_not = refused(tx, actor, Right.DECLARE, "incident:new", None)
    if may_not:
        return may_not
    config = tx.snapshot.config
    title = " ".join(title.split())[: rules.TITLE_MAX]
    if len(title) < TITLE_MIN:
        return Outcome(False, "Give the incident a title: what is broken, and where.")
    if severity not in rules.SEVERITIES:
        return Outcome(False, f"I can't read {severity[:20]!r} as a severity; use SEV1 to SEV5.")
    found = incidents.by_press(tx, press_id)
    if found is not None:
        return Outcome(False, f"Incident {found} is already open for this.", found)
    named = config.services.get(service or "")
    team = team or (named.team if named else None) or _only_team(tx)
    policy = (named.policy if named else None) or _policy_of_team(tx, team)
    urgency = rules.urgency_for(severity)
    where = paging.channel_of(config, team) or channel
    incident_id = incidents.insert(
        tx,
        origin=str(Origin.DECLARED),
        status=str(Status.OPEN),
        title=title,
        severity=severity,
        urgency=str(urgency),
        postmortem="draft" if urgency is Urgency.HIGH else "on_request",
        team=team,
        service=service,
        channel=where,
        opened_at=tx.now,
        declared_at=tx.now,
        declared_by=actor.name,
        press_id=press_id,
    )
    text = f"{actor.name} declared {severity}: {title}"
    incidents.write(
        tx, incident_id, [Entry(Kind.STATUS, text, tx.now, actor, {"to": "investigating"})]
    )
    showing.open_messages(tx, incident_id, where, runbook=False)
    paging.begin(tx, incidents.lock(tx, incident_id), policy)
    audited(tx, actor, "declare", incident_id, severity=severity)
    return Outcome(True, f"Incident {incident_id} is open.", incident_id)


def _only_team(tx: Tx) -> str | None:
    teams = list(tx.snapshot.config.teams)
    return teams[0] if len(teams) == 1 else None


def _policy_of_team(tx: Tx, team: str | None) -> str | None:
    config = tx.snapshot.config
    if team is not None:
        for service in config.services.values():
            if service.team == team and service.policy:
                return service.policy
    return config.routes[-1].policy if config.routes else None


def change_severity(tx: Tx, incident_id: int, severity: str, actor: Actor) -> Outcome:
    """Set how bad it is; what becomes louder is paged from step 1."""
    if severity not in rules.SEVERITIES:
        return Outcome(False, f"I can't read {severity[:20]!r} as a severity; use SEV1 to SEV5.")
    incident = incidents.lock(tx, incident_id)
    if incident is None or incident.status not in rules.OPEN:
        return Outcome(False, f"Incident {incident_id} is not open.", incident_id)
    may_not = refused_on(tx, incident, actor, Right.CHANGE_SEVERITY)
    if may_not:
        return may_not
    if incident.severity == severity:
        return Outcome(False, f"Incident {incident_id} is {severity} already.", incident_id)
    text = f"{actor.name} changed the severity from {incident.severity} to {severity}"
    incidents.write(tx, incident_id, [Entry(Kind.ACTION, text, tx.now, actor, {"to": severity})])
    if rules.is_worse(severity, incident.severity):
        urgency = max(rules.urgency_for(severity), Urgency(incident.urgency), key=lambda u: u.rank)
        open_incident.raise_severity(
            tx, incident, Severity("", severity, urgency, incident.postmortem)
        )
    else:
        incidents.change(tx, incident_id, severity=severity)
        showing.changed(tx, incident_id, at_once=True)
    audited(tx, actor, "change_severity", incident_id, severity=severity)
    return Outcome(True, f"Incident {incident_id} is {severity} now.", incident_id)


def note(
    tx: Tx,
    incident_id: int,
    text: str,
    actor: Actor,
    *,
    pin: bool = False,
    source_ref: str | None = None,
) -> Outcome:
    """Write something on the timeline; a pin is what the drafts may rest on."""
    text = text.strip()
    if not text:
        return Outcome(False, "There is nothing to write down.")
    incident = known(tx, incident_id, actor, Right.NOTE)
    if isinstance(incident, Outcome):
        return incident
    kind = Kind.PIN if pin else Kind.NOTE
    incidents.write(tx, incident_id, [Entry(kind, text, tx.now, actor, source_ref=source_ref)])
    showing.changed(tx, incident_id)
    return Outcome(True, f"Written on incident {incident_id}.", incident_id)
