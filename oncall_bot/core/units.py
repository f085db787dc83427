"""Numbers as people read them: with the unit that an expression's own names give away, and no more digits than help.

Knows the naming rules of Prometheus (`_seconds`, `_bytes`, `_ratio`, a quotient of counts). Refuses to guess further:
without a sure sign a number stays bare. Serves graphs, live checks and `/oncall metric`.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from oncall_bot.core.promql import metric_names

_STRINGS = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`")
_RATES = re.compile(r"\b(?:rate|irate|deriv)\s*\(")
_TIMES_100 = re.compile(r"^\s*100(?:\.0*)?\s*\*|\*\s*100(?:\.0*)?\s*\)*\s*$")
_BYTES = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_LETTERS = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"))


@dataclass(frozen=True, slots=True)
class Unit:
    """`kind` is "", %, ratio (shown as %), s, bytes, bytes/s, /s, or a word that stands behind the number as it is."""

    kind: str = ""


NONE = Unit()


def unit_of(expr: str, limit: float | None = None) -> Unit:
    """The unit of what the expression measures, as far as the names in it say so for certain."""
    bare = _STRINGS.sub("", expr)
    names = metric_names(expr)
    last = names[0] if names else ""
    a_rate = _RATES.search(bare) is not None
    if "/" in bare:
        return _quotient(names, bare, limit)
    stem = re.sub(r"_(?:total|sum|bucket|avg|max|min)$", "", last)
    if stem.endswith("_seconds"):
        is_spent = a_rate and not last.endswith("_bucket")  # seconds a second: how busy it is
        return Unit("ratio") if is_spent else Unit("s")
    if stem.endswith("_bytes"):
        return Unit("bytes/s") if a_rate else Unit("bytes")
    if stem.endswith("_ratio"):
        return Unit("ratio")
    if stem.endswith(("_percent", "_percentage")):
        return Unit("%")
    return Unit("/s") if a_rate and last.endswith(("_total", "_count")) else NONE


def _quotient(names: tuple[str, ...], bare: str, limit: float | None) -> Unit:
    """A share of like things is a percentage; seconds by their count are seconds."""
    if len(names) > 1 and names[0].endswith("_seconds_sum") and names[-1].endswith("_count"):
        return Unit("s")
    if len({_kind(name) for name in names}) > 1:
        return NONE
    if _TIMES_100.search(bare):
        return Unit("%")
    return Unit("ratio") if limit is not None and 0 < limit <= 1 else NONE


def _kind(name: str) -> str:
    return next((kind for kind in ("_seconds", "_bytes") if kind in name), "")


def figure(value: float, unit: Unit = NONE) -> str:
    """`12,431`, `8.4 %`, `340 ms`, `1.5 GiB`, `2.1e-07`; a NaN is `no number`."""
    if math.isnan(value):
        return "no number"
    if math.isinf(value):
        return "infinite" if value > 0 else "-infinite"
    match unit.kind:
        case "ratio":
            return f"{number(value * 100)} %"
        case "s":
            return _span(value)
        case "bytes" | "bytes/s":
            return _bytes(value) + ("/s" if unit.kind == "bytes/s" else "")
        case "":
            return number(value)
        case "/s":
            return f"{number(value)}/s"
        case word:
            return f"{number(value)} {word}"


def number(value: float) -> str:
    """About three digits that matter, in the shortest honest form."""
    size = abs(value)
    if size >= 1e18 or (0 < size < 1e-4):
        return f"{value:.2g}"
    for power, letter in _LETTERS:
        if size >= power and power > 1e6:
            return f"{value / power:.3g}{letter}"
    if size >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}".removesuffix(".0") if size >= 10 else f"{value:.3g}"


def exact(value: float) -> str:
    """A number that somebody wrote down, as they wrote it: no digit less, thousands marked."""
    return f"{value:,.10g}"


def _bytes(value: float) -> str:
    power = min(len(_BYTES) - 1, int(math.log(abs(value), 1024))) if abs(value) >= 1 else 0
    return f"{number(value / 1024**power)} {_BYTES[power]}"


def _span(value: float) -> str:
    size = abs(value)
    for least, unit, word in ((172_800, 86_400, "days"), (7200, 3600, "h"), (120, 60, "min")):
        if size >= least:
            return f"{number(value / unit)} {word}"
    if size >= 1 or size == 0:
        return f"{number(value)} s"
    return f"{number(value * 1000)} ms" if size >= 1e-4 else f"{number(value * 1e6)} µs"
