"""The Markdown of a draft as blocks of words and source chips, for the template to draw and escape.

Knows what our drafts consist of: headings, paragraphs, lists, tables, and `[e014, calc]` behind a sentence. Whatever
else stands there is text. Refuses HTML, links and pictures. Serves web.incidents.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

BLOCKS_MAX = 400
_EXPLAINED = "Appendix"
_SOURCES = re.compile(r"\s?\[((?:[ea]\d{1,6}|calc)(?:, (?:[ea]\d{1,6}|calc)){0,19})\]")
_HEADING = re.compile(r"(#{1,6})\s+(.*)")
_ITEM = re.compile(r"\s*[-*]\s+(?:\[([ x])\]\s+)?(.*)")
_RULE = re.compile(r"[|\s:-]+")


@dataclass(frozen=True, slots=True)
class Span:
    """Words, or a chip: `entry` is the number of the timeline's entry it names."""

    text: str = ""
    entry: int | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """`heading`, `paragraph`, `list` or `table`; a list and a table have lines, each with its spans."""

    kind: str
    spans: Sequence[Span] = ()
    lines: Sequence[Sequence[Sequence[Span]]] = field(default_factory=tuple)


def blocks_of(markdown: str) -> list[Block]:
    """The draft from its first section on, without the appendix: the page has its title and explains its chips.

    Bounded.
    """
    lines = markdown.splitlines()
    found: list[Block] = []
    for kind, group in _groups(lines):
        if len(found) >= BLOCKS_MAX or (kind == "heading" and group[0].startswith(_EXPLAINED)):
            break
        if kind == "heading":
            found.append(Block(kind, spans_of(group[0])))
        elif kind == "paragraph":
            found.append(Block(kind, spans_of(" ".join(group))))
        elif kind == "list":
            found.append(Block(kind, lines=[[spans_of(one)] for one in group]))
        else:
            found.append(Block(kind, lines=[_cells(one) for one in group]))
    return found


def _groups(lines: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Lines that belong together, with what they are; the title and the line below it are left out."""
    kind, group = "", list[str]()
    for line in _body(lines):
        now, text = _kind(line)
        if now != kind or now == "heading":
            if group:
                yield kind, group
            kind, group = now, []
        if now and text:
            group.append(text)
    if group:
        yield kind, group


def _body(lines: Sequence[str]) -> Sequence[str]:
    """What follows the title and its line of roles."""
    start = next((n for n, line in enumerate(lines) if line.startswith("## ")), 0)
    return lines[start:]


def _kind(line: str) -> tuple[str, str]:
    """What a line is, and its text without marks."""
    if not line.strip():
        return "", ""
    heading = _HEADING.fullmatch(line)
    if heading:
        return "heading", heading[2]
    item = _ITEM.fullmatch(line)
    if item:
        mark = {"x": "done: ", " ": "to do: "}.get(item[1] or "", "")
        return "list", mark + item[2]
    if line.startswith("|"):
        return "table", "" if _RULE.fullmatch(line) else line
    return "paragraph", line


def _cells(line: str) -> list[list[Span]]:
    """The cells of a row; what stands behind the last bar belongs to the last cell."""
    inner, _, _ = line.strip().removeprefix("|").rpartition("|")
    return [spans_of(cell.strip()) for cell in inner.split("|")]


def spans_of(text: str) -> list[Span]:
    """Words with the chips behind them. An alert's number and `calc` are no entries: they stay unsaid."""
    out: list[Span] = []
    last = 0
    for found in _SOURCES.finditer(text):
        out.append(Span(text[last : found.start()]))
        out += [
            Span(entry=int(one[1:]))
            for one in found[1].split(", ")
            if one[0] == "e" and int(one[1:])
        ]
        last = found.end()
    out.append(Span(text[last:]))
    return [span for span in out if span.text or span.entry is not None]
