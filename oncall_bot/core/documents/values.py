"""The small written values of the file: durations, caps, targets, times of day.

Knows how each is written and read, and the one way it is written back. Answers None for what it
cannot read; the sentence about it is `format`'s. Refuses to know which field a value stands in.
"""

from __future__ import annotations

import re
from datetime import time, timedelta

from oncall_bot.core.config import Cap, Target

TARGET_KINDS = ("schedule", "person", "team", "channel")
LONGEST = timedelta(days=100 * 365)

_UNITS = {
    "y": timedelta(days=365),
    "w": timedelta(days=7),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
}
_WRITTEN_IN = ("y", "d", "h", "m", "s")  # a week is written 7d: "1w" and "1m" are easily misread
_DURATION = re.compile(
    "".join(rf"(?:([0-9]{{1,10}}){unit})?" for unit in _UNITS),
)
_CAP = re.compile(r"([0-9]{1,6})/(.+)")
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")


def duration_of(text: str) -> timedelta | None:
    """`30s`, `5m`, `1h`, `90d`, `2w`, `3y`, or parts such as `1h30m`. A year is 365 days."""
    found = _DURATION.fullmatch(text)
    if found is None or not text:
        return None
    counts = zip(found.groups(), _UNITS.values(), strict=True)
    try:
        total = sum((int(n) * unit for n, unit in counts if n), timedelta(0))
    except OverflowError:
        return None
    return total if total <= LONGEST else None


def format_duration(duration: timedelta) -> str:
    """The duration in the largest unit that divides it: `90m`, `2h`, `0s`. Whole seconds only."""
    for name in _WRITTEN_IN:
        count, rest = divmod(duration, _UNITS[name])
        if not rest and count:
            return f"{count}{name}"
    return "0s"


def cap_of(text: str) -> Cap | None:
    """`3/15m`: at most 3 in 15 minutes; neither may be zero."""
    found = _CAP.fullmatch(text)
    within = duration_of(found[2]) if found else None
    if found is None or not within or not int(found[1]):
        return None
    return Cap(int(found[1]), within)


def target_of(text: str) -> Target | None:
    """`schedule:KEY`, `person:KEY`, `team:KEY` or `channel:#name`, whether or not it exists."""
    kind, colon, key = text.partition(":")
    if not colon or kind not in TARGET_KINDS or not key or key != key.strip():
        return None
    return Target(kind, key)


def time_of(text: str) -> time | None:
    """`09:00` as a time of day; `24:00`, the end of a day, is midnight."""
    if text == "24:00":
        return time(0)
    found = _TIME.fullmatch(text)
    return time(int(found[1]), int(found[2])) if found else None
