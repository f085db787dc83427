"""A checked document as a Config: every default filled in, every value parsed.

Knows which field of the document becomes which field of core.config. Trusts the document: whoever
calls has asked `faults_of` first, or took it from config_revision. Serves the snapshot and explain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, time, timedelta
from typing import Any

from oncall_bot.core.config import (
    DEFAULT_PERSONAL_RULES,
    DEFAULT_SEVERITIES,
    RETENTION,
    Calendar,
    Canary,
    Channel,
    Config,
    Defaults,
    Fairness,
    Heartbeat,
    Llm,
    Maintenance,
    Person,
    PersonalRule,
    Policy,
    Price,
    Role,
    Route,
    Runbooks,
    Schedule,
    Service,
    Severity,
    Source,
    Step,
    Target,
    Team,
    Urgency,
)
from oncall_bot.core.documents.format import FOREVER
from oncall_bot.core.documents.values import cap_of, duration_of, target_of, time_of
from oncall_bot.core.hours import EVERY_DAY, Hours
from oncall_bot.core.matchers import parse_matchers
from oncall_bot.core.rotations import parse_definition

Entry = Mapping[str, Any]


def config_of(document: Entry) -> Config:
    """The Config a checked document means; an unchecked one raises ValueError or KeyError."""
    severities = document.get("severities")
    calendars = document.get("calendars") or {}
    return Config(
        defaults=_defaults(document.get("defaults", {})),
        people=_each(document, "people", _person),
        personal_rules=_personal_rules(document.get("personal_rules", {})),
        channels=_each(document, "channels", _channel),
        teams=_each(document, "teams", _team),
        services=_each(document, "services", _service),
        schedules={
            key: Schedule(key, entry.get("team"), parse_definition(definition_of(document, key)))
            for key, entry in document.get("schedules", {}).items()
        },
        policies={
            key: _policy(key, entry, zone_of(document))
            for key, entry in document.get("policies", {}).items()
        },
        severities=DEFAULT_SEVERITIES if severities is None else _severities(severities),
        default_severity=(severities or {}).get("default", "critical").casefold(),
        routes=tuple(_route(entry) for entry in document["routes"]),
        maintenance=tuple(
            _maintenance(entry, zone_of(document)) for entry in document.get("maintenance", ())
        ),
        sources=_each(document, "sources", _source),
        runbooks=Runbooks(**document.get("runbooks", {})),
        retention={**RETENTION, **_retention(document.get("retention", {}))},
        llm=_llm(document.get("llm", {})),
        canary=_canary(document["canary"], zone_of(document)) if "canary" in document else None,
        calendars={
            key: Calendar(key=key, **{"zone": zone_of(document), **entry})
            for key, entry in calendars.items()
            if key != "hosts"
        },
        calendar_hosts=tuple(calendars.get("hosts", ())),
        default_role=Role(document.get("rights", {}).get("default", Config().default_role)),
    )


def definition_of(document: Entry, schedule: str) -> dict[str, Any]:
    """The schedule's definition in the schedules format: its zone filled in, without the team."""
    entry: Entry = document["schedules"][schedule]
    definition = {"zone": zone_of(document), **entry}
    definition.pop("team", None)
    return definition


def zone_of(document: Entry) -> str:
    """The zone of whatever names none."""
    zone: str = (document.get("defaults") or {}).get("zone") or Defaults().zone
    return zone


def _each(document: Entry, section: str, read: Any) -> dict[str, Any]:
    return {key: read(key, entry) for key, entry in document.get(section, {}).items()}


def _defaults(entry: Entry) -> Defaults:
    return Defaults(
        zone=entry.get("zone", Defaults().zone),
        channel=entry.get("channel"),
        fallback=_targets(entry.get("fallback", ())),
        last_resort=tuple(entry.get("last_resort", ())),
    )


def _person(key: str, entry: Entry) -> Person:
    return Person(
        key=key,
        name=entry.get("name", key),
        email=entry.get("email"),
        zone=entry.get("zone"),
        slack=entry.get("slack"),
        role=Role(entry["role"]) if "role" in entry else None,
        contacts=dict(entry.get("contacts", {})),
    )


def _personal_rules(entry: Entry) -> dict[Urgency, tuple[PersonalRule, ...]]:
    given = {
        Urgency(urgency): tuple(PersonalRule(_duration(r["after"]), r["by"]) for r in rules)
        for urgency, rules in entry.items()
    }
    return {**DEFAULT_PERSONAL_RULES, **given}


def _channel(key: str, entry: Entry) -> Channel:
    per_person = entry.get("per_person")
    return Channel(
        key=key,
        url=entry.get("url"),
        url_file=entry.get("url_file"),
        url_env=entry.get("url_env"),
        per_person=cap_of(per_person) if per_person else None,
    )


def _team(key: str, entry: Entry) -> Team:
    return Team(
        key=key,
        members=tuple(entry.get("members", ())),
        managers=tuple(entry.get("managers", ())),
        channel=entry.get("channel"),
        usergroup=entry.get("usergroup"),
        fallback=_targets(entry.get("fallback", ())),
        fairness=Fairness(**entry.get("fairness", {})),
        roles={Role(role): tuple(groups) for role, groups in entry.get("roles", {}).items()},
    )


def _service(key: str, entry: Entry) -> Service:
    return Service(
        key=key,
        team=entry["team"],
        policy=entry.get("policy"),
        label_values=tuple(entry.get("label_values", ())),
        tier=entry.get("tier"),
    )


def _policy(key: str, entry: Entry, default_zone: str) -> Policy:
    repeat = entry.get("repeat", {})
    unset = Policy(key, ())
    return Policy(
        key=key,
        steps=tuple(_step(step, default_zone) for step in entry["steps"]),
        times=repeat.get("times", unset.times),
        every=_duration(repeat["every"]) if "every" in repeat else unset.every,
        ack_timeout=_duration(entry["ack_timeout"]) if "ack_timeout" in entry else None,
    )


def _step(entry: Entry, default_zone: str) -> Step:
    when = entry.get("when") or {}
    return Step(
        after=_duration(entry["after"]),
        page=_targets(entry["page"]),
        urgency=Urgency(when["urgency"]) if "urgency" in when else None,
        hours=_hours(when, default_zone) if when.keys() & {"days", "from"} else None,
    )


def _hours(when: Entry, default_zone: str) -> Hours:
    return Hours(
        zone=when.get("zone", default_zone),
        days=tuple(when.get("days", EVERY_DAY)),
        start=_time(when.get("from", "00:00")),
        end=_time(when.get("to", "24:00")),
    )


def _severities(entry: Entry) -> dict[str, Severity]:
    return {
        label.casefold(): Severity(
            label=label.casefold(),
            incident=meaning["incident"],
            urgency=Urgency(meaning["urgency"]),
            postmortem=meaning.get("postmortem", "on_request"),
        )
        for label, meaning in entry.items()
        if label != "default"
    }


def _route(entry: Entry) -> Route:
    unset = Route(entry["name"])
    heartbeat = entry.get("heartbeat")
    return Route(
        key=entry["name"],
        match=parse_matchers(entry.get("match", ())),
        group_by=tuple(entry.get("group_by", unset.group_by)),
        policy=entry.get("policy"),
        service_from=tuple(entry.get("service_from", unset.service_from)),
        wait=_duration(entry["wait"]) if "wait" in entry else unset.wait,
        reopen_within=(
            _duration(entry["reopen_within"]) if "reopen_within" in entry else unset.reopen_within
        ),
        continues=entry.get("continue", False),
        heartbeat=_heartbeat(heartbeat) if heartbeat else None,
    )


def _heartbeat(entry: Entry) -> Heartbeat:
    return Heartbeat(
        every=_duration(entry["every"]),
        grace=_duration(entry.get("grace", "0s")),
        policy=entry.get("policy"),
    )


def _maintenance(entry: Entry, default_zone: str) -> Maintenance:
    return Maintenance(
        key=entry["name"],
        match=parse_matchers(entry["match"]),
        zone=entry.get("zone", default_zone),
        days=tuple(entry.get("days", EVERY_DAY)),
        start=_time(entry["from"]),
        end=_time(entry["to"]),
        until=date.fromisoformat(entry["until"]) if "until" in entry else None,
    )


def _source(key: str, entry: Entry) -> Source:
    unset = Source(key)
    return Source(
        key=key,
        kind=entry.get("kind", unset.kind),
        token_sha256=entry.get("token_sha256"),
        token_file=entry.get("token_file"),
        prometheus=entry.get("prometheus"),
        alertmanager=tuple(entry.get("alertmanager", ())),
        repeat_interval=(
            _duration(entry["repeat_interval"])
            if "repeat_interval" in entry
            else unset.repeat_interval
        ),
        receivers=tuple(entry.get("receivers", ())),
    )


def _llm(entry: Entry) -> Llm:
    return Llm(
        sends=tuple(entry["sends"]) if "sends" in entry else None,
        never_labels=tuple(entry.get("never_labels", ())),
        daily_cap=entry.get("daily_cap"),
        prices={
            model: Price(price["input"], price["output"])
            for model, price in entry.get("prices", {}).items()
        },
        tokens_per_draft=entry.get("tokens_per_draft"),
        tokens_per_incident=entry.get("tokens_per_incident"),
    )


def _canary(entry: Entry, default_zone: str) -> Canary:
    unset = Canary(entry["person"], _time(entry["at"]), entry.get("zone", default_zone))
    return replace(unset, within=_duration(entry["within"])) if "within" in entry else unset


def _retention(entry: Entry) -> dict[str, timedelta | None]:
    return {kind: None if kept == FOREVER else _duration(kept) for kind, kept in entry.items()}


def _targets(texts: Sequence[str]) -> tuple[Target, ...]:
    found = [target_of(text) for text in texts]
    return tuple(target for target in found if target is not None)


def _duration(text: str) -> timedelta:
    found = duration_of(text)
    if found is None:
        raise ValueError(f"{text!r} is not a duration; this document was not checked")
    return found


def _time(text: str) -> time:
    found = time_of(text)
    if found is None:
        raise ValueError(f"{text!r} is not a time of day; this document was not checked")
    return found
