"""As much PromQL as pictures, live checks and the search need: where a limit stands, and which texts are strings.

Knows strings, comments, brackets, and which operators stand at the top. Refuses to compute, and to refuse: what it does
not understand stays whole, for Prometheus to judge. Serves graphs, live checks, the intake and `runbooks check`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qs, urlsplit

from oncall_bot.core.errors import BadInput

EXPRESSION_LIMIT = 4096
"""Characters of one expression, from a rule, a runbook or a person."""
LINK_LIMIT = 16 * 1024
VALUE_LIMIT = 1024
DEPTH_LIMIT = 20

_WORD = re.compile(
    r"""(?P<space>\s+|\#[^\n]*)
    | (?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)
    | (?P<number>(?:0x[0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?![a-zA-Z_\d]))
    | (?P<duration>\d+(?:ms|[smhdwy])(?:\d+(?:ms|[smhdwy]))*)
    | (?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)
    | (?P<sign>=~|!~|!=|==|>=|<=|.)
    """,
    re.VERBOSE | re.DOTALL,
)
COMPARISONS = ("==", "!=", ">=", "<=", ">", "<")
_FLIPPED = {">": "<", "<": ">", ">=": "<=", "<=": ">=", "==": "==", "!=": "!="}
_SETS = frozenset({"and", "or", "unless"})
_LISTS = frozenset({"by", "without", "on", "ignoring", "group_left", "group_right"})
_WORDS = _SETS | _LISTS | {"bool", "offset", "start", "end", "inf", "nan", "atan2"}
_PLACE = re.compile(
    r"\{\{\s*\$labels\.([a-zA-Z_][a-zA-Z0-9_]*)\s*\}\}|\$labels\.([a-zA-Z_][a-zA-Z0-9_]*)"
)
_REGEX_MARKS = re.compile(r"([\\.+*?()|\[\]{}^$])")


@dataclass(frozen=True, slots=True)
class Measure:
    """What a rule looks at: `expr` is the measured part, compared by `op` with `limit` where it says so."""

    expr: str
    op: str | None = None
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class _Word:
    kind: str
    text: str
    at: int
    depth: int


def expression_of(link: str) -> str:
    """The rule's expression out of its generatorURL (`g0.expr`), or an empty text. The link is never fetched."""
    if "g0.expr=" not in link or len(link) > LINK_LIMIT:
        return ""
    return _expression_of(link)


@lru_cache(maxsize=1024)
def _expression_of(link: str) -> str:
    """Kept for the rules asked for last: a thousand alerts of one rule carry the same link."""
    try:
        found = parse_qs(urlsplit(link).query, errors="replace", max_num_fields=50)
    except ValueError:
        return ""
    expr = found.get("g0.expr", [""])[0].replace("\x00", "\ufffd").strip()
    return expr if len(expr) <= EXPRESSION_LIMIT else ""


def measure_of(expr: str) -> Measure:
    """The expression split at its one comparison with a number; whole where it is put together otherwise."""
    expr = expr.strip()
    for _ in range(DEPTH_LIMIT):
        words = _words(expr)
        inner = _unwrapped(expr, words)
        if inner is None:
            break
        expr = inner
    top = [word for word in words if word.depth == 0]
    signs = [word for word in top if word.kind == "sign" and word.text in COMPARISONS]
    names = {word.text.lower() for word in top if word.kind == "name"}
    if len(signs) != 1 or names & (_SETS | {"bool"}):
        return Measure(expr)
    sign = signs[0]
    left, right = expr[: sign.at].strip(), expr[sign.at + len(sign.text) :].strip()
    if not left or not right:
        return Measure(expr)
    if (limit := _number(right)) is not None and _number(left) is None:
        return Measure(left, sign.text, limit)
    if (limit := _number(left)) is not None and _number(right) is None:
        return Measure(right, _FLIPPED[sign.text], limit)
    return Measure(expr)


def metric_names(expr: str) -> tuple[str, ...]:
    """The metrics an expression reads, in order; recorded rules too."""
    words = [word for word in _words(expr) if word.kind != "space"]
    return tuple(dict.fromkeys(_metrics(words)))


def filled(template: str, labels: Mapping[str, str]) -> str:
    """The query with the alert's labels in place of `$labels.x` or `{{ $labels.x }}`, each escaped for where it stands.

    A placeholder stands inside a string of the query: there its value can end neither string nor selector. Raises
    BadInput where it stands elsewhere, and where the alert has no such label.
    """
    strings = [word for word in _words(template) if word.kind == "text"]
    out, last = [], 0
    for found in _PLACE.finditer(template):
        inside = next((w for w in strings if w.at < found.start() < w.at + len(w.text)), None)
        name = found[1] or found[2]
        if inside is None:
            raise BadInput(f"$labels.{name} stands outside quotes in the query")
        value = labels.get(name)
        if value is None:
            raise BadInput(f"the alert has no label {name}")
        is_pattern = template[: inside.at].rstrip().endswith(("=~", "!~"))
        out += [template[last : found.start()], _inside(value, inside.text[0], is_pattern)]
        last = found.end()
    query = "".join([*out, template[last:]])
    if len(query) > EXPRESSION_LIMIT:
        raise BadInput(f"the query is longer than {EXPRESSION_LIMIT:,} characters")
    return query


def placeholders(template: str) -> tuple[str, ...]:
    """The labels that the query asks for."""
    return tuple(dict.fromkeys(found[1] or found[2] for found in _PLACE.finditer(template)))


def _inside(value: str, quote: str, is_pattern: bool) -> str:
    """A text as a part of a PromQL string of that quote, where `is_pattern` matched literally."""
    text = value[:VALUE_LIMIT].replace("\x00", "\ufffd")
    if is_pattern:
        text = _REGEX_MARKS.sub(r"\\\1", text)
    if quote == "`":
        if "`" in text:
            raise BadInput("a label holds a back-tick, which cannot stand between back-ticks")
        return text
    escaped = text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    return escaped.replace(quote, f"\\{quote}")


def _words(expr: str) -> list[_Word]:
    """Every word with how many brackets it stands in; spaces and comments are left out."""
    found: list[_Word] = []
    depth = 0
    for one in _WORD.finditer(expr[:EXPRESSION_LIMIT]):
        kind, text = one.lastgroup or "sign", one[0]
        if kind == "space":
            continue
        if kind == "sign" and text in ")]}":
            depth = max(0, depth - 1)
        found.append(_Word(kind, text, one.start(), depth))
        if kind == "sign" and text in "([{":
            depth += 1
    return found


def _unwrapped(expr: str, words: list[_Word]) -> str | None:
    """What stands in the brackets, when they go round everything."""
    if len(words) < 3 or words[0].text != "(" or words[-1].text != ")":
        return None
    if any(word.depth == 0 for word in words[1:-1]):
        return None
    return expr[words[0].at + 1 : words[-1].at].strip()


def _metrics(words: list[_Word]) -> Iterator[str]:
    listed: int | None = None  # the depth at which a list of labels was opened
    braces = 0
    for n, word in enumerate(words):
        after = words[n + 1].text if n + 1 < len(words) else ""
        if word.text in "{}" and word.kind == "sign":
            braces += 1 if word.text == "{" else -1
        elif word.text == ")" and listed is not None and word.depth <= listed:
            listed = None
        if word.kind == "text" and braces and _is_name(words, n):
            yield word.text[1:-1]
        if word.kind != "name" or braces > 0 or listed is not None:
            continue
        if word.text.lower() in _LISTS and after == "(":
            listed = word.depth
        elif after != "(" and word.text.lower() not in _WORDS and not _closes_aggregate(words, n):
            yield word.text


def _is_name(words: list[_Word], n: int) -> bool:
    """Whether the string is a metric's name: `{__name__="up"}` or `{"up"}`."""
    before = [word.text for word in words[max(0, n - 2) : n]]
    return before == ["__name__", "="] or (before[-1:] in (["{"], [","]) and _ends(words, n))


def _ends(words: list[_Word], n: int) -> bool:
    return n + 1 < len(words) and words[n + 1].text in "},"


def _closes_aggregate(words: list[_Word], n: int) -> bool:
    """`sum by (x) (y)`: the word before `by` is an aggregation, not a metric."""
    return n + 1 < len(words) and words[n + 1].text.lower() in {"by", "without"}


# --- numbers written out: 5, 0.9 * 100, 1024 ^ 3 --------------------------------------------------------------------


def _number(text: str) -> float | None:
    """What the text comes to when nothing but numbers stands in it; None otherwise."""
    words = _words(text)
    if not words or any(
        word.kind != "number" and not (word.kind == "sign" and word.text in "+-*/^()")
        for word in words
    ):
        return None
    reader = _Sum([word.text for word in words])
    try:
        value = reader.sum()
    except (ValueError, TypeError, IndexError, ArithmeticError, RecursionError):
        return None
    return value if reader.is_done and isinstance(value, float) else None


class _Sum:
    """Reads a sum of numbers as PromQL does: `^` first and from the right, then `*` and `/`."""

    def __init__(self, words: list[str]) -> None:
        self._words = words[:100]
        self._at = 0

    @property
    def is_done(self) -> bool:
        return self._at == len(self._words)

    def _next(self, *signs: str) -> str | None:
        if self._at < len(self._words) and self._words[self._at] in signs:
            self._at += 1
            return self._words[self._at - 1]
        return None

    def sum(self) -> float:
        value = self._product()
        while sign := self._next("+", "-"):
            value = value + self._product() if sign == "+" else value - self._product()
        return value

    def _product(self) -> float:
        value = self._signed()
        while sign := self._next("*", "/"):
            value = value * self._signed() if sign == "*" else value / self._signed()
        return value

    def _signed(self) -> float:
        if sign := self._next("+", "-"):
            return self._signed() if sign == "+" else -self._signed()
        base = self._one()
        return float(base ** self._signed()) if self._next("^") else base

    def _one(self) -> float:
        if self._next("("):
            value = self.sum()
            if not self._next(")"):
                raise ValueError
            return value
        word = self._words[self._at]
        self._at += 1
        return float(int(word, 16)) if word.startswith("0x") else float(word)
