"""Events of senders that repeat themselves, each by its id.

Knows one row for (origin, event id). Serves flows: of two processes that are told the same at once, one is first.
"""

from __future__ import annotations

from oncall_bot.store import tables as t
from oncall_bot.store.statements import upsert
from oncall_bot.store.transactions import Tx

_SEE = upsert(t.InboundSeen.__table__, ("origin", "event_id"), also=("seen_at",))  # type: ignore[attr-defined]


def first_time(tx: Tx, origin: str, event_id: str) -> bool:
    """Mark the event as taken. True for the one who does so first; a second one waits until the first is committed."""
    return tx.run(_SEE, origin=origin, event_id=event_id, seen_at=tx.now) > 0
