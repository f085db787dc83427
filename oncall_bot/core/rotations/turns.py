"""Whose turn it is: turns numbered from 0 at the anchor, and the members who take them in order.

Knows when the turns of a rotation begin (R3, R5, R6) and how a change of members moves the order
(R9). Refuses to know windows that hide a layer, holidays and overrides. Serves painting.
A turn is found by arithmetic and a step or two of correction, never by walking from the anchor.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from oncall_bot.core.rotations.walltime import furthest_wall, instant_of
from oncall_bot.core.rotations.windows import Windows

User = str | None
_TICK = datetime.resolution


class Turns(Protocol):
    """When the turns of one rotation begin. Only asked about instants from its start on."""

    def at(self, instant: datetime) -> int:
        """The greatest number whose turn has begun by `instant`."""
        ...

    def between(self, start: datetime, end: datetime) -> list[tuple[datetime, int]]:
        """The turns that take over after `start` and before `end`; turns left empty are not in."""
        ...


@dataclass(frozen=True, slots=True)
class ElapsedTurns:
    """A number of hours that does not divide a day: exact elapsed time."""

    starts_at: datetime
    every_for: timedelta

    def at(self, instant: datetime) -> int:
        return (instant - self.starts_at) // self.every_for

    def between(self, start: datetime, end: datetime) -> list[tuple[datetime, int]]:
        numbers = range(self.at(start) + 1, self.at(end - _TICK) + 1)
        return [(self.starts_at + n * self.every_for, n) for n in numbers]


@dataclass(frozen=True, slots=True)
class WallTurns:
    """Turns that keep their wall time: months, or a fixed step of the clock on the wall.

    `every_months` counts from the anchor and clamps to the last day of a month; if it is 0,
    `every_for` is the step.
    """

    starts_at: datetime
    anchor: datetime
    zone: ZoneInfo
    every_for: timedelta
    every_months: int = 0

    def at(self, instant: datetime) -> int:
        number = max(0, self._number_by(furthest_wall(instant, self.zone)))
        while number and self._start_of(number) > instant:
            number -= 1  # its wall time lies in a gap, or later in the month
        return number

    def between(self, start: datetime, end: datetime) -> list[tuple[datetime, int]]:
        numbers = range(self.at(start) + 1, self.at(end - _TICK) + 1)
        return _without_empty((self._start_of(n), n) for n in numbers)

    def _number_by(self, wall: datetime) -> int:
        """The last turn whose wall time can be `wall` or earlier; at most one too many."""
        if self.every_months:
            return (_months(wall) - _months(self.anchor)) // self.every_months
        return (wall - self.anchor) // self.every_for

    def _start_of(self, number: int) -> datetime:
        if number == 0:
            return self.starts_at
        if self.every_months:
            wall = _months_later(self.anchor, number * self.every_months)
        else:
            wall = self.anchor + number * self.every_for
        return instant_of(wall, self.zone)


@dataclass(frozen=True, slots=True)
class WindowTurns:
    """A turn begins at each n-th window that starts at or after the layer's start."""

    starts_at: datetime
    windows: Windows
    every: int

    def at(self, instant: datetime) -> int:
        return max(0, self.windows.begun(self.starts_at, instant) - 1) // self.every

    def between(self, start: datetime, end: datetime) -> list[tuple[datetime, int]]:
        begun = self.windows.begun(self.starts_at, start)
        opened = [at for at, _ in self.windows.touching(start, end) if at > start]
        numbered = enumerate(opened, begun)
        return _without_empty((at, n // self.every) for n, at in numbered if n % self.every == 0)


def _without_empty(turns: Iterable[tuple[datetime, int]]) -> list[tuple[datetime, int]]:
    """Of turns in number order, those that ever hold: a later number that begins no later wins."""
    kept: list[tuple[datetime, int]] = []
    for at, number in turns:
        while kept and kept[-1][0] >= at:
            kept.pop()
        kept.append((at, number))
    return kept


def _months(wall: datetime) -> int:
    return wall.year * 12 + wall.month - 1


def _months_later(wall: datetime, months: int) -> datetime:
    year, month = divmod(_months(wall) + months, 12)
    last_day = calendar.monthrange(year, month + 1)[1]
    return wall.replace(year=year, month=month + 1, day=min(wall.day, last_day))


@dataclass(frozen=True, slots=True)
class Change:
    """From `at` on these are the members; `first`, if named, has the running turn from there."""

    at: datetime
    users: tuple[User, ...]
    first: User = None


@dataclass(frozen=True, slots=True)
class Members:
    """The order of members from `at` on, with who of them has which turn."""

    at: datetime
    users: tuple[User, ...]
    turn: int
    position: int

    def holder(self, turn: int) -> User:
        if not self.users:
            return None
        return self.users[(self.position + turn - self.turn) % len(self.users)]


def members_over_time(
    turns: Turns, starts_at: datetime, users: tuple[User, ...], changes: Sequence[Change]
) -> tuple[Members, ...]:
    """The orders of members in time (R9), the first from `starts_at`; `changes` come sorted."""
    orders = [Members(starts_at, users, 0, 0)]
    for change in changes:
        at = max(change.at, starts_at)
        turn = turns.at(at)
        position = _position_after(orders[-1], turn, change)
        orders.append(Members(at, change.users, turn, position))
    return tuple(orders)


def _position_after(before: Members, turn: int, change: Change) -> int:
    """Where in the new list the running turn goes on: with the current person, if still listed,
    else the next in the old order who is, else the new list's first."""
    if change.first is not None:
        return change.users.index(change.first)
    for later in range(len(before.users)):
        person = before.holder(turn + later)
        if person in change.users:
            return change.users.index(person)
    return 0


def holders(
    turns: Turns, orders: Sequence[Members], start: datetime, end: datetime
) -> list[tuple[datetime, User]]:
    """Who has the turn from `start` to `end`, as (from when, who); the first is at `start`."""
    turn = turns.at(start)
    order = next(o for o in reversed(orders) if o.at <= start)
    found = [(start, order.holder(turn))]
    events: list[tuple[datetime, int, Members | None]]
    events = [(at, number, None) for at, number in turns.between(start, end)]
    events += [(o.at, o.turn, o) for o in orders if start < o.at < end]
    events.sort(key=lambda event: event[0])  # stable: a handoff, then the change judged for it
    for at, turn, changed in events:
        order = changed or order
        if found[-1][0] == at:
            found.pop()
        found.append((at, order.holder(turn)))
    return found
