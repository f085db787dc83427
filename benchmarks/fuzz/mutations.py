"""How a good body becomes a bad one: by its structure (keys, values, depth, size) and by its bytes.

Knows JSON, form fields and bytes. Refuses to know who reads them. All chance comes from the Random that is handed in,
so a run can be repeated by its seed. Serves the doors.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

TEXTS = (
    *("", " ", "0", "-1", "null", "true", "1e999", "NaN", "x" * 300, "é" * 90, "🔥" * 40),
    *("<!channel>", "<@U0ANAANA1>", "<https://evil.example|safe>", "&lt;!here&gt;", "*a*`b`_c_"),
    *("‮evil", "a\u200bb", "\ufeff", "\x00", "a\x00b", "\x1b[31m", "\r\nX-Evil: 1", "\ud800"),
    *("'; DROP TABLE incident; --", "%s%n%d", "{0.__class__}", "{{7*7}}", "${jndi:ldap://x}", "%"),
    *("<script>alert(1)</script>", "javascript:alert(1)", "=1+1", "../../etc/passwd", "_%"),
    *("9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "2026-02-30T25:61:00Z", "2026-01-01"),
    *("person:ana", "incident:1", "1", "999999999999999999999999", "critical", "resolved"),
)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 2**63, 2**64, 1.5, -0.0, 1e308, [], {}, [[]], [None]),
    *({"a": {"b": {"c": []}}}, ["x"] * 200, {"k": "v" * 2000}),
)
TOKENS = (b"null", b"1e999", b"NaN", b'"', b"{", b"}", b"[", b"]", b"\\u0000", b"\\ud800", b"\xff")
DEEP, LONG = 2_000, 20_000


class Mutator:
    """Changes drawn from one Random."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def text(self) -> str:
        return self.random.choice(TEXTS)

    def value(self) -> Any:
        if self.random.random() < 0.6:
            return self.text()
        return copy.deepcopy(self.random.choice(VALUES))

    def json(self, good: Any) -> bytes:
        """A body of this shape, changed one to four times; now and then in its bytes as well."""
        changed = copy.deepcopy(good)
        for _ in range(self.random.randint(1, 4)):
            changed = self._changed(changed)
        data = self._written(changed)
        return self.bytes(data) if self.random.random() < 0.3 else data

    def object(self, good: Mapping[str, Any]) -> dict[str, Any]:
        """An object of this shape, changed one to three times; it stays an object."""
        changed = copy.deepcopy(dict(good))
        for _ in range(self.random.randint(1, 3)):
            found = self._changed(changed)
            changed = found if isinstance(found, dict) else changed
        return changed

    def _written(self, value: Any) -> bytes:
        text = json.dumps(value, ensure_ascii=self.random.random() < 0.5)
        if self.random.random() < 0.02:
            text = text.replace(":", ":" + "[" * DEEP + "]" * DEEP + ",", 1)
        if self.random.random() < 0.05 and text.startswith("{"):
            text = '{"alerts":[],"type":"x","labels":{},' + text[1:]  # keys that come twice
        return text.encode("utf-8", "surrogatepass")

    def _changed(self, value: Any) -> Any:
        """One change at a place drawn by chance."""
        holders: list[tuple[Any, Any]] = []
        _walk(value, holders)
        if not holders:
            return self.value()
        holder, key = self.random.choice(holders)
        self.random.choice(_CHANGES)(self, holder, key)
        return value

    def bytes(self, data: bytes) -> bytes:
        """The bytes with a few of them changed, cut, doubled or put elsewhere."""
        changed = bytearray(data)
        for _ in range(self.random.randint(1, 4)):
            at = self.random.randrange(len(changed) + 1)
            match self.random.randrange(6):
                case 0:
                    changed[at : at + 1] = bytes([self.random.randrange(256)])
                case 1:
                    del changed[at : at + self.random.randint(1, 8)]
                case 2:
                    changed[at:at] = self.random.choice(TOKENS)
                case 3:
                    changed[at:at] = changed[at : at + self.random.randint(1, 64)]
                case 4:
                    changed[at:at] = self.text().encode("utf-8", "surrogatepass")
                case _:
                    del changed[at + self.random.randint(1, 400) :]
        return bytes(changed)

    def word(self, good: str) -> str:
        """Another spelling of a key or token; never the same."""
        while (changed := self._word(good)) == good:
            pass
        return changed

    def _word(self, good: str) -> str:
        at = self.random.randrange(len(good) + 1)
        other = self.random.choice("AZaz09-_.=%~ +/é\x00")
        match self.random.randrange(7):
            case 0:
                return good[:at] + other + good[at + 1 :]
            case 1:
                return good[:at] + good[at + 1 :]
            case 2:
                return good[:at] + other + good[at:]
            case 3:
                return good.swapcase() if self.random.random() < 0.5 else good + good
            case 4:
                return good[:at]
            case 5:
                return self.text()
            case _:
                return "".join(self.random.choice("abcABC012-_") for _ in range(len(good)))


def _walk(value: Any, holders: list[tuple[Any, Any]]) -> None:
    """Every place in a JSON value where something could stand instead."""
    keys: Any = value if isinstance(value, dict) else range(len(value))
    for key in keys:
        holders.append((value, key))
        if isinstance(value[key], dict | list) and len(holders) < 400:
            _walk(value[key], holders)


def _replace(mutator: Mutator, holder: Any, key: Any) -> None:
    holder[key] = mutator.value()


def _drop(mutator: Mutator, holder: Any, key: Any) -> None:
    del holder[key]


def _rename(mutator: Mutator, holder: Any, key: Any) -> None:
    if isinstance(holder, dict):
        holder[mutator.text()] = holder.pop(key)


def _double(mutator: Mutator, holder: Any, key: Any) -> None:
    if isinstance(holder, list):
        holder.extend([copy.deepcopy(holder[key])] * mutator.random.randint(1, 3))


def _wrap(mutator: Mutator, holder: Any, key: Any) -> None:
    holder[key] = [holder[key]] if mutator.random.random() < 0.5 else {"x": holder[key]}


def _stretch(mutator: Mutator, holder: Any, key: Any) -> None:
    holder[key] = mutator.text() * mutator.random.choice((2, 20, 200))
    if mutator.random.random() < 0.02:
        holder[key] = "y" * LONG


def _splice(mutator: Mutator, holder: Any, key: Any) -> None:
    if isinstance(holder[key], str):
        at = mutator.random.randrange(len(holder[key]) + 1)
        holder[key] = holder[key][:at] + mutator.text() + holder[key][at:]


_CHANGES: tuple[Callable[[Mutator, Any, Any], None], ...] = (
    *(_replace, _replace, _drop, _rename, _double, _wrap, _stretch, _splice, _splice),
)
