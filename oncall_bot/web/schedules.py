"""The pages of schedules: the list, and one schedule over one, two or four weeks.

Knows what may stand behind `?` and what is said of it when it cannot be used. Refuses rotas (core.board), drawing
(plot) and signing in (sessions). Serves web.site.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from starlette.requests import Request
from starlette.responses import Response

from oncall_bot.core import board_words as words
from oncall_bot.core.board import WEEKS, Bar, Board, Day, Kind
from oncall_bot.core.errors import BadInput
from oncall_bot.core.outcomes import Actor
from oncall_bot.core.situation import OnCallNow
from oncall_bot.store import views
from oncall_bot.store.db import Store
from oncall_bot.store.transactions import Reader
from oncall_bot.web.html import Pages
from oncall_bot.web.plot import look_of, plot_of
from oncall_bot.web.sessions import Looker

GAPS_SHOWN: Final = 3
LISTED_A_DAY: Final = 48
ZONES_OFFERED: Final = 20
SHOWN_MAX: Final = 60


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the address asks for; `faults` says what of it cannot be used."""

    weeks: int = 1
    first: date | None = None
    zone: ZoneInfo | None = None
    faults: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Link:
    words: str
    href: str
    current: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One stretch of a day, in the list of a phone."""

    hours: str
    name: str
    look: str
    note: str


@dataclass(frozen=True, slots=True)
class Section:
    """One day of that list."""

    title: str
    note: str | None
    today: bool
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look at the database found for the page."""

    board: Board
    now: OnCallNow
    following: str | None
    own_zone: str | None
    zones: Sequence[str]


class SchedulePages:
    def __init__(self, store: Store, pages: Pages, base: str) -> None:
        self._store = store
        self._pages = pages
        self._base = base

    async def all(self, request: Request, looker: Looker) -> Response:
        """Every schedule in a line, 50 to a page."""
        after = request.query_params.get("after", "")[:200]
        lines, more = await self._store.view(views.schedule_lines, after)
        return self._pages.draw(
            "schedules.html",
            looker=looker,
            lines=[(one, _until(one), _gap(one), self._address(one.now.schedule)) for one in lines],
            more=f"{self._base}/schedules?{urlencode({'after': lines[-1].now.schedule})}"
            if more
            else None,
        )

    async def one(self, key: str, request: Request, looker: Looker) -> Response:
        """One schedule; what the address asks for and cannot be shown is said, and the rest is shown."""
        wanted = read_wanted(request.query_params)
        try:
            seen = await self._store.view(look, key, wanted, looker.actor)
        except BadInput as fault:
            wanted = replace(wanted, first=None, faults=[*wanted.faults, str(fault)])
            seen = await self._store.view(look, key, wanted, looker.actor)
        if seen is None:
            return self._pages.message(
                404,
                "There is no such schedule.",
                ["It may have another name now: see all schedules."],
            )
        return self._draw(seen, wanted, looker)

    def _draw(self, seen: Seen, wanted: Wanted, looker: Looker) -> Response:
        board = seen.board
        sections = [_section(day, board) for day in board.days]
        past = sum(1 for day in board.days if day.end <= board.now)
        gaps = board.gaps_to_tell
        return self._pages.draw(
            "schedule.html",
            400 if wanted.faults else 200,
            looker=looker,
            board=board,
            plot=plot_of(board),
            now=seen.now,
            until=_until_words(seen, board.zone),
            span=words.span(board),
            zone=words.zone_name(board.zone),
            alt=words.alt_text(board),
            gaps=[words.gap_sentence(gap, board.zone, board.now) for gap in gaps[:GAPS_SHOWN]],
            gaps_more=max(0, len(gaps) - GAPS_SHOWN),
            notes=[
                f"{words.day_title(d.date)} has {note}"
                for d in board.days
                if (note := words.day_note(d))
            ],
            hours=words.hours_line(board),
            faults=wanted.faults,
            earlier=sections[:past] if past < len(sections) else [],
            sections=sections[past:] if past < len(sections) else sections,
            earlier_words=_days_words(board.days[:past]),
            steps=self._steps(board, wanted),
            lengths=self._lengths(board, wanted),
            own_zone=self._own_zone(seen, wanted),
            zones=seen.zones,
            wanted=wanted,
        )

    # --- addresses ----------------------------------------------------------------------------------------------

    def _address(self, key: str, wanted: Wanted | None = None, **more: object) -> str:
        """The page of the schedule; what is as usual is left out of its address."""
        asked: dict[str, str] = {}
        if wanted is not None:
            if wanted.first is not None:
                asked["from"] = wanted.first.isoformat()
            if wanted.weeks != 1:
                asked["weeks"] = str(wanted.weeks)
            if wanted.zone is not None:
                asked["zone"] = wanted.zone.key
        for name, value in more.items():
            asked.pop(name, None)
            if value is not None:
                asked[name] = str(value)
        query = f"?{urlencode(asked)}" if asked else ""
        return f"{self._base}/schedules/{quote(key, safe='')}{query}"

    def _steps(self, board: Board, wanted: Wanted) -> list[Link]:
        first, by = board.days[0].date, timedelta(days=7 * wanted.weeks)
        return [
            Link("Earlier", self._address(board.schedule, wanted, **{"from": first - by})),
            Link("Today", self._address(board.schedule, wanted, **{"from": None})),
            Link("Later", self._address(board.schedule, wanted, **{"from": first + by})),
        ]

    def _lengths(self, board: Board, wanted: Wanted) -> list[Link]:
        return [
            Link(
                f"{n} week{'' if n == 1 else 's'}",
                self._address(board.schedule, wanted, weeks=None if n == 1 else n),
                n == wanted.weeks,
            )
            for n in WEEKS
        ]

    def _own_zone(self, seen: Seen, wanted: Wanted) -> Link | None:
        """The way to the hours of whoever looks, or back to the rota's."""
        board = seen.board
        if board.zone.key != board.home.key:
            words_ = f"show in {words.zone_name(board.home)}, where this rota is planned"
            return Link(words_, self._address(board.schedule, wanted, zone=None))
        if seen.own_zone and seen.own_zone != board.zone.key:
            return Link(
                "show in my zone", self._address(board.schedule, wanted, zone=seen.own_zone)
            )
        return None


# --- what is asked for ----------------------------------------------------------------------------------------------


def read_wanted(given: Mapping[str, str]) -> Wanted:
    """The parameters `weeks`, `from` and `zone`; a fault leaves the usual in force."""
    faults: list[str] = []
    return Wanted(
        weeks=_weeks(given.get("weeks") or "1", faults),
        first=_first(given.get("from") or "", faults),
        zone=_zone((given.get("zone") or "").strip(), faults),
        faults=faults,
    )


def _weeks(text: str, faults: list[str]) -> int:
    if text in {str(n) for n in WEEKS}:
        return int(text)
    faults.append(f"“{_shown(text)}” weeks cannot be shown: 1, 2 or 4 can.")
    return 1


def _first(text: str, faults: list[str]) -> date | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        faults.append(f"“{_shown(text)}” is not a date like 2026-10-19. This week is shown.")
        return None
    return day


def _zone(text: str, faults: list[str]) -> ZoneInfo | None:
    if not text:
        return None
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        faults.append(
            f"“{_shown(text)}” is not a time zone. Write a name such as Europe/Berlin or UTC."
        )
        return None


def _shown(text: str) -> str:
    return text if len(text) <= SHOWN_MAX else f"{text[: SHOWN_MAX - 1]}…"


def look(reader: Reader, key: str, wanted: Wanted, actor: Actor) -> Seen | None:
    """The schedule as it is wanted; a date is taken for its week. None when there is no such schedule."""
    schedules = reader.snapshot.config.schedules
    if key not in schedules:
        return None
    first = wanted.first
    monday = first - timedelta(days=first.weekday()) if first else None
    board = views.board_of(
        reader, key, first=monday, weeks=wanted.weeks, zone=wanted.zone, person=actor.key
    )
    assert board is not None
    [now] = views.who(reader, schedule=key)
    people = reader.snapshot.config.people
    following = reader.snapshot.next_handoff(key, reader.now)
    me = people.get(actor.key)
    zones = dict.fromkeys([board.home.key, "UTC", *(p.zone for p in people.values() if p.zone)])
    return Seen(
        board=board,
        now=now,
        following=reader.snapshot.name(following[2]) if following else None,
        own_zone=me.zone if me else None,
        zones=list(zones)[:ZONES_OFFERED],
    )


# --- sentences ------------------------------------------------------------------------------------------------------


def _until_words(seen: Seen, zone: ZoneInfo) -> str:
    """`until Wed 21, 22:00, then Chen. No answer: Ben after 5 min.`"""
    said = []
    if seen.now.until is not None:
        said.append(f"until {words.moment(seen.now.until, zone)}, then {seen.following}.")
    if seen.now.then:
        name, after = seen.now.then[0]
        said.append(f"No answer: {name} {after}.")
    return " ".join(said)


def _until(line: views.ScheduleLine) -> str:
    until = line.now.until
    return f"until {words.moment(until, line.zone)}" if until is not None else ""


def _gap(line: views.ScheduleLine) -> str | None:
    """The next gap, in the zone where the rota is planned."""
    if line.gap is None:
        return None
    return f"{words.stretch(line.gap.start, line.gap.end, line.zone)}, {words.zone_name(line.zone)}"


def _section(day: Day, board: Board) -> Section:
    pieces = list(words.pieces_of(day, board.final))
    lines = [_line(piece, board) for piece in pieces[:LISTED_A_DAY]]
    if len(pieces) > LISTED_A_DAY:
        lines.append(Line("", f"and {len(pieces) - LISTED_A_DAY} more shifts", "", ""))
    return Section(
        title=words.day_title(day.date),
        note=words.day_note(day),
        today=words.is_today(day, board.now),
        lines=lines,
    )


def _line(piece: Bar, board: Board) -> Line:
    return Line(
        words.piece_words(piece, board.zone),
        board.name(piece.user),
        look_of(board, piece),
        "by override" if piece.kind is Kind.OVERRIDE else "",
    )


def _days_words(days: Sequence[Day]) -> str:
    """`Monday`, `Monday and Tuesday`, `Monday to Thursday`, `12 earlier days`."""
    names = [f"{day.date:%A}" for day in days]
    if len(names) > 6:
        return f"{len(names)} earlier days"
    return (" and " if len(names) == 2 else " to ").join(dict.fromkeys([*names[:1], *names[-1:]]))
