"""Instants and spans as they were read, and the one way from a wall clock to them.

Knows the two nights on which a clock time means two instants or none. Refuses to know words. Serves `when`, `days` and
`clocks`; instants come from core.rotations.walltime alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from oncall_bot.core.rotations.walltime import instant_of, wall_of


@dataclass(frozen=True, slots=True)
class When:
    """An instant (`end` is None) or a span, in UTC, and the words it was read from."""

    start: datetime
    end: datetime | None = None
    words: str = ""

    @property
    def is_span(self) -> bool:
        return self.end is not None


@dataclass(frozen=True, slots=True)
class Unclear:
    """Words that are a time but not one: why, and what to write instead."""

    why: str
    choices: tuple[str, ...] = ()
    words: str = ""


def out_of_reach(year: int) -> Unclear:
    """For years that schedules do not answer for."""
    return Unclear(f"The year {year} is out of reach.")


@dataclass(slots=True)
class Look:
    """A text being read: what was taken out of it is blanked, so that nothing is read twice."""

    text: str
    now: datetime
    zone: ZoneInfo
    back: bool
    taken: list[tuple[int, int]] = field(default_factory=list)

    @property
    def local(self) -> datetime:
        return wall_of(self.now, self.zone)

    @property
    def today(self) -> date:
        return self.local.date()

    def take(self, pattern: str | re.Pattern[str]) -> re.Match[str] | None:
        found = re.search(pattern, self.text)
        if found:
            self.taken.append(found.span())
            self.text = self.text[: found.start()] + " " * len(found[0]) + self.text[found.end() :]
        return found


Found = When | Unclear | None


def instant(wall: datetime, zone: ZoneInfo) -> When | Unclear:
    """A wall time as an instant; the hour that comes twice and the one that is skipped are `Unclear`."""
    first = instant_of(wall, zone)
    second = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if wall_of(first, zone) != wall:
        early, late = sorted((first, second))
        shown = f"{wall:%H:%M} on {written(wall.date())}"
        return Unclear(
            f"{shown} does not exist in {zone.key}: the clock jumps over it.",
            (iso_utc(early), iso_utc(late)),
        )
    if first != second:
        return Unclear(
            f"{wall:%H:%M} on {written(wall.date())} comes twice in {zone.key}: the clock goes back.",
            (iso_utc(first), iso_utc(second)),
        )
    return When(first)


def written(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b}"


def iso_day(day: date) -> str:
    return day.isoformat()


def iso_utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
