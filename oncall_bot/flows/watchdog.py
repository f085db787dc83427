"""The alert that must keep coming: its silence opens a critical incident.

Knows routes with a heartbeat. Refuses to know how the alert travels. Serves receive_alerts (which hears) and the
tick (which finds that nothing was heard).
"""

from __future__ import annotations

from oncall_bot.core.alerts import Notice
from oncall_bot.core.config import Route
from oncall_bot.core.incidents import Origin, Status
from oncall_bot.core.matchers import matches
from oncall_bot.core.timeline import Entry, Kind
from oncall_bot.flows import paging, showing
from oncall_bot.store import incidents, timers
from oncall_bot.store.db import Tx

ALERT_NAME = "WatchdogSilent"


def heard(tx: Tx, notice: Notice) -> None:
    """Push the deadline of every heartbeat route that takes this alert."""
    if not tx.snapshot.watched or notice.ended_at is not None:
        return
    for route in tx.snapshot.watched:
        if matches(route.match, notice.labels):
            expect(tx, route)


def expect(tx: Tx, route: Route) -> None:
    """From now on, silence for `every` and `grace` is an alarm."""
    assert route.heartbeat is not None
    due_at = tx.now + route.heartbeat.every + route.heartbeat.grace
    timers.rearm(tx, "watchdog", f"route:{route.key}", due_at, f"watchdog:{route.key}")


def watchdog_silent(tx: Tx, route_key: str) -> None:
    """Nothing was heard in time: monitoring itself may be down, and nothing else would say so."""
    route = next((r for r in tx.snapshot.watched if r.key == route_key), None)
    if route is None or route.heartbeat is None:
        return
    press_id = f"watchdog:{route_key}"
    if (open_id := incidents.by_press(tx, press_id)) is not None:
        incident = incidents.lock(tx, open_id)
        if incident is not None and incident.status != Status.RESOLVED:
            expect(tx, route)
            return
        incidents.change(tx, open_id, press_id=None)
    config = tx.snapshot.config
    policy = route.policy or route.heartbeat.policy
    team = config.team_of_policy(policy) if policy else None
    channel = paging.channel_of(config, team)
    incident_id = incidents.insert(
        tx,
        origin=str(Origin.ALERT),
        status=str(Status.OPEN),
        title=f"Monitoring is silent: {route_key} was not heard",
        severity="SEV1",
        urgency="high",
        postmortem="draft",
        team=team,
        channel=channel,
        opened_at=tx.now,
        declared_at=tx.now,
        first_alert=ALERT_NAME,
        press_id=press_id,
    )
    text = f"The alert of route {route_key} was expected every {route.heartbeat.every} and did not come"
    incidents.write(
        tx, incident_id, [Entry(Kind.ALERT, text, tx.now, data={"alerts": [ALERT_NAME]})]
    )
    showing.open_messages(tx, incident_id, channel, runbook=False)
    paging.begin(tx, incidents.lock(tx, incident_id), policy)
    expect(tx, route)
