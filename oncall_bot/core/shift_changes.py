"""What a change of schedules does to people: who loses and gains which shifts in four weeks, and what is left bare.

Knows shifts before and after, with the covers people made painted over both. Refuses to know documents and fields.
Serves the plan of `apply`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from oncall_bot.core.changes import PlanLine
from oncall_bot.core.config import Schedule
from oncall_bot.core.rotations import Override, Shift, shifts

LOOK_AHEAD = timedelta(days=28)
LINES_PER_SCHEDULE = 20
PEOPLE_MAX = 12

Covers = Mapping[str, Sequence[Override]]
"""Schedule's key -> the overrides made in Slack, in order."""
Stretch = tuple[datetime, datetime, str | None, str | None]
"""From, until, who has it now, who would."""


def on_call_lines(
    before: Schedule | None, after: Schedule, now: datetime, covers: Covers
) -> Iterator[PlanLine]:
    """Each stretch with another person, neighbours made one; then what it is in all for each person."""
    path, until = f"schedules.{after.key}", now + LOOK_AHEAD
    over = covers.get(after.key, ())
    found = shifts(after.definition, now, until, over)
    if before is None:
        yield PlanLine("*", path, f"{path} {_first_shifts(found, after)}")
        return
    if before.definition == after.definition:
        return
    differences = list(_different(shifts(before.definition, now, until, over), found))
    for start, end, was, becomes in differences[:LINES_PER_SCHEDULE]:
        when = span(start, end, after)
        yield PlanLine("*", path, f"{path} {when}: {_who(was)} -> {_who(becomes)}")
    more = len(differences) - LINES_PER_SCHEDULE
    if more > 0:
        yield PlanLine("*", path, f"{path} and {more} more changes until {_at(until, after)}")
    if not differences:
        yield PlanLine("*", path, f"{path} nobody's turn changes until {_at(until, after)}")
        return
    yield PlanLine("*", path, f"{path} in 28 days: {_in_all(differences)}")


def gone_lines(gone: Schedule, now: datetime, covers: Covers) -> Iterator[PlanLine]:
    """A schedule that is no longer there: who loses what, and the covers that go with it."""
    path, over = f"schedules.{gone.key}", covers.get(gone.key, ())
    found = shifts(gone.definition, now, now + LOOK_AHEAD, over)
    lost = [(s.start, s.end, s.user, None) for s in found if s.user]
    if lost:
        yield PlanLine("*", path, f"{path} is gone, in 28 days: {_in_all(lost)}")
    ahead = sum(1 for one in over if one.end > now)
    if ahead:
        verb = "goes" if ahead == 1 else "go"
        text = f"{path}: {_count(ahead, 'override')} made in Slack {verb} with it"
        yield PlanLine("!", path, text)


def gap_lines(
    before: Schedule | None, schedule: Schedule, now: datetime, covers: Covers
) -> Iterator[PlanLine]:
    """Hours that nobody covers in the next four weeks, and how many of them somebody covers today."""
    until, over = now + LOOK_AHEAD, covers.get(schedule.key, ())
    found = shifts(schedule.definition, now, until, over)
    gaps = [shift for shift in found if shift.user is None]
    if not gaps:
        return
    path = f"schedules.{schedule.key}"
    hours = _hours([gap.end - gap.start for gap in gaps])
    count = "a gap" if len(gaps) == 1 else f"{len(gaps)} gaps"
    first = span(gaps[0].start, gaps[0].end, schedule)
    text = f"{count} in the next 28 days, {hours:.4g} hours in all, first {first}"
    if before is not None:
        differences = _different(shifts(before.definition, now, until, over), found)
        bare = [end - start for start, end, _, becomes in differences if becomes is None]
        text += f"; somebody covers {_hours(bare):.4g} of these hours today" if bare else ""
    yield PlanLine("!", path, f"{path}: {text}")


def span(start: datetime, end: datetime, schedule: Schedule) -> str:
    """On the clock of the schedule."""
    return f"{_at(start, schedule)} to {_at(end, schedule)}"


def _first_shifts(found: Sequence[Shift], schedule: Schedule) -> str:
    first = f"on call now: {_who(found[0].user)}"
    if len(found) == 1:
        return f"{first}, for the next 28 days"
    return f"{first}; from {_at(found[1].start, schedule)}: {_who(found[1].user)}"


def _different(old: Sequence[Shift], new: Sequence[Shift]) -> Iterator[Stretch]:
    """The stretches with another person, neighbours with the same change made one."""
    edges = [*sorted({shift.start for shift in (*old, *new)}), new[-1].end]
    pending: Stretch | None = None
    o = n = 0
    for start, end in pairwise(edges):
        o += o + 1 < len(old) and old[o + 1].start <= start
        n += n + 1 < len(new) and new[n + 1].start <= start
        pair = (old[o].user, new[n].user)
        if pending and pending[1] == start and pending[2:] == pair:
            pending = (pending[0], end, *pair)
            continue
        if pending:
            yield pending
        pending = (start, end, *pair) if pair[0] != pair[1] else None
    if pending:
        yield pending


def _in_all(differences: Sequence[Stretch]) -> str:
    """`ana loses 2 stretches (331 h); cy gains 2 stretches (331 h)`, most moved first."""
    lost: dict[str, list[timedelta]] = {}
    gained: dict[str, list[timedelta]] = {}
    for start, end, was, becomes in differences:
        if was is not None:
            lost.setdefault(was, []).append(end - start)
        if becomes is not None:
            gained.setdefault(becomes, []).append(end - start)
    people = sorted(
        {*lost, *gained},
        key=lambda key: (-_hours([*lost.get(key, ()), *gained.get(key, ())]), key),
    )
    shown = [_moved(key, lost.get(key, ()), gained.get(key, ())) for key in people[:PEOPLE_MAX]]
    more = len(people) - PEOPLE_MAX
    return "; ".join([*shown, f"{more} more people"] if more > 0 else shown)


def _moved(key: str, lost: Sequence[timedelta], gained: Sequence[timedelta]) -> str:
    parts = [
        f"{verb} {_count(len(which), 'stretch', 'stretches')} ({_hours(which):.4g} h)"
        for verb, which in (("loses", lost), ("gains", gained))
        if which
    ]
    return f"{key} {' and '.join(parts)}"


def _hours(lengths: Sequence[timedelta]) -> float:
    return sum(lengths, timedelta(0)) / timedelta(hours=1)


def _count(n: int, word: str, words: str | None = None) -> str:
    return f"{n} {word if n == 1 else words or word + 's'}"


def _at(instant: datetime, schedule: Schedule) -> str:
    zone: ZoneInfo = schedule.definition.zone
    return f"{instant.astimezone(zone):%a %Y-%m-%d %H:%M %Z}"


def _who(user: str | None) -> str:
    return user or "nobody"
