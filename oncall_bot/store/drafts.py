"""Drafts in SQL: facts as they stood, Markdown, their state, and who decided on them.

Knows rows and the states; refuses to write prose and to decide. Serves drafting, reviewing and views.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select, update

from oncall_bot.store import tables as t
from oncall_bot.store.statements import Row, insert_of, one_of, statement
from oncall_bot.store.transactions import Reader, Tx

DRAFT = t.Draft.__table__  # type: ignore[attr-defined]

OPEN = ("facts", "narrated")
"""A suggestion: of facts alone, or with a model's sentences."""

ACCEPTED = ("accepted", "edited")

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
    .values(
        markdown=bindparam("text"), state=bindparam("new_state"), checks=bindparam("new_checks")
    )
)
_DECIDE = statement(
    update(DRAFT)
    .where(DRAFT.c.id == bindparam("draft_id"))
    .values(
        state=bindparam("new_state"),
        markdown=bindparam("text"),
        suggested=bindparam("before"),
        decided_at=bindparam("at"),
        decided_by=bindparam("by"),
        decided_by_name=bindparam("by_name"),
    )
)
_STANDING = statement(
    select(DRAFT)
    .where(
        DRAFT.c.incident_id == bindparam("of_incident"),
        DRAFT.c.kind == bindparam("of_kind"),
        DRAFT.c.state != "discarded",
    )
    .order_by(DRAFT.c.n.desc())
    .limit(1)
)
_ACCEPTED = statement(
    select(DRAFT)
    .where(DRAFT.c.incident_id == bindparam("of_incident"), one_of(DRAFT.c.state, list(ACCEPTED)))
    .order_by(DRAFT.c.n)
)
_DECIDED = statement(
    select(DRAFT.c.kind, DRAFT.c.state, func.count().label("drafts"))
    .where(DRAFT.c.decided_at >= bindparam("since"))
    .group_by(DRAFT.c.kind, DRAFT.c.state)
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
    tx: Tx,
    draft_id: int,
    markdown: str,
    state: str,
    checks: Sequence[Mapping[str, Any]] | None = None,
) -> None:
    """Its text and its sentences to check, as they are now."""
    waiting = {"sentences": [dict(one) for one in checks]} if checks else None
    tx.run(_SET, draft_id=draft_id, text=markdown, new_state=state, new_checks=waiting)


def sentences_of(row: Row) -> list[dict[str, Any]]:
    """The sentences that a person was or is asked about."""
    return [dict(one) for one in (row.checks or {}).get("sentences", ())]


def decide(tx: Tx, row: Row, state: str, *, by: str, by_name: str, markdown: str) -> None:
    """Accepted, edited or discarded, by whom and when; what was suggested is kept beside what was made of it."""
    before = row.markdown if markdown != row.markdown else row.suggested
    tx.run(
        _DECIDE,
        draft_id=row.id,
        new_state=state,
        text=markdown,
        before=before,
        at=tx.now,
        by=by,
        by_name=by_name,
    )


def standing(tx: Reader, incident_id: int, kind: str) -> Row | None:
    """The newest that nobody discarded."""
    return tx.first(_STANDING, of_incident=incident_id, of_kind=kind)


def accepted(tx: Reader, incident_id: int) -> list[Row]:
    """What people made theirs, of every kind, oldest first."""
    return tx.all(_ACCEPTED, of_incident=incident_id)


def decided(tx: Reader, since: datetime) -> list[Row]:
    """(kind, state, drafts) of what was decided since then."""
    return tx.all(_DECIDED, since=since)
