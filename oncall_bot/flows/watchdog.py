"""The alert that must keep coming: its silence opens a critical incident, and its return ends it.

Knows routes with a heartbeat, the deadline of each, and one more for each source that was ever heard on it, so that
one cluster that beats does not cover for another that fell silent. Refuses to know how the alert travels. Serves
receive_alerts (which hears), apply and the auditor (which expect) and the tick (which finds that nothing was heard).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from oncall_bot.core.alerts import Notice
from oncall_bot.core.config import Config, Route
from oncall_bot.core.incidents import OPEN, Origin, Status
from oncall_bot.core.matchers import matches
from oncall_bot.core.timeline import Entry, Kind
from oncall_bot.flows import drafting, open_incident, paging, showing
from oncall_bot.store import incidents, timers
from oncall_bot.store.transactions import Tx

ALERT_NAME = "WatchdogSilent"
DEAF_AFTER = timedelta(seconds=60)
"""A deadline struck so late passed while the bot itself was down or could not store: it heard nobody."""


def heard(tx: Tx, notice: Notice, source: str) -> None:
    """Push the deadlines of every heartbeat route that takes this alert; what was silent is over."""
    if not tx.snapshot.watched or notice.ended_at is not None:
        return
    for route in tx.snapshot.watched:
        if matches(route.match, notice.labels):
            expect(tx, route)
            expect(tx, route, source)
            for key in (route.key, _key(route.key, source)):
                _heard_again(tx, key, source)


def expect(tx: Tx, route: Route, source: str | None = None) -> None:
    """From now on, silence for `every` and `grace` is an alarm: of the route, or of that source on it."""
    assert route.heartbeat is not None
    key = _key(route.key, source)
    due_at = tx.now + route.heartbeat.patience
    timers.rearm(tx, "watchdog", f"route:{key}", due_at, f"watchdog:{key}")


def expect_all(tx: Tx, config: Config) -> None:
    """A file comes into force: every heartbeat route is waited for, no longer than this file says."""
    for route in config.routes:
        if route.heartbeat is None:
            continue
        waiting = timers.of(tx, f"route:{route.key}")
        latest = tx.now + route.heartbeat.patience
        if not waiting or waiting[0].due_at > latest:
            expect(tx, route)


def watchdog_silent(tx: Tx, key: str, due_at: datetime) -> None:
    """Nothing was heard in time: monitoring itself may be down, and nothing else would say so."""
    route_key, _, source = key.partition("@")
    route = next((r for r in tx.snapshot.watched if r.key == route_key), None)
    if route is None or (source and source not in tx.snapshot.tokens.values()):
        return  # nobody waits for it any more
    expect(tx, route, source or None)
    if tx.now - due_at > DEAF_AFTER or _is_told(tx, route_key, source):
        return
    _open(tx, route, key, source)


def _is_told(tx: Tx, route_key: str, source: str) -> bool:
    """Whether an open incident says so already: of this source, or of the route as a whole."""
    sources = [source] if source else list(tx.snapshot.sources)
    keys = [route_key, *(_key(route_key, one) for one in sources)]
    return any(_open_one(tx, key) is not None for key in keys)


def _open_one(tx: Tx, key: str) -> int | None:
    found = incidents.by_press(tx, _press(key))
    incident = incidents.get(tx, found) if found is not None else None
    return found if incident is not None and incident.status in OPEN else None


def _open(tx: Tx, route: Route, key: str, source: str) -> None:
    assert route.heartbeat is not None
    before = incidents.by_press(tx, _press(key))
    if before is not None:
        row = incidents.get(tx, before)
        if row is not None and row.resolved_at and row.resolved_at >= tx.now - route.reopen_within:
            open_incident.reopen(tx, before)
            return
        incidents.change(tx, before, press_id=None)
    config = tx.snapshot.config
    policy = route.policy or route.heartbeat.policy
    team = config.team_of_policy(policy) if policy else None
    channel = paging.channel_of(config, team)
    who = f"{route.key} of {source}" if source and _others_beat(tx, route, source) else route.key
    incident_id = incidents.insert(
        tx,
        origin=str(Origin.ALERT),
        status=str(Status.OPEN),
        title=f"Monitoring is silent: {who} was not heard",
        severity="SEV1",
        urgency="high",
        postmortem="draft",
        team=team,
        channel=channel,
        opened_at=tx.now,
        declared_at=tx.now,
        first_alert=ALERT_NAME,
        press_id=_press(key),
    )
    text = f"The alert of route {who} was expected every {route.heartbeat.every} and did not come"
    incidents.write(
        tx, incident_id, [Entry(Kind.ALERT, text, tx.now, data={"alerts": [ALERT_NAME]})]
    )
    showing.open_messages(tx, incident_id, channel, runbook=False)
    paging.begin(tx, incidents.lock(tx, incident_id), policy)


def _others_beat(tx: Tx, route: Route, source: str) -> bool:
    """Whether another source is still waited for: then the name of this one says more than the route's."""
    others = (_key(route.key, one) for one in tx.snapshot.sources if one != source)
    return any(row.due_at > tx.now for other in others for row in timers.of(tx, f"route:{other}"))


def _heard_again(tx: Tx, key: str, source: str) -> None:
    """It beats: what its silence opened is over, whoever has it."""
    found = _open_one(tx, key)
    incident = incidents.lock(tx, found) if found is not None else None
    if incident is None or incident.status not in OPEN:
        return
    incidents.change(tx, incident.id, status=str(Status.RESOLVED), resolved_at=tx.now, nobody=None)
    text = f"Resolved: heard again from {source}"
    incidents.write(tx, incident.id, [Entry(Kind.STATUS, text, tx.now, data={"to": "resolved"})])
    paging.stop(tx, incident)
    drafting.await_quiet(tx, incident.id)
    showing.changed(tx, incident.id, at_once=True, pages=True)


def _key(route_key: str, source: str | None = None) -> str:
    return f"{route_key}@{source}" if source else route_key


def _press(key: str) -> str:
    return f"watchdog:{key}"
