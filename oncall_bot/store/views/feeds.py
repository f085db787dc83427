"""Whose calendar a link opens, and the feed behind it: shifts as they were told, or are told now.

Writes nothing: what differs from what was told is counted by flows.publish_shifts. Serves calendars, cli and Slack.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from oncall_bot.core.feeds import (
    Feed,
    FeedShift,
    Told,
    brought_up_to_date,
    whole_shifts,
    window,
)
from oncall_bot.store import calendars, tokens
from oncall_bot.store.transactions import Reader

SCOPE = "calendar:"
KINDS = ("person", "schedule", "team")


@dataclass(frozen=True, slots=True)
class Link:
    """A calendar link that is valid: its hash, and what it is a calendar of."""

    sha256: str
    kind: str
    key: str
    used_lately: bool = False  # so that its use need not be written again


@dataclass(frozen=True, slots=True)
class OwnLink:
    """One of a person's links, as they may see it: never the token."""

    prefix: str
    kind: str
    key: str
    created_at: datetime


def calendar_link(reader: Reader, sha256: str) -> Link | None:
    """The link with this hash, unless it is revoked, or whose it is or what it shows left the file."""
    row = tokens.valid(reader, sha256)
    if row is None or not row.scope.startswith(SCOPE):
        return None
    kind, _, key = row.scope.removeprefix(SCOPE).partition(":")
    config = reader.snapshot.config
    if row.person not in config.people or not exists(reader, kind, key):
        return None
    lately = row.used_at is not None and reader.now - row.used_at < tokens.USE_WRITTEN_EVERY
    return Link(row.hash, kind, key, lately)


def calendar_links(reader: Reader, person: str) -> list[OwnLink]:
    """A person's valid links, the oldest first."""
    found = []
    for row in tokens.of_person(reader, person):
        kind, _, key = row.scope.removeprefix(SCOPE).partition(":")
        found.append(OwnLink(row.prefix, kind, key, row.created_at))
    return found


def exists(reader: Reader, kind: str, key: str) -> bool:
    """Whether the file in force has such a person, schedule or team."""
    config = reader.snapshot.config
    known = {"person": config.people, "schedule": config.schedules, "team": config.teams}
    return key in known.get(kind, ())


def schedules_of(reader: Reader, kind: str, key: str) -> list[str]:
    """The schedules whose shifts such a calendar can hold; a person may have some in each."""
    schedules = reader.snapshot.config.schedules
    if kind == "schedule":
        return [key] if key in schedules else []
    return [name for name, one in schedules.items() if kind == "person" or one.team == key]


def told(reader: Reader, schedule: str) -> tuple[list[Told], list[Told]]:
    """The schedule's shifts for calendars outside, and those that are not kept so yet."""
    snapshot = reader.snapshot
    start, end = window(reader.now)
    definition = snapshot.config.schedules[schedule].definition
    found = whole_shifts(definition, start, end, snapshot.overrides.get(schedule, ()))
    kept = [
        Told(row.starts_at, row.ends_at, row.person, row.sequence, row.modified_at)
        for row in calendars.published(reader, snapshot.schedule_ids[schedule], start)
    ]
    return brought_up_to_date(found, kept, reader.now)


@dataclass(frozen=True, slots=True)
class Untold:
    """What is told of some schedules for the first time, worked out by the rules of this number."""

    number: int
    by_schedule: Mapping[str, Sequence[Told]]


def feed(reader: Reader, kind: str, key: str) -> tuple[Feed, Untold]:
    """The calendar of a person, schedule or team, and what in it is told for the first time."""
    found: list[FeedShift] = []
    untold: dict[str, Sequence[Told]] = {}
    for schedule in schedules_of(reader, kind, key):
        shifts, changed = told(reader, schedule)
        if changed:
            untold[schedule] = changed
        found += [
            FeedShift(schedule, one, reader.snapshot.name(one.person))
            for one in shifts
            if kind != "person" or one.person == key
        ]
    return _feed(reader, kind, key, found), Untold(reader.snapshot.number, untold)


def _feed(reader: Reader, kind: str, key: str, found: Sequence[FeedShift]) -> Feed:
    name = reader.snapshot.name(key) if kind == "person" else key
    in_order = tuple(sorted(found, key=lambda one: (one.told.start, one.schedule)))
    about = {
        "person": f"When {name} is on call.",
        "schedule": f"Who is on call for {name}.",
        "team": f"Who is on call in the team {name}.",
    }
    return Feed(f"On call: {name}", about[kind], in_order, personal=kind == "person")
