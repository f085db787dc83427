"""What the search knows of a runbook: the words of its sections and names, and the metrics it mentions.

Made once for each version and kept with it, so that no search reads a runbook's text. Refuses to know alerts.
Serves the score and the store.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from oncall_bot.core.runbooks import Runbook
from oncall_bot.core.search.words import metrics_in, words

NAME_TIMES = 8
"""A word of the runbook's own names counts as so many in its text."""


@dataclass(frozen=True, slots=True)
class Page:
    """`sections`: how often each word, stemmed, stands in a section; the names' words count with the first one."""

    sections: tuple[Mapping[str, int], ...]
    names: tuple[frozenset[str], ...]
    metrics: frozenset[str]

    @property
    def length(self) -> int:
        """Words in all."""
        return sum(sum(counts.values()) for counts in self.sections)

    @property
    def own_words(self) -> frozenset[str]:
        """The words of title, slug and aliases."""
        return frozenset().union(*self.names)

    def plain(self) -> dict[str, Any]:
        """The form that is stored; `page_from` reads it back."""
        return {
            "sections": [dict(counts) for counts in self.sections],
            "names": [sorted(name) for name in self.names],
            "metrics": sorted(self.metrics),
        }


def page_of(runbook: Runbook) -> Page:
    """The page of a runbook as it stands."""
    names = tuple(
        frozenset(stem for stem, _ in words(name))
        for name in dict.fromkeys((runbook.title, runbook.slug, *runbook.aliases))
    )
    texts = [f"{section.heading}\n{section.text}" for section in runbook.sections] or [""]
    counts = [Counter(stem for stem, _ in words(text)) for text in texts]
    for word in frozenset().union(*names):
        counts[0][word] += NAME_TIMES
    return Page(tuple(counts), names, metrics_in(runbook.text))


def page_from(plain: Mapping[str, Any]) -> Page:
    """The page as it was stored."""
    return Page(
        tuple(plain["sections"]),
        tuple(frozenset(name) for name in plain["names"]),
        frozenset(plain["metrics"]),
    )


def words_in(pages: Iterable[Page]) -> Counter[str]:
    """In how many of the pages each word stands."""
    return Counter(word for page in pages for word in frozenset().union(*page.sections))
