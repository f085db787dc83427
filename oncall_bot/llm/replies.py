"""Reads what a model answered: JSON wherever it stands in the reply, nothing taken on trust.

Knows fences, chatter around the object and half-right shapes. Refuses to judge the sentences.
Serves the drafter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from oncall_bot.core.verification import Claim

MOST_REPLY = 200_000
MOST_CLAIMS = 20
MOST_CITES = 8
LONGEST = 1_000
_FENCE = re.compile(r"```[a-zA-Z]{0,10}\s*\n(.*?)```", re.DOTALL)
MOST_TRIES = 200
_OBJECT = re.compile(r'\{\s*"(?:text|cites|section|from)"')
_CITE = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}")


class UnreadableError(ValueError):
    """The reply holds no list of claims; the message says what was wrong, for the model to read."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A sentence made from sentences that were given: their numbers, from 1."""

    text: str
    sources: tuple[int, ...]


def claims_in(reply: str, section: str | None, sections: Sequence[str] = ()) -> list[Claim]:
    """The claims of a reply, put into this section or each into its own; malformed ones are passed over.

    Of a reply that was cut off the whole claims are read.
    """
    rows = _rows(reply)
    claims = [claim for row in rows[:MOST_CLAIMS] if (claim := _claim(row, section, sections))]
    if rows and not claims:
        raise UnreadableError('no entry of "claims" has a "text" and "cites"')
    return claims


def chosen_in(reply: str, count: int) -> list[Chosen]:
    """Sentences that name which of `count` given ones they are made from; any other is passed over."""
    rows = _rows(reply)
    found = [one for row in rows[:MOST_CLAIMS] if (one := _chosen(row, count))]
    if rows and not found:
        raise UnreadableError('no entry of "claims" has a "text" and a known "from"')
    return found


def _rows(reply: str) -> list[Any]:
    text = reply[:MOST_REPLY]
    try:
        data = _decoded(text)
    except UnreadableError:
        whole = _whole_objects(text)
        if not whole:
            raise
        return whole
    rows = data.get("claims") if isinstance(data, dict) else data
    if not isinstance(rows, list):
        raise UnreadableError('there is no list "claims"')
    return rows


def _decoded(reply: str) -> Any:
    fenced = _FENCE.search(reply)
    for text in filter(None, [reply.strip(), fenced[1].strip() if fenced else "", _braced(reply)]):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            continue
    raise UnreadableError("it is not JSON")


def _whole_objects(reply: str) -> list[Any]:
    """What a reply that was cut off holds in whole: the objects with a text, each decoded alone."""
    found: list[Any] = []
    for match in islice(_OBJECT.finditer(reply), MOST_TRIES):
        try:
            row, _ = json.JSONDecoder().raw_decode(reply, match.start())
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict):
            found.append(row)
    return found


def _braced(reply: str) -> str:
    """From the first brace to the last one."""
    start, end = reply.find("{"), reply.rfind("}")
    return reply[start : end + 1] if 0 <= start < end else ""


def _claim(row: object, section: str | None, sections: Sequence[str]) -> Claim | None:
    if not isinstance(row, dict):
        return None
    text, cites = row.get("text"), row.get("cites")
    if isinstance(cites, str):
        cites = re.findall(r"[A-Za-z]\w*", cites)
    if not isinstance(text, str) or not isinstance(cites, list) or not 0 < len(text) <= LONGEST:
        return None
    ids = tuple(c.strip("[] ") for c in cites[:MOST_CITES] if isinstance(c, str))
    if not ids or not all(_CITE.fullmatch(c) for c in ids):
        return None
    place = section or row.get("section")
    if section is None and place not in sections:
        return None
    return Claim(_without_citations(text), str(place), ids)


def _chosen(row: object, count: int) -> Chosen | None:
    if not isinstance(row, dict):
        return None
    text, sources = row.get("text"), row.get("from")
    if not isinstance(text, str) or not isinstance(sources, list) or not 0 < len(text) <= LONGEST:
        return None
    names = [re.fullmatch(r"c(\d{1,3})", str(one).strip("[] ")) for one in sources[:MOST_CITES]]
    numbers = tuple(int(name[1]) for name in names if name)
    if not numbers or not all(1 <= n <= count for n in numbers):
        return None
    return Chosen(_without_citations(text), numbers)


def _without_citations(text: str) -> str:
    """Some models also write the ids into the sentence; the citation is ours to print."""
    return " ".join(
        re.sub(r"\s*\[(?:e\d+|a\d+|calc)(?:\s*[,;]\s*(?:e\d+|a\d+|calc))*\]", "", text).split()
    )
