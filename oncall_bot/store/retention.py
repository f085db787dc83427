"""What may be forgotten, in slices. Knows ages; the file's `retention` gives them. Serves the retention job."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import bindparam, delete, select, tuple_

from oncall_bot.store import tables as t
from oncall_bot.store.db import Tx
from oncall_bot.store.statements import Statement, statement

SEEN, TIMER = t.InboundSeen.__table__, t.Timer.__table__  # type: ignore[attr-defined]
AUDIT = t.Audit.__table__  # type: ignore[attr-defined]

SLICE = 1000
SEEN_FOR = timedelta(days=14)
DONE_FOR = timedelta(days=30)


def _oldest(table: Any, keys: tuple[Any, ...], condition: Any) -> Statement:
    oldest = select(*keys).where(condition).limit(bindparam("slice"))
    return statement(delete(table).where(tuple_(*keys).in_(oldest)))


_SEEN = _oldest(SEEN, (SEEN.c.origin, SEEN.c.event_id), SEEN.c.seen_at < bindparam("before"))
_TIMERS = _oldest(TIMER, (TIMER.c.id,), TIMER.c.done_at < bindparam("before"))
_AUDIT = _oldest(AUDIT, (AUDIT.c.id,), AUDIT.c.at < bindparam("before"))


def forget(tx: Tx) -> int:
    """Delete one slice of each kind that is past its age; the number of rows that went."""
    gone = tx.run(_SEEN, before=tx.now - SEEN_FOR, slice=SLICE)
    gone += tx.run(_TIMERS, before=tx.now - DONE_FOR, slice=SLICE)
    keep_audit = tx.snapshot.config.retention.get("audit")
    if keep_audit is not None:
        gone += tx.run(_AUDIT, before=tx.now - keep_audit, slice=SLICE)
    return gone
