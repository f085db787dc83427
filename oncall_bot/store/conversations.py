"""What conversations in Slack are about, kept for a while so that every replica knows it.

Knows keys and how long they count. Refuses to know what is in them. Serves the talk in Slack.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import bindparam, delete, select

from oncall_bot.store import tables as t
from oncall_bot.store.statements import statement, upsert
from oncall_bot.store.transactions import Reader, Tx

CONVERSATION = t.Conversation.__table__  # type: ignore[attr-defined]

_GET = statement(
    select(CONVERSATION.c.about).where(
        CONVERSATION.c.key == bindparam("of"), CONVERSATION.c.said_at > bindparam("since")
    )
)
_PUT = upsert(CONVERSATION, ("key",), ("about", "said_at"))
_FORGET = statement(delete(CONVERSATION).where(CONVERSATION.c.said_at <= bindparam("before")))


def get(reader: Reader, key: str, lasts: timedelta) -> Mapping[str, Any] | None:
    """What was kept under the key not longer ago than this."""
    row = reader.first(_GET, of=key, since=reader.now - lasts)
    return row.about if row is not None else None


def put(tx: Tx, key: str, about: Mapping[str, Any], lasts: timedelta) -> None:
    """Keep it, and drop what is older."""
    tx.run(_FORGET, before=tx.now - lasts)
    tx.run(_PUT, key=key, about=dict(about), said_at=tx.now)
