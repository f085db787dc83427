"""A message taken apart: its words, the time, the names and numbers, and the concepts that are left.

Knows the order in which words are given to times, names and phrases, so that none is read twice. Refuses to know
what is asked. Serves `understanding` and `wishes`.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from oncall_bot.core.talk import lexicon, when
from oncall_bot.core.talk.names import Kind, Mention, Names, incident_number, looks_like_alert
from oncall_bot.core.talk.words import Word, words_of

_LOOKS_BACK_TEXT = """
fired did was were happened changed happen before ever often times last since yesterday previously had been
"""
_LOOKS_BACK = frozenset(_LOOKS_BACK_TEXT.split())
_COUNTED = "times alerts errors minutes hours days percent users pods nodes hosts people incidents"
_NOT_AN_INCIDENT = frozenset(_COUNTED.split())
_INCIDENT_WORDS = frozenset({"incident", "inc", "#", "issue", "ticket", "number", "outage", "case"})


@dataclass(slots=True)
class Reading:
    """A message as it was read. Positions count words."""

    text: str
    words: tuple[Word, ...]
    topics: Set[str] = frozenset()
    time: when.Found = None
    time_at: frozenset[int] = frozenset()
    mentions: list[Mention] = field(default_factory=list)
    numbers: dict[int, int] = field(default_factory=dict)  # position -> incident number
    unknown_alerts: dict[int, str] = field(default_factory=dict)
    concepts: dict[int, str] = field(
        default_factory=dict
    )  # position -> concept, for each word of a phrase

    @property
    def said(self) -> list[str]:
        return [word.text for word in self.words]

    @property
    def incident(self) -> int | None:
        return next(iter(self.numbers.values()), None)

    def mention(self, *kinds: Kind) -> Mention | None:
        """The first mention that may be one of these, kinds in order of liking."""
        for kind in kinds:
            for mention in self.mentions:
                if mention.of(kind):
                    return mention
        return None

    def taken(self) -> set[int]:
        """Positions that are a time, a name or a number."""
        found = set(self.time_at) | set(self.numbers) | set(self.unknown_alerts)
        return (
            found.union(*(set(mention.at) for mention in self.mentions)) if self.mentions else found
        )

    def unknown(self) -> list[int]:
        """Positions of the words that mean nothing here."""
        taken = self.taken()
        return [
            n
            for n, word in enumerate(self.words)
            if n not in taken
            and n not in self.concepts
            and word.text not in lexicon.STOP
            and word.raw.casefold() not in self.topics
            and word.text not in {"?", "!"}
        ]


def read(text: str, names: Names, now: datetime, zone: ZoneInfo) -> Reading:
    """The message taken apart."""
    words = words_of(text, lexicon.vocabulary())
    reading = Reading(text, words, names.topics)
    said = reading.said
    _take_names(reading, names)
    free = [word if n not in reading.taken() else "\x00" for n, word in enumerate(said)]
    back = bool(_LOOKS_BACK & set(said))
    reading.time, reading.time_at = when.find(free, now, zone, back=back)
    _take_numbers(reading)
    _take_alerts(reading)
    _take_concepts(reading)
    return reading


def _take_names(reading: Reading, names: Names) -> None:
    taken = {n for n, word in enumerate(reading.words) if word.raw[:1].isdigit()}
    reading.mentions = names.find(reading.words, taken)


def _take_numbers(reading: Reading) -> None:
    taken = reading.taken() | when.length(reading.said)[1]
    for n, word in enumerate(reading.words):
        if n in taken:
            continue
        found = incident_number(word)
        if found is None and _is_bare_number(reading.words, n):
            found = int(word.text.lstrip("#"))
        if found is not None:
            reading.numbers[n] = found
    bare = [n for n in reading.numbers if reading.words[n].raw.isdigit()]
    if len(bare) > 1 and not _INCIDENT_WORDS & set(reading.said):
        for n in bare:  # several numbers and nothing that says which is an incident
            del reading.numbers[n]


def _is_bare_number(words: Sequence[Word], n: int) -> bool:
    """`why 42`, `incident 42`; not `5 times`, `3 alerts`."""
    text = words[n].text.lstrip("#")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        return False
    before = words[n - 1].text if n else ""
    after = words[n + 1].text if n + 1 < len(words) else ""
    return before in _INCIDENT_WORDS or after not in _NOT_AN_INCIDENT


def _take_alerts(reading: Reading) -> None:
    """A word that looks like an alert and is none that fired here."""
    taken = reading.taken()
    for n, word in enumerate(reading.words):
        if n not in taken and looks_like_alert(word):
            reading.unknown_alerts[n] = word.raw[:100]


def _take_concepts(reading: Reading) -> None:
    """The longest phrases first, over words that are free."""
    taken, said, table = reading.taken(), reading.said, lexicon.phrases()
    at = 0
    while at < len(said):
        for size in range(min(lexicon.longest(), len(said) - at), 0, -1):
            span = range(at, at + size)
            concept = table.get(tuple(said[at : at + size]))
            if concept and not any(n in taken for n in span):
                reading.concepts.update(dict.fromkeys(span, concept))
                at += size
                break
        else:
            at += 1
