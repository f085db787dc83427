"""What a schedule looks like over some weeks: days, a row for each layer, overrides, who is on call.

Knows which bars a reader is shown, what a gap comes from and when clocks change. Refuses to know pixels, HTML and
words (board_words has them). Serves the schedule's page and its picture, so that both show the same. Pure.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from heapq import heappop, heappush
from zoneinfo import ZoneInfo

from oncall_bot.core.errors import BadInput
from oncall_bot.core.rotations import Definition, Override, Shift, shifts
from oncall_bot.core.rotations.definition import Holiday, Layer
from oncall_bot.core.rotations.walltime import FIRST_YEAR, LAST_YEAR, instant_of, wall_of

WEEKS = (1, 2, 4)
BARS_MAX = 1000
ROWS_MAX = 20
TINTS = 6
_NOBODY = "\0nobody"  # no person has such a key: an override that leaves a gap, where a gap would show nothing
_DAY, _SECOND = timedelta(days=1), timedelta(seconds=1)


class Kind(StrEnum):
    SHIFT = "shift"
    OVERRIDE = "override"
    GAP = "gap"


@dataclass(frozen=True, slots=True)
class ClockChange:
    """At `at` clocks that would show `before` show `after`; both are wall times."""

    at: datetime
    before: datetime
    after: datetime

    @property
    def forward(self) -> bool:
        return self.after > self.before


@dataclass(frozen=True, slots=True)
class Day:
    """A local day, [start, end) in UTC: 23 to 25 hours where clocks change."""

    date: date
    start: datetime
    end: datetime
    change: ClockChange | None = None

    @property
    def length(self) -> timedelta:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Bar:
    """[start, end) with one person, or nobody."""

    start: datetime
    end: datetime
    user: str | None
    kind: Kind = Kind.SHIFT


@dataclass(frozen=True, slots=True)
class BoardRow:
    name: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """Nobody is on call from `start` to `end`, because of `why`: `override`, `holiday` or `rota`."""

    start: datetime
    end: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Board:
    """A schedule over `days`, in one zone. `tints` numbers the people who have a colour of their own from 0."""

    schedule: str
    zone: ZoneInfo
    home: ZoneInfo
    now: datetime
    days: tuple[Day, ...]
    rows: tuple[BoardRow, ...]
    final: tuple[Bar, ...]
    gaps: tuple[Gap, ...]
    hours: Mapping[str, timedelta]
    names: Mapping[str, str]
    tints: Mapping[str, int]
    cut: bool = False  # more bars than are drawn

    @property
    def start(self) -> datetime:
        return self.days[0].start

    @property
    def end(self) -> datetime:
        return self.days[-1].end

    @property
    def weeks(self) -> int:
        return max(1, round((self.end - self.start) / timedelta(days=7)))

    @property
    def gaps_to_tell(self) -> list[Gap]:
        """The gaps that are not over; of days that are all over, every gap that was."""
        return [gap for gap in self.gaps if gap.end > self.now or self.end <= self.now]

    @property
    def changes(self) -> list[ClockChange]:
        return [day.change for day in self.days if day.change is not None]

    def at(self, instant: datetime) -> float:
        """Where the instant lies between start (0) and end (1); outside it is cut."""
        share = (instant - self.start) / (self.end - self.start)
        return min(1.0, max(0.0, share))

    def name(self, user: str | None) -> str:
        return "nobody" if user is None else self.names.get(user, user)


@dataclass(frozen=True, slots=True)
class Planned:
    """A schedule as it is stored: what is planned, what people changed, and what is on record of the past."""

    key: str
    definition: Definition
    overrides: Sequence[Override] = ()
    recorded: Sequence[Shift] = ()
    names: Mapping[str, str] = field(default_factory=dict)


def board(
    planned: Planned,
    monday: date,
    weeks: int,
    zone: ZoneInfo,
    now: datetime,
    *,
    reader: str | None = None,
) -> Board:
    """The schedule over `weeks` weeks from that day on, as clocks in `zone` show it.

    What is on record of the past is shown instead of what the rota says today. BadInput outside the years schedules
    answer for.
    """
    days = days_from(monday, weeks * 7, zone)
    start, end = days[0].start, days[-1].end
    near = [one for one in planned.overrides if one.start < end and start < one.end]
    rota = shifts(planned.definition, start, end)
    on_call = shifts(planned.definition, start, end, [*near, *_on_record(planned, now)])
    rows, final = _rows(planned.definition, near, start, end), _final(rota, on_call, near)
    cut = len(final) > BARS_MAX or any(len(row.bars) > BARS_MAX for row in rows)
    shown = [*(bar for row in rows for bar in row.bars), *final]
    return Board(
        schedule=planned.key,
        zone=zone,
        home=planned.definition.zone,
        now=now,
        days=days,
        rows=tuple(replace(row, bars=row.bars[:BARS_MAX]) for row in rows),
        final=tuple(final[:BARS_MAX]),
        gaps=tuple(_gaps(final, planned.definition, near)),
        hours=_hours(final),
        names=planned.names,
        tints=_tints(planned.definition, shown, final, now, reader),
        cut=cut,
    )


# --- days -----------------------------------------------------------------------------------------------------------


def monday_of(at: datetime, zone: ZoneInfo) -> date:
    """The Monday of the week that clocks in `zone` show at the instant."""
    day = at.astimezone(zone).date()
    return day - timedelta(days=day.weekday())


def days_from(first: date, count: int, zone: ZoneInfo) -> tuple[Day, ...]:
    """So many local days. One that a zone skipped altogether is left out."""
    if not FIRST_YEAR < first.year < LAST_YEAR:
        raise BadInput(f"Schedules are shown for {FIRST_YEAR + 1} to {LAST_YEAR - 1}.")
    midnight = datetime(first.year, first.month, first.day)  # noqa: DTZ001 - a wall time
    starts = [instant_of(midnight + n * _DAY, zone) for n in range(count + 1)]
    days = (
        Day(first + n * _DAY, starts[n], starts[n + 1], _change(starts[n], starts[n + 1], zone))
        for n in range(count)
        if starts[n] < starts[n + 1]
    )
    return tuple(days)


def _change(start: datetime, end: datetime, zone: ZoneInfo) -> ClockChange | None:
    """When clocks change in [start, end), found by halving: zone data is not open to reading."""
    early, late = start - _SECOND, end - _SECOND
    if _offset(early, zone) == _offset(late, zone):
        return None
    before = _offset(early, zone)
    while late - early > _SECOND:
        middle = early + timedelta(seconds=(late - early) // _SECOND // 2)
        early, late = (middle, late) if _offset(middle, zone) == before else (early, middle)
    return ClockChange(late, wall_of(early, zone) + _SECOND, wall_of(late, zone))


def _offset(at: datetime, zone: ZoneInfo) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta(0)


# --- rows -----------------------------------------------------------------------------------------------------------


def _rows(
    definition: Definition, overrides: Sequence[Override], start: datetime, end: datetime
) -> list[BoardRow]:
    """A row for each layer that shows in the window; holidays and overrides where there are any."""
    rows = [
        BoardRow(layer.name or f"Layer {n}", tuple(_layer_bars(definition, layer, start, end)))
        for n, layer in enumerate(definition.layers, start=1)
    ]
    rows = [row for row in rows if row.bars][-ROWS_MAX:]
    beats = [h for h in definition.holidays if h.action != "skip_layers"]
    days_off = [Override(h.start, h.end, h.user) for h in beats]
    for name, painted in (("Holidays", days_off), ("Overrides", overrides)):
        bars = tuple(_painted_bars(definition, painted, start, end))
        if bars:
            rows.append(BoardRow(name, bars))
    return rows


def _layer_bars(
    definition: Definition, layer: Layer, start: datetime, end: datetime
) -> Iterable[Bar]:
    """The layer alone, with the holidays that silence it."""
    silencing: tuple[Holiday, ...] = tuple(
        h for h in definition.holidays if h.action == "skip_layers" and layer.name in h.layers
    )
    alone = replace(definition, layers=(layer,), holidays=silencing, overrides=())
    for shift in shifts(alone, start, end):
        if shift.user is not None:
            yield Bar(shift.start, shift.end, shift.user)


def _painted_bars(
    definition: Definition, painted: Sequence[Override], start: datetime, end: datetime
) -> Iterable[Bar]:
    """What was painted over the layers, as it was asked for: a later one over an earlier."""
    bare = replace(definition, layers=(), holidays=(), overrides=())
    asked = [Override(one.start, one.end, one.user or _NOBODY) for one in painted]
    for shift in shifts(bare, start, end, asked) if asked else ():
        if shift.user == _NOBODY:
            yield Bar(shift.start, shift.end, None, Kind.GAP)
        elif shift.user is not None:
            yield Bar(shift.start, shift.end, shift.user, Kind.OVERRIDE)


def _on_record(planned: Planned, now: datetime) -> list[Override]:
    """The shifts that were, as covers over what the rota says today."""
    return [
        Override(one.start, min(one.end, now), one.user)
        for one in planned.recorded
        if one.start < min(one.end, now)
    ]


class _Asked:
    """Whether an override asks for somebody in a stretch of time. Stretches are given in order; each is quick."""

    def __init__(self, overrides: Sequence[Override]) -> None:
        self._coming = sorted(overrides, key=lambda one: one.start, reverse=True)
        self._running: list[tuple[datetime, int, str | None]] = []
        self._users: Counter[str | None] = Counter()

    def wants(self, user: str | None, start: datetime, end: datetime) -> bool:
        while self._coming and self._coming[-1].start < end:
            one = self._coming.pop()
            heappush(self._running, (one.end, len(self._coming), one.user))
            self._users[one.user] += 1
        while self._running and self._running[0][0] <= start:
            self._users[heappop(self._running)[2]] -= 1
        return self._users[user] > 0


def _final(
    rota: Sequence[Shift], on_call: Sequence[Shift], overrides: Sequence[Override]
) -> list[Bar]:
    """Who is on call, cut where an override begins and ends to differ from the rota."""
    bars: list[Bar] = []
    asked, n = _Asked(overrides), 0
    for shift in on_call:
        at = shift.start
        while at < shift.end:
            while rota[n].end <= at:
                n += 1
            until = min(shift.end, rota[n].end)
            wanted = asked.wants(shift.user, at, until)
            changed = wanted and rota[n].user != shift.user
            kind = Kind.GAP if shift.user is None else Kind.OVERRIDE if changed else Kind.SHIFT
            _join(bars, Bar(at, until, shift.user, kind))
            at = until
    return bars


def _join(bars: list[Bar], bar: Bar) -> None:
    """Add it, or lengthen the last one when nothing else changes."""
    last = bars[-1] if bars else None
    if last and last.end == bar.start and (last.user, last.kind) == (bar.user, bar.kind):
        bars[-1] = replace(last, end=bar.end)
    else:
        bars.append(bar)


def _gaps(
    final: Sequence[Bar], definition: Definition, overrides: Sequence[Override]
) -> Iterable[Gap]:
    asked = _Asked(overrides)
    off = [h for h in definition.holidays if h.action != "user"]
    for bar in final:
        if bar.kind is not Kind.GAP:
            continue
        if asked.wants(None, bar.start, bar.end):
            yield Gap(bar.start, bar.end, "override")
        elif any(h.start < bar.end and bar.start < h.end for h in off):
            yield Gap(bar.start, bar.end, "holiday")
        else:
            yield Gap(bar.start, bar.end, "rota")


def _hours(final: Sequence[Bar]) -> dict[str, timedelta]:
    """How long each is on call, the longest first."""
    found: dict[str, timedelta] = defaultdict(timedelta)
    for bar in final:
        if bar.user is not None:
            found[bar.user] += bar.end - bar.start
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


# --- colours --------------------------------------------------------------------------------------------------------


def _tints(
    definition: Definition,
    shown: Sequence[Bar],
    final: Sequence[Bar],
    now: datetime,
    reader: str | None,
) -> dict[str, int]:
    """Six colours for six people; of more people only the reader and the next two have one."""
    seen = {bar.user for bar in shown if bar.user is not None}
    everybody = list(dict.fromkeys([*_in_order(definition), *sorted(seen)]))
    people = everybody if len(everybody) <= TINTS else [one for one in everybody if one in seen]
    if len(people) > TINTS:
        coming = [bar.user for bar in final if bar.end > now and bar.user is not None]
        people = list(dict.fromkeys([*([reader] if reader in seen else []), *coming]))[:3]
    return {user: n for n, user in enumerate(one for one in people if one is not None)}


def _in_order(definition: Definition) -> Iterable[str]:
    """The members as the rota lists them, so that a colour stays with a person from week to week."""
    for layer in definition.layers:
        for order in layer.orders:
            yield from (user for user in order.users if user is not None)
