"""Quiet hours: while a person's last, pages of low urgency to them wait for the end; high urgency never does.

Knows how they are typed and until when a page waits. Refuses to know rows and surfaces; windows of the wall clock are
`hours`. A page waits for the end of one window, which is less than a day away on any clock, and never for the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time

from oncall_bot.core.config import Urgency
from oncall_bot.core.hours import EVERY_DAY, Hours, closes_at

HELD = "low urgency waits for the end of their quiet hours"
FORM = "quiet 22:00 to 07:00 mon-fri"
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NAMED = {
    "": EVERY_DAY,
    "daily": EVERY_DAY,
    "every day": EVERY_DAY,
    "weekdays": (1, 2, 3, 4, 5),
    "weekends": (6, 7),
}


def goes_at(quiet: Hours | None, urgency: Urgency, due_at: datetime) -> datetime:
    """When a page that is due then goes out to somebody with these quiet hours: then, or at their end."""
    if quiet is None or urgency is not Urgency.LOW:
        return due_at
    return closes_at(quiet, due_at) or due_at


def read(words: str, zone: str) -> Hours | str:
    """`22:00-07:00`, `22:00 to 07:00 mon-fri`, `... every day`; else the sentence that says what would do."""
    text = words.casefold().replace("\u2013", "-").replace(" to ", "-")
    first, _, days = " ".join(text.replace(" - ", "-").split()).partition(" ")
    opens, _, closes = first.partition("-")
    start, end, on = _clock(opens), _clock(closes), _days(days)
    if start is None or end is None or on is None:
        return f"I can't read {words[:60]!r} as quiet hours. Write: {FORM}, or: quiet 22:00 to 07:00 every day"
    if start == end:
        return "Quiet hours end at another time than they begin: low urgency would wait for a whole day."
    return Hours(zone, on, start, end)


def _clock(word: str) -> time | None:
    hour, _, minute = word.partition(":")
    if not (hour.isascii() and hour.isdigit() and minute.isascii() and minute.isdigit()):
        return None
    if len(hour) > 2 or len(minute) != 2 or int(hour) > 23 or int(minute) > 59:
        return None
    return time(int(hour), int(minute))


def _days(words: str) -> tuple[int, ...] | None:
    if words in _NAMED:
        return _NAMED[words]
    found: list[int] = []
    for part in words.replace(",", " ").split():
        days = _span(part.split("-"))
        if days is None:
            return None
        found += days
    return tuple(sorted(set(found))) or None


def _span(ends: Sequence[str]) -> list[int] | None:
    """`mon`, or `fri-mon`, which goes on over Sunday."""
    if len(ends) > 2 or any(word[:3] not in WEEKDAYS for word in ends):
        return None
    first, last = WEEKDAYS.index(ends[0][:3]), WEEKDAYS.index(ends[-1][:3])
    return [(first + n) % 7 + 1 for n in range((last - first) % 7 + 1)]
