"""The daily test page: when the next one is due.

Knows wall clocks through `rotations`. Serves `flows.canary`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from oncall_bot.core.config import Canary
from oncall_bot.core.rotations.walltime import instant_of, wall_of

TITLE = "Daily test of the paging road; nothing to do"


def next_due(canary: Canary, now: datetime) -> datetime:
    """The first instant after `now` at which a clock in the canary's zone shows its time of day.

    On a day that skips that time it is due as much later as was skipped; where it comes twice, at the first.
    """
    zone = ZoneInfo(canary.zone)
    day = wall_of(now, zone).date() - timedelta(days=1)
    while True:
        due = instant_of(datetime.combine(day, canary.at), zone)
        if due > now:
            return due
        day += timedelta(days=1)
