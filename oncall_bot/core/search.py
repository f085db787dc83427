"""Ranked search: what an alert is probably about, with a score that compares across alerts.

Knows: words (camel case split, stemmed), BM25 over sections, how alike two names are, and the why.
Refuses to know: certainty (that is `runbooks.certain`) and storage; its postings have the shape of
the table posting(term, section, tf). Serves `runbooks match` and the search in SQL (`store.runbook_search`).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from functools import lru_cache

import snowballstemmer

from oncall_bot.core.candidates import Corpus
from oncall_bot.core.runbooks import Match, Runbook
from oncall_bot.core.synonyms import SYNONYMS

ATTACH_ABOVE = 0.62
"""The score from which a ranked runbook is attached, not only offered; a setting of the file."""
TEXT_LIMIT = 8192
"""Characters of one annotation or expression that are read."""
TERM_LIMIT = 200
"""Different words of one alert that are looked up, the weightiest first."""

# What a word of the alert counts, by where it stands; a synonym counts a share of its original.
_NAME, _ANNOTATION, _METRIC, _VALUE = 3.0, 1.0, 0.8, 0.3
_SYNONYM, _NAME_SYNONYM = 0.35, 0.6
# What a word of the alert that does not stand in its name counts for the name of a runbook: an alert called
# `Unavailable` whose metric begins with `promscale_` is about Promscale.
_ELSEWHERE = 0.6
# BM25: saturation of repeats, and how much its length is held against a runbook.
_K1, _B = 1.2, 0.5
# A word of the runbook's own names counts as so many in its text.
_NAME_TF = 8
# The parts of the score: the text, the names, whole metric names.
_TEXT_PART, _NAME_PART, _METRIC_PART = 0.65, 0.40, 0.10
# The power that spreads the score so that ATTACH_ABOVE keeps false matches below 7 % on the
# reference set of 1,057 alerts and 318 runbooks; it changes no order.
_SPREAD = 0.525
# One word in common with a runbook's names is a coincidence (`HighErrorRate`, high CPU): it is never attached for that.
_ENOUGH_IN_COMMON, _BY_CHANCE = 2, 0.7

_TOKEN = re.compile(r"[A-Z]{2,}(?=s(?![a-z]))|[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+")
_TEMPLATE = re.compile(r"\{\{[^{}]*\}\}")
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
_METRIC_TOKEN = re.compile(r"[a-z][a-z0-9]*(?:[_:]+[a-z0-9]+)+")
_K8S = re.compile(r"k8s", re.IGNORECASE)
_STOP_WORDS = """
a an and are as at be been but by can do does for from had has have if in into is it its more no not
of on or over so than that the their then there these this to too up was were when which will with
you your
"""
_STOP = frozenset(_STOP_WORDS.split())


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked about one alert: stemmed words with weights, its name's words, its metrics.

    `own` are the words that stand in the alert, without their synonyms.
    """

    own: frozenset[str]
    terms: Mapping[str, float]
    name: Mapping[str, float]
    metrics: frozenset[str]
    shown: Mapping[str, str]


def words(text: str) -> Iterator[tuple[str, str]]:
    """(stem, word) of a text; camel case, snake case and dashes are split, stop words left out."""
    for found in _TOKEN.findall(_K8S.sub("kubernetes ", text)):
        word = found.lower()
        if len(word) > 1 and word not in _STOP:
            yield _stem(word), word


def query_of(
    labels: Mapping[str, str], annotations: Mapping[str, str], expression: str = ""
) -> Query:
    """The query of an alert; `expression` is its rule's PromQL where it is known."""
    weights: dict[str, float] = {}
    shown: dict[str, str] = {}

    def add(text: str, weight: float) -> None:
        for stem, word in words(text):
            weights[stem] = max(weights.get(stem, 0.0), weight)
            shown.setdefault(stem, word)

    alertname = labels.get("alertname", "")[:TEXT_LIMIT]
    promql = expression[:TEXT_LIMIT]
    metrics = frozenset(_METRIC_TOKEN.findall(_STRING.sub("", promql)))
    for key in ("summary", "description", "message"):
        add(_TEMPLATE.sub(" ", annotations.get(key, "")[:TEXT_LIMIT]), _ANNOTATION)
    add(" ".join(sorted(metrics)), _METRIC)
    add(" ".join(_STRING.findall(promql)), _VALUE)
    elsewhere = dict.fromkeys(weights, _ELSEWHERE)
    add(alertname, _NAME)
    name = _widened({stem: 1.0 for stem, _ in words(alertname)}, _NAME_SYNONYM, shown)
    return Query(
        own=frozenset(weights),
        terms=_widened(weights, _SYNONYM, shown),
        name={
            stem: max(elsewhere.get(stem, 0.0), name.get(stem, 0.0))
            for stem in {**elsewhere, **name}
        },
        metrics=metrics,
        shown=shown,
    )


@lru_cache(maxsize=4096)
def section_words(runbook: Runbook, number: int) -> Counter[str]:
    """What the posting table holds for a section; the runbook's names count with its first one. Not to be changed.

    Kept for the sections asked for last: splitting and stemming a page takes as long as all the rest of a search.
    """
    counts: Counter[str] = Counter()
    if number < len(runbook.sections):
        section = runbook.sections[number]
        counts.update(stem for stem, _ in words(f"{section.heading}\n{section.text}"))
    if number == 0:
        for stem in name_words(runbook):
            counts[stem] += _NAME_TF
    return counts


def name_words(runbook: Runbook) -> set[str]:
    """The words, stemmed, of the runbook's title, slug and aliases."""
    return {stem for name in _names(runbook) for stem, _ in words(name)}


class SearchIndex:
    """The postings of all sections and what scoring needs of each runbook; built once."""

    __slots__ = (
        "_corpus",
        "_home",
        "_length",
        "_metrics",
        "_names",
        "_postings",
        "_terms",
        "runbooks",
    )

    def __init__(
        self,
        runbooks: Iterable[Runbook],
        corpus: Corpus | None = None,
        *,
        terms: Set[str] | None = None,
    ) -> None:
        """`corpus`: these are candidates out of so many, by which the rarity of words is judged. `terms`: only these
        words will be asked for."""
        self._terms = terms
        self.runbooks = tuple(runbooks)
        self._postings: dict[str, list[tuple[int, int]]] = defaultdict(list)
        self._home: list[tuple[int, int]] = []  # section id -> (runbook, number of its section)
        self._names: list[list[dict[str, float]]] = []
        self._metrics = [_metrics_in(one.text) for one in self.runbooks]
        lengths = [self._add(number, runbook) for number, runbook in enumerate(self.runbooks)]
        mean = sum(lengths) / len(lengths) if lengths else 1.0
        self._length = [_K1 * (1 - _B + _B * length / (mean or 1.0)) for length in lengths]
        self._corpus = corpus or Corpus(len(self.runbooks), self._holding())

    def search(self, query: Query, limit: int = 10) -> list[Match]:
        """The best runbooks for a query, best first, scored from 0 to below 1."""
        texts, sections, shares = self._text_scores(query)
        scored = [(self._score(query, found, text), found) for found, text in texts.items()]
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

    def _add(self, number: int, runbook: Runbook) -> int:
        length = 0
        for part in range(max(1, len(runbook.sections))):
            counts = section_words(runbook, part)
            length += _length(runbook, part)
            for term in counts if self._terms is None else counts.keys() & self._terms:
                self._postings[term].append((len(self._home), counts[term]))
            self._home.append((number, part))
        self._names.append([{stem: 1.0 for stem, _ in words(one)} for one in _names(runbook)])
        return length

    def _holding(self) -> dict[str, int]:
        """In how many runbooks each word stands."""
        return {
            term: len({self._home[section][0] for section, _ in found})
            for term, found in self._postings.items()
        }

    def _weight(self, term: str) -> float:
        return self._corpus.rarity(term)

    def _text_scores(
        self, query: Query
    ) -> tuple[dict[int, float], dict[int, Counter[int]], dict[int, dict[str, float]]]:
        """By runbook: its share of the query, what each section gave, and what each word gave."""
        terms = sorted(query.terms.items(), key=lambda one: (-one[1], one[0]))[:TERM_LIMIT]
        whole = sum(weight * self._weight(term) for term, weight in terms) or 1.0
        sections: dict[int, Counter[int]] = defaultdict(Counter)
        shares: dict[int, dict[str, float]] = defaultdict(dict)
        for term, weight in terms:
            repeats: Counter[int] = Counter()
            for section, tf in self._postings.get(term, ()):
                found, part = self._home[section]
                repeats[found] += tf
                own = tf - _NAME_TF if part == 0 and tf > _NAME_TF else tf
                sections[found][part] += round(
                    1000 * weight * self._weight(term) * own / (own + _K1)
                )
            for found, tf in repeats.items():
                gain = weight * self._weight(term) * tf / (tf + self._length[found])
                shares[found][term] = gain / whole
        return {found: sum(gains.values()) for found, gains in shares.items()}, sections, shares

    def _score(self, query: Query, found: int, text: float) -> float:
        common = max((len(query.own & own.keys()) for own in self._names[found]), default=0)
        chance = _BY_CHANCE if common < _ENOUGH_IN_COMMON else 1.0
        return float(min(self._total(query, found, text), 0.999) ** _SPREAD * chance)

    def _total(self, query: Query, found: int, text: float) -> float:
        metrics = query.metrics & self._metrics[found]
        mentioned = len(metrics) / len(query.metrics) if query.metrics else 0.0
        name = max((self._alike(query.name, own) for own in self._names[found]), default=0.0)
        return _TEXT_PART * text + _NAME_PART * name + _METRIC_PART * mentioned

    def _alike(self, asked: Mapping[str, float], own: Mapping[str, float]) -> float:
        """How alike two names are, 0 to 1: what they share, by rarity, of each (harmonic mean)."""
        shared = sum(self._weight(term) * share for term, share in asked.items() if term in own)
        of_asked = sum(self._weight(term) for term, share in asked.items() if share == 1.0)
        of_own = sum(self._weight(term) for term in own)
        if not shared or not of_asked or not of_own:
            return 0.0
        asked_share, own_share = min(1.0, shared / of_asked), min(1.0, shared / of_own)
        return 2 * asked_share * own_share / (asked_share + own_share)

    def _why(self, query: Query, found: int, shares: Mapping[str, float]) -> str:
        best = sorted(shares, key=lambda term: (-shares[term], term))[:3]
        told = ", ".join(f'"{query.shown.get(term, term)}"' for term in best)
        metric = min(query.metrics & self._metrics[found], default="")
        return f"it shares {told} with the alert" + (f" and mentions {metric}" if metric else "")

    def _heading(self, found: int, sections: Counter[int]) -> str:
        own = self.runbooks[found].sections
        best = max(sections, key=lambda part: (sections[part], -part), default=0)
        return own[best].heading if best < len(own) else ""


@lru_cache(maxsize=4096)
def _length(runbook: Runbook, number: int) -> int:
    return section_words(runbook, number).total()


@lru_cache(maxsize=1024)
def _metrics_in(text: str) -> frozenset[str]:
    return frozenset(_METRIC_TOKEN.findall(text))


def _names(runbook: Runbook) -> tuple[str, ...]:
    return tuple(dict.fromkeys((runbook.title, runbook.slug, *runbook.aliases)))


def _widened(weights: Mapping[str, float], share: float, shown: dict[str, str]) -> dict[str, float]:
    """The words and, at a share of their weight, other words that operators use for the same."""
    wide = dict(weights)
    for stem, weight in weights.items():
        for word in _synonyms().get(stem, ()):
            other = _stem(word)
            shown.setdefault(other, word)
            wide[other] = max(wide.get(other, 0.0), weight * share)
    return wide


@lru_cache(maxsize=1)
def _synonyms() -> dict[str, tuple[str, ...]]:
    """Stem -> the other words of its groups; a phrase is found by none of its words alone."""
    wide: dict[str, dict[str, None]] = defaultdict(dict)
    for group in SYNONYMS:
        for one in group:
            if " " not in one:
                others = (word for other in group if other != one for word in other.split())
                wide[_stem(one)].update(dict.fromkeys(others))
    return {stem: tuple(others) for stem, others in wide.items()}


@lru_cache(maxsize=65_536)
def _stem(word: str) -> str:
    return str(snowballstemmer.stemmer("english").stemWord(word))  # one is not for two threads
