"""Have we seen this event before? Slack and its like deliver more than once.

Knows (origin, event id), and that two processes may be told the same at once: the key decides, not a look before it.
Serves the Slack edge: the answer and the mark are one transaction.
"""

from __future__ import annotations

from oncall_bot.store import inbound
from oncall_bot.store.transactions import Tx


def seen(tx: Tx, origin: str, event_id: str) -> bool:
    """True when this event was taken before; otherwise it is marked as taken now."""
    return not inbound.first_time(tx, origin, event_id)
