"""Why each person was paged, or not: the sentences, built in one place from what was decided and what became of it.

Knows the words and their order: how it came, whom each step asked and by which roads, whom it did not ask and why not,
what comes next. Refuses to know rows, zones and surfaces: instants stay instants, so that each reader sees the own
clock. Serves store.views, which fills `Told`, and through it Slack and the command line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from oncall_bot.core.config import Policy, Urgency
from oncall_bot.core.escalation import Status
from oncall_bot.core.situation import NextStep, RoadFate

Part = str | datetime


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence; `about` says what of: origin, paged, not_paged, held, answered, next or over."""

    about: str
    parts: tuple[Part, ...]
    who: str | None = None

    def text(self, spelled: Callable[[datetime], str]) -> str:
        return "".join(spelled(part) if isinstance(part, datetime) else part for part in self.parts)

    def plain(self) -> dict[str, Any]:
        """For machines: the sentence in UTC, whom it is about, and the instants in it."""
        return {
            "about": self.about,
            "who": self.who,
            "text": self.text(lambda at: f"{at:%Y-%m-%d %H:%M} UTC"),
            "at": [part.isoformat() for part in self.parts if isinstance(part, datetime)],
        }


@dataclass(frozen=True, slots=True)
class PageTold:
    """One person or channel that a position asked. `rota` is who the schedule alone names, when an override differs."""

    name: str
    at: datetime
    ask: str  # "shop-primary, step 2 of 3"
    found: str  # "Ana Ruiz is on call for shop-primary"
    rota: str | None = None
    roads: Sequence[RoadFate] = ()
    answered_at: datetime | None = None
    answered_by: str | None = None
    loud: bool = True
    away_until: datetime | None = None  # on holiday, and paged all the same
    away_why: str = ""


@dataclass(frozen=True, slots=True)
class NotPaged:
    """Somebody or something that was left out, with the reason, and until when it lasts where that is known."""

    what: str
    why: str
    at: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class RunTold:
    """One paging of the incident: by which policy, and where it stands."""

    title: str  # "policy shop-primary", "by hand: Bo Lindt"
    status: Status
    urgency: Urgency
    policy: Policy | None = None
    pages: Sequence[PageTold] = ()
    left_out: Sequence[NotPaged] = ()
    next: NextStep | None = None
    word_at: datetime | None = None  # the ack timeout
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    origin: Sequence[str]
    urgency: Urgency
    runs: Sequence[RunTold] = ()
    acked_by: str | None = None
    acked_at: datetime | None = None
    held_by: str | None = None  # "silence 3"
    held_until: datetime | None = None
    nobody: str | None = None
    over: str | None = None  # "resolved", "merged into incident 7"


def explain(told: Told) -> tuple[Line, ...]:
    """The whole chain, oldest decision first, what comes next at the end."""
    return (*(Line("origin", (text,)) for text in told.origin), *_paging(told), *_end(told))


def _paging(told: Told) -> Iterator[Line]:
    if told.urgency is Urgency.NONE and not any(run.pages for run in told.runs):
        yield Line("not_paged", ("Nobody was paged: its urgency is none.",))
    for run in told.runs:
        yield from (_paged(run, page) for page in run.pages)
        yield from (_left_out(one) for one in run.left_out)
        yield from _not_for_this_urgency(run)


def _paged(run: RunTold, page: PageTold) -> Line:
    covers = f" by an override, where the rota has {page.rota}" if page.rota else ""
    parts: list[Part] = [f"{page.name} was paged at ", page.at, f" ({run.title}): {page.ask}; "]
    parts.append(f"{page.found}{covers}.")
    parts += [" By ", *_roads(page.roads), "."] if page.roads else []
    if not page.loud:
        parts.append(" They have no loud road.")
    if page.away_until is not None:
        parts += [" They are on holiday until ", page.away_until]
        parts += [f", and were paged all the same: {page.away_why}."]
    if page.answered_at is not None:
        by = f" by {page.answered_by}" if page.answered_by else ""
        parts += [" Answered at ", page.answered_at, f"{by}."]
    return Line("paged", tuple(parts), page.name)


def _roads(roads: Sequence[RoadFate]) -> Iterator[Part]:
    for n, road in enumerate(roads):
        yield ", " if n else ""
        telling = {"failed", "missed", "waiting"}
        why = f" ({road.why})" if road.why and road.state in telling else ""
        word = {"outdated": "no longer needed", "waiting": "due"}.get(road.state, road.state)
        way = road.told or ((word, road.at if road.state != "outdated" else None),)
        for m, (state, at) in enumerate(way):
            yield f", {state}" if m else f"{road.road} {state}"
            if at is not None:
                yield from (" at ", at)
        yield why


def _left_out(one: NotPaged) -> Line:
    at: tuple[Part, ...] = (" at ", one.at) if one.at is not None else ()
    until: tuple[Part, ...] = (" until ", one.until) if one.until is not None else ()
    parts = (f"{one.what} was not paged", *at, f": {one.why}", *until, ".")
    return Line("not_paged", parts, one.what)


def _not_for_this_urgency(run: RunTold) -> Iterator[Line]:
    for n, step in enumerate(run.policy.steps if run.policy else (), start=1):
        if step.urgency is None or step.urgency is run.urgency:
            continue
        whom = ", ".join(str(target) for target in step.page)
        text = f"{whom} not paged: step {n} applies only on {step.urgency} urgency."
        yield Line("not_paged", (text,), whom)


def _end(told: Told) -> Iterator[Line]:
    if told.nobody:
        yield Line("not_paged", (f"Nobody could be paged: {told.nobody}.",))
    if told.over:
        yield Line("over", (f"Nothing more comes: {told.over}.",))
        return
    if told.acked_by and told.acked_at:
        yield Line(
            "answered", (f"{told.acked_by} has it since ", told.acked_at, "."), told.acked_by
        )
    if told.held_by:
        until: tuple[Part, ...] = (" until ", told.held_until) if told.held_until else ()
        yield Line("held", (f"Nobody is paged now: held back by {told.held_by}", *until, "."))
    for run in told.runs:
        yield from _next(run)


def _next(run: RunTold) -> Iterator[Line]:
    if run.status is Status.ACKED and run.word_at is not None:
        yield Line("next", ("Next: without a word they are paged again at ", run.word_at, "."))
    elif run.status is Status.ASKED:
        yield Line("over", (f"Nothing more comes by itself ({run.title}): {run.reason}.",))
    elif run.next is not None:
        whom = ", ".join(run.next.names) or "nobody"
        parts: tuple[Part, ...] = (f"Next: {run.next.what} at ", run.next.at, f" pages {whom}.")
        yield Line("next", parts, whom)
