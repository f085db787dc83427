"""The runbook of an incident as its readers see it, those that may fit, and what was said of either.

Knows how rows become the values of core.situation. Writes nothing and chooses nothing. Serves the incident's view.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from oncall_bot.core.runbooks import Runbook, first_steps
from oncall_bot.core.situation import JudgedRunbook, PossibleRunbook, ShownRunbook
from oncall_bot.core.verdicts import NO_ANSWERS, Verdict, rule_of
from oncall_bot.store import runbooks
from oncall_bot.store.snapshot import runbook_of
from oncall_bot.store.statements import Row
from oncall_bot.store.transactions import Reader

POSSIBLE_SHOWN = 3


def attached(reader: Reader, incident_id: int) -> ShownRunbook | None:
    """The incident's runbook with its first steps."""
    row = runbooks.of_incident(reader, incident_id)
    if row is None:
        return None
    book = runbook_of(row.source, row.slug, row.text, row.sha256, row.document)
    return ShownRunbook(
        title=book.title,
        slug=book.slug,
        why=row.why,
        steps=first_steps(book),
        link=_link(book),
        section_texts=[(section.heading, section.text) for section in book.sections],
        runbook_id=row.id,
    )


def beside(reader: Reader, incident: Row) -> dict[str, Any]:
    """What a Situation says besides: the runbooks that may fit, and what was said of them."""
    matches = runbooks.matches(reader, incident.id)
    return {
        "possible": _possible(reader, matches),
        "judged": _judged(reader, incident, matches),
    }


def _possible(reader: Reader, matches: Sequence[Row]) -> list[PossibleRunbook]:
    """The best of those that may fit and are still in force."""
    known = reader.snapshot.shelf.by_id
    found = [row for row in matches if row.standing == runbooks.POSSIBLE and row.id in known]
    return [
        PossibleRunbook(row.id, book.title, row.score, row.why, _link(book))
        for row in found[:POSSIBLE_SHOWN]
        if (book := known[row.id])
    ]


def _judged(reader: Reader, incident: Row, matches: Sequence[Row]) -> list[JudgedRunbook]:
    snapshot = reader.snapshot
    answers = snapshot.answers.get(rule_of(incident.first_alert, incident.service), NO_ANSWERS)
    found = []
    for row in matches:
        book = snapshot.shelf.by_id.get(row.id)
        said = answers.get(book.identity) if book is not None else None
        if book is not None and said is not None:
            right = said.verdict is Verdict.RIGHT
            found.append(JudgedRunbook(row.id, book.title, right, said.by))
    return found


def _link(book: Runbook) -> str | None:
    return next((link for link in book.links if link.startswith("http")), None)
