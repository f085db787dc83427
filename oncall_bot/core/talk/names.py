"""Which of the house's names a question means: services, schedules, people, teams, alerts, runbooks.

Knows that people write `search api` for `search-api` and `ana` for Ana Ruiz, and misspell both. A name that fits
several things is handed back with all of them. Refuses to know where the names come from. Serves `understanding`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from enum import StrEnum

from oncall_bot.core.talk.words import Word, slips

WINDOW = 6
"""The most words that one name is written in."""
_HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[_\-. ]+")
_ALERT_LIKE = re.compile(
    r"^(?:[A-Z][a-z0-9]+){2,}[A-Za-z0-9]*$|^[A-Z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+$"
)
_NUMBERED = re.compile(r"^(?:#|inc-?|incident-?|sev-?)(\d{1,9})$")
_WEAK_TEXT = (
    "primary secondary oncall on call api service team prod app main schedule rota week default"
)
_WEAK = frozenset(_WEAK_TEXT.split())
"""Parts of names that mean nothing by themselves."""


class Kind(StrEnum):
    SERVICE = "service"
    SCHEDULE = "schedule"
    PERSON = "person"
    TEAM = "team"
    ALERT = "alert"
    RUNBOOK = "runbook"


@dataclass(frozen=True, slots=True)
class Name:
    kind: Kind
    key: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.key}"


@dataclass(frozen=True, slots=True)
class Known:
    """What may be named. Values are what else each key is called."""

    services: Mapping[str, Sequence[str]] = field(default_factory=dict)  # key -> its label values
    schedules: Sequence[str] = ()
    people: Mapping[str, str] = field(default_factory=dict)  # key -> full name
    teams: Sequence[str] = ()
    alerts: Sequence[str] = ()
    runbooks: Mapping[str, str] = field(default_factory=dict)  # slug -> title


@dataclass(frozen=True, slots=True)
class Mention:
    """A name in a question: the positions of its words and what it may stand for, the likeliest first."""

    at: range
    names: tuple[Name, ...]
    exact: bool = True
    text: str = ""

    def of(self, kind: Kind) -> Name | None:
        return next((name for name in self.names if name.kind is kind), None)


def flat(text: str) -> str:
    """`Search-API` and `search api` alike: small letters and digits only."""
    return "".join(char for char in text.casefold() if char.isalnum())


class Names:
    """An index over the names in force; built once for a snapshot, asked for every question."""

    def __init__(self, known: Known, common: Set[str] = frozenset()) -> None:
        """`common` are words of the language, which are names only where they are written as one."""
        self.known = known
        self._common = common
        self._whole: dict[str, list[Name]] = {}
        self._parts: dict[str, list[Name]] = {}
        self.topics = _topics(known)
        for called, name in _called(known):
            _add(self._whole, flat(called), name)
        for called, name in _called(known):
            if name.kind in {Kind.SERVICE, Kind.SCHEDULE}:
                for part in _HUMPS.split(called):
                    low = part.casefold()
                    if (
                        len(low) > 2
                        and low not in _WEAK
                        and low not in common
                        and low not in self._whole
                    ):
                        _add(self._parts, low, name)

    def find(self, words: Sequence[Word], taken: Set[int] = frozenset()) -> list[Mention]:
        """Every name in the words that are not taken, the longest first where two overlap."""
        free = [n not in taken and words[n].text not in {"?", "!"} for n in range(len(words))]
        found: list[Mention] = []
        for size in range(min(WINDOW, len(words)), 0, -1):
            for start in range(len(words) - size + 1):
                at = range(start, start + size)
                if all(free[n] for n in at) and (mention := self._exact(words, at)):
                    found.append(mention)
                    for n in at:
                        free[n] = False
        for n, word in enumerate(words):
            if free[n] and (near := self._loose(word, n)):
                found.append(near)
        return sorted(found, key=lambda one: one.at.start)

    def _exact(self, words: Sequence[Word], at: range) -> Mention | None:
        said = "".join(flat(words[n].raw) for n in at)
        names = self._whole.get(said)
        if not names or (len(at) == 1 and not self._is_meant(words[at.start], names)):
            return None
        return Mention(at, tuple(names), text=" ".join(words[n].raw for n in at))

    def _is_meant(self, word: Word, names: Sequence[Name]) -> bool:
        """`will` is a person's name only as `@will` or `Will`."""
        low = word.raw.casefold()
        if low not in self._common or word.raw.startswith("@"):
            return True
        if any(name.kind in {Kind.SERVICE, Kind.SCHEDULE} for name in names):
            return True
        return word.raw[:1].isupper() and len(low) > 2

    def _loose(self, word: Word, n: int) -> Mention | None:
        """A name's only telling part, or a slip of a name."""
        low = word.raw.casefold().lstrip("@")
        at = range(n, n + 1)
        if names := self._parts.get(low):
            return Mention(
                at, tuple(names), exact=len({one.key for one in names}) == 1, text=word.raw
            )
        if low in self._common or word.text in self._common or len(low) < 4:
            return None
        allowed = 1 if len(low) < 9 else 2
        said = flat(low)
        close: dict[Name, None] = {}
        for whole, called in self._whole.items():
            if (
                whole[:1] == said[:1]
                and len(whole) > 3
                and abs(len(whole) - len(said)) <= allowed
                and slips(said, whole) <= allowed
            ):
                close.update(dict.fromkeys(called))
        return Mention(at, tuple(close), exact=False, text=word.raw) if close else None

    def nearest(self, text: str, kinds: Set[Kind], most: int = 3) -> list[Name]:
        """Names that resemble the text, the nearest first."""
        said = flat(text)
        scored: dict[Name, float] = {}
        for whole, names in self._whole.items():
            likeness = _alike(said, whole)
            if likeness >= 0.5:
                for name in names:
                    if name.kind in kinds:
                        scored[name] = max(scored.get(name, 0.0), likeness)
        return sorted(scored, key=lambda name: (-scored[name], name.key))[:most]


class NamesInForce:
    """The index over what is known, built anew only when a name came or went."""

    def __init__(self, common: Set[str]) -> None:
        self._common = common
        self._known: Known | None = None
        self._names: Names | None = None

    def of(self, known: Known) -> Names:
        if self._names is None or known != self._known:
            self._known, self._names = known, Names(known, self._common)
        return self._names


def incident_number(word: Word) -> int | None:
    """`#42`, `INC-42`, `inc42`; a bare number is judged by who asks."""
    found = _NUMBERED.match(word.raw.casefold())
    if not found or word.raw.casefold().startswith("sev"):
        return None
    return int(found[1])


def looks_like_alert(word: Word) -> bool:
    """CamelCase or Snake_Case with a capital: an alert's name, known or not."""
    return bool(_ALERT_LIKE.match(word.raw)) and len(word.raw) > 5


def _called(known: Known) -> Iterator[tuple[str, Name]]:
    """Every way of naming every thing; services before schedules, so that the likelier comes first."""
    for key, labels in known.services.items():
        for called in (key, *labels):
            yield called, Name(Kind.SERVICE, key)
    for key in known.schedules:
        yield key, Name(Kind.SCHEDULE, key)
    yield from _people(known.people)
    for key in known.teams:
        yield key, Name(Kind.TEAM, key)
    for alert in known.alerts:
        yield alert, Name(Kind.ALERT, alert)
    for slug, title in known.runbooks.items():
        yield slug, Name(Kind.RUNBOOK, slug)
        yield title, Name(Kind.RUNBOOK, slug)


def _people(people: Mapping[str, str]) -> Iterator[tuple[str, Name]]:
    for key, name in people.items():
        person = Name(Kind.PERSON, key)
        yield key, person
        yield name, person
        parts = name.split()
        for part in {parts[0], parts[-1]} if len(parts) > 1 else ():
            yield part, person


def _topics(known: Known) -> frozenset[str]:
    """Words of which alerts' and runbooks' names are made: a question may use them freely."""
    named = [*known.alerts, *known.runbooks, *known.runbooks.values()]
    return frozenset(
        part.casefold() for name in named for part in _HUMPS.split(name) if len(part) > 2
    )


def _add(index: dict[str, list[Name]], called: str, name: Name) -> None:
    names = index.setdefault(called, [])
    if called and name not in names:
        names.append(name)


def _alike(one: str, other: str) -> float:
    """0 to 1: shared pairs of letters, as Dice counts them; the beginning of a name counts as near."""
    if len(one) > 2 and (other.startswith(one) or one.startswith(other)):
        return 0.8
    pairs, others = ({word[n : n + 2] for n in range(len(word) - 1)} for word in (one, other))
    if not pairs or not others:
        return 0.0
    return 2 * len(pairs & others) / (len(pairs) + len(others))
