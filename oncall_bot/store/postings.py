"""The words of the runbooks in force: which runbook holds which, and in how many each stands.

Knows the tables posting and term and keeps them in step: a word is counted when a runbook changes, not when somebody
asks. Refuses to split text and to score. Serves `flows.import_runbooks` and the ranked search.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Executable, Float, Text, bindparam, delete, func, select, update

from oncall_bot.core.search.candidates import SATURATION
from oncall_bot.store import tables as t
from oncall_bot.store.statements import ListOf, Statement, any_of, statement, upsert
from oncall_bot.store.transactions import Reader, Tx

POSTING, TERM = t.Posting.__table__, t.Term.__table__  # type: ignore[attr-defined]

_INSERT = upsert(POSTING, ("term", "section_id"), also=("tf", "runbook_id"))
_OF_RUNBOOK = statement(
    select(POSTING.c.term).where(POSTING.c.runbook_id == bindparam("of_runbook")).distinct()
)
_FORGET = statement(delete(POSTING).where(POSTING.c.runbook_id == bindparam("of_runbook")))
_FORGET_NAMELESS = statement(
    delete(POSTING).where(POSTING.c.runbook_id.is_(None), any_of(POSTING.c.section_id, "sections"))
)
_KNOW = upsert(TERM, ("term",), also=("runbooks",))
_COUNT = statement(
    update(TERM)
    .where(any_of(TERM.c.term, "terms"))
    .values(runbooks=TERM.c.runbooks + bindparam("more"))
)
_FORGET_TERMS = statement(delete(TERM).where(any_of(TERM.c.term, "terms"), TERM.c.runbooks <= 0))
_HOLDING = statement(select(TERM.c.term, TERM.c.runbooks).where(any_of(TERM.c.term, "terms")))


def _asked(dialect: str) -> Any:
    """The words asked for with their weights, two lists of one length, as rows."""
    terms = bindparam("terms", type_=ListOf(Text))
    weights = bindparam("weights", type_=ListOf(Float))
    if dialect == "postgresql":
        return func.unnest(terms, weights).table_valued("term", "weight").render_derived("asked")
    term = func.json_each(terms).table_valued("key", "value").alias("asked_term")
    weight = func.json_each(weights).table_valued("key", "value").alias("asked_weight")
    both = term.join(weight, term.c.key == weight.c.key)
    return (
        select(term.c.value.label("term"), weight.c.value.label("weight"))
        .select_from(both)
        .cte("asked")
        .prefix_with("MATERIALIZED")  # else it is read anew for every posting
    )


def _holders(dialect: str) -> Executable:
    """The share of a runbook: each word's weight, saturating with its repeats in a section."""
    asked = _asked(dialect)
    share = func.sum(asked.c.weight * POSTING.c.tf / (POSTING.c.tf + SATURATION))
    return (
        select(POSTING.c.runbook_id)
        .select_from(asked.join(POSTING, POSTING.c.term == asked.c.term))
        .where(POSTING.c.runbook_id.is_not(None))
        .group_by(POSTING.c.runbook_id)
        .order_by(share.desc(), POSTING.c.runbook_id)
        .limit(bindparam("most"))
    )


_HOLDERS = Statement(_holders)


def replace(
    tx: Tx, runbook_id: int, sections: Sequence[int], words: Sequence[Mapping[str, int]]
) -> None:
    """The runbook in force has these words, section by section (`sections` are their ids), and no others."""
    before = forget(tx, runbook_id, sections)
    after = set().union(*words) if words else set()
    tx.many(
        _INSERT,
        [
            {"term": term, "section_id": section, "tf": times, "runbook_id": runbook_id}
            for section, counts in zip(sections, words, strict=False)
            for term, times in counts.items()
        ],
    )
    tx.many(_KNOW, [{"term": term, "runbooks": 0} for term in sorted(after - before)])
    _count(tx, after, 1)


def forget(tx: Tx, runbook_id: int, sections: Iterable[int] = ()) -> set[str]:
    """The runbook holds no word any more; answers those it held. `sections`: an older release wrote their words without
    the runbook."""
    before = {row.term for row in tx.all(_OF_RUNBOOK, of_runbook=runbook_id)}
    tx.run(_FORGET, of_runbook=runbook_id)
    tx.run(_FORGET_NAMELESS, sections=[*sections])
    _count(tx, before, -1)
    return before


def _count(tx: Tx, terms: set[str], more: int) -> None:
    if not terms:
        return
    ordered = sorted(terms)
    tx.run(_COUNT, terms=ordered, more=more)
    if more < 0:
        tx.run(_FORGET_TERMS, terms=ordered)


def holding(reader: Reader, terms: Iterable[str]) -> dict[str, int]:
    """In how many runbooks each of these words stands; those that stand nowhere are left out."""
    wanted = sorted(terms)
    return {row.term: row.runbooks for row in reader.all(_HOLDING, terms=wanted)} if wanted else {}


def holders(reader: Reader, weights: Mapping[str, float], most: int) -> list[int]:
    """The runbooks with the largest share of these words, best first."""
    if not weights:
        return []
    rows = reader.all(_HOLDERS, terms=[*weights], weights=[*weights.values()], most=most)
    return [row.runbook_id for row in rows]
