"""Shifts in words: instants on the rota's own clock, in the hour that is lived twice with the name of the time.

Knows how a wall clock is written. Refuses to know surfaces. Serves notices, plans and answers outside Slack's dates.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo


def wall(at: datetime, zone: ZoneInfo) -> str:
    """`Fri 6 Mar 09:00`; `Sun 25 Oct 02:30 CET` where the clock shows the same time twice."""
    local = at.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b} {clock(at, zone)}"


def clock(at: datetime, zone: ZoneInfo) -> str:
    """`09:00`, or `02:30 CET` where the clock shows the same time twice."""
    local = at.astimezone(zone)
    twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return f"{local:%H:%M}{f' {local:%Z}' if twice else ''}"


def stretch(start: datetime, end: datetime, zone: ZoneInfo) -> str:
    """`Fri 6 Mar 09:00 to Sat 7 Mar 09:00`, or `Fri 6 Mar 09:00 to 18:00` within one day."""
    same = start.astimezone(zone).date() == end.astimezone(zone).date()
    return f"{wall(start, zone)} to {clock(end, zone) if same else wall(end, zone)}"


def span(start: datetime, end: datetime, zone: ZoneInfo) -> str:
    """The same with its zone: `Fri 6 Mar 09:00 to Sat 7 Mar 09:00 (Europe/Berlin)`."""
    return f"{stretch(start, end, zone)} ({zone.key})"
