"""What could not be read is kept as it came, and people are told: one incident for each source.

Knows that nothing accepted may vanish. Refuses to parse. Serves receive_alerts and the webhook's last resort.
"""

from __future__ import annotations

from oncall_bot.core.alerts import Unreadable
from oncall_bot.core.incidents import OPEN, Origin, Status
from oncall_bot.core.timeline import Entry, Kind
from oncall_bot.flows import paging, showing
from oncall_bot.store import alerts, incidents
from oncall_bot.store.transactions import Tx

BODY_MAX = 4 * 1024 * 1024


def keep(tx: Tx, source: str, one: Unreadable) -> None:
    """Store the raw body once, and write it on the source's open incident about unreadable alerts."""
    source_id = tx.snapshot.sources[source]
    alerts.keep_unreadable(tx, source_id, one.sha256, one.body[:BODY_MAX], one.reason[:500])
    incident_id = _incident(tx, source)
    entry = Entry(
        Kind.BOT,
        f"An alert from {source} could not be read: {one.reason[:300]}",
        tx.now,
        data={"sha256": one.sha256, "bytes": len(one.body)},
        source_ref=f"unreadable:{one.sha256}",
    )
    incidents.write(tx, incident_id, [entry])
    alerts.link_unreadable(tx, source_id, one.sha256, incident_id)
    showing.changed(tx, incident_id)


def _incident(tx: Tx, source: str) -> int:
    press_id = f"unreadable:{source}"
    found = incidents.by_press(tx, press_id)
    if found is not None:
        incident = incidents.lock(tx, found)
        if incident is not None and incident.status in OPEN:
            return found
        incidents.change(tx, found, press_id=None)
    config = tx.snapshot.config
    last = config.routes[-1] if config.routes else None
    channel = paging.channel_of(config, None)
    incident_id = incidents.insert(
        tx,
        origin=str(Origin.ALERT),
        status=str(Status.OPEN),
        title=f"Unreadable alerts from {source}",
        severity="SEV3",
        urgency="high",
        channel=channel,
        opened_at=tx.now,
        declared_at=tx.now,
        first_alert="UnreadableAlert",
        press_id=press_id,
    )
    showing.open_messages(tx, incident_id, channel, runbook=False)
    paging.begin(tx, incidents.lock(tx, incident_id), last.policy if last else None)
    return incident_id
