"""What is wrong with a folder of runbooks beyond what keeps it from being read: nobody keeps it, two claim one alert,
a link leads nowhere, a live check can never be run.

Knows files, lines, and what would do. Refuses to ask Prometheus (the command does, and hands over what it has) and
to follow links of the web. Serves `oncall-bot runbooks check`.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt

from oncall_bot.core.certain import alert_names, normal_name
from oncall_bot.core.errors import BadInput
from oncall_bot.core.live_checks import LiveCheck
from oncall_bot.core.matchers import matches
from oncall_bot.core.promql import filled, metric_names, placeholders
from oncall_bot.core.runbooks import Runbook

OLD_AFTER = timedelta(days=365)
MAKERS = "oncall-bot"
"""Who keeps the library that comes with the bot, also where somebody has copied it."""
_NOT_A_WORD = re.compile(r"[^\w\- ]")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend, or only to know (`note`): where, what, and what would do."""

    file: str
    line: int
    message: str
    note: bool = False

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {'note: ' if self.note else ''}{self.message}"


@dataclass(frozen=True, slots=True)
class Known:
    """What the configuration names; None where there is none to compare with."""

    teams: frozenset[str] | None = None
    services: frozenset[str] | None = None


def look_over(
    folder: Path, books: Sequence[Runbook], known: Known, today: date
) -> Iterator[Finding]:
    """Every finding that needs nothing but the folder and the configuration."""
    for book in books:
        yield from _keeper(book, known, today)
        yield from _matchers(book)
        yield from _checks(book)
        yield from _links(folder, book, books)
    yield from _double_claims(books)


def _line_of(book: Runbook, start: str) -> int:
    """The line of the file that begins so; 1 where none does."""
    lines = enumerate(book.text.split("\n"), 1)
    return next((n for n, line in lines if line.lstrip().startswith(start)), 1)


# --- who keeps it ---------------------------------------------------------------------------------------------------


def _keeper(book: Runbook, known: Known, today: date) -> Iterator[Finding]:
    if not book.owner:
        yield Finding(book.path, 1, "nobody keeps it; add `owner:` with the name of a team")
    elif known.teams is not None and book.owner not in {*known.teams, MAKERS}:
        message = f"its owner {book.owner} is no team of the configuration; name one that is"
        yield Finding(book.path, _line_of(book, "owner:"), message)
    for service in book.services:
        if known.services is not None and service not in known.services:
            message = f"the service {service} is not in the configuration; mend the name or drop it"
            yield Finding(book.path, _line_of(book, "services:"), message)
    if book.reviewed_at is None:
        yield Finding(book.path, 1, "it was never reviewed; add `reviewed_at:`", note=True)
    elif today - book.reviewed_at > OLD_AFTER:
        message = f"it was last reviewed on {book.reviewed_at}, over a year ago; read it again"
        yield Finding(book.path, _line_of(book, "reviewed_at:"), message, note=True)


# --- matchers and names ---------------------------------------------------------------------------------------------


def _matchers(book: Runbook) -> Iterator[Finding]:
    if not book.matchers:
        return
    line = _line_of(book, "match:")
    if matches(book.matchers, {}):
        yield Finding(book.path, line, "its matchers fit every alert; name the alerts it is for")
    wanted: dict[str, str] = {}
    for one in book.matchers:
        if one.op == "=" and wanted.setdefault(one.name, one.value) != one.value:
            message = f"its matchers ask for two values of {one.name} at once and fit no alert"
            yield Finding(book.path, line, f"{message}; use {one.name}=~")


def _double_claims(books: Sequence[Runbook]) -> Iterator[Finding]:
    """Two runbooks that fit an alert equally well: which one is shown would be chance."""
    first: dict[object, Runbook] = {}
    told: set[tuple[str, str, str]] = set()
    for book in books:
        for claim, words, start in _claims(book):
            other = first.setdefault(claim, book)
            pair = (other.path, book.path, "match" if start == "match:" else "name")
            if other is book or pair in told or _for_others(book, other):
                continue
            told.add(pair)
            message = f"{words} is claimed by {other.path} too; let one of them go"
            yield Finding(book.path, _line_of(book, start), message)


def _claims(book: Runbook) -> Iterator[tuple[object, str, str]]:
    for name in dict.fromkeys((book.slug, *book.aliases)):
        start = "slug:" if name == book.slug else "aliases:"
        yield ("name", book.source, normal_name(name)), f"the name {name}", start
    if not book.matchers:
        return
    names = alert_names(book.matchers)
    rest = frozenset(str(one) for one in book.matchers if names is None or one.name != "alertname")
    for name in names or ("",):
        words = f"the alert {name}" if name else "what its matchers fit"
        yield ("match", name, rest), words, "match:"


def _for_others(book: Runbook, other: Runbook) -> bool:
    """Both name services, and no service twice: the alert's service decides."""
    mine, theirs = set(book.services), set(other.services)
    return bool(mine and theirs) and not mine & theirs


# --- links ----------------------------------------------------------------------------------------------------------


def _links(folder: Path, book: Runbook, books: Sequence[Runbook]) -> Iterator[Finding]:
    by_path = {one.path: one for one in books}
    for target, line in _targets(book.text):
        fault = _dead(folder, book, by_path.get, target)
        if fault:
            yield Finding(book.path, line, fault)


def _targets(text: str) -> Iterator[tuple[str, int]]:
    """Where the Markdown's links and pictures lead, with their lines."""
    lines = text.split("\n")
    if lines and lines[0].rstrip() == "---":  # front matter is no Markdown
        ends = (n for n, line in enumerate(lines[1:], 1) if line.rstrip() in ("---", "..."))
        end = next(ends, 0)
        lines[: end + 1] = [""] * (end + 1)
    for token in MarkdownIt("commonmark").parse("\n".join(lines)):
        for child in token.children or ():
            target = child.attrGet("href") or child.attrGet("src")
            if isinstance(target, str):
                yield target, (token.map or [0])[0] + 1


def _dead(
    folder: Path, book: Runbook, found: Callable[[str], Runbook | None], target: str
) -> str | None:
    """Why a link inside the folder leads nowhere; None for one that does, and for the web."""
    try:
        parts = urlsplit(target)
    except ValueError:
        return f"I can't read `{target[:80]}` as a link"
    if parts.scheme or parts.netloc:
        return None
    path, other = unquote(parts.path), book
    if path:
        home = posixpath.dirname(book.path)
        place = posixpath.normpath(posixpath.join(home, path.lstrip("/")))
        if place.startswith("..") or not (folder / place).exists():
            return f"the link to {path[:80]} leads nowhere; mend it or take it out"
        there = found(place)
        if there is None:
            return None
        other = there
    if parts.fragment and unquote(parts.fragment).casefold() not in _anchors(other):
        return f"there is no heading #{parts.fragment[:80]} in {other.path}; mend the link"
    return None


def _anchors(book: Runbook) -> set[str]:
    """The headings as Git hosts name them: small letters, dashes for spaces."""
    return {
        _NOT_A_WORD.sub("", one.heading.strip().casefold()).replace(" ", "-")
        for one in book.sections
    }


# --- live checks ----------------------------------------------------------------------------------------------------


def check_line(book: Runbook, check: LiveCheck) -> int:
    """The line on which the check begins."""
    lines = enumerate(book.text.split("\n"), 1)
    return next((n for n, line in lines if f'name="{check.name}"' in line), 1)


def sample_of(check: LiveCheck) -> str:
    """The query with a word for each label it asks for. Raises BadInput where one stands outside quotes."""
    return filled(check.promql, dict.fromkeys(placeholders(check.promql), "x"))


def _checks(book: Runbook) -> Iterator[Finding]:
    for check in book.checks:
        try:
            sample_of(check)
        except BadInput as fault:
            message = f'the live check "{check.name}" cannot be run: {fault}; write it as job="$labels.job"'
            yield Finding(book.path, check_line(book, check), message)


def dead_metrics(books: Iterable[Runbook], there: frozenset[str]) -> Iterator[Finding]:
    """Live checks that read a metric Prometheus does not have."""
    for book in books:
        for check in book.checks:
            for name in metric_names(check.promql):
                if name not in there:
                    message = f'"{check.name}" reads {name}, and Prometheus has no such metric'
                    yield Finding(book.path, check_line(book, check), f"{message}; was it renamed?")
