"""Days and hours in which something applies: ISO weekdays and a stretch of the wall clock in a zone.

Knows windows over midnight (they belong to the day they begin on) and the nights on which clocks jump, as schedules
do (`rotations.windows`). Refuses to know what applies then. Serves the steps of policies and quiet hours.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from oncall_bot.core.rotations.windows import Windows, weekly

EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)
MIDNIGHT = time(0)
_DAY_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Hours:
    """[start, end) on these days; an end at or before the start is that of the next day."""

    zone: str
    days: tuple[int, ...] = EVERY_DAY
    start: time = MIDNIGHT
    end: time = MIDNIGHT


def is_open(hours: Hours, at: datetime) -> bool:
    """Whether the instant lies in one of its windows."""
    return bool(_windows(hours).touching(at, at + _INSTANT))


def closes_at(hours: Hours, at: datetime) -> datetime | None:
    """When the window that the instant lies in ends (of two, the one that lasts longer); None outside of all."""
    return max((end for _, end in _windows(hours).touching(at, at + _INSTANT)), default=None)


def spelled(hours: Hours) -> str:
    """`Mon to Fri 08:00 to 20:00 (Europe/Berlin)`; the end of a whole day is 24:00."""
    clock = "" if hours.start == hours.end else f" {hours.start:%H:%M} to {_end(hours)}"
    return f"{_days(hours.days)}{clock} ({hours.zone})"


def _end(hours: Hours) -> str:
    return "24:00" if hours.end == MIDNIGHT else f"{hours.end:%H:%M}"


def _days(days: tuple[int, ...]) -> str:
    listed = sorted(set(days))
    if len(listed) == len(EVERY_DAY):
        return "every day"
    names = [_DAY_NAMES[day - 1] for day in listed]
    if len(listed) > 2 and listed[-1] - listed[0] == len(listed) - 1:
        return f"{names[0]} to {names[-1]}"
    return ", ".join(names)


@lru_cache(maxsize=512)
def _windows(hours: Hours) -> Windows:
    opens, closes = _since_midnight(hours.start), _since_midnight(hours.end)
    if closes <= opens:
        closes += timedelta(days=1)
    return weekly(ZoneInfo(hours.zone), [(hours.days, opens, closes)])


def _since_midnight(clock: time) -> timedelta:
    return timedelta(hours=clock.hour, minutes=clock.minute)
