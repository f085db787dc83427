"""A question as words: folded, contractions opened, slips of the finger mended.

Knows how people type in a hurry. Refuses to know what the words mean (`lexicon` does). Serves `understanding`, `names`
and `when`, which mark the words they have read.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

TEXT_MAX = 600
"""Characters of a message that are read; what is longer is no plain question."""
WORDS_MAX = 60

_TOKEN = re.compile(r"[@#]?[^\W_](?:[\w./:+'-]*[\w+])?|[?!]")
_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "`": "'", "“": '"', "”": '"'})
_CONTRACTED = (
    (
        re.compile(r"\b(who|what|when|where|how|why|it|that|there|he|she)'s\b", re.IGNORECASE),
        r"\1 is",
    ),
    (re.compile(r"\b(who|what|how|why)s\b", re.IGNORECASE), r"\1 is"),
    (re.compile(r"\b(who|what|how|why|they|we|you)'re\b", re.IGNORECASE), r"\1 are"),
    (re.compile(r"\b(who|it|that|i|you|he|she|they|we)'ll\b", re.IGNORECASE), r"\1 will"),
    (re.compile(r"\b(who|it|that|i|you|he|she|they|we)'d\b", re.IGNORECASE), r"\1 would"),
    (re.compile(r"\b(i|you|we|they)'ve\b", re.IGNORECASE), r"\1 have"),
    (re.compile(r"\bi'?m\b", re.IGNORECASE), "i am"),
    (
        re.compile(r"\b(do|does|did|is|are|was|has|have|would|could|should)n'?t\b", re.IGNORECASE),
        r"\1 not",
    ),
    (re.compile(r"\b(?:can't|cannot|cant)\b", re.IGNORECASE), "can not"),
    (re.compile(r"\blet'?s\b(?= )", re.IGNORECASE), "let us"),
    (re.compile(r"'s\b", re.IGNORECASE), ""),
)
# Words that look like a slip of one of ours and are none.
_MEANT_TEXT = """
    alter fine five fire four cell sell shirt shirts skate stage oven then than that this them they there these those
    think thing things time times tome take takes talk task tell tall told some same somewhere sometimes wage wave
    where were whole while with wish post past paste pace pale fare file filed filing filled tried trial hold held
    hello hell step steps stop song states start stats short shore paper papers pages weather father mother sort
    nice note notes noise rule rules role roles code codes core cost costs load loads road roads plan plans play
    lunch launch branch bench beach change chance chances chat that chart charts list lost last lest best rest test
    incline invent even event events ever never over cover covers covered recovered statue status statement
"""
_MEANT = frozenset(_MEANT_TEXT.split())


@dataclass(frozen=True, slots=True)
class Word:
    """One word: `text` folded and mended, `raw` as typed, and whether a slip was mended."""

    text: str
    raw: str
    mended: bool = False


def words_of(text: str, known: frozenset[str]) -> tuple[Word, ...]:
    """At most WORDS_MAX words of a message; slips that come near to one of the `known` words are mended."""
    opened = unicodedata.normalize("NFKC", text[:TEXT_MAX]).translate(_APOSTROPHES)
    for pattern, whole in _CONTRACTED:
        opened = pattern.sub(whole, opened)
    found = []
    for raw in _TOKEN.findall(opened)[:WORDS_MAX]:
        low = raw.casefold()
        better = low if low in known else mended(low, known)
        found.append(Word(better or low, raw, bool(better) and better != low))
    return tuple(found)


@lru_cache(maxsize=8192)
def mended(word: str, known: frozenset[str]) -> str | None:
    """The one known word of which `word` is a slip, None when there is none or more than one."""
    if not word.isalpha() or len(word) < 3 or word in _MEANT:
        return None
    near = [(slips(word, one), one) for one in known if _comparable(word, one)]
    close = sorted((d, one) for d, one in near if d <= _allowed(one))
    if not close or (
        len(close) > 1 and close[0][0] == close[1][0] and not _kin(close[0][1], close[1][1])
    ):
        return None
    return close[0][1]


def _comparable(word: str, one: str) -> bool:
    """A slip keeps the first letter, or swaps it with the second; lengths differ by two at most."""
    if abs(len(word) - len(one)) > 2 or len(one) < 3:
        return False
    return word[0] == one[0] or (word[:2] == one[1::-1] and len(word) == len(one))


def _allowed(word: str) -> int:
    if len(word) == 3:
        return 1
    return 1 if len(word) < 8 else 2


def _kin(one: str, other: str) -> bool:
    """Two forms of one word: whichever is taken means the same."""
    return one.startswith(other[:4]) and abs(len(one) - len(other)) <= 2


@lru_cache(maxsize=32768)
def slips(one: str, other: str) -> int:
    """How many slips lie between two words: a letter too many, too few, wrong, or two swapped. 9 is far."""
    if one == other:
        return 0
    # each slip changes two letters of the set at most: this spares nearly every word the long way
    if abs(len(one) - len(other)) > 2 or len(set(one) ^ set(other)) > 4:
        return 9
    if len(one) == 3 or len(other) == 3:  # of so short a word only swapped letters are known again
        return 1 if sorted(one) == sorted(other) and len(one) == len(other) else 9
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        before, last, row = row, before, [i]
        for j, b in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]
