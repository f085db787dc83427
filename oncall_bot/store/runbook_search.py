"""Ranked search over the postings in SQL: the runbooks in force that an alert, or words, are probably about.

Knows the posting table. Refuses to know scores: `core.candidates` chooses whom to score, `core.search` does. Serves the
flow that looks for a runbook when nothing is certain, and `/oncall runbook`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import distinct, func, select

from oncall_bot.core.candidates import Corpus, best_holders, worth_looking_up
from oncall_bot.core.runbooks import Match, Runbook
from oncall_bot.core.search import Query, SearchIndex, name_words
from oncall_bot.store import tables as t
from oncall_bot.store.statements import any_of, statement
from oncall_bot.store.transactions import Reader

RUNBOOK, SECTION = t.Runbook.__table__, t.Section.__table__  # type: ignore[attr-defined]
POSTING = t.Posting.__table__  # type: ignore[attr-defined]

_IN_FORCE = POSTING.join(SECTION, SECTION.c.id == POSTING.c.section_id).join(
    RUNBOOK,
    (RUNBOOK.c.version_id == SECTION.c.runbook_version_id) & RUNBOOK.c.archived_at.is_(None),
)
_HOLDING = statement(
    select(POSTING.c.term, func.count(distinct(RUNBOOK.c.id)).label("runbooks"))
    .select_from(_IN_FORCE)
    .where(any_of(POSTING.c.term, "terms"))
    .group_by(POSTING.c.term)
)
_POSTINGS = statement(
    select(RUNBOOK.c.id, POSTING.c.term, func.sum(POSTING.c.tf).label("times"))
    .select_from(_IN_FORCE)
    .where(any_of(POSTING.c.term, "terms"))
    .group_by(RUNBOOK.c.id, POSTING.c.term)
)
_IDENTITIES = statement(
    select(RUNBOOK.c.id, RUNBOOK.c.source, RUNBOOK.c.slug).where(any_of(RUNBOOK.c.id, "ids"))
)


def ranked(
    reader: Reader, query: Query, limit: int = 10, *, service: str | None = None
) -> list[Match]:
    """The best runbooks, best first. With a `service`: without those that are about other services."""
    shelf = reader.snapshot.shelf
    holding = _holding(reader, query.terms)
    corpus = Corpus(len(shelf.ids), holding)
    terms = worth_looking_up(query.terms, corpus)
    postings = [(row.id, row.term, int(row.times)) for row in reader.all(_POSTINGS, terms=terms)]
    books = _books(reader, best_holders(postings, query.terms, corpus))
    found = [book for book in books if service is None or service in (book.services or (service,))]
    own = {word for book in found for word in name_words(book)} - holding.keys()
    whole = Corpus(corpus.runbooks, {**holding, **_holding(reader, own)})
    return SearchIndex(found, whole, terms=query.terms.keys()).search(query, limit)


def _holding(reader: Reader, terms: Iterable[str]) -> dict[str, int]:
    wanted = sorted(terms)
    return {row.term: row.runbooks for row in reader.all(_HOLDING, terms=wanted)} if wanted else {}


def _books(reader: Reader, ids: list[int]) -> list[Runbook]:
    """As the snapshot holds them; one that is not in it yet is found by the next search."""
    index = reader.snapshot.shelf.by_identity
    rows = reader.all(_IDENTITIES, ids=ids) if ids else []
    known: Mapping[int, Any] = {row.id: index.get((row.source, row.slug)) for row in rows}
    return [book for one in ids if (book := known.get(one)) is not None]
