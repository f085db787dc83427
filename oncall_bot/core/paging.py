"""From a target to people, and from a person to roads: whom a step wakes, by what, after how long, and why not.

Knows schedules, teams, personal rules, contacts and what counts as a loud road. Refuses to know providers and rows.
Serves `flows.page_on_call` and `explain`: both ask the same functions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from oncall_bot.core.config import Channel, Config, PersonalRule, Target, Urgency

QUIET_KINDS = frozenset({"mail", "email", "slack"})
MAIL_SCHEMES = ("mailto:", "mailtos:")


@dataclass(frozen=True, slots=True)
class Contact:
    """One verified way to a person outside Slack. `ref` names it in dedupe keys: `c12`, or `file:push`.

    `set_aside`: its provider said that the address will not work; it is used when nothing else is loud.
    """

    ref: str
    kind: str  # the channel's key
    address: str
    set_aside: bool = False


@dataclass(frozen=True, slots=True)
class Reach:
    """What is known of how to reach one person now."""

    slack_id: str | None
    contacts: tuple[Contact, ...] = ()
    rules: Mapping[Urgency, tuple[PersonalRule, ...]] | None = None  # own ones; None = the file's


@dataclass(frozen=True, slots=True)
class Found:
    """One target resolved: people to page, channels to post in, and a reason when it is nobody."""

    target: Target
    people: tuple[str, ...] = ()
    channel: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Road:
    """One message to one person: by Slack or by a contact, `after` the page was decided."""

    by: str  # "slack" or the channel's key
    after: timedelta
    position: int
    contact: Contact | None = None

    @property
    def ref(self) -> str:
        return self.contact.ref if self.contact else "slack"


def find(config: Config, target: Target, on_call: Callable[[str], str | None]) -> Found:
    """Who stands behind the target now. `on_call(schedule_key)` answers for the schedule, or None for a gap."""
    if target.kind == "person":
        if target.key in config.people:
            return Found(target, (target.key,), reason=f"{config.people[target.key].name} is named")
        return Found(target, reason=f"no person {target.key} in the file")
    if target.kind == "schedule":
        person = on_call(target.key)
        if person is None:
            return Found(target, reason=f"nobody is on call for {target.key}")
        if person not in config.people:
            return Found(target, reason=f"{person}, on call for {target.key}, is not in the file")
        return Found(
            target, (person,), reason=f"{config.people[person].name} is on call for {target.key}"
        )
    if target.kind == "team":
        team = config.teams.get(target.key)
        members = tuple(m for m in team.members if m in config.people) if team else ()
        return Found(
            target,
            members,
            reason=f"all of team {target.key}" if members else f"team {target.key} is empty",
        )
    return Found(target, channel=target.key, reason=f"the channel {target.key}")


def is_loud(channel: Channel) -> bool:
    """A road that can wake: push, voice, SMS, webhook. Mail and Slack never count."""
    if channel.key.casefold() in QUIET_KINDS:
        return False
    return not (channel.url or "").casefold().startswith(MAIL_SCHEMES)


def rules_of(config: Config, reach: Reach, urgency: Urgency) -> tuple[PersonalRule, ...]:
    """The person's own rules for that urgency, else the file's."""
    own = (reach.rules or {}).get(urgency, ())
    return own or config.personal_rules.get(urgency, ())


def roads(config: Config, reach: Reach, urgency: Urgency) -> tuple[Road, ...]:
    """Every message this page makes: the person's rules, and for high urgency one loud road at once in any case.

    A rule whose road the person lacks, or that was set aside, is left out. Slack is always asked when an id is known.
    """
    rules = rules_of(config, reach, urgency)
    by_kind: dict[str, list[Contact]] = {}
    for contact in reach.contacts:
        if not contact.set_aside:
            by_kind.setdefault(contact.kind, []).append(contact)
    found: list[Road] = []
    for position, rule in enumerate(rules):
        if rule.by == "slack":
            if reach.slack_id:
                found.append(Road("slack", rule.after, position))
            continue
        found += [Road(rule.by, rule.after, position, c) for c in by_kind.get(rule.by, ())]
    if urgency is Urgency.HIGH:
        found = _loud_at_once(config, reach, found)
    if reach.slack_id and not any(road.by == "slack" for road in found):
        found.append(Road("slack", timedelta(0), len(rules)))
    return tuple(sorted(found, key=lambda road: (road.after, road.position)))


def _loud_at_once(config: Config, reach: Reach, found: Sequence[Road]) -> list[Road]:
    def loud(kind: str) -> bool:
        return kind in config.channels and is_loud(config.channels[kind])

    if any(loud(road.by) and not road.after for road in found):
        return list(found)
    first = next((road for road in sorted(found, key=lambda r: r.after) if loud(road.by)), None)
    any_loud = sorted((c for c in reach.contacts if loud(c.kind)), key=lambda c: c.set_aside)
    contact = first.contact if first else next(iter(any_loud), None)
    if contact is None:
        return list(found)
    others = [road for road in found if road is not first]
    return [*others, Road(contact.kind, timedelta(0), first.position if first else 99, contact)]


def has_loud_road(config: Config, reach: Reach) -> bool:
    """Whether something outside Slack can wake the person, as far as its providers have said nothing else."""
    return any(
        contact.kind in config.channels
        and is_loud(config.channels[contact.kind])
        and not contact.set_aside
        for contact in reach.contacts
    )
