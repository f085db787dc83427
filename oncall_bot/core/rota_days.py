"""A rota day by day, as people read it: each local day with its length, its pieces, and who covers for whom.

Knows midnights and nights on which clocks change. Refuses to know names, rows and surfaces. Pure.
Serves store.views, which fills it from what is in force.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from oncall_bot.core.rotations import Shift
from oncall_bot.core.rotations.walltime import instant_of


@dataclass(frozen=True, slots=True)
class Piece:
    """One person's part of a day; None is a gap. `covered`: without overrides it would be somebody else's."""

    starts_at: datetime
    ends_at: datetime
    user: str | None
    covered: bool = False


@dataclass(frozen=True, slots=True)
class Day:
    """One local day from midnight to midnight: 23, 24 or 25 hours, or what the zone makes of it."""

    date: date
    starts_at: datetime
    ends_at: datetime
    pieces: tuple[Piece, ...]

    @property
    def length(self) -> timedelta:
        return self.ends_at - self.starts_at


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant with which a local day begins."""
    return instant_of(datetime.combine(day, time()), zone)


def clocks_change(day: Day, zone: ZoneInfo) -> tuple[datetime, bool] | None:
    """When clocks change on that day, as the clock shows it just before, and whether they go forward."""
    step, at = timedelta(minutes=15), day.starts_at
    while at < day.ends_at:
        before, after = at.astimezone(zone), (at + step).astimezone(zone)
        if before.utcoffset() != after.utcoffset():
            shown = before.replace(tzinfo=None) + step
            return shown, (after.utcoffset() or step) > (before.utcoffset() or step)
        at += step
    return None


def days_of(
    painted: Sequence[Shift], planned: Sequence[Shift], first: date, count: int, zone: ZoneInfo
) -> list[Day]:
    """`painted` is the rota with overrides, `planned` without; both tile the whole stretch."""
    pieces = list(_compared(painted, planned))
    found = []
    for n in range(count):
        day = first + timedelta(days=n)
        start, end = midnight(day, zone), midnight(day + timedelta(days=1), zone)
        found.append(Day(day, start, end, tuple(_cut(pieces, start, end))))
    return found


def _compared(painted: Sequence[Shift], planned: Sequence[Shift]) -> Iterator[Piece]:
    """The painted line, cut where only one of the two lines changes hands."""
    edges = sorted({s.start for s in (*painted, *planned)} | {s.end for s in painted[-1:]})
    pending: Piece | None = None
    for start, end in pairwise(edges):
        user = _user(painted, start)
        covered = user != _user(planned, start)
        if pending is not None and (pending.user, pending.covered) == (user, covered):
            pending = Piece(pending.starts_at, end, user, covered)
            continue
        if pending is not None:
            yield pending
        pending = Piece(start, end, user, covered)
    if pending is not None:
        yield pending


def _user(line: Sequence[Shift], at: datetime) -> str | None:
    return next((s.user for s in line if s.start <= at < s.end), None)


def _cut(pieces: Sequence[Piece], start: datetime, end: datetime) -> Iterator[Piece]:
    for one in pieces:
        begins, ends = max(one.starts_at, start), min(one.ends_at, end)
        if begins < ends:
            yield Piece(begins, ends, one.user, one.covered)
