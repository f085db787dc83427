"""What happens when, according to an iCalendar text (R18): every event that touches a window, recurrence worked out.

Knows times with and without zones, durations, exceptions and cancelled events. A wall time becomes an instant in the
one way schedules have (core.rotations.walltime). Refuses to know whose leave it is, files and addresses. Pure. Serves
the reader of calendars and `schedule answer`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from oncall_bot.calendars.lines import Component, IcsError, Property, events_in, plain
from oncall_bot.calendars.recurrence import DAYS_MAX, Budget, Rule, RuleError, rule_of, wall_times
from oncall_bot.core.errors import BadInput
from oncall_bot.core.rotations.walltime import FIRST_YEAR, LAST_YEAR, instant_of, wall_of

INSTANCES_MAX = 10_000
_TIME = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?:T([0-9]{2})([0-9]{2})([0-9]{2})(Z)?)?")
_DURATION = re.compile(
    r"([+-]?)P(?:([0-9]{1,5})W|(?:([0-9]{1,5})D)?(?:T(?:([0-9]{1,6})H)?(?:([0-9]{1,7})M)?(?:([0-9]{1,9})S)?)?)"
)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Event:
    """One instance, [start, end) in UTC. `people` are the mail addresses of those who attend."""

    start: datetime
    end: datetime
    summary: str
    people: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _When:
    """A time as written: on the wall of a zone. `whole_day`: it was a date."""

    wall: datetime
    zone: ZoneInfo
    whole_day: bool = False

    @property
    def at(self) -> datetime:
        return instant_of(self.wall, self.zone)


@dataclass(frozen=True, slots=True)
class _Length:
    """Nominal days on the wall, then exact time."""

    days: int
    exact: timedelta

    def after(self, when: _When) -> datetime:
        return instant_of(when.wall + self.days * _DAY, when.zone) + self.exact


def events_between(
    data: bytes,
    start: datetime,
    end: datetime,
    default_zone: ZoneInfo,
    *,
    days_max: int = DAYS_MAX,
) -> list[Event]:
    """The events that share time with [start, end), by their start; cancelled ones and empty ones are none.

    `default_zone` is that of dates and of times that name none. Raises IcsError with the line, also for more than
    10,000 instances in the window.
    """
    series: dict[str, list[Component]] = {}
    for n, one in enumerate(events_in(data)):
        uid = one.first("UID")
        series.setdefault(uid.value if uid else f"#{n}", []).append(one)
    budget = Budget(days_max)
    found: list[Event] = []
    for alike in series.values():
        found += _of_series(alike, _Window(start, end, default_zone, budget))
        if len(found) > INSTANCES_MAX:
            raise IcsError(0, f"it has more than {INSTANCES_MAX} instances in the time asked about")
    return sorted(found, key=lambda one: (one.start, one.end, one.summary))


@dataclass(frozen=True, slots=True)
class _Window:
    start: datetime
    end: datetime
    zone: ZoneInfo
    budget: Budget

    def holds(self, start: datetime, end: datetime) -> bool:
        return start < end and start < self.end and self.start < end


def _of_series(alike: Sequence[Component], window: _Window) -> Iterator[Event]:
    """The events with one UID: a master, and instances that were moved or cancelled one by one."""
    masters = [one for one in alike if one.first("RECURRENCE-ID") is None]
    moved: dict[datetime, Component] = {}
    for one in sorted(alike, key=_sequence):
        original = one.first("RECURRENCE-ID")
        if original is not None:
            if original.params.get("RANGE"):
                raise IcsError(original.line, "RANGE of RECURRENCE-ID is not read")
            moved[_when(original, window.zone).at] = one
    if masters:
        yield from _instances(max(masters, key=_sequence), window, moved.keys())
    for one in moved.values():
        yield from _instances(one, window, (), alone=True)


def _sequence(one: Component) -> int:
    prop = one.first("SEQUENCE")
    return int(prop.value) if prop and re.fullmatch(r"[0-9]{1,9}", prop.value) else 0


def _instances(
    one: Component, window: _Window, except_at: Iterable[datetime], *, alone: bool = False
) -> Iterator[Event]:
    status = one.first("STATUS")
    if status is not None and status.value.strip().upper() == "CANCELLED":
        return
    begins = one.first("DTSTART")
    if begins is None:
        raise IcsError(one.line, "the event has no DTSTART")
    first = _when(begins, window.zone)
    length = _length(one, first, window.zone)
    left_out = {*except_at}
    summary = one.first("SUMMARY")
    said = plain(summary.value) if summary else ""
    people = _people(one)
    starts = [(first, length)] if alone else _starts(one, first, length, window)
    seen: set[datetime] = set()
    days_out = set()
    if not alone:
        days_out = _left_out(one, window.zone, left_out)
    for when, lasts in starts:
        at = when.at
        if at in left_out or at in seen or when.wall.date() in days_out:
            continue
        seen.add(at)
        until = lasts.after(when)
        if window.holds(at, until):
            yield Event(at, until, said, people)
        if len(seen) > INSTANCES_MAX:
            raise IcsError(one.line, f"it has more than {INSTANCES_MAX} instances")


def _left_out(one: Component, zone: ZoneInfo, left_out: set[datetime]) -> set[date]:
    """Adds the instants of EXDATE; answers the days that are out whole."""
    days = set()
    for prop in one.all("EXDATE"):
        for value in prop.value.split(","):
            when = _when(prop, zone, value)
            if when.whole_day:
                days.add(when.wall.date())
            else:
                left_out.add(when.at)
    return days


def _starts(
    one: Component, first: _When, length: _Length, window: _Window
) -> Iterator[tuple[_When, _Length]]:
    """Every start that may touch the window, with its length: the first, those of rules, those of RDATE."""
    rules = list(one.all("RRULE"))
    if not rules:
        yield first, length
    for prop in rules:
        for wall in _by_rule(prop, first, length, window):
            yield _When(wall, first.zone, first.whole_day), length
    for prop in one.all("RDATE"):
        for value in prop.value.split(","):
            start, _, period = value.partition("/")
            when = _when(prop, window.zone, start)
            yield when, _period(prop, when, period, window.zone) if period else length


def _by_rule(prop: Property, first: _When, length: _Length, window: _Window) -> Iterator[datetime]:
    try:
        rule = rule_of(prop.value)
        until = _until(rule, prop, first)
        reach = abs(length.days) * _DAY + abs(length.exact) + 2 * _DAY
        after = wall_of(window.start, first.zone) - reach
        before = wall_of(window.end, first.zone) + 2 * _DAY
        for wall in wall_times(rule, first.wall, after, before, window.budget):
            if until is not None and _When(wall, first.zone).at > until:
                return
            yield wall
    except (RuleError, OverflowError) as problem:
        raise IcsError(prop.line, str(problem)) from None


def _until(rule: Rule, prop: Property, first: _When) -> datetime | None:
    """The last instant at which an instance may start; a date holds all of its day."""
    if rule.until is None:
        return None
    bare = Property(prop.line, "UNTIL", {}, rule.until)
    until = _when(bare, first.zone)
    return (
        instant_of(until.wall + _DAY, until.zone) - datetime.resolution
        if until.whole_day
        else until.at
    )


def _length(one: Component, first: _When, zone: ZoneInfo) -> _Length:
    """How long an instance lasts: by DTEND exactly as the first, by DURATION in days on the wall (3.3.6, 3.8.5.3)."""
    ends, lasts = one.first("DTEND"), one.first("DURATION")
    if ends is not None:
        until = _when(ends, zone)
        if first.whole_day and until.whole_day:
            return _Length((until.wall - first.wall).days, timedelta(0))
        return _Length(0, until.at - first.at)
    if lasts is not None:
        return _duration(lasts, lasts.value)
    return _Length(1 if first.whole_day else 0, timedelta(0))


def _period(prop: Property, start: _When, text: str, zone: ZoneInfo) -> _Length:
    if text.lstrip("+-").upper().startswith("P"):
        return _duration(prop, text)
    return _Length(0, _when(prop, zone, text).at - start.at)


def _duration(prop: Property, text: str) -> _Length:
    found = _DURATION.fullmatch(text.strip().upper())
    if found is None or not any(found.groups()[1:]) or found[1] == "-":
        raise IcsError(prop.line, f"{plain(text, 40)!r} is no duration")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups()[1:])
    exact = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return _Length(weeks * 7 + days, exact)


def _when(prop: Property, default_zone: ZoneInfo, value: str | None = None) -> _When:
    text = (prop.value if value is None else value).strip().upper()
    found = _TIME.fullmatch(text)
    if found is None:
        raise IcsError(prop.line, f"{prop.name} {plain(text, 40)!r} is no time")
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    try:
        wall = datetime.combine(date(year, month, day), time(hour, minute, min(second, 59)))
    except ValueError:
        raise IcsError(prop.line, f"{prop.name} {plain(text, 40)!r} is no time") from None
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise IcsError(prop.line, f"the year {year} is not from {FIRST_YEAR} to {LAST_YEAR}")
    if found[7]:
        return _When(wall, ZoneInfo("UTC"))
    named = prop.params.get("TZID")
    zone = _zone(prop.line, named) if named and found[4] else default_zone
    return _When(wall, zone, whole_day=found[4] is None)


def _zone(line: int, name: str) -> ZoneInfo:
    found = _known_zone(name.strip().lstrip("/"))
    if found is None:
        raise IcsError(
            line, f"the time zone {plain(name, 60)!r} is not known; IANA's and Windows' are"
        )
    return found


@lru_cache(maxsize=256)
def _known_zone(name: str) -> ZoneInfo | None:
    """By its IANA name, also behind a prefix (`freeassociation.sourceforge.net/`), or by the one of Windows."""
    from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

    parts = name.split("/")
    names = [WINDOWS_TO_OLSON.get(name, name), *("/".join(parts[n:]) for n in range(1, len(parts)))]
    for one in names:
        try:
            return ZoneInfo(one)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
    return None


def _people(one: Component) -> tuple[str, ...]:
    mails = [prop.value.strip() for prop in one.all("ATTENDEE")]
    return tuple(mail[7:].casefold() for mail in mails[:200] if mail[:7].casefold() == "mailto:")


def answer(document: Mapping[str, object]) -> dict[str, list[dict[str, str]]]:
    """{"ics", "default_zone", "window": {"from", "to"}} in, {"events": [{"start", "end", "user"}]} out.

    The user of an event is its SUMMARY. Raises BadInput.
    """
    ics, zone, window = (document.get(key) for key in ("ics", "default_zone", "window"))
    if not isinstance(ics, str) or not isinstance(window, Mapping):
        raise BadInput('a calendar is asked about by "ics", "default_zone" and "window"')
    known = _known_zone(zone) if isinstance(zone, str) else ZoneInfo("UTC")
    if known is None:
        raise BadInput(f"default_zone: {plain(str(zone), 60)!r} is no time zone")
    start, end = (_instant(window.get(key), f"window.{key}") for key in ("from", "to"))
    found = events_between(ics.encode("utf-8", "replace"), start, end, known)
    return {
        "events": [
            {"start": _stamp(one.start), "end": _stamp(one.end), "user": one.summary}
            for one in found
        ]
    }


def _instant(text: object, field: str) -> datetime:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise BadInput(
            f"{field}: {plain(str(text), 40)!r} is no instant; write 2026-03-01T00:00:00Z"
        )
    return found.astimezone(UTC)


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
