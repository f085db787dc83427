"""PromQL as it is written: words, and the tree of an expression. What is unknown is refused in Prometheus's words.

Knows selectors with matchers and ranges, calls, aggregations, arithmetic, comparisons, and/or/unless. Refuses to know
samples. Serves `computing`, and rules that look into an expression.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from oncall_bot.core.errors import BadInput
from oncall_bot.core.matchers import Matcher, Op

RANGE_MAX_S = 24 * 3600.0
LENGTH_MAX = 4096
DEPTH_MAX = 40


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
_OVER_TIME = ("avg", "max", "min", "sum", "count", "last")
RANGED = {"rate", "irate", "increase", "delta", "changes", *(f"{n}_over_time" for n in _OVER_TIME)}
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
            if name not in RANGED | _PLAIN:
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
