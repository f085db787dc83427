"""Live checks: a PromQL query inside a runbook step, and what its value should be.

Knows: the query's name, unit and expectation, how a value is judged against it, and the words for that.
Refuses to know: who runs the query and how. Serves the runbook thread and the facts of a draft.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from oncall_bot.core.errors import BadInput
from oncall_bot.core.units import Unit, exact, figure

PROMQL_LIMIT = 4096
"""Characters in one query."""

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_COMPARED = re.compile(rf"(<=|>=|==|!=|<|>|=)\s*({_NUMBER})")
_BETWEEN = re.compile(rf"({_NUMBER})\s*\.\.\s*({_NUMBER})")
_HOLDS: Mapping[str, Callable[[float, float], bool]] = MappingProxyType(
    {
        "<": operator.lt,
        "<=": operator.le,
        ">": operator.gt,
        ">=": operator.ge,
        "==": operator.eq,
        "!=": operator.ne,
    }
)
_WORDS = {
    "<": "below",
    "<=": "at most",
    ">": "above",
    ">=": "at least",
    "==": "exactly",
    "!=": "other than",
}


@dataclass(frozen=True, slots=True)
class Expectation:
    """One comparison with a number; `upper` is set for a range, both ends included."""

    op: str
    limit: float
    upper: float | None = None

    def holds(self, value: float) -> bool:
        """Whether the value is as expected; NaN never is."""
        if math.isnan(value):
            return False
        if self.upper is not None:
            return self.limit <= value <= self.upper
        return _HOLDS[self.op](value, self.limit)

    @property
    def words(self) -> str:
        """The expectation as a person says it: `below 500`, `between 1 and 3`."""
        return self.said(exact)

    def said(self, number: Callable[[float], str]) -> str:
        """As `words`, with each number written in that way."""
        if self.upper is not None:
            return f"between {number(self.limit)} and {number(self.upper)}"
        return f"{_WORDS[self.op]} {number(self.limit)}"

    def miss(self, value: float) -> float:
        """How far the value is from where it is expected; infinite for NaN."""
        if self.holds(value):
            return 0.0
        if math.isnan(value):
            return math.inf
        return max(
            min(abs(value - self.limit), abs(value - (self.upper or self.limit))), math.ulp(0)
        )


@dataclass(frozen=True, slots=True)
class LiveCheck:
    """A query with a name; without an expectation its value is shown and not judged."""

    name: str
    unit: str
    expect: Expectation | None
    promql: str
    section: str


_WRITTEN_ANEW = frozenset({"ratio", "s", "bytes", "bytes/s"})
"""Units whose values are shown in another form: 0.084 as 8.4 %, 3600 s as 60 min."""
AS_EXPECTED, NOT_AS_EXPECTED, UNREAD = "as expected", "not as expected", "could not be read"
CHECKS_MAX = 10
"""Checks of one runbook that are run; the rest is named."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one check came to. `value` is None when it could not be read, and `why` says why not.

    A query that selects several series shows the one farthest from what is expected: `whose` names it among `series`.
    """

    name: str
    unit: str
    expected: str
    verdict: str  # empty where nothing is expected
    read_at: datetime
    value: float | None = None
    why: str = ""
    whose: str = ""
    series: int = 1
    section: str = ""

    @property
    def shown(self) -> str:
        """The value with its unit: `12,431 messages`."""
        return "" if self.value is None else figure(self.value, Unit(self.unit))

    @property
    def text(self) -> str:
        """The whole sentence, for the record: `queue depth 12,431 messages, expected below 500: not as expected`."""
        if self.value is None:
            return f"{self.name} could not be read ({self.why})"
        expected = f", expected {self.expected}" if self.expected else ""
        verdict = f": {self.verdict}" if self.verdict else ""
        return f"{self.name} {self.shown}{self.among}{expected}{verdict}"

    @property
    def among(self) -> str:
        """Whose value is shown, when there are several."""
        return f" ({self.whose}, of {self.series} series)" if self.series > 1 else ""

    def document(self) -> dict[str, Any]:
        """As it is kept with its timeline entry; `reading_of` reads it back."""
        return {
            "check": self.name,
            "value": self.value,
            "unit": self.unit,
            "expected": self.expected,
            "verdict": self.verdict,
            "why": self.why,
            "whose": self.whose,
            "series": self.series,
            "section": self.section,
        }


def reading_of(document: Mapping[str, Any], read_at: datetime) -> Reading:
    value = document.get("value")
    return Reading(
        name=str(document.get("check", "")),
        unit=str(document.get("unit", "")),
        expected=str(document.get("expected", "")),
        verdict=str(document.get("verdict", "")),
        read_at=read_at,
        value=float(value) if isinstance(value, int | float) else None,
        why=str(document.get("why", "")),
        whose=str(document.get("whose", "")),
        series=int(document.get("series", 1)),
        section=str(document.get("section", "")),
    )


def judged(
    check: LiveCheck, found: Sequence[tuple[Mapping[str, str], float]], at: datetime
) -> Reading:
    """What the samples say about the check; nothing selected and NaN are no values."""
    finite = [(labels, value) for labels, value in found if not math.isnan(value)]
    if not finite:
        return unread(check, "it has no number" if found else "the query selects nothing", at)
    expect = check.expect
    labels, value = max(finite, key=lambda one: expect.miss(one[1]) if expect else one[1])
    verdict = ""
    if expect is not None:
        verdict = AS_EXPECTED if expect.holds(value) else NOT_AS_EXPECTED
    if math.isinf(value):
        return unread(check, "its value is infinite", at)
    return Reading(
        name=check.name,
        unit=check.unit,
        expected=_expected(check),
        verdict=verdict,
        read_at=at,
        value=value,
        whose=_whose(labels, [one for one, _ in finite]),
        series=len(finite),
        section=check.section,
    )


def unread(check: LiveCheck, why: str, at: datetime) -> Reading:
    """The check could not be read, and why not."""
    expected = _expected(check)
    return Reading(
        check.name, check.unit, expected, UNREAD, at, why=why[:200], section=check.section
    )


def _expected(check: LiveCheck) -> str:
    if check.expect is None:
        return ""
    unit = Unit(check.unit)
    if check.unit in _WRITTEN_ANEW:  # as the value beside it is
        return check.expect.said(lambda value: figure(value, unit))
    return check.expect.words + (" %" if check.unit == "%" else "")


def _whose(labels: Mapping[str, str], all_labels: Sequence[Mapping[str, str]]) -> str:
    """The labels by which this series differs from the others."""
    told = [f"{k}={v}" for k, v in sorted(labels.items()) if _differs(k, v, all_labels)]
    return ", ".join(told)[:120]


def _differs(name: str, value: str, all_labels: Sequence[Mapping[str, str]]) -> bool:
    return name != "__name__" and any(other.get(name) != value for other in all_labels)


def parse_expectation(text: str) -> Expectation | None:
    """`< 500`, `>= 0.99`, `== 1` or `1..3`; None for an empty text, BadInput for anything else."""
    stripped = text.strip()
    if not stripped:
        return None
    if compared := _COMPARED.fullmatch(stripped):
        op = "==" if compared[1] == "=" else compared[1]
        return Expectation(op, float(compared[2]))
    if between := _BETWEEN.fullmatch(stripped):
        low, high = float(between[1]), float(between[2])
        if low <= high:
            return Expectation("..", low, high)
    raise BadInput(
        f"I can't read `{stripped[:60]}` as an expectation; write `< 500`, `>= 0.99`, `== 1` or"
        " `1..3` and put the unit into unit=."
    )
