"""An incident as its readers see it now: the card's Situation, the work log, the record, where the card lies.

Knows how rows become the values of core.situation. Writes nothing and decides nothing. Serves slack, web, cli and the
engine's rendering. Every query is by an index and bounded.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from oncall_bot.core.drafts import summary_line
from oncall_bot.core.escalation import Status as RunStatus
from oncall_bot.core.incidents import OPEN, Status
from oncall_bot.core.matchers import format_matchers, parse_matchers
from oncall_bot.core.pins import PINNED_AS, Pin, PinKind, kind_of, pins_of
from oncall_bot.core.records import parse_record
from oncall_bot.core.situation import (
    AlertCount,
    Change,
    LogEntry,
    ShownSilence,
    Situation,
    State,
    WorkLog,
)
from oncall_bot.store import (
    alerts,
    drafts,
    groups,
    incidents,
    messages,
    silences,
    sources,
)
from oncall_bot.store import record as records
from oncall_bot.store.statements import Row
from oncall_bot.store.transactions import Reader
from oncall_bot.store.views import shelf, sight
from oncall_bot.store.views.paging import Paging

LOG_SHOWN = 15
ALERTS_SHOWN = 5
CHANGES_SHOWN = 6
LOG_KINDS = ("alert", "resolve", "page", "ack", "status", "action", "note", "pin", "system", "bot")


def situation(reader: Reader, incident_id: int) -> Situation | None:
    """The incident as a reader must see it now, or None when there is none."""
    incident = incidents.get(reader, incident_id)
    return None if incident is None else situation_of(reader, incident)


def spoken(reader: Reader, incident_id: int) -> Situation | None:
    """What a phone says of the incident: how bad, what, since when, what fires, which runbook.

    Who was paged, what comes next and what was done is left out: most of the work, and nothing of it is said there.
    """
    incident = incidents.get(reader, incident_id)
    return None if incident is None else _spoken(reader, incident)


def _spoken(reader: Reader, incident: Row) -> Situation:
    return Situation(
        incident_id=incident.id,
        title=incident.title,
        state=_state(reader, incident),
        severity=incident.severity,
        urgency=incident.urgency,
        origin=incident.origin,
        opened_at=incident.opened_at,
        updated_at=incident.updated_at,
        service=incident.service,
        team=incident.team,
        channel=incident.channel,
        acked_at=incident.acked_at,
        acked_by=incident.acked_by_name,
        acked_by_key=incident.acked_by.partition(":")[2] if incident.acked_by else None,
        mitigated_at=incident.mitigated_at,
        resolved_at=incident.resolved_at,
        resolved_by=incident.resolved_by_name,
        declared_by=incident.declared_by,
        firing=max(0, incident.firing + groups.uncounted(reader, incident.id) - incident.held),
        held_back=incident.held,
        alerts_ever=incident.alerts_ever,
        alerts=_alert_counts(reader, incident),
        first_alert=incident.first_alert,
        reopened=incident.reopened,
        runbook=shelf.attached(reader, incident.id),
        nobody=incident.nobody,
        merged_into=incident.merged_into_id,
    )


def situation_of(reader: Reader, incident: Row) -> Situation:
    """As `situation`, of a row in hand."""
    paging = Paging(reader, incident)
    beside, more = sight.beside(reader, incident)
    return replace(
        _spoken(reader, incident),
        held_why=_held_why(incident, paging),
        **_source(reader, incident),
        **shelf.beside(reader, incident),
        places=_places(reader, incident),
        changes=_changes(reader, incident),
        paged=paging.paged(),
        next=paging.next_step(),
        steps=paging.steps(),
        ack_until=paging.ack_until(),
        silence=silence_of(reader, incident),
        summary_line=_summary_line(reader, incident),
        picture=sight.picture(reader, incident.id),
        before=sight.before(reader, incident),
        beside=beside,
        beside_more=more,
    )


def _held_why(incident: Row, paging: Paging) -> str | None:
    """Why nobody is paged, when everything is held back and no silence of ours says so."""
    if incident.status != Status.OPEN or incident.silence_id is not None:
        return None
    return next((row.reason for row in paging.open if row.state == RunStatus.HELD), None)


def _source(reader: Reader, incident: Row) -> dict[str, Any]:
    """What is to be said of the incident's source: it does not answer, or has not repeated the alerts for long."""
    if incident.firing <= 0 or incident.status not in OPEN:
        return {}
    said: dict[str, Any] = {}
    silent = sources.silent_of(reader, incident.id)
    if silent is not None:
        said |= {
            "silent_source": f"{silent.key} ({silent.silent})",
            "silent_since": silent.silent_since,
        }
    if incident.not_heard_since is not None:
        heard_at = alerts.least_heard(reader, incident.id)
        if heard_at is not None and heard_at <= incident.not_heard_since:
            said["not_heard_since"] = heard_at
    return said


def _summary_line(reader: Reader, incident: Row) -> str | None:
    """What happened, in one computed line, once it is over."""
    if incident.status != Status.RESOLVED or incident.urgency == "none":
        return None
    return summary_line(parse_record(records.record_of(reader, incident.id)))


def _state(reader: Reader, incident: Row) -> State:
    if incident.silence_id is not None and incident.status == Status.OPEN:
        return State.SILENCED
    return {
        Status.OPEN: State.FIRING,
        Status.ACKED: State.ACKNOWLEDGED,
        Status.MITIGATED: State.MITIGATED,
        Status.RESOLVED: State.RESOLVED,
        Status.MERGED: State.MERGED,
    }[Status(incident.status)]


def _alert_counts(reader: Reader, incident: Row) -> list[AlertCount]:
    if incident.firing <= 0:
        return []
    names = groups.firing_names(reader, incident.id, limit=ALERTS_SHOWN)
    sample: dict[str, str] = {}
    where: dict[str, list[str]] = defaultdict(list)
    for row in groups.open_members(reader, incident.id, limit=50):
        text = row.annotations.get("summary") or row.annotations.get("description") or ""
        sample.setdefault(row.name, text)
        place = row.labels.get("instance") or row.labels.get("pod") or ""
        if place and place not in where[row.name] and len(where[row.name]) < 3:
            where[row.name].append(place)
    return [
        AlertCount(r.name, r.firing, sample.get(r.name, ""), where.get(r.name, ())) for r in names
    ]


def _places(reader: Reader, incident: Row) -> list[tuple[str, int]]:
    if incident.origin != "storm":
        return []
    counts: dict[str, int] = defaultdict(int)
    for row in groups.open_members(reader, incident.id, limit=2000):
        labels: Mapping[str, str] = row.labels
        place = next(
            (labels[n] for n in ("service", "app", "job", "instance") if labels.get(n)), ""
        )
        counts[place or "no service"] += 1
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _changes(reader: Reader, incident: Row) -> list[Change]:
    if incident.reopened < 2:
        return []
    rows = incidents.last_events(reader, incident.id, ("status", "resolve"), limit=CHANGES_SHOWN)
    return [Change(row.at, row.text) for row in reversed(rows)]


def silence_of(reader: Reader, incident: Row) -> ShownSilence | None:
    row = silences.get(reader, incident.silence_id) if incident.silence_id is not None else None
    if row is None:
        return None
    return ShownSilence(
        silence_id=row.id,
        by=row.created_by_name,
        until=row.ends_at,
        comment=row.comment,
        matchers=format_matchers(parse_matchers(row.matchers)),
    )


def open_incidents(reader: Reader, limit: int = 20) -> list[Situation]:
    """Open incidents, newest first; quiet ones (urgency none) are left out."""
    return [situation_of(reader, row) for row in incidents.open_ones(reader, limit=limit)]


def latest_incidents(reader: Reader, limit: int = 50) -> list[Situation]:
    return [situation_of(reader, row) for row in incidents.latest(reader, limit=limit)]


def last_resolved(reader: Reader) -> Situation | None:
    row = incidents.last_resolved(reader)
    return None if row is None else situation_of(reader, row)


def work_log(reader: Reader, incident_id: int) -> WorkLog:
    """The newest entries worth a line, oldest first."""
    rows = incidents.last_events(reader, incident_id, LOG_KINDS, limit=LOG_SHOWN + 200)
    shown = list(reversed(rows[:LOG_SHOWN]))
    return WorkLog(incident_id, [_entry(row) for row in shown], max(0, len(rows) - LOG_SHOWN))


def _entry(row: Row) -> LogEntry:
    speaker = None if row.actor.startswith("system:") else row.actor_name
    if row.kind != "pin" or row.data.get("withdraws"):
        return LogEntry(row.at, row.text, speaker)
    kind = kind_of(row.data)
    pinned_as = "" if kind is PinKind.KEEP else PINNED_AS[kind]
    return LogEntry(row.at, row.text, speaker, True, pinned_as)


def pins_on(reader: Reader, channel: str, ts: str) -> tuple[Pin, ...] | None:
    """The pins that stand on a message of an incident's thread; None when it is none, or was not heard."""
    found = incidents.by_ref(reader, f"slack:{channel}:{ts}")
    if found is None:
        return None
    standing = pins_of(records.pin_lines(reader, found.incident_id))
    return tuple(pin for pin in standing if pin.target == f"e{found.seq:03d}")


def incident_of_thread(reader: Reader, channel: str, ts: str) -> int | None:
    """The incident whose card is this message, if it is one."""
    about = messages.at(reader, channel, ts)
    return about.incident_id if about is not None and about.role == "root" else None


def thread_of(reader: Reader, incident_id: int) -> tuple[str, str] | None:
    """Channel id and ts of the incident's card, once it is posted."""
    root = messages.role_of(reader, incident_id, "root")
    if root is None or root.ts is None or root.channel_id is None:
        return None
    return root.channel_id, root.ts


def record(reader: Reader, incident_id: int) -> dict[str, Any]:
    """The incident as incident-record/1, with the texts that people accepted; raises BadInput when there is none."""
    told = records.record_of(reader, incident_id)
    accepted = {row.kind: row for row in drafts.accepted(reader, incident_id)}
    if accepted:
        told["documents"] = {kind: _document(row) for kind, row in accepted.items()}
    return told


def _document(row: Row) -> dict[str, Any]:
    return {
        "markdown": row.markdown,
        "state": row.state,
        "by": row.decided_by_name,
        "at": records.stamp(row.decided_at),
    }


def with_links(shown: Situation, chat_link: str | None, public_url: str | None = None) -> Situation:
    """The situation with the address of its card in chat, and of its web page where there is one."""
    return replace(shown, chat_link=chat_link, url=incident_address(public_url, shown.incident_id))


def incident_address(public_url: str | None, incident_id: int) -> str | None:
    """Where the incident's web page is, when the server has an address for people."""
    return f"{public_url.rstrip('/')}/incidents/{incident_id}" if public_url else None
