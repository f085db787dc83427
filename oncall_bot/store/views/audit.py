"""Who did what, and who was refused: the audit in sentences, newest first.

Knows how a person is named in a question. Serves `/oncall audit` and `oncall-bot audit`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from oncall_bot.core.audit_words import sentence, who
from oncall_bot.store import audit_log
from oncall_bot.store.transactions import Reader

EVER = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One act. `text` follows `who`: "Ana Ruiz" "acknowledged incident 42."."""

    at: datetime
    actor: str
    who: str
    verb: str
    about: str
    text: str
    refused: bool


def audit_trail(
    reader: Reader,
    *,
    incident: int | None = None,
    by: str | None = None,
    refused: bool = False,
    since: datetime | None = None,
    limit: int = 20,
) -> list[AuditLine]:
    """The newest acts about that incident and by that person (a key, a name, a Slack id, or an actor as stored)."""
    rows = audit_log.newest(
        reader,
        about=f"incident:{incident}" if incident is not None else None,
        actor=_actor(reader, by) if by is not None else None,
        refused=refused,
        since=since or EVER,
        limit=limit,
    )
    name = reader.snapshot.name
    return [
        AuditLine(
            at=row.at,
            actor=row.actor,
            who=who(row.actor, name),
            verb=row.verb,
            about=row.object,
            text=sentence(row.verb, row.object, row.after, name, refused=row.refused),
            refused=row.refused,
        )
        for row in rows
    ]


def _actor(reader: Reader, word: str) -> str:
    snapshot, word = reader.snapshot, word.strip().lstrip("@")
    if ":" in word:
        return word
    if word in snapshot.by_slack:
        return f"person:{snapshot.by_slack[word]}"
    if word in snapshot.config.people:
        return f"person:{word}"
    folded = word.casefold()
    for person in snapshot.config.people.values():
        if folded in (person.key.casefold(), person.name.casefold()):
            return f"person:{person.key}"
    slack_id = word.isascii() and word.isupper() and word[:1] in "UW" and len(word) > 6
    return f"slack:{word}" if slack_id else f"person:{word}"
