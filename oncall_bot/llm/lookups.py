"""The assistant's read tools: each finds one thing in the views, bounded, with ids and times.

Knows what each result holds. Refuses to word answers. Serves `tools`; what the file keeps from models is not in them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from oncall_bot.core.drafts.status_update import status_update
from oncall_bot.core.evidence import Standing, weigh
from oncall_bot.core.facts import facts_of
from oncall_bot.core.records import parse_record
from oncall_bot.core.search.words import words
from oncall_bot.core.situation import Situation, State
from oncall_bot.core.talk.moments import Unclear, When
from oncall_bot.core.talk.when import find
from oncall_bot.core.talk.words import words_of
from oncall_bot.llm.desk import Args, BadCallError, Desk
from oncall_bot.ports import Gauge
from oncall_bot.store import views
from oncall_bot.store.views import Firing

Result = Mapping[str, Any]
TIMELINE_MAX, LIST_MAX, ALERTS_MAX, TIMES_MAX = 80, 20, 50, 20
SERIES_SHOWN = 5
NOISE_LEFT = frozenset({"system", "bot"})


# --- people -------------------------------------------------------------------------------------------------------


def who_is_on_call(desk: Desk, args: Args) -> Result:
    rota = args.text("rotation") or args.text("service") or args.text("rota")
    at = moment(desk, args.text("at"))
    name = known_rota(desk, rota) if rota else None
    shifts = desk.store.look(views.who, at=at, schedule=name)
    return {
        "as_of": desk.at(desk.now),
        "at": desk.at(at or desk.now),
        "count": len(shifts),
        "on_call": [
            {
                "rotation": one.schedule,
                "person": desk.person(one.person_key) or "nobody",
                "until": desk.at(one.until),
                "covers_for": one.covers_for,
                "then": [f"{who}, {after}" for who, after in one.then[:4]],
            }
            for one in shifts[:LIST_MAX]
        ],
        "overrides_ahead": _handoffs(desk, name, at or desk.now),
    }


def _handoffs(desk: Desk, rota: str | None, at: datetime) -> list[str]:
    """Who takes over within a day."""
    found = desk.store.look(views.on_call_between, rota, at, at + timedelta(days=1))
    return [
        f"{one.schedule}: {desk.person(one.person_key) or 'nobody'}"
        f" from {desk.at(one.starts_at)} to {desk.at(one.ends_at)}"
        for one in found
        if one.starts_at > at
    ][:8]


def my_shifts(desk: Desk, args: Args) -> Result:
    key = args.text("person").lstrip("@") or desk.turn.actor.key
    if key not in desk.store.snapshot.config.people:
        raise BadCallError(f"Nobody of oncall.yaml is called {key}.")
    days = args.number("days", 30, 1, 60)
    found = desk.store.look(views.shifts_of, key, desk.now, desk.now + timedelta(days=days))
    return {
        "as_of": desk.at(desk.now),
        "person": desk.person(key),
        "span": f"{days} days",
        "count": len(found),
        "shifts": [
            {"rotation": one.schedule, "from": desk.at(one.starts_at), "to": desk.at(one.ends_at)}
            for one in found[:LIST_MAX]
        ],
    }


def known_rota(desk: Desk, name: str) -> str:
    """The schedule, service or team that is meant; BadCallError names what there is."""
    config = desk.store.snapshot.config
    low = name.casefold().lstrip("#@")
    known = [*config.schedules, *config.services, *config.teams]
    if low in known:
        return low
    for key, service in config.services.items():
        if low in {label.casefold() for label in service.label_values}:
            return key
    near = [key for key in known if key.startswith(low) or low in key.split("-")]
    if len(near) == 1:
        return near[0]
    raise BadCallError(
        f"There is no schedule, service or team {name[:60]}. There are: {', '.join(known[:40])}."
    )


def moment(desk: Desk, said: str) -> datetime | None:
    """An instant in the asker's words or as ISO; BadCallError where it could be two."""
    if not said:
        return None
    try:
        plain = datetime.fromisoformat(said)
    except ValueError:
        plain = None
    if plain is not None and plain.tzinfo is not None:
        return plain
    found, _ = find([word.text for word in words_of(said, frozenset())], desk.now, desk.zone)
    if isinstance(found, When):
        return found.start
    if isinstance(found, Unclear):
        raise BadCallError(f"{found.why} Ask the person which one is meant.")
    raise BadCallError(
        f"I can't read {said[:60]} as a time. Write it as 2026-11-26T20:00:00+00:00."
    )


# --- incidents ----------------------------------------------------------------------------------------------------


def list_incidents(desk: Desk, args: Args) -> Result:
    status, severity, service = (
        args.text("status") or "open",
        args.text("severity").upper(),
        args.text("service"),
    )
    limit = args.number("limit", 10, 1, LIST_MAX)
    if status in {"open", "active", "investigating"}:
        found = desk.store.look(views.open_incidents)
    else:
        found = desk.store.look(views.latest_incidents, 50)
        found = [s for s in found if status == "all" or s.state is State.RESOLVED]
    if severity:
        found = [s for s in found if s.severity == severity]
    if service:
        found = [s for s in found if s.service == known_rota(desk, service)]
    return {
        "as_of": desk.at(desk.now),
        "count": len(found),
        "incidents": [brief(desk, s) for s in found[:limit]],
    }


def find_incident(desk: Desk, args: Args) -> Result:
    wanted = {stem for stem, _ in words(args.needed("query"))}
    limit = args.number("limit", 5, 1, 5)
    scored = []
    for s in desk.store.look(views.latest_incidents, 50):
        said = f"{s.title} {s.service or ''} {s.first_alert or ''} {' '.join(a.name for a in s.alerts)}"
        held = len(wanted & {stem for stem, _ in words(said)})
        if held:
            scored.append((held, s.incident_id, s))
    best = [s for _, _, s in sorted(scored, key=lambda one: (-one[0], -one[1]))[:limit]]
    return {
        "as_of": desk.at(desk.now),
        "count": len(best),
        "incidents": [brief(desk, s) for s in best],
    }


def brief(desk: Desk, s: Situation) -> dict[str, Any]:
    """One incident in a list; of one the file keeps back only that it is there."""
    withheld = desk.may_see(s.incident_id)
    base = {"id": f"INC-{s.incident_id}", "status": str(s.state), "severity": s.severity}
    if withheld is not None:
        return base | {"withheld": withheld}
    return base | {
        "title": desk.text(s.title, 120),
        "service": s.service,
        "opened_at": desk.at(s.opened_at),
        "resolved_at": desk.at(s.resolved_at),
        "has_it": _owner(desk, s),
        "alerts": [a.name for a in s.alerts[:5]],
    }


def _owner(desk: Desk, s: Situation) -> str:
    if s.acked_by:
        desk.grounds.learn_owner(s.acked_by)
    return s.acked_by or "nobody"


def seen(desk: Desk, args: Args) -> Situation:
    """The incident of the arguments, if there is one and the model may be told of it."""
    number = args.incident()
    found = desk.store.look(views.situation, number)
    if found is None:
        raise BadCallError(f"There is no incident {number}.")
    withheld = desk.may_see(number)
    if withheld is not None:
        raise BadCallError(f"INC-{number} is kept from the model: {withheld}.")
    return found


def draft_update(desk: Desk, args: Args) -> Result:
    """Words of a status update, written by code from the record; nothing is posted."""
    s = seen(desk, args)
    audience = args.text("audience") or "internal"
    text = status_update(parse_record(desk.store.look(views.record, s.incident_id)), audience)
    return {
        "incident": s.incident_id,
        "audience": audience,
        "text": desk.text(text, 1500),
        "posted": False,
    }


def incident_facts(desk: Desk, args: Args) -> Result:
    s = seen(desk, args)
    record = parse_record(desk.store.look(views.record, s.incident_id))
    evidence, facts = weigh(record), facts_of(record)
    pinned = [event for event in record.events if evidence.standing[event.id] is Standing.CAUSE]
    for event in pinned:
        desk.grounds.learn_cause(event.text)
    spans = {
        "time_to_detect": facts.time_to_detect,
        "time_to_acknowledge": facts.time_to_ack,
        "impact_lasted": facts.time_to_mitigate,
        "time_to_resolve": facts.time_to_resolve,
    }
    return brief(desk, s) | {
        "as_of": desk.at(desk.now),
        "resolved_by": s.resolved_by,
        "firing_now": s.firing,
        "paged": [
            f"{p.name}, step {p.step}, {'answered' if p.answered_at else 'not answered'}"
            for p in s.paged
        ],
        "next": f"{', '.join(s.next.names)} at {desk.at(s.next.at)}" if s.next else None,
        "milestones": {name: desk.at(one.at) for name, one in facts.moments().items()},
        "durations": {
            k: f"{int(v.total_seconds() // 60)} min" for k, v in spans.items() if v is not None
        },
        "cause_pinned_by_a_person": [
            {"entry": event.id, "text": desk.text(event.text)} for event in pinned
        ]
        or "none: nobody has named a cause",
        "runbook": s.runbook.slug if s.runbook else None,
    }


def incident_timeline(desk: Desk, args: Args) -> Result:
    s = seen(desk, args)
    limit = args.number("limit", 60, 1, TIMELINE_MAX)
    record = parse_record(desk.store.look(views.record, s.incident_id))
    evidence = weigh(record)
    for event in record.events:
        if evidence.standing[event.id] is Standing.CAUSE:
            desk.grounds.learn_cause(event.text)
    worth = [e for e in record.events if e.kind not in NOISE_LEFT and e.id not in evidence.noise]
    entries = []
    for event in worth[-limit:]:
        standing = evidence.standing[event.id]
        outside = standing is Standing.EXTERNAL
        if event.kind == "ack":
            desk.grounds.learn_owner(record.name_of(event.actor))
        entries.append(
            {
                "entry": event.id,
                "at": desk.at(event.at),
                "kind": event.kind,
                "standing": standing.value,
                "by": record.name_of(event.actor),
                "text": f"(text from outside, {len(event.text)} characters)"
                if outside
                else desk.text(event.text, 240),
            }
        )
    left = len(worth) - len(entries)
    return {
        "id": f"INC-{s.incident_id}",
        "title": desk.text(s.title, 120),
        "count": len(entries),
        "older_left_out": left,
        "entries": entries,
    }


def why_paged(desk: Desk, args: Args) -> Result:
    s = seen(desk, args)
    lines = desk.store.look(views.why, s.incident_id)
    return {
        "id": f"INC-{s.incident_id}",
        "reasons": [desk.text(line.text(lambda at: desk.at(at) or ""), 300) for line in lines[:30]],
    }


def recent_deploys(desk: Desk, args: Args) -> Result:
    """Deploys as far as incidents' records hold them."""
    hours = args.number("hours", 24, 1, 168)
    service = known_rota(desk, args.text("service")) if args.text("service") else None
    since = desk.now - timedelta(hours=hours)
    found = []
    for s in desk.store.look(views.latest_incidents, LIST_MAX):
        if (service and s.service != service) or desk.may_see(s.incident_id) is not None:
            continue
        record = parse_record(desk.store.look(views.record, s.incident_id))
        found += [
            {
                "incident": f"INC-{s.incident_id}",
                "entry": e.id,
                "at": desk.at(e.at),
                "text": desk.text(e.text, 200),
            }
            for e in record.events
            if e.kind == "deploy" and e.at >= since
        ]
    return {
        "span": f"{hours} h",
        "count": len(found),
        "deploys": found[:LIST_MAX],
        "note": "only deploys written on incidents",
    }


# --- alerts, runbooks, metrics ------------------------------------------------------------------------------------


def list_alerts(desk: Desk, args: Args) -> Result:
    service = known_rota(desk, args.text("service")) if args.text("service") else None
    limit = args.number("limit", 20, 1, ALERTS_MAX)
    found, total = desk.store.look(
        views.firing_now, service=service, alert=args.text("name") or None
    )
    return {
        "as_of": desk.at(desk.now),
        "count": total,
        "alerts": [_alert(desk, one) for one in found[:limit]],
    }


def _alert(desk: Desk, one: Firing) -> dict[str, Any]:
    never = set(desk.store.snapshot.config.llm.never_labels)
    withheld = desk.may_see(one.incident_id) if one.incident_id is not None else None
    base = {"name": one.name, "incident": f"INC-{one.incident_id}" if one.incident_id else None}
    if withheld is not None:
        return base | {"withheld": withheld}
    labels = {
        k: desk.text(str(v), 80)
        for k, v in list(one.labels.items())[:12]
        if k not in never and k != "alertname"
    }
    return base | {
        "fingerprint": one.fingerprint,
        "service": one.service,
        "since": desk.at(one.starts_at),
        "ended": desk.at(one.ended_at),
        "labels": labels,
        "held_back": one.held,
    }


def alert_history(desk: Desk, args: Args) -> Result:
    name = args.needed("name", 200)
    days = args.number("days", 90, 1, 90)
    h = desk.store.look(
        views.alert_history, name, desk.now - timedelta(days=days), desk.now + timedelta(seconds=1)
    )
    times = []
    for one in h.times[:TIMES_MAX]:
        lasted = (
            f"{int((one.ended_at - one.starts_at).total_seconds() // 60)} min"
            if one.ended_at
            else "fires still"
        )
        number = f"INC-{one.incident_id}" if one.incident_id else None
        times.append(
            {
                "began": desk.at(one.starts_at),
                "ended": desk.at(one.ended_at),
                "lasted": lasted,
                "incident": number,
            }
        )
    endings = [
        {
            "incident": f"INC-{one.incident_id}",
            "resolved_at": desk.at(one.resolved_at),
            "resolved_by": one.resolved_by or "its alerts ended",
            "done_before": [{"entry": ref, "text": desk.text(text, 200)} for ref, text in one.did],
        }
        for one in h.endings
        if desk.may_see(one.incident_id) is None
    ]
    return {
        "as_of": desk.at(desk.now),
        "name": name,
        "span": f"{days} days",
        "count": len(h.times),
        "more": h.more,
        "times": times,
        "how_incidents_ended": endings,
        "last": desk.at(h.last.starts_at) if h.last else "never seen here",
    }


def search_runbooks(desk: Desk, args: Args) -> Result:
    query = args.text("query") or args.text("alert")
    if not query:
        raise BadCallError("query is missing.")
    found = desk.store.look(views.runbooks_matching, query, args.number("limit", 5, 1, 5))
    desk.runbooks += [book.slug for book in found]
    books = [
        {
            "id": book.slug,
            "title": book.title,
            "first_steps": [desk.text(s, 200) for s in book.steps[:3]],
        }
        for book in found
    ]
    return {"query": query, "count": len(books), "runbooks": books}


def get_runbook(desk: Desk, args: Args) -> Result:
    slug, wanted = args.needed("id", 200), args.text("section").casefold()
    shelf = desk.store.snapshot.shelf.by_id
    book = next((one for one in shelf.values() if one.slug == slug), None)
    if book is None:
        raise BadCallError(f"There is no runbook {slug[:60]}; search_runbooks finds them.")
    desk.runbooks.append(slug)
    parts = [one for one in book.sections if not wanted or wanted in one.heading.casefold()]
    return {
        "id": slug,
        "title": book.title,
        "owner": book.owner,
        "sections": [
            {"heading": one.heading, "text": desk.text(one.text, 900)} for one in parts[:8]
        ],
    }


def query_prometheus_instant(desk: Desk, args: Args) -> Result:
    expr, at = args.needed("expr", 1000), moment(desk, args.text("at")) or desk.now
    found = _gauge(desk).instant(expr, at)
    return {
        "expr": expr,
        "at": desk.at(at),
        "count": len(found),
        "series": [
            {"labels": _labels(desk, one.labels), "value": one.value}
            for one in found[:SERIES_SHOWN]
        ],
    }


def query_prometheus_range(desk: Desk, args: Args) -> Result:
    """Smallest, largest and last value of each series; a picture is what `/oncall metric` gives people."""
    expr, hours = args.needed("expr", 1000), args.number("hours", 1, 1, 168)
    found = _gauge(desk).over(expr, desk.now, timedelta(hours=hours))
    series = []
    for one in found[:SERIES_SHOWN]:
        values = [value for _, value in one.points if math.isfinite(value)]
        shown: dict[str, Any] = {"labels": _labels(desk, dict(one.labels)), "points": len(values)}
        if values:
            shown |= {"min": min(values), "max": max(values), "last": values[-1]}
        series.append(shown)
    return {"expr": expr, "hours": hours, "as_of": desk.at(desk.now), "series": series}


def _gauge(desk: Desk) -> Gauge:
    if desk.gauge is None:
        raise BadCallError("No Prometheus is configured.")
    return desk.gauge


def _labels(desk: Desk, labels: Mapping[str, str]) -> dict[str, str]:
    return {name: desk.text(value, 80) for name, value in sorted(labels.items())[:6]}
