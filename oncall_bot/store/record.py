"""The incident as a record (incident-record/1): what drafts are made from and `incidents export` prints.

Knows how rows become the record's words. Refuses to interpret them: core.facts does.
Serves drafting, views and the CLI.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from oncall_bot.core.errors import BadInput
from oncall_bot.core.records import RecordEvent
from oncall_bot.store import groups, incidents, runbooks
from oncall_bot.store.statements import Row
from oncall_bot.store.transactions import Reader

ALERTS_MAX = 200
PINS_MAX = 500


def record_of(reader: Reader, incident_id: int) -> dict[str, Any]:
    """The incident's record; raises BadInput when there is no such incident."""
    incident = incidents.get(reader, incident_id)
    if incident is None:
        raise BadInput(f"There is no incident {incident_id}.")
    rows = incidents.events(reader, incident_id)
    book = runbooks.of_incident(reader, incident_id)
    members = groups.all_members(reader, incident_id, limit=ALERTS_MAX)
    return {
        "schema": "incident-record/1",
        "id": f"INC-{incident_id}",
        "incident": {
            "title": incident.title,
            "severity": incident.severity,
            "status": incident.status,
            "services": [incident.service] if incident.service else [],
            "commander": _commander(incident),
            "channel": incident.channel,
            "runbook": book.slug if book else None,
            "people": _people(reader, rows),
            "timezone": "UTC",
        },
        "alerts": [_alert(n, row, incident.severity) for n, row in enumerate(members, start=1)],
        "events": [*_milestones(incident, members), *(_event(row) for row in rows)],
    }


def pin_lines(reader: Reader, incident_id: int) -> list[RecordEvent]:
    """The newest lines of the timeline on which people pinned something or took it back, in their order."""
    rows = incidents.last_events(reader, incident_id, ("pin",), limit=PINS_MAX)
    return [_pin_line(row) for row in reversed(rows)]


def _pin_line(row: Row) -> RecordEvent:
    told = _event(row)
    return RecordEvent(told["id"], row.at, row.kind, told["actor"], row.text, row.data)


def _commander(incident: Row) -> str | None:
    by = incident.commander or incident.acked_by
    return f"@{by.partition(':')[2]}" if by else None


def _milestones(incident: Row, members: Sequence[Row]) -> list[dict[str, Any]]:
    """When users began to feel it, as far as anything says: the first alert's start, or the declaration."""
    starts = min((row.starts_at for row in members), default=incident.opened_at)
    text = f"Impact start taken from the {'first alert' if members else 'declaration'}"
    return [
        {
            "id": "e000",
            "at": stamp(starts),
            "kind": "milestone",
            "actor": "oncall-bot",
            "text": text,
            "data": {"name": "impact_start", "at": stamp(starts), "assumed": True},
        }
    ]


def _event(row: Row) -> dict[str, Any]:
    kind, _, key = row.actor.partition(":")
    return {
        "id": f"e{row.seq:03d}",
        "at": stamp(row.at),
        "kind": row.kind,
        "actor": "oncall-bot" if kind == "system" else f"@{key}",
        "text": row.text,
        "data": row.data,
        "trust": row.trust,
        "standing": row.standing,
    }


def _alert(n: int, row: Row, severity: str) -> dict[str, Any]:
    return {
        "id": f"a{n:02d}",
        "name": row.name,
        "severity": row.labels.get("severity", severity),
        "starts_at": stamp(row.starts_at),
        "ends_at": stamp(row.ended_at) if row.ended_at else None,
        "value": None,
        "threshold": None,
        "unit": "",
        "labels": row.labels,
    }


def _people(reader: Reader, rows: Iterable[Row]) -> list[dict[str, str]]:
    known: dict[str, str] = {}
    for row in rows:
        kind, _, key = row.actor.partition(":")
        if kind in ("person", "slack"):
            known[f"@{key}"] = row.actor_name
        for key in row.data.get("to") or [] if isinstance(row.data.get("to"), list) else []:
            known.setdefault(f"@{key}", reader.snapshot.name(key))
    return [{"handle": handle, "name": name} for handle, name in sorted(known.items())]


def stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
