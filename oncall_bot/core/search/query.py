"""What is asked about one alert: its words by where they stand, with other words for the same, and its metrics.

Knows how much a word says by its place: the name most, then what the rule's author wrote, then metrics and values.
Refuses to know runbooks. Serves the candidates and the score.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from oncall_bot.core.search.synonyms import SYNONYMS
from oncall_bot.core.search.words import metrics_in, stem, words

TEXT_LIMIT = 8192
"""Characters of one annotation or expression that are read."""

# What a word of the alert counts, by where it stands; a synonym counts a share of its original.
_NAME, _ANNOTATION, _METRIC, _VALUE = 3.0, 1.0, 0.8, 0.3
_SYNONYM, _NAME_SYNONYM = 0.35, 0.6
# What a word of the alert that does not stand in its name counts for the name of a runbook: an alert called
# `Unavailable` whose metric begins with `promscale_` is about Promscale.
_ELSEWHERE = 0.6

_TEMPLATE = re.compile(r"\{\{[^{}]*\}\}")
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Query:
    """Stemmed words with weights, its name's words, its metrics.

    `own` are the words that stand in the alert, without their synonyms; `severity` is its label, if it has one.
    """

    own: frozenset[str]
    terms: Mapping[str, float]
    name: Mapping[str, float]
    metrics: frozenset[str]
    shown: Mapping[str, str]
    severity: str = ""


def query_of(
    labels: Mapping[str, str], annotations: Mapping[str, str], expression: str = ""
) -> Query:
    """The query of an alert; `expression` is its rule's PromQL where it is known."""
    weights: dict[str, float] = {}
    shown: dict[str, str] = {}

    def add(text: str, weight: float) -> None:
        for stemmed, word in words(text):
            weights[stemmed] = max(weights.get(stemmed, 0.0), weight)
            shown.setdefault(stemmed, word)

    alertname = labels.get("alertname", "")[:TEXT_LIMIT]
    promql = expression[:TEXT_LIMIT]
    metrics = metrics_in(_STRING.sub("", promql))
    for key in ("summary", "description", "message"):
        add(_TEMPLATE.sub(" ", annotations.get(key, "")[:TEXT_LIMIT]), _ANNOTATION)
    add(" ".join(sorted(metrics)), _METRIC)
    add(" ".join(_STRING.findall(promql)), _VALUE)
    elsewhere = dict.fromkeys(weights, _ELSEWHERE)
    add(alertname, _NAME)
    name = _widened({word: 1.0 for word, _ in words(alertname)}, _NAME_SYNONYM, shown)
    return Query(
        own=frozenset(weights),
        terms=_widened(weights, _SYNONYM, shown),
        name={
            word: max(elsewhere.get(word, 0.0), name.get(word, 0.0))
            for word in {**elsewhere, **name}
        },
        metrics=metrics,
        shown=shown,
        severity=labels.get("severity", "")[:40].casefold(),
    )


def _widened(weights: Mapping[str, float], share: float, shown: dict[str, str]) -> dict[str, float]:
    """The words and, at a share of their weight, other words that operators use for the same."""
    wide = dict(weights)
    for stemmed, weight in weights.items():
        for word in _synonyms().get(stemmed, ()):
            other = stem(word)
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
                wide[stem(one)].update(dict.fromkeys(others))
    return {stemmed: tuple(others) for stemmed, others in wide.items()}
