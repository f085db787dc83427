"""Who is on call and who follows, what a hand-off tells, and how a person can be reached.

Knows how schedules, people and contacts become what is shown of them. Writes nothing and decides nothing:
core.rotations says who. Serves slack, web, cli and the engine's rendering.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from oncall_bot.core.config import Config, Person, Urgency
from oncall_bot.core.paging import Reach, is_loud
from oncall_bot.core.situation import HandOff, Noise, OnCallNow
from oncall_bot.store import noise, road_health, user_groups
from oncall_bot.store import people as contacts_store
from oncall_bot.store.statements import Row
from oncall_bot.store.transactions import Reader
from oncall_bot.store.views.incident import open_incidents

NOISIEST, SILENCES_SHOWN = 3, 5
LATE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class ContactShown:
    """One road of a person, and how it did last; `set_aside`: it is used only if nothing else can wake them."""

    kind: str
    address: str
    verified: bool
    from_file: bool
    loud: bool
    worked_at: datetime | None = None
    failed_at: datetime | None = None
    why: str | None = None
    set_aside: bool = False


def who(reader: Reader, at: datetime | None = None, schedule: str | None = None) -> list[OnCallNow]:
    """Who is on call, for one schedule, service or team, or for all."""
    keys = (
        list(reader.snapshot.config.schedules)
        if schedule is None
        else schedules_of(reader, schedule)
    )
    return [_on_call(reader, key, at or reader.now) for key in keys]


def schedules_of(reader: Reader, name: str) -> list[str]:
    """The schedules behind a schedule's, a service's or a team's key."""
    config = reader.snapshot.config
    if name in config.schedules:
        return [name]
    found = config.services.get(name)
    if found is None and name in config.teams:
        return [key for key, one in config.schedules.items() if one.team == name]
    policy = config.policies.get(found.policy or "") if found else None
    targets = [t for step in (policy.steps if policy else ()) for t in step.page]
    return list(dict.fromkeys(t.key for t in targets if t.kind == "schedule"))


def _on_call(reader: Reader, key: str, at: datetime) -> OnCallNow:
    snapshot = reader.snapshot
    config = snapshot.config
    person, rota = snapshot.on_call(key, at), snapshot.rota(key, at)
    following = snapshot.next_handoff(key, at)
    reach = snapshot.reach.get(person or "", Reach(None))
    team = config.teams.get(config.schedules[key].team or "")
    fallback = (team.fallback if team else ()) or config.defaults.fallback
    loud = [
        c.kind
        for c in reach.contacts
        if c.kind in config.channels and is_loud(config.channels[c.kind])
    ]
    return OnCallNow(
        schedule=key,
        person_key=person,
        name=snapshot.name(person) if person else None,
        slack_id=snapshot.slack_id(person) if person else None,
        until=following[0] if following else None,
        loud_roads=list(dict.fromkeys(loud)),
        then=_then(reader, key, at),
        covers_for=snapshot.name(rota) if person and rota and rota != person else None,
        fallback=[snapshot.name(t.key) for t in fallback if t.kind == "person"],
        away_until=snapshot.away_until(person, at) if person else None,
        group_problem=user_groups.problem_of(reader, team.key) if team and team.usergroup else None,
    )


def _then(reader: Reader, schedule: str, at: datetime) -> list[tuple[str, str]]:
    """Who follows when the person on call does not answer, by the first policy that begins with this schedule."""
    snapshot = reader.snapshot
    for policy in snapshot.config.policies.values():
        first = policy.steps[0].page if policy.steps else ()
        if not any(t.kind == "schedule" and t.key == schedule for t in first):
            continue
        found: list[tuple[str, str]] = []
        for step in policy.steps[1:]:
            minutes = int(step.after.total_seconds() // 60)
            for one in snapshot.whom(step.page, at, Urgency.HIGH).found:
                found += [(snapshot.name(p), f"after {minutes} min") for p in one.people]
        return found[:6]
    return []


def hand_off(reader: Reader, payload: Mapping[str, Any]) -> HandOff | None:
    """The notice of a hand-off as its reader sees it."""
    snapshot = reader.snapshot
    schedule, arriving = str(payload["schedule"]), payload.get("arriving")
    at = datetime.fromtimestamp(int(payload["at"]), tz=reader.now.tzinfo)
    following = snapshot.next_handoff(schedule, at)
    reach = snapshot.reach.get(arriving or "", Reach(None))
    late = reader.now - at
    week = _noise(reader, schedule)
    return HandOff(
        schedule=schedule,
        at=at,
        until=following[0] if following else None,
        leaving=snapshot.name(payload["leaving"]) if payload.get("leaving") else None,
        arriving_key=arriving,
        arriving=snapshot.name(arriving) if arriving else None,
        open_incidents=[(s.incident_id, s.title, s.state) for s in open_incidents(reader, 5)],
        roads=[*(["slack"] if reach.slack_id else []), *(c.kind for c in reach.contacts)],
        reader_key=payload.get("to"),
        pages_last_week=sum(one.pages for one in week),
        silences=_silences_ending(reader),
        noise=week[:NOISIEST],
        then=_behind(reader, schedule, at, arriving),
        late=late if late > LATE else None,
    )


def _behind(
    reader: Reader, schedule: str, at: datetime, arriving: str | None
) -> list[tuple[str, str]]:
    """Who else is asked when the arriving person does not answer, each once."""
    first: dict[str, str] = {}
    for name, after in _then(reader, schedule, at):
        first.setdefault(name, after)
    first.pop(reader.snapshot.name(arriving), None)
    return list(first.items())


def _noise(reader: Reader, schedule: str) -> list[Noise]:
    """What paged the schedule's team in the last seven days, the loudest alert first."""
    found = reader.snapshot.config.schedules.get(schedule)
    if found is None or found.team is None:
        return []
    rows = noise.by_alert(reader, found.team, reader.now - timedelta(days=7))
    return [
        Noise(row.alert or "by hand", int(row.alerts or 0), int(row.pages or 0)) for row in rows
    ]


def _silences_ending(reader: Reader) -> list[tuple[str, datetime, str]]:
    """Silences in force that end within a day: whoever is on call then is paged for what still fires."""
    ending = [
        (one.created_by, one.ends_at, one.comment)
        for one in reader.snapshot.silences
        if one.starts_at <= reader.now < one.ends_at <= reader.now + timedelta(hours=24)
    ]
    return sorted(ending, key=lambda one: one[1])[:SILENCES_SHOWN]


def people(reader: Reader) -> list[Person]:
    return list(reader.snapshot.config.people.values())


def contacts(reader: Reader, person_key: str) -> list[ContactShown]:
    """A person's roads, own ones and the file's first values, each with how it did last."""
    snapshot = reader.snapshot
    known = snapshot.people.get(person_key)
    health = road_health.of_person(reader, known.id) if known else {}
    own = contacts_store.contacts(reader, known.id) if known else ()
    roads = [(f"c{row.id}", row.kind, row.address, row.verified_at is not None) for row in own]
    reach = snapshot.reach.get(person_key, Reach(None))
    of_file = [one for one in reach.contacts if one.ref.startswith("file:")]
    roads += [(one.ref, one.kind, one.address, True) for one in of_file]
    return [_contact(snapshot.config, health, *road) for road in roads]


def _contact(
    config: Config, health: Mapping[str, Row], ref: str, kind: str, address: str, verified: bool
) -> ContactShown:
    row = health.get(ref)
    last = row if row is not None and row.address == address else None
    return ContactShown(
        kind,
        address,
        verified,
        from_file=ref.startswith("file:"),
        loud=kind in config.channels and is_loud(config.channels[kind]),
        worked_at=last.worked_at if last else None,
        failed_at=last.failed_at if last else None,
        why=last.why if last else None,
        set_aside=last is not None and last.disabled_at is not None,
    )
