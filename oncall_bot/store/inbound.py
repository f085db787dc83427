"""Events of senders that repeat themselves, each by its id.

Knows one row for (origin, event id). Serves flows: of two processes that are told the same at once, one is first.
"""

from __future__ import annotations

from sqlalchemy import bindparam, select

from oncall_bot.store import tables as t
from oncall_bot.store.statements import statement, upsert
from oncall_bot.store.transactions import Reader, Tx

SEEN = t.InboundSeen.__table__  # type: ignore[attr-defined]

_SEE = upsert(SEEN, ("origin", "event_id"), also=("seen_at",))


_SEEN = statement(
    select(SEEN.c.seen_at).where(
        SEEN.c.origin == bindparam("from_origin"), SEEN.c.event_id == bindparam("of_event")
    )
)


def was_seen(reader: Reader, origin: str, event_id: str) -> bool:
    """Whether it was taken before; changes nothing."""
    return reader.first(_SEEN, from_origin=origin, of_event=event_id) is not None


def first_time(tx: Tx, origin: str, event_id: str) -> bool:
    """Mark the event as taken. True for the one who does so first; a second one waits until the first is committed."""
    return tx.run(_SEE, origin=origin, event_id=event_id, seen_at=tx.now) > 0
