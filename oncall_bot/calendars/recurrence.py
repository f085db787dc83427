"""Which wall times a recurrence rule names (RFC 5545, 3.3.10): read strictly, walked period by period, always bounded.

Knows frequencies from HOURLY to YEARLY and every BY part. A rule without COUNT is entered where the window begins, and
every rule ends where the window does: one that never comes true costs no more than one that does. Refuses to know zones
and events. Pure. Serves events of this room.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import product

from oncall_bot.core.errors import BadInput

DAYS_MAX = 200_000
"""So many days (or hours, in an HOURLY rule) are looked at for all rules of one calendar together."""

_DAY, _WEEK, _HOUR = timedelta(days=1), timedelta(days=7), timedelta(hours=1)
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_BY_DAY = re.compile(r"([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
FREQUENCIES = ("HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY")


class RuleError(BadInput):
    """A rule that cannot be read or is refused; the message is a clause."""


class Budget:
    """What is left of the days that may be looked at."""

    def __init__(self, days: int = DAYS_MAX) -> None:
        self._left = days

    def spend(self, days: int) -> None:
        self._left -= days
        if self._left < 0:
            raise RuleError("the rules begin too long ago, or are too many, to be worked out")


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as read. `until` stays text: what it means depends on the start it belongs to."""

    freq: str
    interval: int = 1
    count: int | None = None
    until: str | None = None
    week_start: int = 0
    by_month: tuple[int, ...] = ()
    by_week_no: tuple[int, ...] = ()
    by_year_day: tuple[int, ...] = ()
    by_month_day: tuple[int, ...] = ()
    by_day: tuple[tuple[int, int], ...] = ()  # (which, weekday); which 0: every one
    by_hour: tuple[int, ...] = ()
    by_minute: tuple[int, ...] = ()
    by_second: tuple[int, ...] = ()
    by_set_pos: tuple[int, ...] = ()


_PARTS: dict[str, tuple[str, int, int]] = {
    "BYMONTH": ("by_month", 1, 12),
    "BYWEEKNO": ("by_week_no", -53, 53),
    "BYYEARDAY": ("by_year_day", -366, 366),
    "BYMONTHDAY": ("by_month_day", -31, 31),
    "BYHOUR": ("by_hour", 0, 23),
    "BYMINUTE": ("by_minute", 0, 59),
    "BYSECOND": ("by_second", 0, 59),
    "BYSETPOS": ("by_set_pos", -366, 366),
}


def rule_of(text: str) -> Rule:
    """`FREQ=WEEKLY;BYDAY=MO,TU`, read; raises RuleError."""
    parts: dict[str, str] = {}
    for part in text.strip().strip(";").upper().split(";"):
        name, equals, value = part.partition("=")
        if not equals or not value or name in parts:
            raise RuleError(f"the rule part {part[:40]!r} cannot be read")
        parts[name] = value
    freq = parts.pop("FREQ", "")
    if freq not in FREQUENCIES:
        raise RuleError(
            f"the frequency {freq[:20] or 'nothing'} is refused; HOURLY to YEARLY are read"
        )
    if "COUNT" in parts and "UNTIL" in parts:
        raise RuleError("a rule has COUNT or UNTIL, not both")
    count, interval = parts.pop("COUNT", None), parts.pop("INTERVAL", "1")
    week_start = parts.pop("WKST", "MO")
    if week_start not in _DAYS:
        raise RuleError(f"WKST={week_start[:10]} is no day")
    return Rule(
        freq=freq,
        interval=_number("INTERVAL", interval, 1, 100_000),
        count=None if count is None else _number("COUNT", count, 1, 1_000_000),
        until=parts.pop("UNTIL", None),
        week_start=_DAYS.index(week_start),
        by_day=_by_day(parts.pop("BYDAY", ""), freq),
        **_numbers(parts),
    )


def _numbers(parts: dict[str, str]) -> dict[str, tuple[int, ...]]:
    found = {}
    for name, value in parts.items():
        if name not in _PARTS:
            raise RuleError(f"the rule part {name[:20]} is not known")
        field, least, most = _PARTS[name]
        listed = sorted({_number(name, one, least, most) for one in value.split(",")})
        if least < 0 and 0 in listed:
            raise RuleError(f"{name}=0 means nothing")
        found[field] = tuple(listed)
    return found


def _number(name: str, text: str, least: int, most: int) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,7}", text) or not least <= int(text) <= most:
        raise RuleError(f"{name}={text[:20]} is not from {least} to {most}")
    return int(text)


def _by_day(text: str, freq: str) -> tuple[tuple[int, int], ...]:
    found = []
    for one in text.split(",") if text else ():
        read = _BY_DAY.fullmatch(one)
        if read is None or (read[1] and (int(read[1]) == 0 or freq not in ("MONTHLY", "YEARLY"))):
            raise RuleError(f"BYDAY={one[:20]} cannot be read in a {freq} rule")
        found.append((int(read[1] or 0), _DAYS.index(read[2])))
    return tuple(found)


def wall_times(
    rule: Rule, first: datetime, after: datetime, before: datetime, budget: Budget
) -> Iterator[datetime]:
    """The rule's wall times from `first` on, those in [after, before), in order; `first` itself is always one of them.

    With COUNT all from `first` on are walked, for they are counted. Raises RuleError when the budget is spent.
    """
    left = rule.count if rule.count is not None else -1
    told_first = False
    for at in _all(rule, first, first if rule.count else after, before, budget):
        if at < first:
            continue
        if not told_first:
            told_first = True
            if at > first and (rule.count is not None or after <= first):
                left -= 1
                if after <= first < before:
                    yield first
        if left == 0:
            return
        left -= 1
        if after <= at < before:
            yield at
    if not told_first and after <= first < before:
        yield first


def _all(
    rule: Rule, first: datetime, after: datetime, before: datetime, budget: Budget
) -> Iterator[datetime]:
    fits, times = _fits(rule, first), _times(rule, first)
    of_hour = {hour: [at for at in times if at.hour == hour] for hour in range(24)}
    for days, hour in _periods(rule, first, after, before):
        budget.spend(len(days))
        found = [
            datetime.combine(day, at)
            for day in days
            if fits(day)
            for at in (times if hour is None else of_hour[hour])
        ]
        yield from _chosen(found, rule.by_set_pos)


def _chosen(found: list[datetime], positions: Sequence[int]) -> list[datetime]:
    if not positions:
        return found
    size = len(found)
    places = {pos - 1 if pos > 0 else size + pos for pos in positions}
    return [one for place, one in enumerate(found) if place in places]


# --- periods -------------------------------------------------------------------------------------------------------


def _periods(
    rule: Rule, first: datetime, after: datetime, before: datetime
) -> Iterator[tuple[list[date], int | None]]:
    """The days of each period, and its hour when periods are hours; from the one in which `after` lies."""
    begin, step = _first_period(rule, first)
    n = _skipped(rule, begin, max(first, after))
    while True:
        start = step(n)
        if start is None or start >= before:
            return
        yield _days(rule.freq, start.date()), start.hour if rule.freq == "HOURLY" else None
        n += rule.interval


Step = Callable[[int], datetime | None]


def _first_period(rule: Rule, first: datetime) -> tuple[datetime, Step]:
    """Where the first period begins, and where the one n units later does; None past the calendar."""
    midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
    if rule.freq == "YEARLY":
        begin = midnight.replace(month=1, day=1)
        return begin, lambda n: _month(begin, 12 * n)
    if rule.freq == "MONTHLY":
        begin = midnight.replace(day=1)
        return begin, lambda n: _month(begin, n)
    begin, unit = midnight, _DAY
    if rule.freq == "WEEKLY":
        begin, unit = midnight - ((midnight.weekday() - rule.week_start) % 7) * _DAY, _WEEK
    elif rule.freq == "HOURLY":
        begin, unit = first.replace(minute=0, second=0, microsecond=0), _HOUR
    return begin, lambda n: _later(begin, unit, n)


def _later(begin: datetime, unit: timedelta, n: int) -> datetime | None:
    try:
        return begin + n * unit
    except OverflowError:
        return None


def _month(begin: datetime, months: int) -> datetime | None:
    year, month = divmod(begin.year * 12 + begin.month - 1 + months, 12)
    return begin.replace(year=year, month=month + 1) if year <= date.max.year else None


def _skipped(rule: Rule, begin: datetime, after: datetime) -> int:
    """How many units lie before the period that holds `after`: whole steps of the interval, one less to be sure."""
    if rule.freq in ("YEARLY", "MONTHLY"):
        months = (after.year - begin.year) * 12 + after.month - begin.month
        units = months // 12 if rule.freq == "YEARLY" else months
    else:
        unit = {"WEEKLY": _WEEK, "DAILY": _DAY, "HOURLY": _HOUR}[rule.freq]
        units = (after - begin) // unit
    return max(0, units // rule.interval - 1) * rule.interval


def _days(freq: str, start: date) -> list[date]:
    if freq == "YEARLY":
        count = 366 if calendar.isleap(start.year) else 365
    elif freq == "MONTHLY":
        count = calendar.monthrange(start.year, start.month)[1]
    else:
        count = 7 if freq == "WEEKLY" else 1
    reach = min(count, (date.max - start).days + 1)
    return [start + n * _DAY for n in range(reach)]


# --- days and times ------------------------------------------------------------------------------------------------


def _fits(rule: Rule, first: datetime) -> Callable[[date], bool]:
    """Whether a day is one of the rule's; what the rule leaves open is that of the first."""
    by_month, by_month_day, by_day = rule.by_month, rule.by_month_day, rule.by_day
    if not (rule.by_week_no or rule.by_year_day or by_month_day or by_day):
        if rule.freq == "YEARLY":
            by_month = by_month or (first.month,)
        if rule.freq in ("YEARLY", "MONTHLY"):
            by_month_day = (first.day,)
        elif rule.freq == "WEEKLY":
            by_day = ((0, first.weekday()),)
    of_year = rule.freq == "YEARLY" and not rule.by_month

    def fits(day: date) -> bool:
        return (
            (not by_month or day.month in by_month)
            and (not by_month_day or _among(by_month_day, day.day, _month_length(day)))
            and (not by_day or _is_weekday(by_day, day, of_year=of_year))
            and (
                not rule.by_year_day or _among(rule.by_year_day, _year_day(day), _year_length(day))
            )
            and (not rule.by_week_no or _in_week(rule.by_week_no, day, rule.week_start))
        )

    return fits


def _among(listed: Sequence[int], number: int, length: int) -> bool:
    """Counted from the front, or from behind where negative."""
    return number in listed or number - length - 1 in listed


def _month_length(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _year_length(day: date) -> int:
    return 366 if calendar.isleap(day.year) else 365


def _year_day(day: date) -> int:
    return day.timetuple().tm_yday


def _is_weekday(by_day: Sequence[tuple[int, int]], day: date, *, of_year: bool) -> bool:
    place = (_year_day(day) if of_year else day.day) - 1
    length = _year_length(day) if of_year else _month_length(day)
    from_front, from_back = place // 7 + 1, -((length - 1 - place) // 7 + 1)
    return any(
        weekday == day.weekday() and which in (0, from_front, from_back)
        for which, weekday in by_day
    )


def _in_week(listed: Sequence[int], day: date, week_start: int) -> bool:
    """By ISO's weeks, begun on the rule's first day: week 1 is the first with four days in the year."""
    middle = day + (3 - (day.weekday() - week_start) % 7) * _DAY
    number = (_year_day(middle) - 1) // 7 + 1
    last = date(middle.year, 12, 31)
    last_middle = last + (3 - (last.weekday() - week_start) % 7) * _DAY
    if last_middle.year != last.year:
        last_middle -= _WEEK
    return _among(listed, number, (_year_day(last_middle) - 1) // 7 + 1)


def _times(rule: Rule, first: datetime) -> list[time]:
    """The times of day, in order. In an HOURLY rule the hour is the period's, and BYHOUR only limits it."""
    hours: Sequence[int] = rule.by_hour or (range(24) if rule.freq == "HOURLY" else (first.hour,))
    minutes, seconds = rule.by_minute or (first.minute,), rule.by_second or (first.second,)
    return [time(*parts) for parts in product(hours, minutes, seconds)]
