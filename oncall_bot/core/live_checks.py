"""Live checks: a PromQL query inside a runbook step, and what its value should be.

Knows: the query's name, unit and expectation, and how a value is judged against it.
Refuses to know: who runs the query and how. Serves the runbook thread and the facts of a draft.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from oncall_bot.core.errors import BadInput

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
        if self.upper is not None:
            return f"between {self.limit:g} and {self.upper:g}"
        return f"{_WORDS[self.op]} {self.limit:g}"


@dataclass(frozen=True, slots=True)
class LiveCheck:
    """A query with a name; without an expectation its value is shown and not judged."""

    name: str
    unit: str
    expect: Expectation | None
    promql: str
    section: str


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
