"""Which of many runbooks are worth a score: those that hold the query's rarest words.

Knows how rare a word is in all runbooks, and which words are looked up. Refuses to know storage: counts are handed in.
Serves the search in SQL, which adds up whose share of these words is largest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

CANDIDATES = 25
ROWS_MAX = 2000
"""Postings read for one query. Words that stand nearly everywhere tell runbooks apart least, and are left out first."""
TERMS_MAX = 24
SATURATION = 1.2
"""Of repeats, as in the score: `times / (times + SATURATION)` of a word's weight."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """All runbooks in force: how many, and in how many of them each word stands."""

    runbooks: int
    holding: Mapping[str, int]

    def rarity(self, term: str) -> float:
        """The word's weight (idf of BM25): the fewer runbooks hold it, the more it says."""
        return _rarity(self.runbooks, self.holding.get(term, 0))


@lru_cache(maxsize=65_536)
def _rarity(runbooks: int, holding: int) -> float:
    return math.log(1 + (runbooks - holding + 0.5) / (holding + 0.5))


def worth_looking_up(weights: Mapping[str, float], corpus: Corpus) -> list[str]:
    """The words of a query that say most, as many as may be read; those that stand nowhere are left out."""
    known = (term for term in weights if corpus.holding.get(term))
    ordered = sorted(known, key=lambda term: (-weights[term] * corpus.rarity(term), term))
    chosen: list[str] = []
    rows = 0
    for term in ordered[:TERMS_MAX]:
        rows += corpus.holding[term]
        if chosen and rows > ROWS_MAX:
            break
        chosen.append(term)
    return chosen
