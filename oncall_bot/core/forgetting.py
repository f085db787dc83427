"""How a person is found in what is stored, and taken out of it: names, addresses and ids become one pseudonym.

Knows the ways in which a person is written down: key, name, parts of the name, e-mail, Slack id, telephone. Refuses to
know tables. Serves the export of what is stored about somebody, and the command that forgets them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

REMOVED = "(removed: its author asked to be forgotten)"
"""Stands where somebody's own words stood."""

SHORTEST_PART, SHORTEST_ADDRESS, SHORTEST_SAID = 3, 4, 8
PEOPLE_FIELDS = frozenset({"members", "managers", "users", "user", "last_resort", "person"})
"""Fields of the file, and of what it defines, that hold keys of people."""

OTHER_FIELDS = frozenset(
    {"team", "service", "schedule", "policy", "route", "kind", "road", "by", "channel", "source"}
)
"""Fields of our own JSON in which the same word would be something else than a person's key."""

_ORDINARY_TEXT = """
    April Art August Bill Chase Chance Drew Faith Frank Grace Grant Hope Jack June Mark May Page Pat Rich Rob Rose
    Sky Sue Will Summer Joy Dash Max Case Day Monday Young Long King White Black Green Brown
"""
_ORDINARY = frozenset(_ORDINARY_TEXT.split())
"""Names that begin ordinary sentences: alone they are left standing."""


@dataclass(frozen=True, slots=True)
class Traces:
    """All by which one person is known. `key` is the file's, or the Slack id of somebody outside it."""

    person_id: int
    key: str
    pseudonym: str
    names: tuple[str, ...] = ()
    mails: tuple[str, ...] = ()
    slack_ids: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    shared_parts: frozenset[str] = frozenset()  # parts of names that others have too

    @property
    def actors(self) -> tuple[str, ...]:
        """How rows name them as the one who did something."""
        return (f"person:{self.key}", *(f"slack:{one}" for one in self.slack_ids))


def pseudonym_of(person_id: int) -> str:
    """The same for one person everywhere, and saying nothing of them."""
    return f"former-{person_id}"


class Finder:
    """Finds one person in texts, references and JSON, and puts the pseudonym there."""

    def __init__(self, traces: Traces) -> None:
        self.traces = traces
        self._words = re.compile("|".join(_patterns(traces)))
        key = re.escape(traces.key)
        self._bare = re.compile(rf"(?<![\w.-]){key}(?![\w.-])")

    def text(self, text: str) -> str:
        """Prose: the name, its parts, addresses, ids, `@key` and `person:key`."""
        return self._words.sub(self.traces.pseudonym, text)

    def reference(self, text: str) -> str:
        """A reference made of words and colons: the bare key as well."""
        return self.text(self._bare.sub(self.traces.pseudonym, text))

    def json(self, value: Any, *, field: str = "") -> Any:
        """Decoded JSON: a text that is the key and nothing else is a reference, except in OTHER_FIELDS."""
        if isinstance(value, str):
            if value == self.traces.key and field not in OTHER_FIELDS:
                return self.traces.pseudonym
            return self.text(value)
        if isinstance(value, Mapping):
            return {self._field(key): self.json(v, field=key) for key, v in value.items()}
        if isinstance(value, list | tuple):
            return [self.json(one, field=field) for one in value]
        return value

    def _field(self, name: str) -> str:
        return self.traces.pseudonym if name == self.traces.key else self.text(name)

    def document(self, value: Any, *, field: str = "") -> Any:
        """The file, or a schedule or policy of it: keys of people where the file has people, else only their words."""
        if isinstance(value, str):
            if field in PEOPLE_FIELDS and value == self.traces.key:
                return self.traces.pseudonym
            return self.text(value)
        if isinstance(value, Mapping):
            return dict(self._entries(value, field))
        if isinstance(value, list | tuple):
            return [self.document(one, field=field) for one in value]
        return value

    def _entries(self, value: Mapping[str, Any], field: str) -> Iterator[tuple[str, Any]]:
        for key, inner in value.items():
            if field == "people" and key == self.traces.key:
                yield self.traces.pseudonym, {"name": self.traces.pseudonym}
            else:
                yield key, self.document(inner, field=key)

    def bytes(self, data: bytes) -> bytes:
        """A raw body, as text; the same bytes when nobody is found in it."""
        text = data.decode("utf-8", "surrogateescape")
        found = self.text(text)
        return data if found == text else found.encode("utf-8", "surrogateescape")


def named_in(document: Mapping[str, Any], key: str) -> list[str]:
    """Where the file names a person, as paths: `teams.shop.members`, `policies.shop.steps[0].page`."""
    return list(dict.fromkeys(_places(document, key, "", "")))


def _places(value: Any, key: str, path: str, field: str) -> Iterator[str]:
    if isinstance(value, str):
        if value == f"person:{key}" or (field in PEOPLE_FIELDS and value == key):
            yield path
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            below = f"{path}.{name}" if path else name
            if field == "people" and name == key:
                yield below
            yield from _places(inner, key, below, name)
    elif isinstance(value, list | tuple):
        for n, one in enumerate(value):
            deep = isinstance(one, Mapping | list | tuple)
            yield from _places(one, key, f"{path}[{n}]" if deep else path, field)


def without_words(text: str, said: Iterable[str]) -> str:
    """The text without what somebody said, wherever it is repeated."""
    for words in said:
        if len(words) >= SHORTEST_SAID:
            text = text.replace(words, REMOVED)
    return text


def without_words_in(value: Any, said: Iterable[str]) -> Any:
    """As `without_words`, in all texts of decoded JSON."""
    words = tuple(said)
    if isinstance(value, str):
        return without_words(value, words)
    if isinstance(value, Mapping):
        return {key: without_words_in(inner, words) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [without_words_in(one, words) for one in value]
    return value


def parts_of(name: str) -> tuple[str, ...]:
    """First and last names that stand for somebody where they stand alone."""
    parts = (part.strip(".,()") for part in name.split())
    return tuple(p for p in parts if len(p) >= SHORTEST_PART and p[0].isupper() and p not in _ORDINARY)  # fmt: skip


# --- patterns: fixed ones around escaped words, linear in the text ------------------------------------------------


def _patterns(traces: Traces) -> Iterator[str]:
    """Longest first, so that no part of a name is replaced inside it."""
    key = re.escape(traces.key)
    for mail in _longest_first(traces.mails):
        yield rf"(?<![\w.+-])(?i:{re.escape(mail)})(?![\w-])"
    for address in _longest_first(traces.addresses):
        yield _address(address)
    for slack_id in traces.slack_ids:
        yield rf"(?<![A-Za-z0-9]){re.escape(slack_id)}(?![A-Za-z0-9])"
    yield from (_name(name) for name in _longest_first(traces.names) if len(name) > 1)
    yield rf"(?<=@){key}(?!\w|[.-]\w)"
    yield rf"(?<=person:){key}(?!\w|[.-]\w)"
    parts = {part for name in traces.names for part in parts_of(name)} - traces.shared_parts
    yield from (rf"(?<!\w){re.escape(part)}(?!\w)" for part in _longest_first(parts))


def _longest_first(words: Iterable[str]) -> list[str]:
    return sorted({word for word in words if word.strip()}, key=lambda word: (-len(word), word))


def _name(name: str) -> str:
    """In any case when it is of several words; one word alone only as it is written, or every `will` would be Will."""
    words = [re.escape(word) for word in name.split()]
    phrase = r"[\s\u00a0]+".join(words)
    return rf"(?<!\w)(?i:{phrase})(?!\w)" if len(words) > 1 else rf"(?<!\w){phrase}(?!\w)"


def _address(address: str) -> str:
    """A telephone number is found however it is spaced."""
    digits = re.sub(r"\D", "", address)
    if re.fullmatch(r"\+?[\d ()./-]{7,}", address) and len(digits) >= 7:
        spaced = r"[ ()./\u00a0-]{0,3}".join(digits)
        return rf"(?<!\d)\+?{spaced}(?!\d)"
    return rf"(?<!\w)(?i:{re.escape(address)})(?!\w)"
