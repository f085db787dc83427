"""Runbooks: what one is, what a match is, and the first steps that a card shows.

Refuses to know where they are stored and which one belongs to an alert: `certain` says it for certain, `search` by
words. Serves both, the store and the surfaces.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal

from oncall_bot.core.live_checks import LiveCheck
from oncall_bot.core.matchers import Matcher

Identity = tuple[str, str]
"""Source and slug."""
How = Literal["matchers", "link", "name", "learned", "search"]

_ITEM = re.compile(r"( *(?:\d{1,3}[.)]|[-*+])\s+)(?:\[[ xX]\]\s+)?(\S.*)")
_FENCE = re.compile(r"\s*(```|~~~)")
_LINK_TEXT = re.compile(r"!?\[([^\]]*)\]\([^)\s]*\)")
_EMPHASIS = re.compile(r"(?<!\w)(\*\*|__|\*|_)(?=\S)(.+?)(?<=\S)\1(?!\w)")
_FIRST_STEPS = ("mitigate first", "mitigat", "first", "steps", "remediat", "resol", "fix", "action")


@dataclass(frozen=True, slots=True)
class Section:
    """The text under one heading, without those under deeper ones; `line` counts in the file."""

    heading: str
    text: str
    level: int = 2
    line: int = 1


@dataclass(frozen=True, slots=True)
class Runbook:
    """One runbook as it stands; (source, slug) is its identity and sha256 its version."""

    source: str
    slug: str
    title: str
    text: str = ""
    sha256: str = ""
    matchers: tuple[Matcher, ...] = ()
    aliases: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    owner: str = ""
    severity: str = ""
    tags: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    reviewed_at: date | None = None
    sections: tuple[Section, ...] = ()
    checks: tuple[LiveCheck, ...] = ()
    path: str = ""

    @property
    def identity(self) -> Identity:
        return (self.source, self.slug)

    def section(self, heading: str) -> Section | None:
        """The first section with this heading, capitals aside."""
        wanted = heading.casefold()
        return next((one for one in self.sections if one.heading.casefold() == wanted), None)


@dataclass(frozen=True, slots=True)
class Match:
    """A runbook for an alert. `why` completes the sentence "this runbook, because ..."."""

    runbook: Runbook
    how: How
    score: float
    why: str
    section: str = ""


def first_steps(runbook: Runbook, limit: int = 3) -> list[str]:
    """The first steps of the section that says what to do first, a line each, for the card.

    Plain text with code in backticks; emphasis and link targets are dropped, nothing is escaped.
    """
    for words in _FIRST_STEPS:
        for section in runbook.sections:
            if words in section.heading.casefold() and (steps := _items(section.text)):
                return steps[:limit]
    longest = max((_items(section.text) for section in runbook.sections), key=len, default=[])
    return longest[:limit]


def _items(text: str) -> list[str]:
    """The top list items of a Markdown text, a line each, without what hangs below them."""
    items: list[list[str]] = []
    inside = 0  # the column from which a line belongs to the item above; 0 outside a list
    fenced = open_item = False
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip())
        item = _ITEM.fullmatch(line.rstrip())
        if _FENCE.match(line):
            fenced, open_item = not fenced, False
        elif fenced or not line.strip():
            open_item = False
        elif item and (not inside or indent < inside):
            items.append([item[2]])
            inside, open_item = item.end(1), True
        elif open_item and not item:
            items[-1].append(line.strip())
        else:
            inside, open_item = (inside if indent >= inside else 0), False
    return [_plain(" ".join(lines)) for lines in items]


def _plain(markdown: str) -> str:
    """One line of Markdown without emphasis and link targets, code left as it is."""
    parts = re.split(r"(`[^`]*`)", _LINK_TEXT.sub(r"\1", markdown[:600]))
    plain = [part if part.startswith("`") else _EMPHASIS.sub(r"\2", part) for part in parts]
    line = "".join(plain).strip()
    return line if len(line) <= 300 else line[:299].rstrip() + "…"
