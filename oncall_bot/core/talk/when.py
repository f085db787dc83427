"""Times as people say them: `tonight`, `on Friday 9am`, `next week`, `in 2 h`, in the asker's zone.

Knows the order in which a text is read for a time. What can be read in two ways is never guessed: it comes back as
`Unclear`, with the readings. Refuses to know what is asked about the time. Serves `reading` and `wishes`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from oncall_bot.core.rotations.walltime import FIRST_YEAR, LAST_YEAR, instant_of
from oncall_bot.core.talk.clocks import clock_in, with_day
from oncall_bot.core.talk.days import DAY_WORD, PARTS, Day, day_in, weekday
from oncall_bot.core.talk.moments import Found, Look, Unclear, When, instant, out_of_reach

__all__ = ["Found", "Unclear", "When", "between", "find", "length"]

LATELY = timedelta(days=7)

_COUNTS = {
    "a": 1,
    "an": 1,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "half": 0.5,
    "couple": 2,
}
_COUNT = r"(?P<n>\d{1,4}(?:\.\d)?|an?|one|two|three|four|five|six|half an?|a couple of)"
_UNIT = r"(?P<unit>minutes?|mins?|m|hours?|hrs?|hr|h|days?|d|weeks?|w|months?)"
_LENGTHS = {
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
}
_ZONE_WORD = re.compile(
    r"\b(?P<zone>utc|gmt|z|[a-z]+/[a-z_]+(?:/[a-z_]+)?)\b|\bmy (?:time|zone|time zone)\b"
)
_LETTERS = re.compile(
    r"(?<=[\d apm])\b(?P<letters>cet|cest|est|edt|pst|pdt|cst|cdt|mst|bst|ist|jst|aest|eet|msk)\b"
)


def find(
    words: Sequence[str], now: datetime, zone: ZoneInfo, *, back: bool = False
) -> tuple[Found, frozenset[int]]:
    """The time these folded words name, and the positions of the words it was read from.

    `back`: the question looks back, so that `Friday` is the last one and `this week` ends now.
    """
    text, starts = "", []
    for word in words:
        starts.append(len(text))
        text += word + " "
    look = Look(text, now, zone, back)
    found = _read(look)
    used = frozenset(
        n
        for n, start in enumerate(starts)
        if any(a < start + len(words[n]) and start < b for a, b in look.taken)
    )
    if found is None:
        return None, frozenset()
    said = " ".join(words[n] for n in sorted(used))
    return replace(found, words=said), used


def length(words: Sequence[str]) -> tuple[timedelta | None, frozenset[int]]:
    """A duration such as `2h`, `for 90 min`, `half an hour`, and the positions of its words."""
    text, starts = "", []
    for word in words:
        starts.append(len(text))
        text += word + " "
    for pattern in (rf"\bfor (?:the next )?{_COUNT} ?{_UNIT}\b", rf"\b{_COUNT} ?{_UNIT}\b"):
        found = re.search(pattern, text)
        if found:
            used = [n for n, at in enumerate(starts) if found.start() <= at < found.end()]
            return _length(found), frozenset(used)
    joined = re.search(r"\b(?:for )?(\d{1,2})h(\d{1,2})m?\b", text)
    if joined:
        used = [n for n, at in enumerate(starts) if joined.start() <= at < joined.end()]
        return timedelta(hours=int(joined[1]), minutes=int(joined[2])), frozenset(used)
    return None, frozenset()


def between(words: Sequence[str], now: datetime, zone: ZoneInfo) -> tuple[Found, frozenset[int]]:
    """`from Friday 9am to Saturday 9am`, `until 6pm`, or any span that `find` knows."""
    low = list(words)
    for n, word in enumerate(low):
        if word not in {"to", "until", "till", "-"}:
            continue
        first, used_first = find(low[:n], now, zone)
        base = first.start if isinstance(first, When) else now
        second, used_second = find(low[n + 1 :], base, zone)
        if isinstance(first, Unclear) or isinstance(second, Unclear):
            return (first if isinstance(first, Unclear) else second), frozenset({n})
        if not isinstance(second, When) or (first is None and word == "to"):
            continue
        end = second.start if second.end is None else second.end
        used = used_first | {n} | {n + 1 + at for at in used_second}
        said = " ".join(low[at] for at in sorted(used))
        return When(base, end, said), frozenset(used)
    return find(words, now, zone)


# --- the order in which a text is read ----------------------------------------------------------------------------


def _read(look: Look) -> Found:
    if letters := look.take(_LETTERS):
        return Unclear(
            f"{letters['letters'].upper()} means more than one zone. Write the time in yours, or in UTC."
        )
    for rule in (_iso, _relative, _stretch):
        if (found := rule(look)) is not None:
            return found
    other = look.take(_ZONE_WORD)
    if other and other["zone"]:
        zone = _zone(other["zone"])
        if zone is None:
            look.taken.pop()
        else:
            look.zone = zone
    day = day_in(look)
    if isinstance(day, Unclear):
        return day
    clock = clock_in(look, day.part if day else None)
    if isinstance(clock, Unclear):
        return with_day(clock, day)
    if clock is not None:
        return _moment(look, day, clock)
    if day is not None:
        return _whole(look, day)
    return _present(look)


def _present(look: Look) -> Found:
    if look.take(r"\b(?:right now|just now|now|currently|at the moment|at present|as of now)\b"):
        return When(look.now)
    return None


def _iso(look: Look) -> Found:
    """`2026-11-26T20:00Z`, and `2026-11-26 20:00 utc` as our own buttons say it."""
    found = look.take(
        r"\b(\d{4}-\d{2}-\d{2})[t ](\d{2}:\d{2}(?::\d{2})?) ?(z|utc|[+-]\d{2}:\d{2})(?![\w:])"
    )
    if not found:
        return None
    offset = "+00:00" if found[3] in {"z", "utc"} else found[3]
    try:
        at = datetime.fromisoformat(f"{found[1]}T{found[2]}{offset}").astimezone(UTC)
    except (ValueError, OverflowError):
        return Unclear(f"There is no such time as {found[1]} {found[2]}.")
    return When(at) if FIRST_YEAR < at.year < LAST_YEAR else out_of_reach(at.year)


def _relative(look: Look) -> Found:
    """`in 2 h`, `3 days ago`."""
    if found := look.take(rf"\bin (?:about )?{_COUNT} ?{_UNIT}\b(?: time)?"):
        return _shifted(look, _length(found))
    if found := look.take(rf"\b{_COUNT} ?{_UNIT} ago\b"):
        return _shifted(look, -_length(found))
    return None


def _shifted(look: Look, by: timedelta) -> Found:
    return When(look.now + by)


def _length(found: re.Match[str]) -> timedelta:
    said = found["n"].split()[0] if "couple" not in found["n"] else "couple"
    count = _COUNTS.get(said) or float(said)
    unit = found["unit"]
    if unit.startswith("mo"):
        return timedelta(days=30 * count)
    return _LENGTHS[unit[0]] * count


def _stretch(look: Look) -> Found:
    """Spans that are no single day: weeks, months, the last N days, lately, since."""
    midnight = datetime.combine(look.today, time())
    monday = midnight - timedelta(days=look.today.weekday())
    week = timedelta(days=7)
    if look.take(r"\b(?:over |during |in )?(?:the )?week after next\b"):
        return _span(look, monday + 2 * week, monday + 3 * week)
    if found := look.take(
        r"\b(?:over |during |in )?(?P<which>next|this|last|past|previous|coming)(?P<work> working)? week\b"
    ):
        return _week(look, found["which"], monday)
    if look.take(r"\b(?:lately|recently|these days)\b"):
        return When(look.now - LATELY, look.now)
    if found := look.take(
        rf"\b(?:over |during |in |within )?(?:the )?(?:last|past|previous) (?:{_COUNT} ?)?{_UNIT}\b"
    ):
        span = _length(found) if found["n"] else _LENGTHS.get(found["unit"][0], timedelta(days=30))
        span = timedelta(days=30) if not found["n"] and found["unit"].startswith("mo") else span
        return When(look.now - span, look.now)
    if found := look.take(
        rf"\b(?:over |during |in |within |for )?(?:the )?next {_COUNT} ?{_UNIT}\b"
    ):
        return When(look.now, look.now + _length(found))
    if found := look.take(r"\b(?:in )?(?P<which>this|next) month\b"):
        first = datetime(look.today.year, look.today.month, 1)  # noqa: DTZ001 - a wall time
        second, third = _month_after(first), _month_after(_month_after(first))
        if found["which"] == "next":
            return _span(look, second, third)
        return _span(look, first, look.local) if look.back else _span(look, look.local, second)
    return _since(look)


def _week(look: Look, which: str, monday: datetime) -> Found:
    week = timedelta(days=7)
    if which in {"next", "coming"}:
        return _span(look, monday + week, monday + 2 * week)
    if which == "this":
        return (
            _span(look, monday, look.local) if look.back else _span(look, look.local, monday + week)
        )
    if which == "last" and not look.back:
        return _span(look, monday - week, monday)
    return When(look.now - week, look.now)


def _since(look: Look) -> Found:
    found = look.take(rf"\bsince (?P<day>yesterday|today|this morning|midnight|{DAY_WORD})\b")
    if not found:
        return None
    days = {"yesterday": 1, "today": 0, "this morning": 0, "midnight": 0}.get(found["day"])
    if days is None:
        days = (look.today.weekday() - weekday(found["day"])) % 7 or 7
    start = datetime.combine(look.today - timedelta(days=days), time())
    if found["day"] == "this morning":
        start += timedelta(hours=6)
    return _span(look, start, look.local)


def _span(look: Look, start: datetime, end: datetime) -> Found:
    """Two wall times as a span; `local` itself stands for now."""
    first = look.now if start == look.local else instant_of(start, look.zone)
    last = look.now if end == look.local else instant_of(end, look.zone)
    return When(first, last)


def _month_after(first: datetime) -> datetime:
    return (first + timedelta(days=32)).replace(day=1)


# --- from a wall clock to an instant ------------------------------------------------------------------------------


def _moment(look: Look, day: Day | None, clock: time) -> Found:
    on = day.on if day else look.today
    if day and day.part in {"tonight", "night"} and clock.hour < 6:
        on += timedelta(days=1)
    wall = datetime.combine(on, clock)
    step = timedelta(days=1) if day is None else timedelta(days=7) if not day.sure else None
    if step is not None and not look.back and instant_of(wall, look.zone) <= look.now:
        wall += step
    if step is not None and look.back and instant_of(wall, look.zone) > look.now:
        wall -= step
    return instant(wall, look.zone)


def _whole(look: Look, day: Day) -> When:
    """A day, or the named part of it, as a span; of today only what is left, or what has passed."""
    first, last = PARTS.get(day.part or "", (0, 24))
    midnight = datetime.combine(day.on, time())
    start = instant_of(midnight + timedelta(hours=first), look.zone)
    end = instant_of(midnight + timedelta(hours=last), look.zone)
    if start <= look.now < end:
        return When(start, look.now) if look.back else When(look.now, end)
    return When(start, end)


@lru_cache(maxsize=256)
def _zone(word: str) -> ZoneInfo | None:
    if word in {"utc", "gmt", "z"}:
        return ZoneInfo("UTC")
    name = "/".join("_".join(p.capitalize() for p in part.split("_")) for part in word.split("/"))
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None
