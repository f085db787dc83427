"""Times as people say them: `tonight`, `on Friday 9am`, `next week`, `in 2 h`, in the asker's zone.

Knows days, clocks, parts of a day and the two nights on which a clock time means two instants or none. What can be read
in two ways is never guessed: it comes back as `Unclear`, with the readings. Refuses to know what is asked about the time.
Serves `understanding` and the wishes; instants come from core.rotations.walltime alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from oncall_bot.core.rotations.walltime import FIRST_YEAR, LAST_YEAR, instant_of, wall_of

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    "january february march april may june july august september october november december".split()
)
PARTS: dict[str, tuple[int, int]] = {  # hours after midnight of the day
    "morning": (6, 12),
    "afternoon": (12, 18),
    "evening": (18, 23),
    "night": (20, 30),
    "tonight": (18, 30),
    "weekend": (0, 48),
}
LATELY = timedelta(days=7)

_DAY_WORD = "|".join([*DAYS, *(day[:3] for day in DAYS), "tues", "wednes", "thur", "thurs"])
_MONTH_WORD = "|".join([*MONTHS, *(month[:3] for month in MONTHS), "sept"])
_PART = r"(?: (?P<part>morning|afternoon|evening|night))?"
_COUNTS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "half": 0.5, "couple": 2}
_COUNT = r"(?P<n>\d{1,4}(?:\.\d)?|an?|one|two|three|four|five|six|half an?|a couple of)"
_UNIT = r"(?P<unit>minutes?|mins?|m|hours?|hrs?|hr|h|days?|d|weeks?|w|months?)"
_LENGTHS = {"w": timedelta(weeks=1), "d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}
_ZONE_WORD = re.compile(r"\b(?P<zone>utc|gmt|z|[a-z]+/[a-z_]+(?:/[a-z_]+)?)\b|\bmy (?:time|zone|time zone)\b")
_LETTERS = re.compile(r"(?<=[\d apm])\b(?P<letters>cet|cest|est|edt|pst|pdt|cst|cdt|mst|bst|ist|jst|aest|eet|msk)\b")


@dataclass(frozen=True, slots=True)
class When:
    """An instant (`end` is None) or a span, in UTC, and the words it was read from."""

    start: datetime
    end: datetime | None = None
    words: str = ""

    @property
    def is_span(self) -> bool:
        return self.end is not None


@dataclass(frozen=True, slots=True)
class Unclear:
    """Words that are a time but not one: why, and what to write instead."""

    why: str
    choices: tuple[str, ...] = ()
    words: str = ""


@dataclass(slots=True)
class _Look:
    """A text being read: what was taken out of it is blanked, so that nothing is read twice."""

    text: str
    now: datetime
    zone: ZoneInfo
    back: bool
    taken: list[tuple[int, int]] = field(default_factory=list)

    @property
    def local(self) -> datetime:
        return wall_of(self.now, self.zone)

    @property
    def today(self) -> date:
        return self.local.date()

    def take(self, pattern: str | re.Pattern[str]) -> re.Match[str] | None:
        found = re.search(pattern, self.text)
        if found:
            self.taken.append(found.span())
            self.text = self.text[: found.start()] + " " * len(found[0]) + self.text[found.end() :]
        return found


Found = When | Unclear | None


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
    look = _Look(text, now, zone, back)
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


def between(
    words: Sequence[str], now: datetime, zone: ZoneInfo
) -> tuple[Found, frozenset[int]]:
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


def _read(look: _Look) -> Found:
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
    day = _day(look)
    if isinstance(day, Unclear):
        return day
    clock = _clock(look, day.part if day else None)
    if isinstance(clock, Unclear):
        return _with_day(clock, day)
    if clock is not None:
        return _moment(look, day, clock)
    if day is not None:
        return _whole(look, day)
    return _present(look)


def _present(look: _Look) -> Found:
    if look.take(r"\b(?:right now|just now|now|currently|at the moment|at present|as of now)\b"):
        return When(look.now)
    return None


def _iso(look: _Look) -> Found:
    """`2026-11-26T20:00Z`, and `2026-11-26 20:00 utc` as our own buttons say it."""
    found = look.take(r"\b(\d{4}-\d{2}-\d{2})[t ](\d{2}:\d{2}(?::\d{2})?) ?(z|utc|[+-]\d{2}:\d{2})(?![\w:])")
    if not found:
        return None
    offset = "+00:00" if found[3] in {"z", "utc"} else found[3]
    try:
        return When(datetime.fromisoformat(f"{found[1]}T{found[2]}{offset}").astimezone(UTC))
    except (ValueError, OverflowError):
        return Unclear(f"There is no such time as {found[1]} {found[2]}.")


def _relative(look: _Look) -> Found:
    """`in 2 h`, `3 days ago`."""
    if found := look.take(rf"\bin (?:about )?{_COUNT} ?{_UNIT}\b(?: time)?"):
        return _shifted(look, _length(found))
    if found := look.take(rf"\b{_COUNT} ?{_UNIT} ago\b"):
        return _shifted(look, -_length(found))
    return None


def _shifted(look: _Look, by: timedelta) -> Found:
    return When(look.now + by)


def _length(found: re.Match[str]) -> timedelta:
    said = found["n"].split()[0] if "couple" not in found["n"] else "couple"
    count = _COUNTS.get(said) or float(said)
    unit = found["unit"]
    if unit.startswith("mo"):
        return timedelta(days=30 * count)
    return _LENGTHS[unit[0]] * count


def _stretch(look: _Look) -> Found:
    """Spans that are no single day: weeks, months, the last N days, lately, since."""
    midnight = datetime.combine(look.today, time())
    monday = midnight - timedelta(days=look.today.weekday())
    week = timedelta(days=7)
    if look.take(r"\b(?:over |during |in )?(?:the )?week after next\b"):
        return _span(look, monday + 2 * week, monday + 3 * week)
    if found := look.take(r"\b(?:over |during |in )?(?P<which>next|this|last|past|previous|coming)(?P<work> working)? week\b"):
        return _week(look, found["which"], monday)
    if look.take(r"\b(?:lately|recently|these days)\b"):
        return When(look.now - LATELY, look.now)
    if found := look.take(rf"\b(?:over |during |in |within )?(?:the )?(?:last|past|previous) (?:{_COUNT} ?)?{_UNIT}\b"):
        span = _length(found) if found["n"] else _LENGTHS.get(found["unit"][0], timedelta(days=30))
        span = timedelta(days=30) if not found["n"] and found["unit"].startswith("mo") else span
        return When(look.now - span, look.now)
    if found := look.take(rf"\b(?:over |during |in |within |for )?(?:the )?next {_COUNT} ?{_UNIT}\b"):
        return When(look.now, look.now + _length(found))
    if found := look.take(r"\b(?:in )?(?P<which>this|next) month\b"):
        first = datetime(look.today.year, look.today.month, 1)  # noqa: DTZ001 - a wall time
        second, third = _month_after(first), _month_after(_month_after(first))
        if found["which"] == "next":
            return _span(look, second, third)
        return _span(look, first, look.local) if look.back else _span(look, look.local, second)
    return _since(look)


def _week(look: _Look, which: str, monday: datetime) -> Found:
    week = timedelta(days=7)
    if which in {"next", "coming"}:
        return _span(look, monday + week, monday + 2 * week)
    if which == "this":
        return _span(look, monday, look.local) if look.back else _span(look, look.local, monday + week)
    if which == "last" and not look.back:
        return _span(look, monday - week, monday)
    return When(look.now - week, look.now)


def _since(look: _Look) -> Found:
    found = look.take(rf"\bsince (?P<day>yesterday|today|this morning|midnight|{_DAY_WORD})\b")
    if not found:
        return None
    days = {"yesterday": 1, "today": 0, "this morning": 0, "midnight": 0}.get(found["day"])
    if days is None:
        days = (look.today.weekday() - _weekday(found["day"])) % 7 or 7
    start = datetime.combine(look.today - timedelta(days=days), time())
    if found["day"] == "this morning":
        start += timedelta(hours=6)
    return _span(look, start, look.local)


def _span(look: _Look, start: datetime, end: datetime) -> Found:
    """Two wall times as a span; `local` itself stands for now."""
    first = look.now if start == look.local else instant_of(start, look.zone)
    last = look.now if end == look.local else instant_of(end, look.zone)
    return When(first, last)


def _month_after(first: datetime) -> datetime:
    return (first + timedelta(days=32)).replace(day=1)


# --- days ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Day:
    on: date
    part: str | None = None
    sure: bool = True  # False: a day of the week that may mean the next one when its time has passed


def _day(look: _Look) -> _Day | Unclear | None:
    for rule in (_dated, _named_day, _weekend, _day_of_week, _day_of_month):
        if (found := rule(look)) is not None:
            return found
    return None


def _dated(look: _Look) -> _Day | Unclear | None:
    if found := look.take(r"\b(?:on )?(\d{4})-(\d{2})-(\d{2})\b"):
        return _date(int(found[1]), int(found[2]), int(found[3]))
    if found := look.take(r"\b(?:on )?(\d{1,2})/(\d{1,2})(?:/\d{2,4})?\b"):
        return Unclear(
            f"I can't tell day from month in {found[0].removeprefix('on ')}. Write it as 26 Nov."
        )
    tail = rf"(?:,? (\d{{4}}))?\b{_PART}"
    if found := look.take(rf"\b(?:on )?(?:the )?(\d{{1,2}})(?:st|nd|rd|th)?(?: of)? ({_MONTH_WORD}){tail}"):
        return _of_year(look, int(found[1]), found[2], found[3], found["part"])
    if found := look.take(rf"\b(?:on )?({_MONTH_WORD}) (?:the )?(\d{{1,2}})(?:st|nd|rd|th)?\b(?!:){tail}"):
        return _of_year(look, int(found[2]), found[1], found[3], found["part"])
    return None


def _of_year(look: _Look, day: int, month: str, year: str | None, part: str | None) -> _Day | Unclear:
    number = next(n for n, name in enumerate(MONTHS, 1) if name.startswith(month[:3]))
    if year:
        return _date(int(year), number, day, part)
    found = _date(look.today.year, number, day, part)
    if isinstance(found, Unclear):
        return found
    if look.back and found.on > look.today:
        return _date(look.today.year - 1, number, day, part)
    if not look.back and found.on < look.today:
        return _date(look.today.year + 1, number, day, part)
    return found


def _date(year: int, month: int, day: int, part: str | None = None) -> _Day | Unclear:
    try:
        found = date(year, month, day)
    except ValueError:
        return Unclear(f"There is no day {day} in month {month} of {year}.")
    if not FIRST_YEAR < year < LAST_YEAR:
        return Unclear(f"The year {year} is out of reach.")
    return _Day(found, part)


def _named_day(look: _Look) -> _Day | None:
    today = look.today
    if look.take(r"\b(?:the )?day after tomorrow\b"):
        return _Day(today + timedelta(days=2))
    if look.take(r"\b(?:the )?day before yesterday\b"):
        return _Day(today - timedelta(days=2))
    if look.take(r"\b(?:later )?tonight\b"):
        return _Day(today, "tonight")
    if look.take(r"\blast night\b"):
        return _Day(today - timedelta(days=1), "tonight")
    if found := look.take(rf"\b(?P<day>today|tomorrow|yesterday){_PART}\b"):
        days = {"today": 0, "tomorrow": 1, "yesterday": -1}[found["day"]]
        return _Day(today + timedelta(days=days), found["part"])
    if found := look.take(r"\bthis (?P<part>morning|afternoon|evening)\b"):
        return _Day(today, found["part"])
    if look.take(r"\b(?:during|over|at|in) the night\b|\bovernight\b"):
        return _Day(today - timedelta(days=1) if look.back else today, "tonight")
    return None


def _weekend(look: _Look) -> _Day | None:
    found = look.take(r"\b(?:on |over |during |at )?(?:the |(?P<which>this|next|last|coming) )?weekend\b")
    if not found:
        return None
    saturday = look.today + timedelta(days=5 - look.today.weekday())
    if found["which"] == "next":
        saturday += timedelta(days=7)
    if found["which"] == "last" or (look.back and saturday > look.today):
        saturday -= timedelta(days=7)
    return _Day(saturday, "weekend")


def _day_of_week(look: _Look) -> _Day | Unclear | None:
    found = look.take(rf"\b(?:on )?(?:(?P<which>next|this|last|coming) )?(?P<day>{_DAY_WORD})\b{_PART}")
    if not found:
        return None
    ahead = (_weekday(found["day"]) - look.today.weekday()) % 7
    which, part = found["which"], found["part"]
    if which == "last" or (look.back and which is None):
        return _Day(look.today - timedelta(days=7 - ahead if ahead else 7), part)
    first = look.today + timedelta(days=ahead)
    if which == "next":
        second = first + timedelta(days=7)
        if ahead == 0:
            return _Day(second, part)
        return Unclear(
            f"Next {DAYS[first.weekday()].capitalize()} may be {_written(first)} or {_written(second)}.",
            (_iso_day(first), _iso_day(second)),
        )
    return _Day(first, part, sure=False)


def _day_of_month(look: _Look) -> _Day | Unclear | None:
    found = look.take(rf"\bon the (\d{{1,2}})(?:st|nd|rd|th)\b{_PART}")
    if not found:
        return None
    first = look.today.replace(day=1)
    day = _date(first.year, first.month, int(found[1]), found["part"])
    if isinstance(day, Unclear):
        return day
    if look.back == (day.on > look.today) and day.on != look.today:
        other = first - timedelta(days=1) if look.back else (first + timedelta(days=32))
        return _date(other.year, other.month, int(found[1]), found["part"])
    return day


def _weekday(word: str) -> int:
    return next(n for n, day in enumerate(DAYS) if day.startswith(word[:3]))


# --- clocks -------------------------------------------------------------------------------------------------------


def _clock(look: _Look, part: str | None) -> time | Unclear | None:
    if look.take(r"\b(?:at )?(?:noon|midday)\b"):
        return time(12)
    if look.take(r"\b(?:at )?midnight\b"):
        return time(0)
    if found := look.take(r"\b(?:at |around |about |by )?(\d{1,2})(?::(\d{2}))? ?(am|pm|a\.m|p\.m)\b"):
        hour, minute = int(found[1]), int(found[2] or 0)
        if not 1 <= hour <= 12 or minute > 59:
            return Unclear(f"There is no such time as {found[0].strip()}.")
        return time(hour % 12 + (12 if found[3].startswith("p") else 0), minute)
    if found := look.take(r"(?<![\d:/-])\b(?:at |around |about |by )?(\d{1,2}):(\d{2})(?::\d{2})?\b(?![:/])"):
        hour, minute = int(found[1]), int(found[2])
        if hour > 23 or minute > 59:
            return Unclear(f"There is no such time as {found[1]}:{found[2]}.")
        return time(hour, minute)
    if found := look.take(r"\b(?:at|around|about) (\d{1,2})(?: ?o'?clock)?\b(?! ?(?:min|h|%))"):
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


def _with_day(unclear: Unclear, day: _Day | None) -> Unclear:
    """The readings of a clock time, with the day that was named beside it."""
    if day is None:
        return unclear
    return replace(unclear, choices=tuple(f"{_iso_day(day.on)} {one}" for one in unclear.choices))


# --- from a wall clock to an instant ------------------------------------------------------------------------------


def _moment(look: _Look, day: _Day | None, clock: time) -> Found:
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


def instant(wall: datetime, zone: ZoneInfo) -> When | Unclear:
    """A wall time as an instant; the hour that comes twice and the one that is skipped are `Unclear`."""
    first = instant_of(wall, zone)
    second = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if wall_of(first, zone) != wall:
        early, late = sorted((first, second))
        shown = f"{wall:%H:%M} on {_written(wall.date())}"
        return Unclear(
            f"{shown} does not exist in {zone.key}: the clock jumps over it.",
            (_iso_utc(early), _iso_utc(late)),
        )
    if first != second:
        return Unclear(
            f"{wall:%H:%M} on {_written(wall.date())} comes twice in {zone.key}: the clock goes back.",
            (_iso_utc(first), _iso_utc(second)),
        )
    return When(first)


def _whole(look: _Look, day: _Day) -> When:
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


def _written(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b}"


def _iso_day(day: date) -> str:
    return day.isoformat()


def _iso_utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


Reader = Callable[[_Look], Found]
