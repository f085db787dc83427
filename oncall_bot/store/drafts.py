"""Drafts in SQL: facts as they stood, Markdown, and their state.

Knows rows; refuses to write prose. Serves drafting and views.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, select, update

from oncall_bot.store import tables as t
from oncall_bot.store.statements import Row, insert_of, statement
from oncall_bot.store.transactions import Reader, Tx

DRAFT = t.Draft.__table__  # type: ignore[attr-defined]

_INSERT = insert_of(
    DRAFT,
    "id",
    "incident_id",
    "kind",
    "n",
    "facts",
    "markdown",
    "state",
    "asked_by",
    "created_at",
    checks=None,
)
_LATEST = statement(
    select(DRAFT)
    .where(DRAFT.c.incident_id == bindparam("of_incident"), DRAFT.c.kind == bindparam("of_kind"))
    .order_by(DRAFT.c.n.desc())
    .limit(1)
)
_GET = statement(select(DRAFT).where(DRAFT.c.id == bindparam("draft_id")))
_SET = statement(
    update(DRAFT)
    .where(DRAFT.c.id == bindparam("draft_id"))
    .values(markdown=bindparam("text"), state=bindparam("new_state"), checks=bindparam("doubts"))
)


def latest(tx: Reader, incident_id: int, kind: str) -> Row | None:
    return tx.first(_LATEST, of_incident=incident_id, of_kind=kind)


def get(tx: Reader, draft_id: int) -> Row | None:
    return tx.first(_GET, draft_id=draft_id)


def insert(
    tx: Tx,
    incident_id: int,
    kind: str,
    *,
    facts: Mapping[str, Any],
    markdown: str,
    state: str,
    asked_by: str | None,
) -> int:
    """A new draft; the one before it stays as it was."""
    before = latest(tx, incident_id, kind)
    draft_id = int(tx.new_ids("draft", 1)[0])
    tx.run(
        _INSERT,
        id=draft_id,
        incident_id=incident_id,
        kind=kind,
        n=(before.n + 1) if before else 1,
        facts=dict(facts),
        markdown=markdown,
        state=state,
        asked_by=asked_by,
        created_at=tx.now,
    )
    return draft_id


def set_text(
    tx: Tx, draft_id: int, markdown: str, state: str, checks: Sequence[Mapping[str, Any]] = ()
) -> None:
    """New text and state; `checks` are the sentences that a person has to look at, with reasons."""
    tx.run(
        _SET, draft_id=draft_id, text=markdown, new_state=state, doubts=[dict(c) for c in checks]
    )
