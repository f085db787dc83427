"""Label matchers, as Alertmanager writes and reads them.

Knows: the grammar (`name="v"`, `!=`, `=~`, `!~`, lists, braces, quoted UTF-8 names), and matching.
Refuses to know: what a match is for; routes, silences, runbooks and maintenance all ask here.
Patterns come from outside, so they are RE2 only (linear time), anchored, and at most 1 kB.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, cast

import re2

from oncall_bot.core.errors import BadInput

Op = Literal["=", "!=", "=~", "!~"]

PATTERN_LIMIT = 1024
"""Bytes in one regular expression."""
TEXT_LIMIT = 16 * 1024
"""Characters in one text of matchers."""
MATCHER_LIMIT = 64
"""Matchers in one list."""
VALUES_REMEMBERED = 256
"""Label values whose answer a pattern remembers."""

_EXAMPLE = 'alertname="HostDown"'
_CLASSIC_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_BARE_NAME = re.compile(r"[^\s{}!=~,\\\"'`]+")
_OPERATOR = re.compile(r"=~|!~|!=|=")
_SPACE = re.compile(r"\s*")
_GO_ESCAPE = re.compile(
    r'\\(?:([abfnrtv\\"])|x([0-9a-fA-F]{2})|([0-7]{3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))'
)
_GO_LETTER = dict(zip('abfnrtv\\"', '\a\b\f\n\r\t\v\\"', strict=True))
_ANY_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_CLASSIC_ESCAPE = {"n": "\n", "\\": "\\", '"': '"'}


class MatcherError(BadInput):
    """A matcher that cannot be read; the message says what was read and what would do."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on one label. A matcher that exists is valid: its pattern is compiled with it.

    Values are Unicode without lone surrogates; the intake replaces those before labels get here.
    """

    name: str
    op: Op
    value: str
    _pattern: Any = field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        if not self.name:
            raise MatcherError(f"A matcher needs a label name, for example {_EXAMPLE}.")
        if self.op not in ("=", "!=", "=~", "!~"):
            raise MatcherError(f"I can't read {self.op!r} as an operator; use =, !=, =~ or !~.")
        if self.op in ("=~", "!~"):
            # values repeat from alert to alert, and a look-up is ten times cheaper than the engine
            remembered = lru_cache(maxsize=VALUES_REMEMBERED)(_compile(self.value).fullmatch)
            object.__setattr__(self, "_pattern", remembered)

    @property
    def negative(self) -> bool:
        """True for `!=` and `!~`, which also match an absent label unless the value is empty."""
        return self.op[0] == "!"

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether the labels meet this condition; an absent label counts as the empty string."""
        actual = labels.get(self.name, "")
        if self._pattern is None:
            return (actual == self.value) is not self.negative
        return (self._pattern(actual) is not None) is not self.negative

    def __str__(self) -> str:
        name = self.name if _CLASSIC_NAME.fullmatch(self.name) else _quoted(self.name)
        return f"{name}{self.op}{_quoted(self.value)}"


def parse_matcher(text: str) -> Matcher:
    """The one matcher in `text`; raises MatcherError for none, several or an unreadable one."""
    found = parse_matchers(text)
    if len(found) != 1:
        raise MatcherError(
            f"I read {len(found)} matchers in {_shown(text)} where one belongs,"
            f" for example {_EXAMPLE}."
        )
    return found[0]


def parse_matchers(text: str | Iterable[str]) -> tuple[Matcher, ...]:
    """The matchers of a text or of several texts, each a matcher or a list, braces or not.

    Reads what Alertmanager's default mode reads (its UTF-8 grammar, else its older one). A
    backslash before an unknown letter stays, and in `=~` and `!~` only \\n, \\" and \\\\ are
    unescaped, so that "\\d+" and "a\\.b" reach the pattern as written.
    """
    texts = [text] if isinstance(text, str) else list(text)
    found = tuple(matcher for one in texts for matcher in _read_list(one))
    if len(found) > MATCHER_LIMIT:
        raise MatcherError(f"I read {len(found)} matchers; {MATCHER_LIMIT} is the most in a list.")
    return found


def format_matchers(matchers: Iterable[Matcher]) -> str:
    """The list in Alertmanager's own notation, braces included; `parse_matchers` reads it back."""
    return "{" + ",".join(str(matcher) for matcher in matchers) + "}"


def matches(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether the labels meet every matcher; no matchers at all match everything."""
    for matcher in matchers:  # noqa: SIM110 - asked for every alert: half the time of all()
        if not matcher.matches(labels):
            return False
    return True


def _compile(pattern: str) -> Any:
    """The pattern as Alertmanager means it: RE2, `.` stops at a line end; the caller anchors it."""
    try:
        size = len(pattern.encode())
        if size > PATTERN_LIMIT:
            raise MatcherError(
                f"The pattern {_shown(pattern)} has {size} bytes; {PATTERN_LIMIT} is the most."
                " Use several matchers or an equality."
            )
        options = re2.Options()
        options.log_errors = False
        return re2.compile(pattern, options)
    except (re2.error, UnicodeEncodeError) as fault:
        reason = fault.args[0] if isinstance(fault, re2.error) else "it is not valid Unicode"
        shown = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        raise MatcherError(
            f"I can't read {_shown(pattern)} as a regular expression: {shown}."
            " The syntax is RE2, without look-around and back-references."
        ) from fault


def _read_list(text: str) -> list[Matcher]:
    if len(text) > TEXT_LIMIT:
        raise MatcherError(f"A text of matchers may have {TEXT_LIMIT} characters at most.")
    inner = text.strip()
    if inner.startswith("{") and inner.endswith("}") and len(inner) > 1:
        inner = inner[1:-1]
    elif inner.startswith("{"):
        raise _unreadable(text, "it opens with { and has no } at the end")
    found: list[Matcher] = []
    at = _skip(inner, 0)
    while at < len(inner):
        matcher, at = _read_one(inner, at, text)
        found.append(matcher)
        at = _skip(inner, at)
        if at < len(inner):
            if inner[at] != ",":
                raise _unreadable(text, f"a comma belongs before {_shown(inner[at:])}")
            at = _skip(inner, at + 1)
    return found


def _read_one(text: str, at: int, whole: str) -> tuple[Matcher, int]:
    name, at = _read_name(text, at, whole)
    at = _skip(text, at)
    operator = _OPERATOR.match(text, at)
    if operator is None:
        raise _unreadable(whole, f"=, !=, =~ or !~ belongs after the label name {_shown(name)}")
    op = cast("Op", operator.group())
    value, at = _read_value(text, _skip(text, operator.end()), op, whole)
    return Matcher(name, op, value), at


def _read_name(text: str, at: int, whole: str) -> tuple[str, int]:
    if text[at] == '"':
        body, end = _quoted_body(text, at, whole)
        name = _go_unescaped(body)
        if name is None:
            raise _unreadable(whole, f'the label name "{body}" has an escape that Go does not know')
        return name, end
    bare = _BARE_NAME.match(text, at)
    if bare is None:
        raise _unreadable(whole, f"a label name belongs before {_shown(text[at:])}")
    return bare.group(), bare.end()


def _read_value(text: str, at: int, op: Op, whole: str) -> tuple[str, int]:
    if text[at : at + 1] == '"':
        body, end = _quoted_body(text, at, whole)
        plain = None if "~" in op else _go_unescaped(body)
        return (_classic_unescaped(body) if plain is None else plain), end
    comma = text.find(",", at)
    end = len(text) if comma < 0 else comma
    bare = text[at:end].strip()
    if any(mark in bare for mark in '"{}'):
        raise _unreadable(whole, f"put the value {_shown(bare)} in double quotes")
    return _classic_unescaped(bare), end


def _quoted_body(text: str, at: int, whole: str) -> tuple[str, int]:
    """What stands between the quote at `at` and the closing one, still escaped, and the end."""
    end = at + 1
    while end < len(text):
        if text[end] == "\\":
            end += 2
        elif text[end] == '"':
            return text[at + 1 : end], end + 1
        else:
            end += 1
    raise _unreadable(whole, "a double quote is not closed")


def _go_unescaped(body: str) -> str | None:
    """The text a Go string literal with this body means; None where Go would refuse it."""
    raw = bytearray()
    at = 0
    try:
        while (slash := body.find("\\", at)) >= 0:
            escape = _GO_ESCAPE.match(body, slash)
            if escape is None:
                return None
            raw += body[at:slash].encode()
            raw += _go_bytes(escape)
            at = escape.end()
        return (raw + body[at:].encode()).decode()
    except (UnicodeError, ValueError, OverflowError):
        return None


def _go_bytes(escape: re.Match[str]) -> bytes:
    letter, two_hex, octal, four_hex, eight_hex = escape.groups()
    if letter:
        return _GO_LETTER[letter].encode()
    if two_hex or octal:
        return bytes([int(two_hex, 16) if two_hex else int(octal, 8)])
    return chr(int(four_hex or eight_hex, 16)).encode()


def _classic_unescaped(body: str) -> str:
    """Only \\n, \\" and \\\\ are escapes, as in Alertmanager's older grammar."""
    return _ANY_ESCAPE.sub(lambda pair: _CLASSIC_ESCAPE.get(pair[1], pair[0]), body)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return at if space is None else space.end()


def _shown(text: str) -> str:
    """A short, one-line rendering of outside text for a message."""
    line = " ".join(text.split())
    return f"`{line if len(line) <= 80 else line[:79] + '…'}`"


def _unreadable(text: str, why: str) -> MatcherError:
    return MatcherError(f"I can't read {_shown(text)} as matchers: {why}. Write {_EXAMPLE}.")
