"""How often an alert fired, how that ended, and what fires now.

Knows how occurrences become what is said of them. Writes nothing and decides nothing. Serves answers in Slack, the
assistant's tools and the commands behind them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from oncall_bot.core.routes import routed
from oncall_bot.core.talk.names import Known
from oncall_bot.store import firings, incidents
from oncall_bot.store.statements import Row
from oncall_bot.store.transactions import Reader

HISTORY_MAX, FIRING_MAX, LOOKED_THROUGH = 100, 50, 2000
NAMES_NEWEST, NAMES_MAX = 2000, 500
ENDINGS_MAX = 5
DID = ("action", "deploy", "pin")


@dataclass(frozen=True, slots=True)
class Firing:
    """One time an alert fires or fired."""

    name: str
    starts_at: datetime
    ended_at: datetime | None
    service: str | None
    incident_id: int | None
    labels: Mapping[str, str]
    fingerprint: str
    summary: str = ""
    held: bool = False


@dataclass(frozen=True, slots=True)
class Ending:
    """What the record says about the end of an incident: who ended it, and the last things done before."""

    incident_id: int
    title: str
    resolved_at: datetime | None
    resolved_by: str | None
    did: Sequence[tuple[str, str]] = ()  # (entry id, text), oldest first


@dataclass(frozen=True, slots=True)
class AlertHistory:
    """`times` newest first, at most HISTORY_MAX; `last` is the newest of all, even when it lies before `since`."""

    name: str
    since: datetime
    until: datetime
    times: Sequence[Firing]
    more: bool
    last: Firing | None
    endings: Sequence[Ending] = ()


def known(reader: Reader) -> Known:
    """What a question may name: the file's keys and the alerts of late."""
    snapshot = reader.snapshot
    config = snapshot.config
    return Known(
        services={key: one.label_values for key, one in config.services.items()},
        schedules=tuple(config.schedules),
        people={key: one.name for key, one in config.people.items()},
        teams=tuple(config.teams),
        alerts=firings.names(reader, newest=NAMES_NEWEST, limit=NAMES_MAX),
        runbooks={book.slug: book.title for book in snapshot.shelf.by_id.values()},
    )


def alert_history(reader: Reader, name: str, since: datetime, until: datetime) -> AlertHistory:
    """When alerts of this name began to fire in the span, and how their incidents ended."""
    rows = firings.history(reader, name, since, limit=HISTORY_MAX + 1)
    inside = [row for row in rows if row.starts_at < until]
    newest = firings.last(reader, name)
    times = _shown(reader, inside[:HISTORY_MAX])
    numbers = list(dict.fromkeys(one.incident_id for one in times if one.incident_id is not None))
    found = [ending(reader, number) for number in numbers[:ENDINGS_MAX]]
    return AlertHistory(
        name,
        since,
        until,
        times,
        more=len(rows) > HISTORY_MAX,
        last=_shown(reader, [newest])[0] if newest is not None else None,
        endings=[one for one in found if one is not None],
    )


def firing_now(
    reader: Reader, *, service: str | None = None, alert: str | None = None
) -> tuple[list[Firing], int]:
    """What fires now, newest first and at most FIRING_MAX, and how many there are among LOOKED_THROUGH."""
    rows = firings.firing(reader, limit=LOOKED_THROUGH)
    if alert is not None:
        rows = [row for row in rows if row.name.casefold() == alert.casefold()]
    if service is not None:
        rows = [row for row in rows if _service(reader, row.labels) == service]
    return _shown(reader, rows[:FIRING_MAX]), len(rows)


def ending(reader: Reader, incident_id: int) -> Ending | None:
    """How an incident ended, None while it is open or where there is none."""
    incident = incidents.get(reader, incident_id)
    if incident is None or incident.resolved_at is None:
        return None
    rows = [
        row
        for row in incidents.last_events(reader, incident_id, DID, limit=20)
        if row.at <= incident.resolved_at and row.trust != "external"
    ]
    return Ending(
        incident_id,
        incident.title,
        incident.resolved_at,
        incident.resolved_by_name,
        [(f"e{row.seq:03}", row.text) for row in reversed(rows[:3])],
    )


def _shown(reader: Reader, rows: Sequence[Row]) -> list[Firing]:
    numbers = firings.incidents_of(reader, [row.id for row in rows]) if rows else {}
    return [
        Firing(
            row.name,
            row.starts_at,
            row.ended_at,
            _service(reader, row.labels),
            numbers.get(row.id),
            row.labels,
            row.fingerprint,
            row.annotations.get("summary") or row.annotations.get("description") or "",
            row.muted_by is not None,
        )
        for row in rows
    ]


def _service(reader: Reader, labels: Mapping[str, str]) -> str | None:
    """The service of the first route that knows one."""
    return next((w.service for w in routed(reader.snapshot.config, labels) if w.service), None)
