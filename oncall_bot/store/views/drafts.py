"""Suggested texts as people see them: the text that stands, the suggestion with its sentences to check, decisions.

Writes nothing and decides nothing. Serves slack, cli and the engine's rendering.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from oncall_bot.core.situation import DraftNotice, ToCheck, UpdateNotice
from oncall_bot.core.verification import Outcome
from oncall_bot.store import drafts
from oncall_bot.store.statements import Row
from oncall_bot.store.transactions import Reader
from oncall_bot.store.views.incident import situation

MOST_TO_CHECK = 5


def draft(reader: Reader, incident_id: int, kind: str) -> str | None:
    """The text that stands: the newest that nobody discarded."""
    row = drafts.standing(reader, incident_id, kind)
    return None if row is None else str(row.markdown)


def draft_by_id(reader: Reader, draft_id: int) -> DraftNotice | None:
    """One suggestion, whatever became of it."""
    row = drafts.get(reader, draft_id)
    return None if row is None else _notice(reader, row)


def suggestion(reader: Reader, incident_id: int, kind: str) -> DraftNotice | None:
    """The newest suggestion of that kind, whatever became of it."""
    row = drafts.latest(reader, incident_id, kind)
    return None if row is None else _notice(reader, row)


def _notice(reader: Reader, row: Row) -> DraftNotice | None:
    shown = situation(reader, row.incident_id)
    if shown is None:
        return None
    return DraftNotice(
        situation=shown,
        kind=row.kind,
        markdown=row.markdown,
        draft_id=row.id,
        state=row.state,
        decided_by=row.decided_by_name,
        decided_at=row.decided_at,
        checks=[
            ToCheck(
                c["id"], c["text"], tuple(c["cites"]), c["reason"], c.get("answer"), c.get("by")
            )
            for c in _to_check(row)
        ],
    )


def _to_check(row: Row) -> list[dict[str, Any]]:
    """The sentences that the record neither bears out nor denies: a person is asked, a few at most."""
    marked = [one for one in drafts.sentences_of(row) if one.get("outcome") == Outcome.MARK]
    return marked[:MOST_TO_CHECK]


def update_notice(reader: Reader, draft_id: int) -> UpdateNotice | None:
    """A status update that was accepted."""
    row = drafts.get(reader, draft_id)
    shown = situation(reader, row.incident_id) if row is not None else None
    if row is None or shown is None or row.decided_at is None:
        return None
    audience = row.kind.partition("-")[2]
    return UpdateNotice(shown, audience, row.markdown, row.decided_by_name, row.decided_at)


def drafts_decided(reader: Reader, since: datetime) -> Counter[tuple[str, str]]:
    """How many of each (kind, accepted | edited | discarded) were decided since then."""
    return Counter({(r.kind, r.state): r.drafts for r in drafts.decided(reader, since)})
