"""Restriction windows: the hours of the week in which a layer may be seen (R7).

Knows the weekly pattern in its zone, which windows touch a stretch of time, and how many began
since an instant. Refuses to know turns and people. Serves turns (unit window), painting and core.hours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from oncall_bot.core.rotations.walltime import gap_days, instant_of, wall_of

Span = tuple[datetime, datetime]
_DAY = timedelta(days=1)
# How far an instant's local date can lie from the date of a window that starts there: a clock that
# skips a civil day (Apia, 30 December 2011) reads a time of that day as one of the day after.
_NEAR_DAYS = 2


@dataclass(frozen=True, slots=True)
class Windows:
    """A weekly pattern: for Monday to Sunday, (from, until) pairs counted from local midnight."""

    zone: ZoneInfo
    by_weekday: tuple[tuple[tuple[timedelta, timedelta], ...], ...]

    @property
    def longest_days(self) -> int:
        """Whole days after its own midnight that a window of this pattern can still be open."""
        return max(until.days for pairs in self.by_weekday for _, until in pairs)

    def touching(self, start: datetime, end: datetime) -> list[Span]:
        """The distinct windows that share time with [start, end), by their start."""
        first = _local_day(start, self.zone, -_NEAR_DAYS - self.longest_days)
        found = self._begun_on(first, _local_day(end, self.zone, _NEAR_DAYS))
        return sorted(span for span in found if span[0] < end and start < span[1])

    def open_between(self, start: datetime, end: datetime) -> list[Span]:
        """The parts of [start, end) in which at least one window is open, disjoint and in order."""
        merged: list[Span] = []
        for opened, closed in self.touching(start, end):
            span = (max(opened, start), min(closed, end))
            if merged and span[0] <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(merged[-1][1], span[1]))
            else:
                merged.append(span)
        return merged

    def begun(self, first: datetime, last: datetime) -> int:
        """How many windows begin at an instant of [first, last], both included.

        By arithmetic on weeks, with an exact look only at the ends and at nights when clocks jump
        forward: there a window may be empty, or two may become one.
        """
        head, tail = self._days_about(first), self._days_about(last)
        odd = odd_stretches(self, head.first.year - 1, tail.last.year + 1)
        for stretch, _ in odd:
            head, tail = head.joined(stretch), tail.joined(stretch)
        if head.meets(tail):
            return self._exactly(head.joined(tail), first, last)
        between = _Days(head.last + _DAY, tail.first - _DAY)
        surplus = sum(n for stretch, n in odd if stretch.within(between))
        ends = self._exactly(head, first, last) + self._exactly(tail, first, last)
        return ends + self._nominal(between) + surplus

    def _days_about(self, at: datetime) -> _Days:
        """The local days to which a window that begins at about `at` can belong."""
        return _Days(_local_day(at, self.zone, -_NEAR_DAYS), _local_day(at, self.zone, _NEAR_DAYS))

    def _begun_on(self, first: date, last: date) -> set[Span]:
        """The windows that belong to the local days first to last; an empty window is none."""
        found = set()
        midnight = datetime.combine(first, time())
        for _ in range((last - first).days + 1):
            for opens, closes in self.by_weekday[midnight.weekday()]:
                start = instant_of(midnight + opens, self.zone)
                end = instant_of(midnight + closes, self.zone)
                if start < end:
                    found.add((start, end))
            midnight += _DAY
        return found

    def _exactly(self, days: _Days, first: datetime, last: datetime) -> int:
        found = self._begun_on(days.first, days.last)
        return sum(first <= start <= last for start, _ in found)

    def _nominal(self, days: _Days) -> int:
        """How many windows belong to these days if no clock jumps."""
        a_week = [len(pairs) for pairs in self.by_weekday]
        weeks, rest = divmod((days.last - days.first).days + 1, 7)
        monday_is_0 = days.first.weekday()
        return weeks * sum(a_week) + sum(a_week[(monday_is_0 + i) % 7] for i in range(rest))


@dataclass(frozen=True, slots=True)
class _Days:
    first: date
    last: date

    def meets(self, other: _Days) -> bool:
        """Whether no day lies between the two."""
        return other.first <= self.last + _DAY and self.first <= other.last + _DAY

    def joined(self, other: _Days) -> _Days:
        """The stretch over both if they meet, else this one."""
        if not self.meets(other):
            return self
        return _Days(min(self.first, other.first), max(self.last, other.last))

    def within(self, other: _Days) -> bool:
        return other.first <= self.first and self.last <= other.last


def _local_day(at: datetime, zone: ZoneInfo, shift_days: int) -> date:
    return wall_of(at, zone).date() + timedelta(days=shift_days)


@lru_cache(maxsize=512)
def odd_stretches(
    windows: Windows, first_year: int, last_year: int
) -> tuple[tuple[_Days, int], ...]:
    """Stretches of days around forward jumps, each with its true count less its nominal one.

    A stretch reaches from the first day whose windows can end in the gap to the last day on which
    a time of the gap can be read, so that no window outside can be touched by the jump.
    """
    stretches: list[_Days] = []
    for year in range(first_year, last_year + 1):
        for day in gap_days(windows.zone, year):
            reach = timedelta(days=_NEAR_DAYS + windows.longest_days)
            stretch = _Days(day - reach, day + timedelta(days=_NEAR_DAYS + 1))
            if stretches and stretches[-1].meets(stretch):
                stretches[-1] = stretches[-1].joined(stretch)
            else:
                stretches.append(stretch)
    return tuple((days, _surplus(windows, days)) for days in stretches)


def _surplus(windows: Windows, days: _Days) -> int:
    return len(windows._begun_on(days.first, days.last)) - windows._nominal(days)


def weekly(zone: ZoneInfo, pairs: Sequence[tuple[Sequence[int], timedelta, timedelta]]) -> Windows:
    """The pattern of (days, from, until) triples; days are 1 for Monday to 7."""
    days: list[set[tuple[timedelta, timedelta]]] = [set() for _ in range(7)]
    for listed, opens, closes in pairs:
        for day in listed:
            days[day - 1].add((opens, closes))
    return Windows(zone, tuple(tuple(sorted(found)) for found in days))
