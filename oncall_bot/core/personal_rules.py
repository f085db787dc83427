"""How a person is reached for each urgency: their rules as typed, what is wrong with them, what a page would do now.

Knows the words and the bounds. Refuses to choose roads: `paging.roads` does, for pages and for every preview here, so
that what is shown is what happens. Serves the flows of personal rules, paging, explain and the surfaces.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from oncall_bot.core.config import Config, PersonalRule, Urgency
from oncall_bot.core.hours import Hours
from oncall_bot.core.paging import Reach, Road, has_loud_road, is_loud, roads, rules_of
from oncall_bot.core.quiet_hours import goes_at
from oncall_bot.core.rota_words import clock

AFTER_MAX = timedelta(minutes=60)
RULES_MAX = 20
FORM = "rules high slack 0m, push 0m, voice 1m"
_NAMES = {"slack": "Slack", "voice": "call", "sms": "SMS"}
_ADDRESSES = {"voice": "number", "sms": "number", "push": "topic"}
_AT_ONCE = frozenset({"", "at once", "now", "0"})
_DELAY = re.compile(r"^(?:after )?(?:([0-9]{1,3})m(?:in)?)?(?:([0-9]{1,4})s)?$")
_BARE = re.compile(r"^(?:after )?([0-9]{1,3})$")  # minutes


@dataclass(frozen=True, slots=True)
class Planned:
    """One message of a page: its road, when it goes, and whether quiet hours make it wait until then."""

    road: Road
    at: datetime
    waits: bool = False


def planned(
    config: Config, reach: Reach, quiet: Hours | None, urgency: Urgency, now: datetime
) -> tuple[Planned, ...]:
    """Every message that a page decided now makes, and when each goes out."""
    found = []
    for road in roads(config, reach, urgency):
        due_at = now + road.after
        at = goes_at(quiet, urgency, due_at)
        found.append(Planned(road, at, at != due_at))
    return tuple(found)


def by_roads(plan: Sequence[Planned], quiet: Hours | None, now: datetime) -> str:
    """`Slack and push at 0:00, call at 1:00`, minutes and seconds after the page; `no road` for nobody's."""
    grouped: dict[str, list[str]] = {}
    for one in plan:
        names = grouped.setdefault(_when(one, quiet, now), [])
        if (name := named(one.road.by)) not in names:
            names.append(name)
    return ", ".join(f"{_listed(names)} at {when}" for when, names in grouped.items()) or "no road"


def _when(one: Planned, quiet: Hours | None, now: datetime) -> str:
    if one.waits and quiet is not None:
        return f"{clock(one.at, ZoneInfo(quiet.zone))} ({quiet.zone}), when quiet hours end"
    seconds = int((one.at - now).total_seconds())
    return f"{seconds // 60}:{seconds % 60:02}"


def preview(who: str, plan: Sequence[Planned], quiet: Hours | None, now: datetime) -> str:
    """`If you were paged now: Slack and push at 0:00, call at 1:00.`"""
    if not plan:
        return f"If {who} were paged now: nothing would arrive."
    return f"If {who} were paged now: {by_roads(plan, quiet, now)}."


def named(road: str) -> str:
    """A road as a message by it is called: Slack, push, call, SMS, mail."""
    return _NAMES.get(road, road)


def notes(
    config: Config, reach: Reach, urgency: Urgency, unverified: Collection[str] = ()
) -> tuple[str, ...]:
    """What of the rules does not work and why, and what happens beyond them; a sentence each."""
    rules, found = rules_of(config, reach, urgency), roads(config, reach, urgency)
    used = {road.by for road in found}
    own = bool((reach.rules or {}).get(urgency))  # the file's may name channels that are not there
    asked = dict.fromkeys(r.by for r in rules if own or r.by in {"slack", *config.channels})
    said = [
        f"Not working: {named(by)}, {_why_not(config, reach, by, unverified)}."
        for by in asked
        if by not in used
    ]
    if urgency is not Urgency.HIGH:
        return tuple(said)
    if not has_loud_road(config, reach):
        return (*said, "No loud road is set up: Slack and mail wake nobody.")
    at_once = {rule.by for rule in rules if not rule.after}
    forced = [r.by for r in found if _rings(config, r) and not r.after and r.by not in at_once]
    said += [
        f"The {named(by)} goes at once whatever the rules say: high urgency takes one loud road at once."
        for by in forced
    ]
    return tuple(said)


def _rings(config: Config, road: Road) -> bool:
    return road.by in config.channels and is_loud(config.channels[road.by])


def _why_not(config: Config, reach: Reach, by: str, unverified: Collection[str]) -> str:
    if by == "slack":
        return "the account is not known; it is found by the e-mail of oncall.yaml"
    if by not in config.channels:
        return "oncall.yaml has no such channel"
    what = _ADDRESSES.get(by, "address")
    if by in unverified:
        return f"the {what} is not verified; enter its code with: contact verify CODE"
    if any(contact.kind == by for contact in reach.contacts):
        return f"the {what} does not work; change it with: contact add {by}"
    return f"there is no {what}; add one with: contact add {by}"


def read(text: str) -> tuple[PersonalRule, ...] | str:
    """`slack 0m, push, voice 1m`; else the sentence that says what would do."""
    found = []
    for part in " ".join(text.casefold().split()).split(","):
        by, _, delay = part.strip().partition(" ")
        after = _after(delay)
        if not by or after is None:
            return f"I can't read {part.strip()[:60]!r} as a road and its delay. Write: {FORM}"
        found.append(PersonalRule(after, by))
    return tuple(found)


def _after(text: str) -> timedelta | None:
    if text in _AT_ONCE:
        return timedelta(0)
    if bare := _BARE.match(text):
        return timedelta(minutes=int(bare[1]))
    found = _DELAY.match(text)
    if found is None or not any(found.groups()):
        return None
    return timedelta(minutes=int(found[1] or 0), seconds=int(found[2] or 0))


def typed(rules: Sequence[PersonalRule]) -> str:
    """The rules as they are typed: `slack 0m, push 0m, voice 1m`."""
    return ", ".join(f"{rule.by} {_minutes(rule.after)}" for rule in rules)


def _minutes(after: timedelta) -> str:
    minutes, seconds = divmod(int(after.total_seconds()), 60)
    return f"{minutes}m{seconds}s" if seconds else f"{minutes}m"


def fault(config: Config, rules: Sequence[PersonalRule]) -> str | None:
    """Why these rules cannot be taken, in a sentence; None when they can."""
    known = ["slack", *config.channels]
    unknown = next((rule.by for rule in rules if rule.by not in known), None)
    if not rules:
        return "Choose at least one road, so that a page reaches you."
    if unknown is not None:
        return f"There is no road {unknown[:40]!r}. Roads: {', '.join(known)}."
    if len(rules) > RULES_MAX:
        return f"That are {len(rules)} rules; {RULES_MAX} are the most."
    if any(rule.after > AFTER_MAX for rule in rules):
        return "A road comes 60 minutes after the page at the latest."
    if len({(rule.by, rule.after) for rule in rules}) < len(rules):
        return "A road stands there twice with the same delay."
    return None


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)
