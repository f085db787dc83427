"""An incident begins, grows, comes back, becomes a storm, or is over because its alerts are.

Knows what each of these writes. Refuses to judge alerts (`receive_alerts`) and to decide who is paged (`paging`).
Serves `receive_alerts`, the timers of braked groups, declare and the reconciler.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from oncall_bot.core import incidents as rules
from oncall_bot.core.certain import choose
from oncall_bot.core.config import Severity, Urgency
from oncall_bot.core.incidents import Origin, Status
from oncall_bot.core.outcomes import SYSTEM
from oncall_bot.core.routes import Routed
from oncall_bot.core.timeline import Entry, Kind
from oncall_bot.core.verdicts import NO_ANSWERS, rule_of
from oncall_bot.flows import drafting, find_runbook, paging, showing, telling
from oncall_bot.store import groups, incidents, pictures
from oncall_bot.store.statements import Row
from oncall_bot.store.transactions import Tx


def open_incident(
    tx: Tx,
    routed: Routed,
    group_ids: Sequence[int],
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    *,
    fires: Sequence[str],
    ever: int | None = None,
    over: bool = False,
) -> int:
    """A new incident for these groups: its row, runbook, messages and the first page. `over`: it ended meanwhile."""
    severity = routed.severity
    urgency = severity.urgency
    channel = paging.channel_of(tx.snapshot.config, routed.team)
    incident_id = incidents.insert(
        tx,
        origin=str(Origin.ALERT),
        status=str(Status.OPEN),
        title=rules.title_of(labels, routed.service),
        severity=severity.incident,
        urgency=str(urgency),
        postmortem=severity.postmortem,
        team=routed.team,
        service=routed.service or labels.get("service"),
        channel=channel,
        opened_at=tx.now,
        first_alert=labels.get("alertname"),
    )
    groups.give_groups(tx, group_ids, incident_id)
    incidents.write(tx, incident_id, [telling.fire_entry(tx.now, fires, ever or len(fires))])
    rule = rule_of(labels.get("alertname"), routed.service or labels.get("service"))
    matched = attach_runbook(tx, incident_id, group_ids[0], labels, annotations, rule)
    incident = incidents.lock(tx, incident_id)
    if urgency is not Urgency.NONE:
        showing.open_messages(tx, incident_id, channel, runbook=matched)
        pictures.begin(tx, incident_id)
    if not over:
        paging.begin(tx, incident, routed.policy, wait=routed.route.wait)
    return incident_id


def attach_runbook(
    tx: Tx,
    incident_id: int,
    group_id: int,
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    rule: str,
) -> bool:
    """Attach the runbook that certain evidence names, True when there is one; else the search looks for one soon."""
    snapshot = tx.snapshot
    match = choose(
        labels,
        annotations,
        snapshot.shelf.index,
        snapshot.config.runbooks.link_base or "",
        snapshot.answers.get(rule, NO_ANSWERS),
    )
    if match is None:
        find_runbook.plan(tx, incident_id, group_id)
        return False
    find_runbook.give(tx, incident_id, group_id, match)
    return True


def rise(tx: Tx, incident: Row, severities: Sequence[Severity]) -> None:
    """More fires in it: severity and urgency rise when a newcomer is worse. `incident` as it was before."""
    worst = min(severities, key=lambda s: rules.SEVERITIES.index(s.incident), default=None)
    if worst is None or not rules.is_worse(worst.incident, incident.severity):
        return
    now = incidents.lock(tx, incident.id)  # it may have been opened again meanwhile
    if now is not None and now.status != Status.RESOLVED:
        raise_severity(tx, now, worst)


def raise_severity(tx: Tx, incident: Row, severity: Severity) -> None:
    """A worse alert joined: the incident is as bad as its worst, and louder urgency pages from step 1."""
    louder = severity.urgency.rank > Urgency(incident.urgency).rank
    changes: dict[str, Any] = {"severity": severity.incident}
    if louder:
        changes["urgency"] = str(severity.urgency)
        if incident.status in (Status.ACKED, Status.MITIGATED):
            changes["status"] = str(Status.OPEN)
    if severity.postmortem == "draft":
        changes["postmortem"] = "draft"
    incidents.change(tx, incident.id, **changes)
    text = f"Severity raised from {incident.severity} to {severity.incident}"
    incidents.write(
        tx, incident.id, [Entry(Kind.STATUS, text, tx.now, data={"to": severity.incident})]
    )
    raised = incidents.lock(tx, incident.id)
    if louder:
        if incident.urgency == "none":
            showing.open_messages(tx, incident.id, incident.channel, runbook=False)
        paging.again(tx, raised)
    showing.changed(tx, incident.id, at_once=louder, pages=louder)


def reopen(tx: Tx, incident_id: int, *, calm: timedelta | None = rules.CALM_AFTER_FLAP) -> None:
    """What was resolved fires again: the same incident is open, in a new epoch, calm against flapping.

    Nothing happens to an incident that is not resolved.
    """
    incident = incidents.lock(tx, incident_id)
    if incident is None or incident.status != Status.RESOLVED:
        return
    incidents.change(
        tx,
        incident_id,
        status=str(Status.OPEN),
        resolved_at=None,
        resolved_by=None,
        resolved_by_name=None,
        acked_at=None,
        acked_by=None,
        acked_by_name=None,
        mitigated_at=None,
        reopened=incident.reopened + 1,
    )
    incidents.write(
        tx,
        incident_id,
        [Entry(Kind.STATUS, "Re-opened: it fires again", tx.now, data={"to": "open"})],
    )
    drafting.forget_quiet(tx, incident_id)
    paging.ensure_run(tx, incidents.lock(tx, incident_id), None, calm=calm)
    showing.changed(tx, incident_id, at_once=True, pages=True)


def alerts_over(tx: Tx, incident_id: int) -> None:
    """Nothing fires any more: resolved by its alerts, unless people declared it."""
    incident = incidents.lock(tx, incident_id)
    if incident is None or incident.firing > 0 or incident.status not in rules.OPEN:
        return
    if incident.declared_at is not None:
        text = "Its alerts ended; a declared incident stays open until somebody resolves it"
        incidents.write(tx, incident_id, [Entry(Kind.BOT, text, tx.now)])
        showing.changed(tx, incident_id)
        return
    incidents.change(tx, incident_id, status=str(Status.RESOLVED), resolved_at=tx.now, nobody=None)
    incidents.write(
        tx,
        incident_id,
        [Entry(Kind.STATUS, "Resolved: all alerts ended", tx.now, data={"to": "resolved"})],
    )
    paging.stop(tx, incident)
    if incident.urgency != "none":
        drafting.await_quiet(tx, incident_id)
    showing.changed(tx, incident_id, at_once=True, pages=True)


def become_storm(tx: Tx, team: str, recent: Sequence[Row]) -> int | None:
    """Too many groups at once: the oldest of the recent incidents becomes the storm, the others join it."""
    ids = sorted({row.incident_id for row in recent if row.incident_id is not None})
    locked = [row for one in ids if (row := incidents.lock(tx, one)) is not None]
    candidates = [row for row in locked if row.status in rules.OPEN and row.declared_at is None]
    if not candidates:
        return None
    storm, others = candidates[0], candidates[1:]
    title = rules.storm_title(team or None)
    incidents.change(tx, storm.id, origin=str(Origin.STORM), title=title)
    text = f"A storm: more than {rules.STORM_GROUPS} groups opened in a minute; they are this one incident"
    incidents.write(tx, storm.id, [Entry(Kind.BOT, text, tx.now)])
    for other in others:
        merge(tx, other, storm.id)
    showing.changed(tx, storm.id, at_once=True)
    return int(storm.id)


def merge(tx: Tx, incident: Row, into_id: int) -> None:
    """All that is in the incident belongs to another one now; its own paging ends."""
    paging.stop(tx, incident)
    groups.move_groups(tx, incident.id, into_id)
    incidents.change(
        tx,
        incident.id,
        status=str(Status.MERGED),
        merged_into_id=into_id,
        firing=0,
        resolved_at=tx.now,
    )
    incidents.count(tx, into_id, firing=incident.firing, ever=incident.alerts_ever)
    incidents.write(
        tx, incident.id, [Entry(Kind.STATUS, f"Merged into incident {into_id}", tx.now, SYSTEM)]
    )
    into = incidents.lock(tx, into_id)
    if into is not None and rules.is_worse(incident.severity, into.severity):
        severity = Severity("", incident.severity, Urgency(incident.urgency), incident.postmortem)
        raise_severity(tx, into, severity)
    showing.changed(tx, incident.id, at_once=True, pages=True)
