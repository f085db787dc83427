"""What of an incident may go to a model, and what never leaves: the `llm:` section of oncall.yaml, applied.

Knows incidents by severity, team, services and privacy, and labels by name. Refuses to know models and prompts.
Serves drafts and the assistant; secrets are another matter (core.redaction), and are taken out of everything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import re2

from oncall_bot.core.config import Llm
from oncall_bot.core.spending import Allowance, Spent, allowance, used_up

PRIVATE = "private"
MOST_VALUES = 2_000
LONGEST_VALUE = 300
_PLACE = re.compile(r"\[withheld-(\d{1,5})\]")


@dataclass(frozen=True, slots=True)
class Scope:
    """What `llm.sends` may name of an incident."""

    severity: str
    team: str | None = None
    services: tuple[str, ...] = ()
    private: bool = False


@dataclass(frozen=True, slots=True)
class Disclosure:
    """What one draft may send and use; with `refused` nothing, and why, in words for the draft."""

    allowance: Allowance
    withheld: tuple[str, ...] = ()
    refused: str | None = None


def disclose(
    llm: Llm,
    scope: Scope,
    model: str,
    spent: Spent,
    labels: Iterable[Mapping[str, Any]] = (),
    texts: Iterable[str] = (),
) -> Disclosure:
    """What of this incident that model may be sent now, with these labels of its alerts and texts of its record."""
    withheld = withheld_values(llm, labels, texts)
    refused = refusal(llm, scope) or used_up(llm, spent)
    if len(withheld) > MOST_VALUES:
        refused = refused or "its alerts have more values of llm.never_labels than can be withheld"
    return Disclosure(allowance(llm, model, spent), withheld, refused)


def refusal(llm: Llm, scope: Scope) -> str | None:
    """Why this incident's text may not go to a model, in words for the draft; None when it may.

    Without `sends` every incident may go that is not private; a private one only where `sends` says `private`.
    """
    if scope.private and PRIVATE not in (llm.sends or ()):
        return "this incident is private, and llm.sends does not say private"
    if llm.sends is None:
        return None
    ways = {f"severity:{scope.severity}", f"team:{scope.team}"}
    ways |= {f"service:{service}" for service in scope.services}
    named = [way for way in llm.sends if way != PRIVATE]
    if ways.isdisjoint(named) and not (scope.private and not named):
        return "llm.sends does not name this incident"
    return None


def withheld_values(
    llm: Llm, labels: Iterable[Mapping[str, Any]], texts: Iterable[str] = ()
) -> tuple[str, ...]:
    """The values of `never_labels`: of these labels, and where a text writes `label="value"` or `label: value`."""
    names = set(llm.never_labels)
    if not names:
        return ()
    found: dict[str, None] = {}
    for one in labels:
        found |= {str(one[name]): None for name in names if one.get(name) not in (None, "")}
    written = _written(names)
    for text in texts:
        found |= {(m[1] or m[2] or m[3]).rstrip(".,;:)"): None for m in written.finditer(text)}
    return tuple(value[:LONGEST_VALUE] for value in found if value.strip())[: MOST_VALUES + 1]


def _written(names: Iterable[str]) -> re.Pattern[str]:
    either = "|".join(re.escape(name) for name in sorted(names))
    return re.compile(
        rf"(?<![\w-])(?:{either})\s{{0,3}}(?:=~?|:)\s{{0,3}}"
        r"(?:\"([^\"\n]{1,300})\"|'([^'\n]{1,300})'|([^\s,;{}\"']{1,300}))",
        re.IGNORECASE,
    )


@dataclass(slots=True)
class Withholder:
    """Replaces values that never leave by [withheld-1], [withheld-2]...; `restored` puts them back at home."""

    values: Sequence[str]
    _places: dict[str, str] = field(init=False)
    _pattern: Any = field(init=False)

    def __post_init__(self) -> None:
        self._places = {v.casefold(): f"[withheld-{n}]" for n, v in enumerate(self.values, 1)}
        longest_first = sorted(set(self.values), key=len, reverse=True)
        either = "|".join(re2.escape(value) for value in longest_first)
        self._pattern = re2.compile(f"(?i)(?:{either})") if longest_first else None

    def withhold(self, text: str) -> str:
        """The text with every value replaced wherever it stands as a word of its own."""
        if self._pattern is None:
            return text
        pieces, end = [], 0
        for match in self._pattern.finditer(text):
            start, stop = match.span()
            if text[start - 1 : start].isalnum() or text[stop : stop + 1].isalnum():
                continue
            pieces += [text[end:start], self._places.get(match[0].casefold(), "[withheld]")]
            end = stop
        return "".join([*pieces, text[end:]])

    def restored(self, text: str) -> str:
        """The text of a reply with the values back in their places: it does not leave any more."""
        return _PLACE.sub(self._value, text)

    def _value(self, place: re.Match[str]) -> str:
        n = int(place[1]) - 1
        return self.values[n] if 0 <= n < len(self.values) else place[0]
