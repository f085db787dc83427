"""What `apply` would change: the lines of the file, who is on call from now on, what to look at.

Knows differences, shifts and loud roads. Refuses to know where documents come from, who may apply
them, and what people own: covers made in Slack are not counted. Serves `apply --plan`, `apply` and
`doctor`. Both documents are checked ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from oncall_bot.core.changes import PlanLine, changes
from oncall_bot.core.config import Config, Policy, Role, Schedule, Urgency
from oncall_bot.core.documents import config_of
from oncall_bot.core.paging import is_loud
from oncall_bot.core.rotations import Shift, shifts

__all__ = ["LOOK_AHEAD", "PlanLine", "people_without_loud_road", "plan"]

LOOK_AHEAD = timedelta(days=28)
LINES_PER_SCHEDULE = 20

Verified = Mapping[str, set[str]]
"""Person's key -> the kinds of contact that person has and has verified."""


def plan(
    old_document: Mapping[str, Any] | None,
    new_document: Mapping[str, Any],
    now: datetime,
    verified: Verified | None = None,
) -> list[PlanLine]:
    """Every change from old to new, the change of who is on call for 28 days, then the warnings.

    With None for `old_document` everything is new; without `verified` only the contacts of the
    file are known, and the warning about loud roads says so.
    """
    new = config_of(new_document)
    old = config_of(old_document) if old_document is not None else None
    lines = list(changes(old_document or {}, new_document))
    for schedule in new.schedules.values():
        before = old.schedules.get(schedule.key) if old else None
        lines += _on_call_lines(before, schedule, now)
    return [*lines, *_warnings(new, now, verified)]


def people_without_loud_road(config: Config, verified: Verified) -> list[str]:
    """The people a page of high urgency could reach in Slack only, in the order of the file.

    Loud are push, voice, SMS and webhook; mail is not. A viewer is never paged and not counted.
    """
    loud = {key for key, channel in config.channels.items() if is_loud(channel)}
    return [
        person.key
        for person in config.people.values()
        if person.role is not Role.VIEWER
        and not loud & (set(person.contacts) | verified.get(person.key, set()))
    ]


# Who is on call.


def _on_call_lines(before: Schedule | None, after: Schedule, now: datetime) -> Iterator[PlanLine]:
    path, until = f"schedules.{after.key}", now + LOOK_AHEAD
    found = shifts(after.definition, now, until)
    if before is None:
        yield PlanLine("*", path, f"{path} {_first_shifts(found, after)}")
        return
    if before.definition == after.definition:
        return
    differences = list(_different(shifts(before.definition, now, until), found))
    for start, end, was, becomes in differences[:LINES_PER_SCHEDULE]:
        when = _span(start, end, after)
        yield PlanLine("*", path, f"{path} {when}: {_who(was)} -> {_who(becomes)}")
    more = len(differences) - LINES_PER_SCHEDULE
    if more > 0:
        yield PlanLine("*", path, f"{path} and {more} more changes until {_at(until, after)}")
    if not differences:
        yield PlanLine("*", path, f"{path} nobody's turn changes until {_at(until, after)}")


def _first_shifts(found: Sequence[Shift], schedule: Schedule) -> str:
    first = f"on call now: {_who(found[0].user)}"
    if len(found) == 1:
        return f"{first}, for the next 28 days"
    return f"{first}; from {_at(found[1].start, schedule)}: {_who(found[1].user)}"


def _different(
    old: Sequence[Shift], new: Sequence[Shift]
) -> Iterator[tuple[datetime, datetime, str | None, str | None]]:
    """The stretches with another person, neighbours with the same change made one."""
    edges = [*sorted({shift.start for shift in (*old, *new)}), new[-1].end]
    pending: tuple[datetime, datetime, str | None, str | None] | None = None
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


def _span(start: datetime, end: datetime, schedule: Schedule) -> str:
    return f"{_at(start, schedule)} to {_at(end, schedule)}"


def _at(instant: datetime, schedule: Schedule) -> str:
    zone: ZoneInfo = schedule.definition.zone
    return f"{instant.astimezone(zone):%a %Y-%m-%d %H:%M %Z}"


def _who(user: str | None) -> str:
    return user or "nobody"


# What to look at.


def _warnings(config: Config, now: datetime, verified: Verified | None) -> Iterator[PlanLine]:
    yield from _unfound_people(config)
    yield from _quiet_people(config, verified)
    for schedule in config.schedules.values():
        yield from _gaps(schedule, now)
    for policy in config.policies.values():
        yield from _quiet_policy(policy)
    yield from _unused_schedules(config)


def _unfound_people(config: Config) -> Iterator[PlanLine]:
    keys = [p.key for p in config.people.values() if not p.email and not p.slack]
    if keys:
        yield _warning("people", f"cannot be found in Slack without email or slack: {_list(keys)}")


def _quiet_people(config: Config, verified: Verified | None) -> Iterator[PlanLine]:
    if not any(is_loud(channel) for channel in config.channels.values()):
        text = "there is no loud road (push, voice, SMS, webhook); high urgency has Slack only"
        yield _warning("channels", text)
        return
    keys = people_without_loud_road(config, verified or {})
    if not keys:
        return
    unless = "" if verified is not None else ", unless they add one in Slack"
    text = f"no loud road (push, voice, SMS): high urgency reaches them in Slack only{unless}"
    yield _warning("people", f"{text}: {_list(keys)}")


def _gaps(schedule: Schedule, now: datetime) -> Iterator[PlanLine]:
    found = shifts(schedule.definition, now, now + LOOK_AHEAD)
    gaps = [shift for shift in found if shift.user is None]
    if not gaps:
        return
    path = f"schedules.{schedule.key}"
    hours = sum(((gap.end - gap.start) for gap in gaps), timedelta(0)) / timedelta(hours=1)
    count = "a gap" if len(gaps) == 1 else f"{len(gaps)} gaps"
    first = _span(gaps[0].start, gaps[0].end, schedule)
    yield _warning(path, f"{count} in the next 28 days, {hours:.4g} hours in all, first {first}")


def _quiet_policy(policy: Policy) -> Iterator[PlanLine]:
    path = f"policies.{policy.key}.steps"
    targets = [
        target
        for step in policy.steps
        if step.urgency in (None, Urgency.HIGH)
        for target in step.page
    ]
    if not targets:
        yield _warning(path, "no step applies to high urgency; it goes to the fallback at once")
    elif all(target.kind == "channel" for target in targets):
        yield _warning(path, "high urgency only posts in a channel; nobody is woken")


def _unused_schedules(config: Config) -> Iterator[PlanLine]:
    targets = [t for p in config.policies.values() for step in p.steps for t in step.page]
    targets += [*config.defaults.fallback, *(t for x in config.teams.values() for t in x.fallback)]
    named = {target.key for target in targets if target.kind == "schedule"}
    for key in config.schedules:
        if key not in named:
            yield _warning(f"schedules.{key}", "no policy pages this schedule")


def _warning(path: str, text: str) -> PlanLine:
    return PlanLine("!", path, f"{path}: {text}")


def _list(keys: Sequence[str], most: int = 12) -> str:
    more = f" and {len(keys) - most} more" if len(keys) > most else ""
    return ", ".join(keys[:most]) + more
