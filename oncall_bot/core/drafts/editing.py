"""A draft as pieces that a person can edit: its prose by heading, while tables and lists of facts stay computed.

Knows headings, what fits into a form, and where a sentence is added. Refuses to judge what somebody writes.
Serves the review of drafts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MOST_PIECES = 12
MOST_CHARACTERS = 3000  # of one input of a form in Slack
_HEADING = re.compile(r"^#{1,2}(?=\s)", re.MULTILINE)
_COMPUTED = frozenset({"Key times (UTC)", "Timeline (UTC)", "Appendix: evidence"})


@dataclass(frozen=True, slots=True)
class Piece:
    """One section: what stands under a heading of the second level."""

    heading: str
    body: str


def pieces(markdown: str) -> tuple[str, list[Piece]]:
    """What stands before the first heading of the second level, and the sections behind it."""
    head, *rest = re.split(r"^## ", markdown, flags=re.MULTILINE)
    found = []
    for part in rest:
        heading, _, body = part.partition("\n")
        found.append(Piece(heading.strip(), body.strip("\n")))
    return head, found


def joined_again(head: str, parts: Sequence[Piece]) -> str:
    """The document of these parts; a section without a text is left out."""
    told = [f"## {piece.heading}\n{piece.body}" for piece in parts if piece.body.strip()]
    return "\n\n".join([head.rstrip("\n"), *told]).strip("\n") + "\n"


def editable(markdown: str) -> list[Piece]:
    """The sections of prose that fit into a form. A text without headings is one piece without a name."""
    head, parts = pieces(markdown)
    if not parts:
        return [Piece("", head.strip("\n"))] if len(head) <= MOST_CHARACTERS else []
    fitting = [
        piece
        for piece in parts
        if piece.heading not in _COMPUTED
        and 0 < len(piece.body) <= MOST_CHARACTERS
        and "\n|" not in f"\n{piece.body}"
    ]
    return fitting[:MOST_PIECES]


def edited(markdown: str, bodies: Mapping[str, str]) -> str:
    """The document with what somebody wrote under these headings; headings inside their text go one level down."""
    head, parts = pieces(markdown)
    if not parts:
        return _plain(bodies.get("", head)).strip("\n") + "\n"
    new = [Piece(p.heading, _plain(bodies[p.heading])) if p.heading in bodies else p for p in parts]
    return joined_again(head, new)


def _plain(text: str) -> str:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    return _HEADING.sub("###", lines)


def with_sentence(markdown: str, heading: str, sentence: str) -> str:
    """The sentence as the last paragraph under that heading, under the first one where it is missing."""
    head, parts = pieces(markdown)
    if not parts:
        return f"{head.rstrip()}\n\n{sentence}\n"
    place = next((n for n, piece in enumerate(parts) if piece.heading == heading), 0)
    parts[place] = Piece(parts[place].heading, f"{parts[place].body}\n\n{sentence}")
    return joined_again(head, parts)
