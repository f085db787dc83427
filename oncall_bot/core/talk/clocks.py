"""Times of day as people name them: `9am`, `20:00`, `noon`, and `at 8`, which is two.

Knows clocks. Refuses to know days (`days` does). Serves `when`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import time

from oncall_bot.core.talk.days import Day
from oncall_bot.core.talk.moments import Look, Unclear, iso_day


def clock_in(look: Look, part: str | None) -> time | Unclear | None:
    if look.take(r"\b(?:at )?(?:noon|midday)\b"):
        return time(12)
    if look.take(r"\b(?:at )?midnight\b"):
        return time(0)
    if found := look.take(
        r"\b(?:at |around |about |by )?(\d{1,2})(?::(\d{2}))? ?(am|pm|a\.m|p\.m)\b"
    ):
        hour, minute = int(found[1]), int(found[2] or 0)
        if not 1 <= hour <= 12 or minute > 59:
            return Unclear(f"There is no such time as {found[0].strip()}.")
        return time(hour % 12 + (12 if found[3].startswith("p") else 0), minute)
    if found := look.take(
        r"(?<![\d:/-])\b(?:at |around |about |by )?(\d{1,2}):(\d{2})(?::\d{2})?\b(?![:/])"
    ):
        hour, minute = int(found[1]), int(found[2])
        if hour > 23 or minute > 59:
            return Unclear(f"There is no such time as {found[1]}:{found[2]}.")
        return time(hour, minute)
    if found := look.take(r"\bat ([01]?\d|2[0-4])(?: ?o'?clock)?\b(?! ?(?:min|h|%))"):
        return _bare_hour(int(found[1]), part)
    return None


def _bare_hour(hour: int, part: str | None) -> time | Unclear:
    """`at 8`: clear after `morning` or `tonight`, or past noon; else two readings."""
    if hour > 23:
        return Unclear(f"There is no such time as {hour} o'clock.")
    if hour == 0 or hour > 12:
        return time(hour)
    if part == "morning":
        return time(hour % 12) if hour == 12 else time(hour)
    if part in {"afternoon", "evening"} or (part in {"tonight", "night"} and 5 < hour < 12):
        return time(hour % 12 + 12)
    early, late = (0, 12) if hour == 12 else (hour, hour + 12)
    return Unclear(
        f"{hour} may be {early:02}:00 or {late:02}:00.", (f"{early:02}:00", f"{late:02}:00")
    )


def with_day(unclear: Unclear, day: Day | None) -> Unclear:
    """The readings of a clock time, with the day that was named beside it."""
    if day is None:
        return unclear
    return replace(unclear, choices=tuple(f"{iso_day(day.on)} {one}" for one in unclear.choices))
