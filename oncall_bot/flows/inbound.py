"""Have we seen this event before? Slack and its like deliver more than once.

Knows (origin, event id). Serves the Slack edge: the answer and the mark are one transaction.
"""

from __future__ import annotations

from oncall_bot.store import alerts
from oncall_bot.store.db import Tx


def seen(tx: Tx, origin: str, event_id: str) -> bool:
    """True when this event was taken before; otherwise it is marked as taken now."""
    if event_id in alerts.seen_bodies(tx, origin, [event_id]):
        return True
    alerts.remember_bodies(tx, origin, [event_id])
    return False
