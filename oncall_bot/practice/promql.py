"""A small honest PromQL: what runbooks and rules commonly use, computed as Prometheus does; the rest refused by name.

Knows selectors with matchers and ranges, rate and its kin, aggregations, arithmetic, comparisons, and/or/unless.
Refuses to know HTTP and where samples come from. Serves the practice Prometheus, its rules and its charts.
The rules are those of prometheus.io, "Querying"; tests hold them against promtool.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from oncall_bot.core.errors import BadInput
from oncall_bot.core.matchers import Matcher, Op
from oncall_bot.practice.series import Scraped, Series

LOOK_BACK_S = 300.0
RANGE_MAX_S = 24 * 3600.0
LENGTH_MAX = 4096
DEPTH_MAX = 40

Labels = Mapping[str, str]
Vector = list[tuple[Labels, float]]
Value = float | Vector
Samples = Sequence[tuple[float, float]]


class BadQuery(Exception):  # noqa: N818 - a refusal in Prometheus's words
    """The expression cannot be computed here."""


# --- words ------------------------------------------------------------------------------------------------------------

_WORD = re.compile(
    r"""\s*(?:
      (?P<duration>\d+(?:ms|[smhdwy])(?:\d+(?:ms|[smhdwy]))*)
    | (?P<number>0x[0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)
    | (?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)
    | (?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)
    | (?P<sign>=~|!~|!=|==|>=|<=|[-+*/%^=<>(){}\[\],@])
    )""",
    re.VERBOSE,
)
_PART = re.compile(r"(\d+)(ms|[smhdwy])")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
_COMMENT = re.compile(r"#[^\n]*")

Kind = Literal["duration", "number", "name", "text", "sign", "end"]


@dataclass(frozen=True, slots=True)
class Word:
    kind: Kind
    text: str
    at: int


def _words(expr: str) -> list[Word]:
    words: list[Word] = []
    at, end = 0, len(expr.rstrip())
    while at < end:
        found = _WORD.match(expr, at)
        if found is None or found.lastgroup is None:
            bare = re.compile(r"\s*").match(expr, at)
            at = bare.end() if bare else at
            raise BadQuery(f"{_place(expr, at)}: parse error: unexpected character: {expr[at]!r}")
        kind: Kind = found.lastgroup  # type: ignore[assignment]
        words.append(Word(kind, found[kind], found.start(kind)))
        at = found.end()
    return [*words, Word("end", "", end)]


def _place(expr: str, at: int) -> str:
    line = expr.count("\n", 0, at) + 1
    return f"{line}:{at - (expr.rfind(chr(10), 0, at) + 1) + 1}"


def seconds_of(text: str) -> float:
    """`5m` or `1h30m` in seconds."""
    return sum(int(number) * _SECONDS[unit] for number, unit in _PART.findall(text))


# --- expressions ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Number:
    value: float


@dataclass(frozen=True, slots=True)
class Selector:
    matchers: tuple[Matcher, ...]
    range_s: float | None = None
    offset_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Call:
    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Aggregate:
    name: str
    inner: Node
    labels: tuple[str, ...]
    without: bool
    parameter: Node | None = None


@dataclass(frozen=True, slots=True)
class Binary:
    sign: str
    left: Node
    right: Node
    bool_: bool = False
    on: tuple[str, ...] | None = None
    ignoring: tuple[str, ...] = ()


Node = Number | Selector | Call | Aggregate | Binary

_LEVELS: Mapping[str, int] = {
    "or": 1,
    "and": 2,
    "unless": 2,
    **dict.fromkeys(("==", "!=", ">", "<", ">=", "<="), 3),
    "+": 4,
    "-": 4,
    "*": 5,
    "/": 5,
    "%": 5,
    "^": 6,
}
_COMPARES: Mapping[str, Callable[[float, float], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
}
_OVER_TIME = ("avg", "max", "min", "sum", "count", "last")
_RANGED = {"rate", "irate", "increase", "delta", "changes", *(f"{n}_over_time" for n in _OVER_TIME)}
_PLAIN = {"abs", "ceil", "floor", "round", "sqrt", "clamp_min", "clamp_max", "absent"}
_PLAIN |= {"vector", "scalar", "time", "sort", "sort_desc"}
_AGGREGATES = ("sum", "avg", "min", "max", "count", "topk", "bottomk", "group")


class _Parser:
    def __init__(self, expr: str) -> None:
        if len(expr) > LENGTH_MAX:
            raise BadQuery(f"the query has more than {LENGTH_MAX} characters")
        self.expr = _COMMENT.sub(lambda found: " " * len(found[0]), expr)
        self.words = _words(self.expr)
        self.at = 0
        self.depth = 0

    @property
    def word(self) -> Word:
        return self.words[self.at]

    def is_over(self) -> bool:
        return self.word.kind == "end"

    def next(self) -> Word:
        word = self.words[self.at]
        self.at = min(self.at + 1, len(self.words) - 1)
        return word

    def takes(self, text: str) -> bool:
        if self.word.kind in ("sign", "name") and self.word.text == text:
            self.next()
            return True
        return False

    def wants(self, text: str, where: str) -> None:
        if not self.takes(text):
            raise self.unexpected(f"{where}, expected {text!r}")

    def unexpected(self, where: str) -> BadQuery:
        word = self.word
        shown = "end of input" if word.kind == "end" else f"{word.text!r}"
        at = _place(self.expr, word.at)
        return BadQuery(f"{at}: parse error: unexpected {shown} in {where}")

    def whole(self) -> Node:
        if self.is_over():
            raise BadQuery("unknown position: parse error: no expression found in input")
        node = self.binary(1)
        if not self.is_over():
            raise self.unexpected("expression")
        return node

    def binary(self, level: int) -> Node:
        self.depth += 1
        if self.depth > DEPTH_MAX:
            raise BadQuery("the query is nested too deeply")
        left = self.unary()
        while (mine := _LEVELS.get(self.word.text, 0)) >= level and self.word.kind != "text":
            sign = self.next().text
            is_bool = self.takes("bool")
            on, ignoring = self.matching()
            right = self.binary(mine if sign == "^" else mine + 1)
            left = Binary(sign, left, right, is_bool, on, ignoring)
        self.depth -= 1
        return left

    def matching(self) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
        on: tuple[str, ...] | None = None
        ignoring: tuple[str, ...] = ()
        if self.takes("on"):
            on = self.names()
        elif self.takes("ignoring"):
            ignoring = self.names()
        if self.word.text in ("group_left", "group_right"):
            raise BadQuery(f"the practice Prometheus does not know {self.word.text}")
        return on, ignoring

    def unary(self) -> Node:
        if self.takes("-"):
            return Binary("*", Number(-1.0), self.binary(6))
        self.takes("+")
        return self.postfix(self.primary())

    def primary(self) -> Node:
        word = self.next()
        if word.kind == "number":
            return Number(float(int(word.text, 16) if word.text.startswith("0x") else word.text))
        if word.kind == "sign" and word.text == "(":
            node = self.binary(1)
            self.wants(")", "parenthesised expression")
            return node
        if word.kind == "sign" and word.text == "{":
            self.at -= 1
            return self.selector("")
        if word.kind == "name":
            return self.named(word)
        self.at -= 1
        raise self.unexpected("expression")

    def named(self, word: Word) -> Node:
        name = word.text
        if name.lower() in ("inf", "nan"):
            return Number(float(name))
        if name in _AGGREGATES and self.word.text in ("(", "by", "without"):
            return self.aggregate(name)
        if self.word.text == "(" and self.word.kind == "sign":
            if name not in _RANGED | _PLAIN:
                at = _place(self.expr, word.at)
                raise BadQuery(f'{at}: parse error: unknown function with name "{name}"')
            return Call(name, self.arguments())
        return self.selector(name)

    def aggregate(self, name: str) -> Node:
        labels, without = self.grouping()
        arguments = self.arguments()
        if not labels and not without:
            labels, without = self.grouping()
        wanted = 2 if name in ("topk", "bottomk") else 1
        if len(arguments) != wanted:
            raise BadQuery(
                f"wrong number of arguments for aggregate expression provided, expected {wanted},"
                f" got {len(arguments)}"
            )
        return Aggregate(
            name, arguments[-1], labels, without, arguments[0] if wanted == 2 else None
        )

    def grouping(self) -> tuple[tuple[str, ...], bool]:
        if self.takes("by"):
            return self.names(), False
        if self.takes("without"):
            return self.names(), True
        return (), False

    def names(self) -> tuple[str, ...]:
        self.wants("(", "grouping opts")
        found: list[str] = []
        while not self.takes(")"):
            if self.word.kind != "name":
                raise self.unexpected("grouping opts, expected label")
            found.append(self.next().text)
            self.takes(",")
        return tuple(found)

    def arguments(self) -> tuple[Node, ...]:
        self.wants("(", "call")
        found: list[Node] = []
        while not self.takes(")"):
            found.append(self.binary(1))
            if not self.takes(",") and self.word.text != ")":
                raise self.unexpected("call arguments")
        return tuple(found)

    def selector(self, name: str) -> Selector:
        matchers = [Matcher("__name__", "=", name)] if name else []
        if self.takes("{"):
            while not self.takes("}"):
                matchers.append(self.matcher())
                if not self.takes(",") and self.word.text != "}":
                    raise self.unexpected('label matching, expected "," or "}"')
        if not any(one.op in ("=", "=~") and not one.matches({}) for one in matchers):
            raise BadQuery("vector selector must contain at least one non-empty matcher")
        return Selector(tuple(matchers))

    def matcher(self) -> Matcher:
        name = self.next()
        if name.kind != "name":
            self.at -= 1
            raise self.unexpected("label matching, expected identifier")
        op = self.next()
        if op.text not in ("=", "!=", "=~", "!~"):
            self.at -= 1
            raise self.unexpected("label matching, expected label matching operator")
        value = self.next()
        if value.kind != "text":
            self.at -= 1
            raise self.unexpected("label matching, expected string")
        sign: Op = op.text  # type: ignore[assignment]
        try:
            return Matcher(name.text, sign, _unquoted(value.text))
        except BadInput as error:
            raise BadQuery(f"parse error: {error}") from None

    def postfix(self, node: Node) -> Node:
        if self.takes("["):
            if not isinstance(node, Selector):
                raise BadQuery("ranges only allowed for vector selectors (no subqueries here)")
            word = self.next()
            if word.kind != "duration" or not self.takes("]"):
                self.at -= 1
                raise self.unexpected("matrix selector, expected a duration such as [5m]")
            range_s = seconds_of(word.text)
            if not 0 < range_s <= RANGE_MAX_S:
                raise BadQuery("the practice Prometheus keeps one day: the range is too long")
            node = Selector(node.matchers, range_s)
        if self.takes("offset"):
            word = self.next()
            if not isinstance(node, Selector) or word.kind != "duration":
                raise BadQuery("offset must follow a selector and name a duration")
            node = Selector(node.matchers, node.range_s, seconds_of(word.text))
        if self.word.text == "@":
            raise BadQuery("the practice Prometheus does not know the @ modifier")
        return node


_ESCAPED = re.compile(r"\\(.)")
_LETTERS = {"n": "\n", "t": "\t", "r": "\r"}


def _unquoted(text: str) -> str:
    if text.startswith("`"):
        return text[1:-1]
    return _ESCAPED.sub(lambda found: _LETTERS.get(found[1], found[1]), text[1:-1])


def parse(expr: str) -> Node:
    """The expression, or BadQuery in Prometheus's words."""
    return _Parser(expr).whole()


# --- computing --------------------------------------------------------------------------------------------------------


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
        if name in _RANGED:
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
