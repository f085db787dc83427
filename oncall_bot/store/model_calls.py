"""Calls of a model in SQL: one row each, without its text, and what was spent so far.

Knows rows. Refuses to know prices and caps (core.spending). Serves the flows of drafts and views.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import bindparam, func, select, update

from oncall_bot.core.spending import Judged, ModelCall, Spent
from oncall_bot.store import tables as t
from oncall_bot.store.statements import insert_of, statement
from oncall_bot.store.transactions import Reader, Tx

CALL = t.LlmCall.__table__  # type: ignore[attr-defined]

DAY = timedelta(hours=24)

_INSERT = insert_of(
    CALL,
    *("id", "draft_id", "incident_id", "at", "model", "purpose", "outcome", "prompt_hash", "ms"),
    *("tokens", "prompt_tokens", "completion_tokens", "estimated", "cost", "redactions"),
    kept=None,
    marked=None,
    dropped=None,
)
_JUDGE = statement(
    update(CALL)
    .where(CALL.c.draft_id == bindparam("of_draft"), CALL.c.prompt_hash == bindparam("sha256"))
    .values(kept=bindparam("n_kept"), marked=bindparam("n_marked"), dropped=bindparam("n_dropped"))
)
_COST = statement(
    select(func.coalesce(func.sum(CALL.c.cost), 0.0).label("cost")).where(
        CALL.c.at > bindparam("after")
    )
)
_TOKENS = statement(
    select(func.coalesce(func.sum(CALL.c.tokens), 0).label("tokens")).where(
        CALL.c.incident_id == bindparam("of_incident")
    )
)


def insert(tx: Tx, call: ModelCall, cost: float) -> None:
    """Write one call down, whatever became of it."""
    tx.run(
        _INSERT,
        id=int(tx.new_ids("llm_call", 1)[0]),
        draft_id=call.draft_id,
        incident_id=call.incident_id,
        at=tx.now,
        model=call.model[:200],
        purpose=call.purpose,
        outcome=call.outcome.value,
        prompt_hash=call.prompt_sha256,
        ms=call.ms,
        tokens=call.usage.tokens,
        prompt_tokens=call.usage.prompt_tokens,
        completion_tokens=call.usage.completion_tokens,
        estimated=call.usage.estimated,
        cost=cost,
        redactions=call.redactions,
    )


def judge(tx: Tx, draft_id: int, judged: Judged) -> None:
    """Add what the verifier made of the reply to that prompt."""
    tx.run(
        _JUDGE,
        of_draft=draft_id,
        sha256=judged.prompt_sha256,
        n_kept=judged.kept,
        n_marked=judged.marked,
        n_dropped=judged.dropped,
    )


def spent(reader: Reader, incident_id: int | None) -> Spent:
    """Tokens on that incident so far, and the cost of all calls in the last 24 hours."""
    day = reader.first(_COST, after=reader.now - DAY)
    tokens = 0
    if incident_id is not None:
        row = reader.first(_TOKENS, of_incident=incident_id)
        tokens = int(row.tokens) if row else 0
    return Spent(tokens, float(day.cost) if day else 0.0)
