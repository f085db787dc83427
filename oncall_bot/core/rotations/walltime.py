"""Wall clocks: what a clock in a zone shows, and the one way back from there to an instant (R2).

Knows zones and their jumps. Refuses to know rotations, people and the present.
Serves the rest of this room; nobody else should turn wall time into instants by other means.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

# Schedules are written and answered for these years, both included.
FIRST_YEAR, LAST_YEAR = 1970, 2199

_DAY, _NOTHING = timedelta(days=1), timedelta(0)
_EPOCH_UTC = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH = _EPOCH_UTC.replace(tzinfo=None)


def instant_of(wall: datetime, zone: ZoneInfo) -> datetime:
    """The instant of a naive wall time, read as RFC 5545 section 3.3.5 reads it.

    An ambiguous time is its first occurrence; a time that does not exist is read with the offset
    before the gap, so 02:30 in New York on a spring night is 03:30 EDT. `wall` has fold 0, as all
    calendar arithmetic leaves it.
    """
    # The same as wall.replace(tzinfo=zone).astimezone(UTC) in a third of its time: a year of an
    # hourly rotation asks this 8,760 times.
    return _EPOCH_UTC + (wall - _EPOCH - (zone.utcoffset(wall) or _NOTHING))


def wall_of(at: datetime, zone: ZoneInfo) -> datetime:
    """What a clock in `zone` shows at the instant `at`, as a naive datetime."""
    return at.astimezone(zone).replace(tzinfo=None, fold=0)


def furthest_wall(at: datetime, zone: ZoneInfo) -> datetime:
    """A wall time such that every later wall time is an instant after `at`.

    It is what the clock shows, except in the hour that is lived twice: there the clock has already
    shown more than it shows now.
    """
    local = at.astimezone(zone)
    wall = local.replace(tzinfo=None, fold=0)
    if not local.fold:
        return wall
    return wall + (_offset(local.replace(fold=0)) - _offset(local))


@lru_cache(maxsize=4096)
def gap_days(zone: ZoneInfo, year: int) -> tuple[date, ...]:
    """The local days of `year` in which clocks in `zone` jumped forward.

    Zone data is not open to reading through zoneinfo, so the offset is looked at once a day.
    """
    first = datetime(year, 1, 1)  # noqa: DTZ001 - a wall time
    days = (datetime(year + 1, 1, 1) - first).days  # noqa: DTZ001
    offsets = [zone.utcoffset(first + n * _DAY) or _NOTHING for n in range(days + 1)]
    return tuple(first.date() + n * _DAY for n in range(days) if offsets[n + 1] > offsets[n])


def _offset(local: datetime) -> timedelta:
    return local.utcoffset() or _NOTHING
