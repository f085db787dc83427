"""Text becomes the words that are compared: split, small, stemmed, without those that say nothing.

Knows camel case, snake case, metric names and English stems. Refuses to weigh. Serves queries and pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

import snowballstemmer

_TOKEN = re.compile(r"[A-Z]{2,}(?=s(?![a-z]))|[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+")
_METRIC = re.compile(r"[a-z][a-z0-9]*(?:[_:]+[a-z0-9]+)+")
_K8S = re.compile(r"k8s", re.IGNORECASE)
_STOP_WORDS = """
a an and are as at be been but by can do does for from had has have if in into is it its more no not
of on or over so than that the their then there these this to too up was were when which will with
you your
"""
_STOP = frozenset(_STOP_WORDS.split())


def words(text: str) -> Iterator[tuple[str, str]]:
    """(stem, word) of a text; camel case, snake case and dashes are split, stop words left out."""
    for found in _TOKEN.findall(_K8S.sub("kubernetes ", text)):
        word = found.lower()
        if len(word) > 1 and word not in _STOP:
            yield stem(word), word


def metrics_in(text: str) -> frozenset[str]:
    """The whole names of metrics that a text or a query mentions."""
    return frozenset(_METRIC.findall(text))


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    return str(snowballstemmer.stemmer("english").stemWord(word))  # one is not for two threads
