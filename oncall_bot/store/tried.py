"""What became of messages that somebody waits for, by the keys they were left under.

Refuses to change anything. Serves `/oncall test`, which tells a person which roads answered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from oncall_bot.store import road_health
from oncall_bot.store import tables as t
from oncall_bot.store.statements import Row, any_of, statement
from oncall_bot.store.transactions import Reader

OUTBOX = t.Outbox.__table__  # type: ignore[attr-defined]

_BY_KEY = statement(
    select(
        OUTBOX.c.id,
        OUTBOX.c.dedupe_key,
        OUTBOX.c.state,
        OUTBOX.c.attempts,
        OUTBOX.c.last_error,
        OUTBOX.c.done_at,
    ).where(any_of(OUTBOX.c.dedupe_key, "keys"))
)


@dataclass(frozen=True, slots=True)
class Tried:
    """`state`: waiting, failing (it is tried again), sent, failed for good, or what its provider told since."""

    state: str
    at: datetime | None = None
    why: str | None = None

    def is_over(self, *, receipts: bool = False) -> bool:
        """Whether nothing more is to come; where a provider tells more, `sent` is not the end."""
        return self.state not in ("waiting", "failing", *(("sent", "rang") if receipts else ()))


def fates(reader: Reader, keys: Sequence[str]) -> Mapping[str, Tried]:
    """Each key's fate so far; a key that is unknown is left out."""
    rows = reader.all(_BY_KEY, keys=list(keys))
    told = road_health.receipts(reader, [row.id for row in rows])
    return {row.dedupe_key: _tried(row, told.get(row.id, ())) for row in rows}


def _tried(row: Row, receipts: Sequence[Row]) -> Tried:
    telling = road_health.most_telling(receipts)
    if telling is not None:
        return Tried(telling.state, telling.at, telling.why)
    return Tried(_state(row.state, row.attempts), row.done_at, row.last_error)


def _state(state: str, attempts: int) -> str:
    if state == "sent":
        return "sent"
    if state in ("dead", "skipped", "outdated"):
        return "failed"
    return "failing" if state == "pending" and attempts else "waiting"
