"""What `apply` would change: the lines of the file, who is on call from now on, what to look at.

Knows differences and loud roads; what becomes of shifts, `shift_changes` says. Refuses to know where
documents come from and who may apply them. Serves `apply --plan`, `apply` and `doctor`. Both documents
are checked ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from oncall_bot.core.changes import PlanLine, changes
from oncall_bot.core.config import Config, Policy, Role, Urgency
from oncall_bot.core.documents import config_of
from oncall_bot.core.paging import is_loud
from oncall_bot.core.shift_changes import (
    LOOK_AHEAD,
    Covers,
    gap_lines,
    gone_lines,
    on_call_lines,
)

__all__ = ["LOOK_AHEAD", "PlanLine", "people_without_loud_road", "plan"]

Verified = Mapping[str, set[str]]
"""Person's key -> the kinds of contact that person has and has verified."""


def plan(
    old_document: Mapping[str, Any] | None,
    new_document: Mapping[str, Any],
    now: datetime,
    verified: Verified | None = None,
    covers: Covers | None = None,
) -> list[PlanLine]:
    """Every change from old to new, the change of who is on call for 28 days, then the warnings.

    `covers` are the overrides people made; they are painted over both, as they stay in force. With None for
    `old_document` everything is new; without `verified` only the contacts of the file are known, and the warning about
    loud roads says so.
    """
    new = config_of(new_document)
    old = config_of(old_document) if old_document is not None else None
    painted = covers or {}
    lines = list(changes(old_document or {}, new_document))
    for schedule in new.schedules.values():
        before = old.schedules.get(schedule.key) if old else None
        lines += on_call_lines(before, schedule, now, painted)
    for schedule in old.schedules.values() if old else ():
        if schedule.key not in new.schedules:
            lines += gone_lines(schedule, now, painted)
    return [*lines, *_warnings(old, new, now, verified, painted)]


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


# What to look at.


def _warnings(
    old: Config | None,
    config: Config,
    now: datetime,
    verified: Verified | None,
    covers: Covers,
) -> Iterator[PlanLine]:
    yield from _unfound_people(config)
    yield from _quiet_people(config, verified)
    for schedule in config.schedules.values():
        before = old.schedules.get(schedule.key) if old else None
        yield from gap_lines(before, schedule, now, covers)
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
