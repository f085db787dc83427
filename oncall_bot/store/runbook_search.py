"""Ranked search over the postings in SQL: the runbooks in force that an alert, or words, are probably about.

Knows where words and pages lie. Refuses to know scores: `core.search` chooses whom to score, and scores. Serves the
flow that looks for a runbook when nothing is certain, `explain` and `/oncall runbook`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice

from sqlalchemy import select

from oncall_bot.core.runbooks import Match, Runbook
from oncall_bot.core.search import (
    Asker,
    Corpus,
    Page,
    Query,
    SearchIndex,
    page_of,
    query_of,
    worth_looking_up,
)
from oncall_bot.core.search.candidates import CANDIDATES
from oncall_bot.core.search.pages import page_from
from oncall_bot.core.verdicts import NO_ANSWERS, rule_of, wrong_ones
from oncall_bot.store import postings
from oncall_bot.store import tables as t
from oncall_bot.store.statements import any_of, statement
from oncall_bot.store.transactions import Reader

RUNBOOK, VERSION = t.Runbook.__table__, t.RunbookVersion.__table__  # type: ignore[attr-defined]

ANYBODY = Asker()
READ_MAX = 4 * CANDIDATES
"""So many are read, since some are for other services."""

_PAGES = statement(
    select(RUNBOOK.c.id, VERSION.c.page)
    .select_from(RUNBOOK.join(VERSION, VERSION.c.id == RUNBOOK.c.version_id))
    .where(any_of(RUNBOOK.c.id, "ids"))
)


def for_alert(
    reader: Reader,
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    expression: str = "",
    *,
    service: str | None,
    team: str | None,
    limit: int = 3,
) -> list[Match]:
    """The runbooks an alert is probably about, best first, without those that were called wrong for it."""
    rules = reader.snapshot
    said = rules.answers.get(rule_of(labels.get("alertname"), service), NO_ANSWERS)
    asker = Asker(service or "", team or "", frozenset(rules.config.teams), wrong_ones(said))
    return ranked(reader, query_of(labels, annotations, expression), limit, asker=asker)


def ranked(reader: Reader, query: Query, limit: int = 10, *, asker: Asker = ANYBODY) -> list[Match]:
    """The best runbooks for whoever asks, best first."""
    shelf = reader.snapshot.shelf
    counts = postings.holding(reader, query.terms)
    corpus = Corpus(len(shelf.ids), counts)
    asked = worth_looking_up(query.terms, corpus)
    weights = {term: query.terms[term] * corpus.rarity(term) for term in asked}
    found = postings.holders(reader, weights, READ_MAX)
    known = ((id_, shelf.by_id[id_]) for id_ in found if id_ in shelf.by_id)
    books = dict(islice((one for one in known if asker.may_use(one[1])), CANDIDATES))
    pages = _pages(reader, books)
    own = frozenset().union(*(page.own_words for page in pages)) - counts.keys()
    whole = Corpus(corpus.runbooks, {**counts, **postings.holding(reader, own)})
    index = SearchIndex(books.values(), pages, whole, terms=query.terms.keys())
    return index.search(query, limit, asker)


def _pages(reader: Reader, books: dict[int, Runbook]) -> Sequence[Page]:
    """As kept with each version; an older release kept none."""
    rows = reader.all(_PAGES, ids=[*books]) if books else []
    kept = {row.id: row.page for row in rows}
    return [page_from(kept[id_]) if kept.get(id_) else page_of(book) for id_, book in books.items()]
