"""What a schedule says, read and resolved to instants: values only.

Knows layers, holidays, overrides and shifts. Refuses to know the written form they came from and
how they are painted over each other. Serves this room, and everybody who holds a schedule.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from oncall_bot.core.rotations.turns import Members, Turns, User
from oncall_bot.core.rotations.windows import Windows

HolidayAction = Literal["nobody", "user", "skip_layers"]


@dataclass(frozen=True, slots=True)
class Shift:
    """[start, end) in UTC with the one person on call, or None for a gap."""

    start: datetime
    end: datetime
    user: User


@dataclass(frozen=True, slots=True)
class Override:
    """From start to end (aware, UTC) `user` is on call; None is a deliberate gap.

    With `replaces` it acts only where that person would be on call. A swap is two of these.
    """

    start: datetime
    end: datetime
    user: User
    replaces: User = None

    def __post_init__(self) -> None:
        for at in (self.start, self.end):
            if at.utcoffset() != timedelta(0):
                raise ValueError(f"an override needs instants in UTC, not {at!r}")


@dataclass(frozen=True, slots=True)
class Layer:
    """One rotation: who takes turns in which order, from when to when, in which windows."""

    name: str | None
    zone: ZoneInfo
    starts_at: datetime
    ends_at: datetime | None
    turns: Turns
    orders: tuple[Members, ...]
    windows: Windows | None


@dataclass(frozen=True, slots=True)
class Holiday:
    """A day or a part of one, [start, end), that beats the layers (R11)."""

    start: datetime
    end: datetime
    action: HolidayAction
    user: User = None
    layers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Definition:
    """A schedule as parsed: earlier layers first, holidays and overrides in the order written."""

    zone: ZoneInfo
    layers: tuple[Layer, ...]
    holidays: tuple[Holiday, ...]
    overrides: tuple[Override, ...]


def people_named(definition: Definition) -> frozenset[str]:
    """Everybody the schedule names: members past and future, holiday covers, overrides."""
    named: set[User] = set()
    for layer in definition.layers:
        named.update(*(order.users for order in layer.orders))
    named.update(holiday.user for holiday in definition.holidays)
    for override in definition.overrides:
        named |= {override.user, override.replaces}
    return frozenset(user for user in named if user is not None)
