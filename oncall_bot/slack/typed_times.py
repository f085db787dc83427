"""Times as people type them, where a guess would put the wrong person on call: they are asked back.

Knows which wall times a zone shows never, or twice, and the forms that say it without a doubt. Refuses to choose.
Pure. Serves the words that change a rota; looking words read on by RFC 5545.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from oncall_bot.core.rotations.walltime import FIRST_YEAR, LAST_YEAR, instant_of
from oncall_bot.slack import reading
from oncall_bot.slack.answers import said, unread_time
from oncall_bot.slack.blocks import Drawn, context
from oncall_bot.slack.escape import code, escape

_NOTHING = timedelta(0)


@dataclass(frozen=True, slots=True)
class Unclear:
    """What was read, why it says nothing certain (`unread`, `skipped`, `twice`), and forms that do."""

    words: str
    why: str
    zone: ZoneInfo
    forms: tuple[str, ...] = ()


def read(words: str, now: datetime, zone: ZoneInfo) -> datetime | Unclear:
    """The instant meant, or what has to be asked."""
    found = reading.as_typed(words, now, zone)
    if found is None or not FIRST_YEAR < found.year < LAST_YEAR:
        return Unclear(words, "unread", zone)
    if found.tzinfo is not None:
        return found
    first = zone.utcoffset(found.replace(fold=0)) or _NOTHING
    second = zone.utcoffset(found.replace(fold=1)) or _NOTHING
    if first > second:  # the clock shows it twice: say which by its offset
        return Unclear(
            words, "twice", zone, tuple(_with_offset(found, one) for one in (first, second))
        )
    if first < second:
        return Unclear(words, "skipped", zone, _around(found, zone, second - first))
    return instant_of(found, zone)


def stretch(
    words: list[str], now: datetime, zone: ZoneInfo, *, between: str = "to"
) -> tuple[datetime, datetime] | Unclear | None:
    """`FROM to UNTIL` among words; None when there is no such word. The end is read from the start on."""
    if between not in words[1:]:
        return None
    middle = words.index(between, 1)
    start = read(" ".join(words[:middle]), now, zone)
    if isinstance(start, Unclear):
        return start
    end = read(" ".join(words[middle + 1 :]), start, zone)
    return end if isinstance(end, Unclear) else (start, end)


def ask_back(unclear: Unclear) -> Drawn:
    """What was read, and the forms that work."""
    zone = str(unclear.zone)
    if unclear.why == "unread":
        return unread_time(unclear.words, zone)
    forms = " or ".join(code(form) for form in unclear.forms)
    words = escape(unclear.words, 80)
    if unclear.why == "twice":
        fact = f"“{words}” comes twice that night: clocks go back. Write {forms}, the first or the second."
    else:
        fact = f"“{words}” does not exist that night: clocks go forward. Write {forms}."
    return said(fact, context(f"Read in your zone, {escape(zone, 60)}. Nothing was changed."))


def _with_offset(wall: datetime, offset: timedelta) -> str:
    """`2026-10-25T02:30+02:00`, which is one instant."""
    minutes = int(offset.total_seconds() // 60)
    sign = "-" if minutes < 0 else "+"
    return f"{wall:%Y-%m-%dT%H:%M}{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def _around(wall: datetime, zone: ZoneInfo, gap: timedelta) -> tuple[str, ...]:
    """The same time of the clock before the jump and after it."""
    after = instant_of(wall, zone).astimezone(zone)
    return tuple(f"{one:%Y-%m-%d %H:%M}" for one in (wall - gap, after))
