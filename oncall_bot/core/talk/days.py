"""Days as people name them: `tomorrow morning`, `next Friday`, `26 Nov`, `the weekend`.

Knows the words for days and parts of days. What two people read in two ways is `Unclear`. Refuses to know hours
(`clocks` does). Serves `when`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from oncall_bot.core.rotations.walltime import FIRST_YEAR, LAST_YEAR
from oncall_bot.core.talk.moments import Look, Unclear, iso_day, out_of_reach, written

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTH_NAMES = (
    "january february march april may june july august september october november december"
)
MONTHS = tuple(_MONTH_NAMES.split())
PARTS: dict[str, tuple[int, int]] = {  # hours after midnight of the day
    "morning": (6, 12),
    "afternoon": (12, 18),
    "evening": (18, 23),
    "night": (20, 30),
    "tonight": (18, 30),
    "weekend": (0, 48),
}

DAY_WORD = "|".join([*DAYS, *(day[:3] for day in DAYS), "tues", "wednes", "thur", "thurs"])
_MONTH_WORD = "|".join([*MONTHS, *(month[:3] for month in MONTHS), "sept"])
_PART = r"(?: (?P<part>morning|afternoon|evening|night))?"


@dataclass(frozen=True, slots=True)
class Day:
    on: date
    part: str | None = None
    sure: bool = (
        True  # False: a day of the week that may mean the next one when its time has passed
    )


def day_in(look: Look) -> Day | Unclear | None:
    for rule in (_dated, _named_day, _weekend, _day_of_week, _day_of_month):
        if (found := rule(look)) is not None:
            return found
    return None


def _dated(look: Look) -> Day | Unclear | None:
    if found := look.take(r"\b(?:on )?(\d{4})-(\d{2})-(\d{2})\b"):
        return _date(int(found[1]), int(found[2]), int(found[3]))
    if found := look.take(r"\b(?:on )?(\d{1,2})/(\d{1,2})(?:/\d{2,4})?\b"):
        return Unclear(
            f"I can't tell day from month in {found[0].removeprefix('on ')}. Write it as 26 Nov."
        )
    tail = rf"(?:,? (\d{{4}}))?\b{_PART}"
    if found := look.take(
        rf"\b(?:on )?(?:the )?(\d{{1,2}})(?:st|nd|rd|th)?(?: of)? ({_MONTH_WORD}){tail}"
    ):
        return _of_year(look, int(found[1]), found[2], found[3], found["part"])
    if found := look.take(
        rf"\b(?:on )?({_MONTH_WORD}) (?:the )?(\d{{1,2}})(?:st|nd|rd|th)?\b(?!:){tail}"
    ):
        return _of_year(look, int(found[2]), found[1], found[3], found["part"])
    return None


def _of_year(look: Look, day: int, month: str, year: str | None, part: str | None) -> Day | Unclear:
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


def _date(year: int, month: int, day: int, part: str | None = None) -> Day | Unclear:
    try:
        found = date(year, month, day)
    except ValueError:
        return Unclear(f"There is no day {day} in month {month} of {year}.")
    if not FIRST_YEAR < year < LAST_YEAR:
        return out_of_reach(year)
    return Day(found, part)


def _named_day(look: Look) -> Day | None:
    today = look.today
    if look.take(r"\b(?:the )?day after tomorrow\b"):
        return Day(today + timedelta(days=2))
    if look.take(r"\b(?:the )?day before yesterday\b"):
        return Day(today - timedelta(days=2))
    if look.take(r"\b(?:later )?tonight\b"):
        return Day(today, "tonight")
    if look.take(r"\blast night\b"):
        return Day(today - timedelta(days=1), "tonight")
    if found := look.take(rf"\b(?P<day>today|tomorrow|yesterday){_PART}\b"):
        days = {"today": 0, "tomorrow": 1, "yesterday": -1}[found["day"]]
        return Day(today + timedelta(days=days), found["part"])
    if found := look.take(r"\bthis (?P<part>morning|afternoon|evening)\b"):
        return Day(today, found["part"])
    if look.take(r"\b(?:during|over|at|in) the night\b|\bovernight\b"):
        return Day(today - timedelta(days=1) if look.back else today, "tonight")
    return None


def _weekend(look: Look) -> Day | None:
    found = look.take(
        r"\b(?:on |over |during |at )?(?:the |(?P<which>this|next|last|coming) )?weekend\b"
    )
    if not found:
        return None
    saturday = look.today + timedelta(days=5 - look.today.weekday())
    if found["which"] == "next":
        saturday += timedelta(days=7)
    if found["which"] == "last" or (look.back and saturday > look.today):
        saturday -= timedelta(days=7)
    return Day(saturday, "weekend")


def _day_of_week(look: Look) -> Day | Unclear | None:
    found = look.take(
        rf"\b(?:on )?(?:(?P<which>next|this|last|coming) )?(?P<day>{DAY_WORD})\b{_PART}"
    )
    if not found:
        return None
    ahead = (weekday(found["day"]) - look.today.weekday()) % 7
    which, part = found["which"], found["part"]
    if which == "last" or (look.back and which is None):
        return Day(look.today - timedelta(days=7 - ahead if ahead else 7), part)
    first = look.today + timedelta(days=ahead)
    if which == "next":
        second = first + timedelta(days=7)
        if ahead == 0:
            return Day(second, part)
        return Unclear(
            f"Next {DAYS[first.weekday()].capitalize()} may be {written(first)} or {written(second)}.",
            (iso_day(first), iso_day(second)),
        )
    return Day(first, part, sure=False)


def _day_of_month(look: Look) -> Day | Unclear | None:
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


def weekday(word: str) -> int:
    return next(n for n, day in enumerate(DAYS) if day.startswith(word[:3]))
