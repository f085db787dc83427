"""Reads what a model answered: JSON wherever it stands in the reply, nothing taken on trust.

Knows fences, chatter around the object and half-right shapes. Refuses to judge the sentences.
Serves the drafter.
"""

from __future__ import annotations

import json
import re
from typing import Any

from oncall_bot.core.verification import Claim

MOST_REPLY = 200_000
MOST_CLAIMS = 20
MOST_CITES = 8
LONGEST = 1_000
_FENCE = re.compile(r"```[a-zA-Z]{0,10}\s*\n(.*?)```", re.DOTALL)
_CITE = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}")


class UnreadableError(ValueError):
    """The reply holds no list of claims; the message says what was wrong, for the model to read."""


def claims_in(reply: str, section: str) -> list[Claim]:
    """The claims of a reply, all put into this section; malformed ones are passed over."""
    data = _decoded(reply[:MOST_REPLY])
    rows = data.get("claims") if isinstance(data, dict) else data
    if not isinstance(rows, list):
        raise UnreadableError('there is no list "claims"')
    claims = [claim for row in rows[:MOST_CLAIMS] if (claim := _claim(row, section))]
    if rows and not claims:
        raise UnreadableError('no entry of "claims" has a "text" and "cites"')
    return claims


def _decoded(reply: str) -> Any:
    fenced = _FENCE.search(reply)
    for text in filter(None, [reply.strip(), fenced[1].strip() if fenced else "", _braced(reply)]):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            continue
    raise UnreadableError("it is not JSON")


def _braced(reply: str) -> str:
    """From the first brace to the last one."""
    start, end = reply.find("{"), reply.rfind("}")
    return reply[start : end + 1] if 0 <= start < end else ""


def _claim(row: object, section: str) -> Claim | None:
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
    return Claim(_without_citations(text), section, ids)


def _without_citations(text: str) -> str:
    """Some models also write the ids into the sentence; the citation is ours to print."""
    return " ".join(
        re.sub(r"\s*\[(?:e\d+|a\d+|calc)(?:\s*[,;]\s*(?:e\d+|a\d+|calc))*\]", "", text).split()
    )
