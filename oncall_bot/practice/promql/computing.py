"""What an expression comes to at an instant, over samples that were scraped, computed as Prometheus does.

Knows rate and its kin with their extrapolation, aggregations, and which vectors match. Refuses to know how an
expression is written. Serves the practice Prometheus, its rules and its charts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise

from oncall_bot.practice.promql.syntax import (
    RANGED,
    Aggregate,
    BadQuery,
    Binary,
    Call,
    Node,
    Number,
    Selector,
    parse,
)
from oncall_bot.practice.series import Scraped, Series

LOOK_BACK_S = 300.0

Labels = Mapping[str, str]
Vector = list[tuple[Labels, float]]
Value = float | Vector
Samples = Sequence[tuple[float, float]]

_COMPARES: Mapping[str, Callable[[float, float], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
}


class Evaluator:
    """Computes expressions over what was scraped."""

    def __init__(self, scraped: Scraped) -> None:
        self._scraped = scraped

    def value(self, node: Node | str, t: float) -> Value:
        """A number, or a vector of (labels, number), as of that instant."""
        if isinstance(node, str):
            node = parse(node)
        return self._value(node, t)

    def _value(self, node: Node, t: float) -> Value:
        match node:
            case Number():
                return node.value
            case Selector():
                return self._instant(node, t)
            case Call():
                return self._call(node, t)
            case Aggregate():
                return self._aggregate(node, t)
            case Binary():
                return self._binary(node, t)

    def _instant(self, node: Selector, t: float) -> Vector:
        if node.range_s is not None:
            raise BadQuery(
                'invalid expression type "range vector" for range query, must be Scalar or instant'
                " Vector"
            )
        at = t - node.offset_s
        found = [(one.labels, one.sample(at)) for one in self._selected(node)]
        return [
            (labels, sample[1])
            for labels, sample in found
            if sample is not None and at - sample[0] < LOOK_BACK_S
        ]

    def _selected(self, node: Selector) -> Iterable[Series]:
        return [
            one
            for one in self._scraped.series
            if all(matcher.matches(one.labels) for matcher in node.matchers)
        ]

    def _vector(self, node: Node, t: float, who: str) -> Vector:
        found = self._value(node, t)
        if isinstance(found, float):
            raise BadQuery(f'expected type instant vector in {who}, got "scalar"')
        return found

    def _number(self, node: Node, t: float, who: str) -> float:
        found = self._value(node, t)
        if not isinstance(found, float):
            raise BadQuery(f'expected type scalar in {who}, got "instant vector"')
        return found

    # --- functions ----------------------------------------------------------------------------------------------

    def _call(self, node: Call, t: float) -> Value:
        name, given = node.name, node.arguments
        wanted = {"time": 0, "clamp_min": 2, "clamp_max": 2}.get(name, 1)
        if len(given) != wanted:
            raise BadQuery(f'expected {wanted} argument(s) in call to "{name}", got {len(given)}')
        who = f'call to function "{name}"'
        if name in RANGED:
            return self._over_time(name, given[0], t)
        if name == "time":
            return t
        if name == "vector":
            return [({}, self._number(given[0], t, who))]
        inner = self._vector(given[0], t, who)
        if name == "scalar":
            return inner[0][1] if len(inner) == 1 else math.nan
        if name == "absent":
            return [] if inner else [(_equalities(given[0]), 1.0)]
        if name in ("sort", "sort_desc"):
            return sorted(inner, key=lambda one: one[1], reverse=name == "sort_desc")
        limit = self._number(given[1], t, who) if wanted == 2 else 0.0
        return [(_nameless(labels), _plain(name, value, limit)) for labels, value in inner]

    def _over_time(self, name: str, node: Node, t: float) -> Vector:
        if not isinstance(node, Selector) or node.range_s is None:
            raise BadQuery(
                f'expected type range vector in call to function "{name}", got instant vector'
            )
        end = t - node.offset_s
        found: Vector = []
        for one in self._selected(node):
            samples = one.between(end - node.range_s, end)
            value = _ranged(name, samples, end - node.range_s, end)
            if value is not None:
                labels = one.labels if name == "last_over_time" else _nameless(one.labels)
                found.append((labels, value))
        return found

    def _aggregate(self, node: Aggregate, t: float) -> Vector:
        inner = self._vector(node.inner, t, "aggregation expression")
        groups: dict[frozenset[tuple[str, str]], Vector] = {}
        for labels, value in inner:
            if node.without:
                kept = {k: v for k, v in _nameless(labels).items() if k not in node.labels}
            else:
                kept = {k: labels[k] for k in node.labels if labels.get(k)}
            groups.setdefault(frozenset(kept.items()), []).append((labels, value))
        if node.parameter is not None:
            count = int(self._number(node.parameter, t, "aggregation parameter"))
            return [one for group in groups.values() for one in _top(node.name, group, count)]
        return [
            (dict(key), _aggregated(node.name, [value for _, value in group]))
            for key, group in groups.items()
        ]

    # --- two sides ----------------------------------------------------------------------------------------------

    def _binary(self, node: Binary, t: float) -> Value:
        left, right = self._value(node.left, t), self._value(node.right, t)
        sign = node.sign
        if sign in ("and", "or", "unless"):
            if isinstance(left, float) or isinstance(right, float):
                raise BadQuery(f'set operator "{sign}" not allowed in binary scalar expression')
            return self._set(node, left, right)
        if isinstance(left, float) and isinstance(right, float):
            if sign in _COMPARES:
                if not node.bool_:
                    raise BadQuery("comparisons between scalars must use BOOL modifier")
                return float(_COMPARES[sign](left, right))
            return _computed(sign, left, right)
        if isinstance(right, float):
            scalar = right
            assert not isinstance(left, float)
            pairs = [(labels, value, value, scalar) for labels, value in left]
        elif isinstance(left, float):
            scalar = left
            pairs = [(labels, value, scalar, value) for labels, value in right]
        else:
            return self._matched(node, left, right)
        return _each(node, pairs)

    def _matched(self, node: Binary, left: Vector, right: Vector) -> Vector:
        by_key: dict[frozenset[tuple[str, str]], float] = {}
        for labels, value in right:
            key = _key(node, labels)
            if key in by_key:
                raise BadQuery(
                    "found duplicate series for the match group on the right hand-side of the"
                    " operation; many-to-many matching not allowed"
                )
            by_key[key] = value
        seen: set[frozenset[tuple[str, str]]] = set()
        pairs = []
        for labels, value in left:
            key = _key(node, labels)
            if key not in by_key:
                continue
            if key in seen:
                raise BadQuery(
                    "multiple matches for labels: many-to-one matching must be explicit"
                    " (group_left/group_right)"
                )
            seen.add(key)
            kept = labels if node.sign in _COMPARES and not node.bool_ else dict(key)
            pairs.append((kept, value, value, by_key[key]))
        return _each(node, pairs)

    def _set(self, node: Binary, left: Vector, right: Vector) -> Vector:
        there = {_key(node, labels) for labels, _ in right}
        if node.sign == "and":
            return [one for one in left if _key(node, one[0]) in there]
        if node.sign == "unless":
            return [one for one in left if _key(node, one[0]) not in there]
        here = {_key(node, labels) for labels, _ in left}
        return [*left, *(one for one in right if _key(node, one[0]) not in here)]


def _key(node: Binary, labels: Labels) -> frozenset[tuple[str, str]]:
    if node.on is not None:
        return frozenset((k, labels.get(k, "")) for k in node.on)
    return frozenset((k, v) for k, v in _nameless(labels).items() if k not in node.ignoring)


def _each(node: Binary, pairs: Iterable[tuple[Labels, float, float, float]]) -> Vector:
    found: Vector = []
    for labels, shown, a, b in pairs:
        if node.sign not in _COMPARES:
            found.append((_nameless(labels), _computed(node.sign, a, b)))
        elif node.bool_:
            found.append((_nameless(labels), float(_COMPARES[node.sign](a, b))))
        elif _COMPARES[node.sign](a, b):
            found.append((labels, shown))
    return found


def _computed(sign: str, a: float, b: float) -> float:
    try:
        match sign:
            case "+":
                return a + b
            case "-":
                return a - b
            case "*":
                return a * b
            case "/":
                return a / b
            case "%":
                return math.fmod(a, b)
            case _:
                return float(a**b)
    except ZeroDivisionError:
        return math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a)
    except (OverflowError, ValueError, TypeError):
        return math.nan


def _plain(name: str, value: float, limit: float) -> float:
    match name:
        case "abs":
            return abs(value)
        case "ceil":
            return float(math.ceil(value))
        case "floor":
            return float(math.floor(value))
        case "round":
            return float(math.floor(value + 0.5))
        case "sqrt":
            return math.sqrt(value) if value >= 0 else math.nan
        case "clamp_min":
            return max(value, limit)
        case _:
            return min(value, limit)


def _ranged(name: str, samples: Samples, start: float, end: float) -> float | None:
    values = [value for _, value in samples]
    if not values:
        return None
    match name:
        case "rate" | "increase" | "delta":
            return _extrapolated(name, samples, start, end)
        case "irate":
            if len(samples) < 2:
                return None
            (t0, v0), (t1, v1) = samples[-2:]
            return (v1 - v0 if v1 >= v0 else v1) / (t1 - t0)
        case "avg_over_time":
            return sum(values) / len(values)
        case "max_over_time":
            return max(values)
        case "min_over_time":
            return min(values)
        case "sum_over_time":
            return sum(values)
        case "count_over_time":
            return float(len(values))
        case "changes":
            return float(sum(1 for a, b in pairwise(values) if a != b))
        case _:
            return values[-1]


def _extrapolated(name: str, samples: Samples, start: float, end: float) -> float | None:
    """As promql/functions.go extrapolatedRate: to the edges when the samples reach near them, never below zero."""
    if len(samples) < 2:
        return None
    first, last = samples[0], samples[-1]
    grown = last[1] - first[1]
    if name != "delta":
        for (_, before), (_, after) in pairwise(samples):
            grown += before if after < before else 0.0
    sampled = last[0] - first[0]
    apart = sampled / (len(samples) - 1)
    to_start, to_end = first[0] - start, end - last[0]
    if to_start >= apart * 1.1:
        to_start = apart / 2
    if name != "delta" and grown > 0 and first[1] >= 0:
        to_start = min(to_start, sampled * (first[1] / grown))
    if to_end >= apart * 1.1:
        to_end = apart / 2
    whole = grown * (sampled + to_start + to_end) / sampled
    return whole / (end - start) if name == "rate" else whole


def _aggregated(name: str, values: Sequence[float]) -> float:
    match name:
        case "sum":
            return sum(values)
        case "avg":
            return sum(values) / len(values)
        case "min":
            return min(values)
        case "max":
            return max(values)
        case "group":
            return 1.0
        case _:
            return float(len(values))


def _top(name: str, group: Vector, count: int) -> Vector:
    return sorted(group, key=lambda one: one[1], reverse=name == "topk")[: max(0, count)]


def _nameless(labels: Labels) -> Labels:
    return {k: v for k, v in labels.items() if k != "__name__"}


def _equalities(node: Node) -> Labels:
    if not isinstance(node, Selector):
        return {}
    return {m.name: m.value for m in node.matchers if m.op == "=" and m.name != "__name__"}
