"""The score of a runbook for an alert: comparable across alerts, and with a why.

Knows BM25 over sections, how alike two names are, whom a runbook is for, and how much each says. Refuses to know
certainty and storage; the pages have the shape of what is stored. Serves `runbooks match` and `store.runbook_search`.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from oncall_bot.core.runbooks import Identity, Match, Runbook
from oncall_bot.core.search.candidates import Corpus
from oncall_bot.core.search.pages import NAME_TIMES, Page, page_of, words_in
from oncall_bot.core.search.query import Query

ATTACH_ABOVE = 0.62
"""The score from which a ranked runbook is attached, not only offered; a setting of the file."""
POSSIBLE_ABOVE = 0.5
"""Below this score a runbook is not even offered."""
OFFERED = 3
TERM_LIMIT = 200
"""Different words of one alert that are looked up, the weightiest first."""

# BM25: saturation of repeats, and how much its length is held against a runbook.
_K1, _B = 1.2, 0.5
# The parts of the score: the text, the names, whole metric names.
_TEXT_PART, _NAME_PART, _METRIC_PART = 0.65, 0.40, 0.10
# The power that spreads the score so that ATTACH_ABOVE keeps false matches below 7 % on the
# reference set of 1,057 alerts and 318 runbooks; it changes no order.
_SPREAD = 0.525
# One word in common with a runbook's names is a coincidence (`HighErrorRate`, high CPU): it is never attached for that.
_ENOUGH_IN_COMMON, _BY_CHANCE = 2, 0.7
# Between siblings (near full, full) the alert's severity decides, and who a runbook says it is for.
_OTHER_SEVERITY, _FOR_US, _FOR_OTHERS = 0.98, 1.04, 0.90


@dataclass(frozen=True, slots=True)
class Asker:
    """Whose alert it is: the service and the team it was routed to, all teams there are, and what its responders
    called wrong for it."""

    service: str = ""
    team: str = ""
    teams: frozenset[str] = frozenset()
    wrong: frozenset[Identity] = frozenset()

    def may_use(self, runbook: Runbook) -> bool:
        """A runbook that names services is for those alone; one that was called wrong is not asked again."""
        if runbook.identity in self.wrong:
            return False
        return not self.service or not runbook.services or self.service in runbook.services

    def closeness(self, runbook: Runbook) -> float:
        """Own runbooks come before those of nobody in particular, and these before another team's."""
        if self.service and self.service in runbook.services:
            return _FOR_US
        if not self.team or runbook.owner not in self.teams:
            return 1.0
        return _FOR_US if runbook.owner == self.team else _FOR_OTHERS


ANYBODY = Asker()


class SearchIndex:
    """The pages of some runbooks, arranged for scoring; built once."""

    __slots__ = ("_corpus", "_lengths", "_pages", "_postings", "runbooks")

    def __init__(
        self,
        runbooks: Iterable[Runbook],
        pages: Sequence[Page] | None = None,
        corpus: Corpus | None = None,
        *,
        terms: Set[str] | None = None,
    ) -> None:
        """`pages` where they are known already. `corpus`: these are candidates out of so many, by which the rarity of
        words is judged. `terms`: only these words will be asked for."""
        self.runbooks = tuple(runbooks)
        self._pages = [page_of(one) for one in self.runbooks] if pages is None else [*pages]
        self._postings: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
        for found, page in enumerate(self._pages):
            for part, counts in enumerate(page.sections):
                for term in counts if terms is None else counts.keys() & terms:
                    self._postings[term].append((found, part, counts[term]))
        lengths = [page.length for page in self._pages]
        mean = sum(lengths) / len(lengths) if lengths else 1.0
        self._lengths = [_K1 * (1 - _B + _B * length / (mean or 1.0)) for length in lengths]
        self._corpus = corpus or Corpus(len(self.runbooks), words_in(self._pages))

    def search(self, query: Query, limit: int = 10, asker: Asker = ANYBODY) -> list[Match]:
        """The best runbooks for a query, best first, scored from 0 to below 1."""
        texts, sections, shares = self._text_scores(query)
        scored = [
            (
                min(self._score(query, found, text) * asker.closeness(self.runbooks[found]), 0.999),
                found,
            )
            for found, text in texts.items()
            if asker.may_use(self.runbooks[found])
        ]
        scored.sort(key=lambda one: (-one[0], self.runbooks[one[1]].slug))
        return [
            Match(
                runbook=self.runbooks[found],
                how="search",
                score=round(score, 4),
                why=self._why(query, found, shares[found]),
                section=self._heading(found, sections[found]),
            )
            for score, found in scored[:limit]
            if score > 0
        ]

    def _text_scores(
        self, query: Query
    ) -> tuple[dict[int, float], dict[int, Counter[int]], dict[int, dict[str, float]]]:
        """By runbook: its share of the query, what each section gave, and what each word gave."""
        terms = sorted(query.terms.items(), key=lambda one: (-one[1], one[0]))[:TERM_LIMIT]
        whole = sum(weight * self._corpus.rarity(term) for term, weight in terms) or 1.0
        sections: dict[int, Counter[int]] = defaultdict(Counter)
        shares: dict[int, dict[str, float]] = defaultdict(dict)
        for term, weight in terms:
            says = weight * self._corpus.rarity(term)
            repeats: dict[int, int] = {}
            for found, part, tf in self._postings.get(term, ()):
                repeats[found] = repeats.get(found, 0) + tf
                own = tf - NAME_TIMES if part == 0 and tf > NAME_TIMES else tf
                sections[found][part] += round(1000 * says * own / (own + _K1))
            for found, tf in repeats.items():
                shares[found][term] = says * tf / (tf + self._lengths[found]) / whole
        return {found: sum(gains.values()) for found, gains in shares.items()}, sections, shares

    def _score(self, query: Query, found: int, text: float) -> float:
        names = self._pages[found].names
        common = max((len(query.own & name) for name in names), default=0)
        factor = _BY_CHANCE if common < _ENOUGH_IN_COMMON else 1.0
        severity = self.runbooks[found].severity.casefold()
        if query.severity and severity and severity != query.severity:
            factor *= _OTHER_SEVERITY
        return float(min(self._total(query, found, text), 0.999) ** _SPREAD * factor)

    def _total(self, query: Query, found: int, text: float) -> float:
        metrics = query.metrics & self._pages[found].metrics
        mentioned = len(metrics) / len(query.metrics) if query.metrics else 0.0
        name = max((self._alike(query.name, own) for own in self._pages[found].names), default=0.0)
        return _TEXT_PART * text + _NAME_PART * name + _METRIC_PART * mentioned

    def _alike(self, asked: Mapping[str, float], own: Set[str]) -> float:
        """How alike two names are, 0 to 1: what they share, by rarity, of each (harmonic mean)."""
        rarity = self._corpus.rarity
        shared = math.fsum(rarity(term) * asked[term] for term in asked.keys() & own)
        if not shared:
            return 0.0
        of_asked = math.fsum(rarity(term) for term, share in asked.items() if share == 1.0)
        of_own = math.fsum(rarity(term) for term in own)
        if not of_asked or not of_own:
            return 0.0
        asked_share, own_share = min(1.0, shared / of_asked), min(1.0, shared / of_own)
        return 2 * asked_share * own_share / (asked_share + own_share)

    def _why(self, query: Query, found: int, shares: Mapping[str, float]) -> str:
        best = sorted(shares, key=lambda term: (-shares[term], term))[:3]
        told = ", ".join(f'"{query.shown.get(term, term)}"' for term in best)
        metric = min(query.metrics & self._pages[found].metrics, default="")
        return f"it shares {told} with the alert" + (f" and mentions {metric}" if metric else "")

    def _heading(self, found: int, sections: Counter[int]) -> str:
        own = self.runbooks[found].sections
        best = max(sections, key=lambda part: (sections[part], -part), default=0)
        return own[best].heading if best < len(own) else ""
