"""Whether nights are covered: every fault of schedules in a window, by name, cause and interval.

Knows gaps, people nobody can wake, leave, double bookings, short rest, people who are gone, and the nights on which
clocks change. Refuses to know rows, Slack and what is done about a fault. Pure. Serves `schedule verify` and the daily
warning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo

from oncall_bot.core.config import Config
from oncall_bot.core.rotations import Definition, Override, Shift, shifts
from oncall_bot.core.rotations.windows import Windows

REST = timedelta(hours=11)
"""Between two days of work; the directive 2003/88/EC of the European Union, article 3."""


class Kind(StrEnum):
    GAP = "gap"
    NO_LOUD_ROAD = "no_loud_road"
    ON_LEAVE = "on_leave"
    DOUBLE_BOOKED = "double_booked"
    SHORT_REST = "short_rest"
    UNKNOWN_PERSON = "unknown_person"
    CLOCK_CHANGE = "clock_change"


RETURNING = frozenset({Kind.NO_LOUD_ROAD, Kind.DOUBLE_BOOKED, Kind.SHORT_REST})
"""Kinds that a rotation makes again and again: told once for a person, not for each night."""


@dataclass(frozen=True, slots=True)
class Away:
    """A person's leave, [start, end), and where that is written."""

    person: str
    start: datetime
    end: datetime
    source: str = ""


@dataclass(frozen=True, slots=True)
class CoverageFault:
    """One fault. `cause` is a clause fit for a sentence; a clock change is only worth knowing (`is_note`)."""

    kind: Kind
    schedule: str
    start: datetime
    end: datetime
    cause: str
    person: str | None = None
    other: str | None = None  # the second schedule of a double booking or of a short rest
    returns: bool = False  # it comes again by the hours of the rotation, or began before the window

    @property
    def is_note(self) -> bool:
        return self.kind is Kind.CLOCK_CHANGE

    @property
    def key(self) -> str:
        """The same for the same fault seen on another day; what returns has no instant in it."""
        parts = [self.kind, self.schedule, self.person or "", self.other or ""]
        if self.kind not in RETURNING and not self.returns:
            parts.append(str(int(self.start.timestamp())))
        return ":".join(parts)


@dataclass(frozen=True, slots=True)
class Watched:
    """What is looked at: the file in force, covers by schedule, who can be woken, who is away."""

    config: Config
    covers: Mapping[str, Sequence[Override]]
    wakes: Callable[[str], bool]
    away: Sequence[Away] = ()


def faults(
    watched: Watched, start: datetime, end: datetime, only: Sequence[str] | None = None
) -> list[CoverageFault]:
    """Every fault from `start` to `end`, earliest first. `only`: of these schedules; the others still count for rest
    and double bookings."""
    found = {
        key: shifts(schedule.definition, start, end, watched.covers.get(key, ()))
        for key, schedule in watched.config.schedules.items()
    }
    wanted = set(only) if only is not None else set(found)
    told = [fault for key in found if key in wanted for fault in _alone(watched, key, found[key])]
    told += [
        fault
        for fault in _together(found)
        if fault.schedule in wanted or (fault.other or "") in wanted
    ]
    told = [replace(fault, returns=True) if fault.start <= start else fault for fault in told]
    return sorted(told, key=lambda fault: (fault.start, fault.kind, fault.schedule))


def gathered(found: Iterable[CoverageFault]) -> list[list[CoverageFault]]:
    """Those with one name and one cause together, in the order of their first."""
    groups: dict[tuple[str | None, ...], list[CoverageFault]] = {}
    for fault in found:
        key = (fault.kind, fault.schedule, fault.person, fault.other, fault.cause)
        groups.setdefault(key, []).append(fault)
    return list(groups.values())


def sentence(fault: CoverageFault, name: Callable[[str], str], zone: ZoneInfo) -> str:
    """`shop: nobody is on call from ... to ..., because ...`, in the schedule's zone."""
    who = name(fault.person) if fault.person else "nobody"
    when = f"from {_at(fault.start, zone)} to {_at(fault.end, zone)}"
    said = {
        Kind.GAP: f"nobody is on call {when}: {fault.cause}",
        Kind.NO_LOUD_ROAD: f"{who} is on call {when} and {fault.cause}",
        Kind.ON_LEAVE: f"{who} is on call {when} and away: {fault.cause}",
        Kind.DOUBLE_BOOKED: f"{who} is on call {when} for {fault.other} too",
        Kind.SHORT_REST: f"{who} rests {when}: {fault.cause}",
        Kind.UNKNOWN_PERSON: f"{who} is on call {when}: {fault.cause}",
        Kind.CLOCK_CHANGE: f"{who} is on call {when}: {fault.cause}",
    }
    return f"{fault.schedule}: {said[fault.kind]}"


def _at(instant: datetime, zone: ZoneInfo) -> str:
    return f"{instant.astimezone(zone):%a %Y-%m-%d %H:%M %Z}"


# --- one schedule alone --------------------------------------------------------------------------------------------


def _alone(watched: Watched, key: str, found: Sequence[Shift]) -> Iterator[CoverageFault]:
    definition = watched.config.schedules[key].definition
    covers = (*definition.overrides, *watched.covers.get(key, ()))
    for shift in found:
        if shift.user is None:
            cause, returns = _why_nobody(definition, covers, shift)
            yield CoverageFault(Kind.GAP, key, shift.start, shift.end, cause, returns=returns)
    yield from _people(watched, key, found)
    yield from _clock_changes(definition, key, found)


def _why_nobody(definition: Definition, covers: Sequence[Override], gap: Shift) -> tuple[str, bool]:
    """Why the gap begins, and whether the hours of the rotation make it come again."""
    at = gap.start
    if any(c.start <= at < c.end and c.user is None for c in reversed(covers)):
        return "an override leaves it to nobody", False
    for holiday in definition.holidays:
        if holiday.start <= at < holiday.end and holiday.user is None:
            day = f"{holiday.start.astimezone(definition.zone):%Y-%m-%d}"
            return f"so says the holiday of {day}", False
    if all(layer.starts_at > at for layer in definition.layers):
        return "no layer has begun", False
    if all(layer.ends_at is not None and layer.ends_at <= at for layer in definition.layers):
        return "every layer has ended", False
    alive = [
        layer
        for layer in definition.layers
        if layer.starts_at <= at and (layer.ends_at is None or at < layer.ends_at)
    ]
    if alive and all(_is_closed(layer.windows, at) for layer in alive):
        return "no layer has these hours", True
    if not alive:
        return "no layer is in force then", False
    return "the turn is nobody's", True


def _is_closed(windows: Windows | None, at: datetime) -> bool:
    return windows is not None and not windows.touching(at, at + datetime.resolution)


def _people(watched: Watched, key: str, found: Sequence[Shift]) -> Iterator[CoverageFault]:
    of: dict[str, list[Shift]] = {}
    for shift in found:
        if shift.user is not None:
            of.setdefault(shift.user, []).append(shift)
    away: dict[str, list[Away]] = {}
    for leave in watched.away:
        away.setdefault(leave.person, []).append(leave)
    for person, theirs in of.items():
        first = theirs[0]
        if person not in watched.config.people:
            for shift in theirs:
                yield CoverageFault(Kind.UNKNOWN_PERSON, key, shift.start, shift.end, _GONE, person)
        elif not watched.wakes(person):
            yield CoverageFault(Kind.NO_LOUD_ROAD, key, first.start, first.end, _QUIET, person)
        yield from _on_leave(key, person, theirs, away.get(person, ()))


_GONE = "not in oncall.yaml, so the page goes to the next step"
_QUIET = "has no verified loud road (push, voice, SMS, webhook)"


def _on_leave(
    key: str, person: str, theirs: Sequence[Shift], away: Sequence[Away]
) -> Iterator[CoverageFault]:
    for shift in theirs:
        for leave in away:
            start, end = max(shift.start, leave.start), min(shift.end, leave.end)
            if start < end:
                cause = f"{leave.source or 'leave'} says so"
                yield CoverageFault(Kind.ON_LEAVE, key, start, end, cause, person)


def _clock_changes(
    definition: Definition, key: str, found: Sequence[Shift]
) -> Iterator[CoverageFault]:
    if not found:
        return
    zones = dict.fromkeys([definition.zone, *(layer.zone for layer in definition.layers)])
    for zone in zones:
        for at, by in clock_changes(zone, found[0].start, found[-1].end):
            shift = next(s for s in found if s.start <= at < s.end)
            if shift.user is not None:
                way = "forward" if by > timedelta(0) else "back"
                cause = f"clocks in {zone.key} go {way} {_length(abs(by))} at {_at(at, zone)}"
                yield CoverageFault(
                    Kind.CLOCK_CHANGE, key, shift.start, shift.end, cause, shift.user
                )


def clock_changes(
    zone: ZoneInfo, start: datetime, end: datetime
) -> Iterator[tuple[datetime, timedelta]]:
    """The instants in [start, end) at which clocks in the zone jump, and by how much; to the second."""
    day, at = timedelta(days=1), start
    while at < end:
        until = min(at + day, end)
        before, after = _offset(at, zone), _offset(until - datetime.resolution, zone)
        if before != after:
            yield _jump(zone, at, until), after - before
        at = until


def _jump(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    before, second = _offset(low, zone), timedelta(seconds=1)
    while high - low > second:
        middle = low + (high - low) / 2
        low, high = (middle, high) if _offset(middle, zone) == before else (low, middle)
    return high.astimezone(UTC).replace(microsecond=0)


def _offset(at: datetime, zone: ZoneInfo) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta(0)


# --- one person over all schedules ---------------------------------------------------------------------------------


def _together(found: Mapping[str, Sequence[Shift]]) -> Iterator[CoverageFault]:
    of: dict[str, list[tuple[datetime, datetime, str]]] = {}
    for key, line in found.items():
        for shift in line:
            if shift.user is not None:
                of.setdefault(shift.user, []).append((shift.start, shift.end, key))
    for person, theirs in of.items():
        theirs.sort()
        yield from _double(person, theirs)
        yield from _rest(person, theirs)


def _double(
    person: str, theirs: Sequence[tuple[datetime, datetime, str]]
) -> Iterator[CoverageFault]:
    """A sweep: each shift against those still running when it begins."""
    running: list[tuple[datetime, datetime, str]] = []
    for start, end, key in theirs:
        running = [one for one in running if one[1] > start]
        for _, other_end, other in running:
            if other != key:
                first, second = sorted((key, other))
                cause = f"for {first} and {second} at once"
                yield CoverageFault(
                    Kind.DOUBLE_BOOKED, first, start, min(end, other_end), cause, person, second
                )
        running.append((start, end, key))


def _rest(person: str, theirs: Sequence[tuple[datetime, datetime, str]]) -> Iterator[CoverageFault]:
    """Between two stretches of duty, whatever the schedules; overlapping ones are one stretch."""
    stretches: list[tuple[datetime, datetime, str, str]] = []
    for start, end, key in theirs:
        if stretches and start <= stretches[-1][1]:
            begun, last_end, first, last = stretches[-1]
            stretches[-1] = (begun, max(end, last_end), first, key if end > last_end else last)
        else:
            stretches.append((start, end, key, key))
    for before, after in pairwise(stretches):
        rest = after[0] - before[1]
        if rest < REST:
            other = before[3] if before[3] != after[2] else None
            cause = f"{_length(rest)} between two shifts, {_length(REST)} is the least"
            yield CoverageFault(
                Kind.SHORT_REST, after[2], before[1], after[0], cause, person, other
            )


def _length(length: timedelta) -> str:
    minutes = round(length.total_seconds() / 60)
    hours, rest = divmod(minutes, 60)
    parts = [f"{hours} h"] if hours else []
    return " ".join([*parts, f"{rest} min"] if rest or not parts else parts)
