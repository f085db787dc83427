"""Shifts as calendars outside are told of them: whole, each with a count that rises when it changes (R17).

Knows which shifts a feed holds, what makes one a changed one, and that what is past stays as it was told. Refuses to
know iCalendar's text, rows and tokens. Pure. Serves `/ical/<token>.ics` and `schedule ics`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from oncall_bot.core.rotations import Definition, Override, Shift, shifts

LINK_MARK = "cal_"
LINK_SHOWN = len(LINK_MARK) + 6
"""So many letters of a link's token may be shown and stored; of the rest only the SHA-256 is."""

BACK, AHEAD = timedelta(days=15), timedelta(days=180)
_STEPS_BACK = tuple(timedelta(days=days) for days in (30, 180, 730, 7300))
_STEPS_AHEAD = tuple(timedelta(days=days) for days in (30, 180, 400))


@dataclass(frozen=True, slots=True)
class Told:
    """A shift as it was last told. Without a person it was told of once and is gone again."""

    start: datetime
    end: datetime
    person: str | None
    sequence: int
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class FeedShift:
    """One event of a feed."""

    schedule: str
    told: Told
    name: str  # of the person


@dataclass(frozen=True, slots=True)
class Feed:
    """A calendar: its title, what it is about in a sentence, and its events, the earliest first."""

    title: str
    about: str
    shifts: tuple[FeedShift, ...]
    personal: bool = False  # all of one person: the events are named by schedule, not by person


def link_digest(token: str) -> str:
    """By what a link's token is known where it is not stored."""
    return hashlib.sha256(token.encode()).hexdigest()


def window(now: datetime) -> tuple[datetime, datetime]:
    """What a feed holds: 15 days back and 180 ahead, by whole days, so that it is the same all day."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - BACK, midnight + AHEAD


def whole_shifts(
    definition: Definition, start: datetime, end: datetime, covers: Sequence[Override] = ()
) -> list[Shift]:
    """The shifts that touch the window, gaps left out, each with the start and end it really has.

    One that lasts for longer than is looked (20 years back, 400 days ahead) is cut at a turn of the year.
    """
    found = shifts(definition, start, end, covers)
    if not found:
        return []
    first, last = found[0], found[-1]
    found[0] = replace(first, start=_begun(definition, covers, first))
    if len(found) == 1:
        last = found[0]
    found[-1] = replace(last, end=_ended(definition, covers, last))
    return [shift for shift in found if shift.user is not None]


def _begun(definition: Definition, covers: Sequence[Override], shift: Shift) -> datetime:
    for step in _STEPS_BACK:
        before = shifts(definition, shift.start - step, shift.start, covers)
        if before[-1].user != shift.user:
            return shift.start
        if len(before) > 1:
            return before[-1].start
    return datetime(shift.start.year, 1, 1, tzinfo=UTC)


def _ended(definition: Definition, covers: Sequence[Override], shift: Shift) -> datetime:
    for step in _STEPS_AHEAD:
        after = shifts(definition, shift.end, shift.end + step, covers)
        if after[0].user != shift.user:
            return shift.end
        if len(after) > 1:
            return after[0].end
    return datetime(shift.end.year + 2, 1, 1, tzinfo=UTC)


def brought_up_to_date(
    found: Sequence[Shift], kept: Sequence[Told], now: datetime
) -> tuple[list[Told], list[Told]]:
    """The shifts to be told now, and those of them (or gone from them) that differ from what was kept.

    `kept` is what was told before, for the same window. What has ended stays as it was told; a shift at the same start
    with another end or person is the same one, changed; one that is not found any more is told no longer.
    """
    before = {one.start: one for one in kept}
    lasting = {shift.start for shift in found if shift.end > now}
    past = [
        one
        for one in kept
        if one.end <= now and one.person is not None and one.start not in lasting
    ]
    told, changed = list(past), []
    for shift in found:
        if shift.end <= now and _was_told(shift, past):
            continue
        one = _told(shift, before.get(shift.start), now)
        told.append(one)
        if one != before.get(shift.start):
            changed.append(one)
    starts = {one.start for one in told}
    changed += [
        replace(one, person=None, sequence=one.sequence + 1, modified_at=now)
        for one in kept
        if one.person is not None and one.start not in starts
    ]
    return sorted(told, key=lambda one: one.start), changed


def _was_told(shift: Shift, past: Sequence[Told]) -> bool:
    return any(one.start < shift.end and shift.start < one.end for one in past)


def _told(shift: Shift, before: Told | None, now: datetime) -> Told:
    if before is None:
        return Told(shift.start, shift.end, shift.user, 0, now)
    if (before.end, before.person) == (shift.end, shift.user):
        return before
    return Told(shift.start, shift.end, shift.user, before.sequence + 1, now)
