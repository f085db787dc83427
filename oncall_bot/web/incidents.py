"""The pages of incidents: the latest, and one with its timeline left and its draft right.

Knows which five numbers are shown and that a source chip leads to its entry, on this page or another. Refuses Slack's
looks and what may be done to an incident. Serves web.site.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from oncall_bot.core.drafts.wording import figure
from oncall_bot.core.situation import Situation, State
from oncall_bot.store import views
from oncall_bot.store.db import Store
from oncall_bot.store.views.incident_page import ENTRIES, IncidentPage, ShownDraft, TimelineEntry
from oncall_bot.web import phrases
from oncall_bot.web.draft_text import Block, blocks_of
from oncall_bot.web.html import Pages
from oncall_bot.web.sessions import Looker

LATEST: Final = 50
MOST_DIGITS: Final = 12
_TURNS: Final = {"ack": "working", "resolve": "done"}
_STATE_WORDS: Final = {
    State.FIRING: "Firing",
    State.ACKNOWLEDGED: "Acknowledged",
    State.MITIGATED: "Mitigated",
    State.RESOLVED: "Resolved",
    State.SILENCED: "Silenced",
    State.MERGED: "Merged",
}


@dataclass(frozen=True, slots=True)
class Number:
    value: str
    words: str


@dataclass(frozen=True, slots=True)
class Row:
    """One entry as it is drawn; `day` is set where another day begins."""

    seq: int
    clock: str
    day: str | None
    who: str | None
    text: str
    quoted: bool
    turn: str | None


class IncidentPages:
    def __init__(self, store: Store, pages: Pages, base: str) -> None:
        self._store = store
        self._pages = pages
        self._base = base

    async def latest(self, looker: Looker) -> Response:
        """The newest incidents, 50 of them."""
        found = await self._store.view(views.latest_incidents, LATEST)
        return self._pages.draw(
            "incidents.html",
            looker=looker,
            rows=[(one, _STATE_WORDS[one.state], _since(one)) for one in found],
        )

    async def one(self, number: str, request: Request, looker: Looker) -> Response:
        page = None
        if number.isascii() and number.isdigit() and len(number) <= MOST_DIGITS:
            last = _last_of(request.query_params.get("to", ""))
            page = await self._store.view(views.incident_page, int(number), last)
        if page is None:
            return self._pages.message(404, "There is no such incident.", [])
        return self._draw(page, looker)

    def _draw(self, page: IncidentPage, looker: Looker) -> Response:
        s = page.situation
        shown = {entry.seq for entry in page.entries}
        first = page.entries[0].seq if page.entries else 0
        return self._pages.draw(
            "incident.html",
            looker=looker,
            s=s,
            state=_STATE_WORDS[s.state],
            people=phrases.people_line(s, looker.actor.key, page.now),
            what=phrases.what_and_whose(s),
            when=_when(s),
            numbers=list(numbers(page)),
            rows=list(_rows(page.entries)),
            total=page.last_seq,
            older=f"?to={first - 1}" if first > 1 else None,
            newer=f"?to={page.entries[-1].seq + ENTRIES}"
            if page.entries and page.entries[-1].seq < page.last_seq
            else None,
            draft=page.draft,
            blocks=_blocks(page.draft) if page.draft else [],
            shown=shown,
            jump=ENTRIES // 2,
            paged=phrases.paged_lines(s, page.now),
            alerts_title=phrases.alerts_title(s),
        )


def _blocks(draft: ShownDraft) -> list[Block]:
    """The draft without a first heading that says again what the draft is called."""
    blocks = blocks_of(draft.markdown)
    first = blocks[0].spans[0].text if blocks and blocks[0].spans else ""
    return blocks[1:] if first.casefold() == draft.kind else blocks


def _last_of(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else None


def numbers(page: IncidentPage) -> Iterator[Number]:
    """At most five: how long users felt it, how quick people were, what was counted; only what is on record."""
    facts, s = page.facts, page.situation
    acked = s.acked_at - s.opened_at if s.acked_at else None
    timed = (
        (facts.time_to_mitigate, "users felt it"),
        (facts.time_to_detect, "to the alert"),
        (facts.time_to_ack if facts.time_to_ack is not None else acked, "to acknowledge"),
        (facts.time_to_resolve, "to resolve"),
    )
    if s.resolved_at is None:
        yield Number(phrases.duration(page.now - s.opened_at), "open so far")
    for length, words in timed:
        if length is not None and length >= timedelta(0):
            yield Number(phrases.duration(length), words)
    for item in facts.impact[:1]:
        name, _, value = figure(item).partition(": ")
        yield Number(value or name, name if value else "")


def _rows(entries: Sequence[TimelineEntry]) -> Iterator[Row]:
    day = None
    for entry in entries:
        at = entry.at.astimezone(UTC)
        begins = at.date() != day
        day = at.date()
        yield Row(
            seq=entry.seq,
            clock=f"{at:%H:%M}",
            day=f"{at:%A %-d %B %Y}" if begins else None,
            who=_who(entry),
            text=entry.text,
            quoted=entry.quoted,
            turn=_turn(entry),
        )


def _who(entry: TimelineEntry) -> str | None:
    """The name before what somebody said; the bot's own lines name people themselves."""
    if not entry.quoted or entry.person is None:
        return None
    return f"{entry.person}, a guess" if entry.standing == "tentative" else entry.person


def _turn(entry: TimelineEntry) -> str | None:
    """The colour of a line at which the state of the incident turns."""
    text = entry.text.casefold()
    if entry.kind == "status" and "mitigated" in text:
        return "watch"
    if entry.kind == "status" and "resolved" in text:
        return "done"
    if entry.kind == "alert" and "resolved" not in text and "ended" not in text:
        return "firing"
    return _TURNS.get(entry.kind)


def _when(s: Situation) -> str:
    opened = s.opened_at.astimezone(UTC)
    if s.resolved_at is None:
        return f"{opened:%A %-d %B %Y}, since {opened:%H:%M} UTC"
    until = s.resolved_at.astimezone(UTC)
    day = "" if until.date() == opened.date() else f"{until:%A %-d %B}, "
    return f"{opened:%A %-d %B %Y}, {opened:%H:%M} to {day}{until:%H:%M} UTC"


def _since(s: Situation) -> str:
    return _clock(s.opened_at)


def _clock(at: datetime) -> str:
    return f"{at.astimezone(UTC):%a %-d %b %Y, %H:%M} UTC"
