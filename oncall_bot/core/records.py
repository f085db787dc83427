"""The incident record: what happened, as `incidents export` writes it (schema incident-record/1).

Knows its shape and bounds; a missing part is empty, a wrong one is named. Refuses to know what
the lines mean (evidence and facts do) and never reads `truth`, which belongs to a scorer.
Serves facts, drafts and the verifier.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from oncall_bot.core.errors import BadInput

SCHEMA = "incident-record/1"
MAX_EVENTS = 20_000
MAX_ALERTS = 5_000
MAX_PEOPLE = 500
MAX_TEXT = 4_000
MAX_NAME = 300
_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}")
_CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


@dataclass(frozen=True, slots=True)
class RecordPerson:
    """Somebody who took part, by handle (`@ana`) and name."""

    handle: str
    name: str


@dataclass(frozen=True, slots=True)
class RecordAlert:
    """An alert with its worst known value; `ends_at` is None while it fires."""

    id: str
    name: str
    severity: str
    starts_at: datetime
    ends_at: datetime | None
    value: float | None
    threshold: float | None
    unit: str


@dataclass(frozen=True, slots=True)
class RecordEvent:
    """One line of the timeline. `trust` and `standing` are set where the exporter knew them."""

    id: str
    at: datetime
    kind: str
    actor: str
    text: str
    data: Mapping[str, Any] = field(default_factory=dict)
    trust: str | None = None
    standing: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """An incident with its people, alerts and events; events are in order of time."""

    id: str
    title: str
    severity: str
    status: str
    services: tuple[str, ...]
    commander: str | None
    channel: str | None
    runbook: str | None
    people: tuple[RecordPerson, ...]
    alerts: tuple[RecordAlert, ...]
    events: tuple[RecordEvent, ...]

    def name_of(self, handle: str) -> str:
        """The person's name, or the handle where the record has none."""
        return next((p.name for p in self.people if p.handle == handle and p.name), handle)

    def by_id(self) -> dict[str, RecordEvent]:
        """The events by their id."""
        return {event.id: event for event in self.events}


def parse_record(data: object) -> Record:
    """The record in decoded JSON; BadInput names the first field that cannot be used."""
    top = _object(data, "the record")
    schema = top.get("schema", SCHEMA)
    if schema != SCHEMA:
        raise BadInput(f"schema: read {_shown(schema)}, this version reads {SCHEMA}")
    incident = _object(top.get("incident") or {}, "incident")
    events = _events(_list(top.get("events"), "events", MAX_EVENTS))
    return Record(
        id=_text(top.get("id"), "id", MAX_NAME) or "incident",
        title=_text(incident.get("title"), "incident.title", MAX_NAME) or "Untitled incident",
        severity=_text(incident.get("severity"), "incident.severity", 40),
        status=_text(incident.get("status"), "incident.status", 40),
        services=_names(incident.get("services"), "incident.services"),
        commander=_text(incident.get("commander"), "incident.commander", MAX_NAME) or None,
        channel=_text(incident.get("channel"), "incident.channel", MAX_NAME) or None,
        runbook=_text(incident.get("runbook"), "incident.runbook", MAX_NAME) or None,
        people=_people(_list(incident.get("people"), "incident.people", MAX_PEOPLE)),
        alerts=_alerts(_list(top.get("alerts"), "alerts", MAX_ALERTS)),
        events=events,
    )


def _events(rows: list[Any]) -> tuple[RecordEvent, ...]:
    seen: set[str] = set()
    events = []
    for n, row in enumerate(rows):
        event = _event(_object(row, f"events[{n}]"), f"events[{n}]", n)
        if event.id in seen:
            raise BadInput(f"events[{n}].id: {event.id} is there twice")
        seen.add(event.id)
        events.append(event)
    return tuple(sorted(events, key=lambda event: event.at))


def _event(row: Mapping[str, Any], where: str, n: int) -> RecordEvent:
    data = row.get("data")
    return RecordEvent(
        id=_id(row.get("id"), f"{where}.id", f"e{n + 1:03d}"),
        at=_instant(row.get("at"), f"{where}.at"),
        kind=_text(row.get("kind"), f"{where}.kind", 40) or "system",
        actor=_text(row.get("actor"), f"{where}.actor", MAX_NAME),
        text=_text(row.get("text"), f"{where}.text", MAX_TEXT),
        data={} if data is None else _object(data, f"{where}.data"),
        trust=_text(row.get("trust"), f"{where}.trust", 40) or None,
        standing=_text(row.get("standing"), f"{where}.standing", 40) or None,
    )


def _alerts(rows: list[Any]) -> tuple[RecordAlert, ...]:
    return tuple(
        _alert(_object(row, f"alerts[{n}]"), f"alerts[{n}]", n) for n, row in enumerate(rows)
    )


def _alert(row: Mapping[str, Any], where: str, n: int) -> RecordAlert:
    ends_at = row.get("ends_at")
    return RecordAlert(
        id=_id(row.get("id"), f"{where}.id", f"a{n + 1:02d}"),
        name=_text(row.get("name"), f"{where}.name", MAX_NAME) or "unnamed alert",
        severity=_text(row.get("severity"), f"{where}.severity", 40),
        starts_at=_instant(row.get("starts_at"), f"{where}.starts_at"),
        ends_at=None if ends_at in (None, "") else _instant(ends_at, f"{where}.ends_at"),
        value=_number(row.get("value"), f"{where}.value"),
        threshold=_number(row.get("threshold"), f"{where}.threshold"),
        unit=_text(row.get("unit"), f"{where}.unit", 40),
    )


def _people(rows: list[Any]) -> tuple[RecordPerson, ...]:
    people = []
    for n, row in enumerate(rows):
        where = f"incident.people[{n}]"
        person = {"handle": row} if isinstance(row, str) else _object(row, where)
        handle = _text(person.get("handle"), f"{where}.handle", MAX_NAME)
        if handle:
            people.append(
                RecordPerson(handle, _text(person.get("name"), f"{where}.name", MAX_NAME))
            )
    return tuple(people)


def _names(value: object, where: str) -> tuple[str, ...]:
    rows = _list(value, where, MAX_PEOPLE)
    return tuple(
        name for n, row in enumerate(rows) if (name := _text(row, f"{where}[{n}]", MAX_NAME))
    )


def _object(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise BadInput(f"{where}: expected an object, read {_shown(value)}")
    return value


def _list(value: object, where: str, most: int) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, (list, tuple)):
        raise BadInput(f"{where}: expected a list, read {_shown(value)}")
    if len(value) > most:
        raise BadInput(f"{where}: {len(value)} entries, at most {most} can be read")
    return list(value)


def _text(value: object, where: str, most: int) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise BadInput(f"{where}: expected text, read {_shown(value)}")
    text = _CONTROL.sub("\ufffd", str(value)).strip()
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _id(value: object, where: str, default: str) -> str:
    text = _text(value, where, MAX_NAME) or default
    if not _ID.fullmatch(text):
        raise BadInput(f"{where}: {_shown(text)} is no id; ids look like e012")
    return text


def _number(value: object, where: str) -> float | None:
    if value is None or value == "":
        return None
    try:
        number = float(value) if isinstance(value, (int, float, str)) else None
    except ValueError:
        number = None
    if number is None or isinstance(value, bool) or number != number or abs(number) > 1e18:
        raise BadInput(f"{where}: expected a number, read {_shown(value)}")
    return number


def _instant(value: object, where: str) -> datetime:
    at = instant(value)
    if at is None:
        raise BadInput(
            f"{where}: expected a UTC time like 2026-03-04T13:42:12Z, read {_shown(value)}"
        )
    return at


def instant(value: object) -> datetime | None:
    """The aware UTC instant in an ISO text, None for anything else; a text without zone is UTC."""
    if not isinstance(value, str) or not 10 <= len(value) <= 40:
        return None
    try:
        at = datetime.fromisoformat(value)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"
