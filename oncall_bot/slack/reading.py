"""What people type: words, durations, instants, labels. Pure; what cannot be read comes back as None.

Knows the forms that help and error messages promise. Refuses to guess beyond them. Serves commands.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from oncall_bot.core.rotations.walltime import instant_of

_SPAN = re.compile(r"^(?:([0-9]{1,4})d)?(?:([0-9]{1,4})h)?(?:([0-9]{1,5})m(?:in)?)?$")
_CLOCK = re.compile(r"^([0-9]{1,2}):([0-9]{2})$")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LABEL = re.compile(r'^\s*([A-Za-z_][A-Za-z0-9_]*)\s*=\s*"?([^"]*)"?\s*$')


_REFERENCE = re.compile(r"<(@|#|!|(?=https?:|mailto:|tel:))([^<>|]{1,3000})(?:\|([^<>]*))?>")


def said(text: str, name_of: Callable[[str], str]) -> str:
    """Slack's wire form of what somebody wrote, as its readers saw it: names for mentions, no entities."""

    def shown(found: re.Match[str]) -> str:
        kind, target, label = found[1], found[2], found[3]
        if kind == "@":
            return "@" + (label or name_of(target))
        if kind == "#":
            return "#" + (label or target)
        if kind == "!":
            return label or "@" + target.partition("^")[0]
        return target if not label or label in target else f"{label} ({target})"

    plain = _REFERENCE.sub(shown, text)
    return plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def nearest(word: str, known: Sequence[str]) -> str | None:
    found = difflib.get_close_matches(word.casefold()[:40], known, n=1, cutoff=0.6)
    return found[0] if found else None


def number(word: str) -> int | None:
    """An incident's number, with or without `#`."""
    digits = word.lstrip("#")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 12 else None


def span(word: str) -> timedelta | None:
    """`30m`, `2h`, `1d`, `1h30m`; None when it is not one."""
    found = _SPAN.match(word.casefold())
    if not word or not found or not any(found.groups()):
        return None
    days, hours, minutes = (int(part or 0) for part in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes)


def zone_of(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def instant(words: str, now: datetime, zone: ZoneInfo) -> datetime | None:
    """`now`, `in 2h`, `09:00`, `tomorrow 09:00`, `thu 09:00`, `26 nov 09:00`, `2026-11-26 09:00`, in the asker's zone.

    A time of day alone, or a day of the week, means the next one to come.
    """
    found = as_typed(words, now, zone)
    return found if found is None or found.tzinfo else instant_of(found, zone)


def as_typed(words: str, now: datetime, zone: ZoneInfo) -> datetime | None:
    """As `instant`, but what names a clock in the zone stays a naive wall time, even if no clock ever shows it."""
    parts = words.casefold().replace(",", " ").split()
    if parts == ["now"]:
        return now
    if len(parts) == 2 and parts[0] == "in":
        ahead = span(parts[1])
        return now + ahead if ahead is not None else None
    if len(parts) == 1 and "t" in parts[0]:
        return _iso(words.strip())
    clock = _clock(parts[-1]) if parts else None
    if clock is None:
        return None
    local = now.astimezone(zone)
    day = _day(parts[:-1], local)
    if day is None:
        return None
    wall = datetime.combine(day, clock)
    days = 1 if len(parts) == 1 else 7 if parts[0][:3] in _DAYS else 0
    return wall + timedelta(days=days) if days and instant_of(wall, zone) <= now else wall


def _iso(word: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(word)
        return found.astimezone(UTC) if found.tzinfo else found
    except (ValueError, OverflowError):
        return None


def _clock(word: str) -> time | None:
    found = _CLOCK.match(word)
    if not found or int(found[1]) > 23 or int(found[2]) > 59:
        return None
    return time(int(found[1]), int(found[2]))


def _day(words: Sequence[str], local: datetime) -> date | None:
    today = local.date()
    if not words or words == ["today"]:
        return today
    if words == ["tomorrow"]:
        return today + timedelta(days=1)
    if len(words) == 1 and words[0][:3] in _DAYS and words[0].isalpha():
        return today + timedelta(days=(_DAYS.index(words[0][:3]) - today.weekday()) % 7)
    try:
        if len(words) == 1:
            return date.fromisoformat(words[0])
        day, month = int(words[0]), _MONTHS.index(words[1][:3]) + 1
        year = int(words[2]) if len(words) > 2 else today.year
        found = date(year, month, day)
        return found if len(words) > 2 or found >= today else date(year + 1, month, day)
    except (ValueError, IndexError):
        return None


def labels(words: str) -> Mapping[str, str] | None:
    """`a=b, c="d e"` as labels; None when a part is not one."""
    found = {}
    for part in words.strip().strip("{}").split(","):
        if not part.strip():
            continue
        label = _LABEL.match(part)
        if label is None:
            return None
        found[label[1]] = label[2].strip()
    return found or None
