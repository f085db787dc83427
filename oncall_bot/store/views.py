"""What the surfaces read: incidents as Situations, who is on call, why somebody was paged, the record.

Knows how rows become the values of core.situation. Writes nothing and decides nothing. Serves slack, web, cli and the
engine's rendering. Every query is by an index and bounded.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from oncall_bot.core import escalation, throttle
from oncall_bot.core.config import Person, Policy, Target, Urgency
from oncall_bot.core.drafts import summary_line
from oncall_bot.core.escalation import Position, Stage
from oncall_bot.core.incidents import SEVERITIES, Status
from oncall_bot.core.matchers import format_matchers, parse_matchers
from oncall_bot.core.paging import Reach, find, has_loud_road, is_loud, roads
from oncall_bot.core.records import parse_record
from oncall_bot.core.routes import hold, routed
from oncall_bot.core.runbooks import choose, first_steps
from oncall_bot.core.search import SearchIndex, query_of
from oncall_bot.core.situation import (
    AlertCount,
    BundleNotice,
    Change,
    HandOff,
    LogEntry,
    NextStep,
    OnCallNow,
    Paged,
    PageNotice,
    RoadFate,
    ShownRunbook,
    ShownSilence,
    Situation,
    State,
    WorkLog,
)
from oncall_bot.store import (
    alerts,
    bundling,
    drafts,
    incidents,
    messages,
    outbox,
    runbooks,
    runs,
    silences,
    timers,
)
from oncall_bot.store import (
    people as contacts_store,
)
from oncall_bot.store import (
    record as records,
)
from oncall_bot.store.db import Reader
from oncall_bot.store.snapshot import runbook_of
from oncall_bot.store.statements import Row

LOG_SHOWN = 15
ALERTS_SHOWN = 5
PAGED_SHOWN = 12
CHANGES_SHOWN = 6
BUNDLE_SHOWN = 10
LOG_KINDS = ("alert", "resolve", "page", "ack", "status", "action", "note", "pin", "system", "bot")


@dataclass(frozen=True, slots=True)
class ContactShown:
    kind: str
    address: str
    verified: bool
    from_file: bool
    loud: bool


def situation(reader: Reader, incident_id: int) -> Situation | None:
    """The incident as a reader must see it now, or None when there is none."""
    incident = incidents.get(reader, incident_id)
    return None if incident is None else _situation(reader, incident)


def _situation(reader: Reader, incident: Row) -> Situation:
    paging = _Paging(reader, incident)
    counted = _alert_counts(reader, incident)
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
        firing=max(0, incident.firing - incident.held),
        held_back=incident.held,
        alerts_ever=incident.alerts_ever,
        alerts=counted,
        places=_places(reader, incident),
        first_alert=incident.first_alert,
        reopened=incident.reopened,
        changes=_changes(reader, incident),
        runbook=_runbook(reader, incident.id),
        paged=paging.paged(),
        next=paging.next_step(),
        steps=paging.steps(),
        nobody=incident.nobody,
        ack_until=paging.ack_until(),
        silence=_silence(reader, incident),
        merged_into=incident.merged_into_id,
        summary_line=_summary_line(reader, incident),
    )


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
    names = alerts.firing_names(reader, incident.id, limit=ALERTS_SHOWN)
    sample: dict[str, str] = {}
    where: dict[str, list[str]] = defaultdict(list)
    for row in alerts.open_members(reader, incident.id, limit=50):
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
    for row in alerts.open_members(reader, incident.id, limit=2000):
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


def _runbook(reader: Reader, incident_id: int) -> ShownRunbook | None:
    row = runbooks.of_incident(reader, incident_id)
    if row is None:
        return None
    book = runbook_of(row.source, row.slug, row.text, row.sha256, row.document)
    return ShownRunbook(
        title=book.title,
        slug=book.slug,
        why=row.why,
        steps=first_steps(book),
        link=next((link for link in book.links if link.startswith("http")), None),
        section_texts=[(section.heading, section.text) for section in book.sections],
    )


def _silence(reader: Reader, incident: Row) -> ShownSilence | None:
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


class _Paging:
    """Everything about who was and will be paged for one incident."""

    def __init__(self, reader: Reader, incident: Row) -> None:
        self.reader = reader
        self.incident = incident
        self.runs = runs.all_of(reader, incident.id)
        self.open = [row for row in self.runs if row.state != "done"]
        self.due = [
            (row, timer)
            for row in self.open
            for timer in timers.of(reader, f"run:{row.id}")
            if timer.data.get("epoch") == row.epoch
        ]

    def policy(self, row: Row) -> Policy | None:
        return self.reader.snapshot.config.policies.get(row.policy_key)

    def steps(self) -> int:
        policy = self.policy(self.runs[0]) if self.runs else None
        return len(policy.steps) if policy else 1

    def paged(self) -> list[Paged]:
        rows = runs.pages(self.reader, self.incident.id)[-PAGED_SHOWN:]
        fates: dict[int, list[RoadFate]] = defaultdict(list)
        sent = outbox.pages_of_incident(self.reader, self.incident.id)
        numbers = {one.bundle_id for one in sent if one.bundle_id is not None}
        together = bundling.together(self.reader, sorted(numbers))
        for one in sent:
            fates[one.page_id].append(_fate(one, together.get(one.bundle_id, 1)))
        return [
            Paged(
                person_key=row.person or row.target,
                name=self._name(row),
                step=0 if self._by_hand(row) else row.step % 1000 + 1,
                decided_at=row.decided_at,
                roads=fates.get(row.id, ()),
                answered_at=row.answered_at,
                note=None if row.reason.get("loud", True) or row.person is None else "no loud road",
            )
            for row in rows
        ]

    def _by_hand(self, page: Row) -> bool:
        return any(r.id == page.run_id and r.policy_key.startswith("manual:") for r in self.runs)

    def _name(self, page: Row) -> str:
        if page.person:
            return self.reader.snapshot.name(page.person)
        return str(page.target).partition(":")[2]

    def next_step(self) -> NextStep | None:
        upcoming = [(row, t) for row, t in self.due if t.kind == "escalate"]
        if not upcoming:
            return None
        row, timer = min(upcoming, key=lambda pair: pair[1].due_at)
        at = Position(int(timer.data["round"]), int(timer.data["step"]), Stage(timer.data["stage"]))
        return NextStep(timer.due_at, self._names(row, at, timer.due_at), self._what(row, at))

    def _names(self, row: Row, at: Position, due_at: datetime) -> list[str]:
        snapshot = self.reader.snapshot
        names: list[str] = []
        for target in self._targets(row, at):
            found = find(snapshot.config, target, lambda key: snapshot.on_call(key, due_at))
            names += [snapshot.name(person) for person in found.people]
            if found.channel:
                names.append(found.channel)
        return list(dict.fromkeys(names))

    def _targets(self, row: Row, at: Position) -> Sequence[Target]:
        config = self.reader.snapshot.config
        if row.targets:
            return [Target(*text.split(":", 1)) for text in row.targets]
        policy = self.policy(row)
        if at.stage is Stage.STEP:
            return policy.steps[at.step].page if policy and at.step < len(policy.steps) else ()
        team = config.teams.get(self.incident.team or "")
        if at.stage is Stage.FALLBACK:
            return (team.fallback if team else ()) or config.defaults.fallback
        return [Target("person", key) for key in config.defaults.last_resort]

    def _what(self, row: Row, at: Position) -> str:
        policy = self.policy(row)
        if policy is None:
            return "again" if at.stage is Stage.STEP else "the fallback"
        return escalation.step_name(policy, at)

    def ack_until(self) -> datetime | None:
        return min((t.due_at for _, t in self.due if t.kind == "ack_timeout"), default=None)


def _fate(row: Row, together: int = 1) -> RoadFate:
    state = {"pending": "waiting", "sending": "waiting", "dead": "failed"}.get(row.state, row.state)
    if row.state == "pending" and row.attempts:
        state = "failed"
    at = row.done_at if row.done_at is not None else row.next_attempt_at
    why = row.last_error
    if row.state == "sent" and together > 1:
        why = f"one message for {together} pages"
    elif row.held:
        why = row.held
    return RoadFate(str(row.payload.get("road", "slack")), state, at, why)


def open_incidents(reader: Reader, limit: int = 20) -> list[Situation]:
    """Open incidents, newest first; quiet ones (urgency none) are left out."""
    return [_situation(reader, row) for row in incidents.open_ones(reader, limit=limit)]


def latest_incidents(reader: Reader, limit: int = 50) -> list[Situation]:
    return [_situation(reader, row) for row in incidents.latest(reader, limit=limit)]


def last_resolved(reader: Reader) -> Situation | None:
    row = incidents.last_resolved(reader)
    return None if row is None else _situation(reader, row)


def work_log(reader: Reader, incident_id: int) -> WorkLog:
    """The newest entries worth a line, oldest first."""
    rows = incidents.last_events(reader, incident_id, LOG_KINDS, limit=LOG_SHOWN + 200)
    shown = list(reversed(rows[:LOG_SHOWN]))
    return WorkLog(incident_id, [_entry(row) for row in shown], max(0, len(rows) - LOG_SHOWN))


def _entry(row: Row) -> LogEntry:
    kind = row.actor.partition(":")[0]
    return LogEntry(
        row.at, row.text, None if kind == "system" else row.actor_name, row.kind == "pin"
    )


def page_notice(reader: Reader, page_id: int) -> PageNotice | None:
    """One page as its receiver sees it."""
    page = runs.page(reader, page_id)
    if page is None:
        return None
    shown = situation(reader, page.incident_id)
    row = next((r for r in runs.all_of(reader, page.incident_id) if r.id == page.run_id), None)
    if shown is None or row is None:
        return None
    target = str(page.reason.get("target", ""))
    kind, _, key = target.partition(":")
    return PageNotice(
        situation=shown,
        page_id=page_id,
        person_key=page.person or page.target,
        person_name=reader.snapshot.name(page.person) if page.person else page.target,
        slack_id=reader.snapshot.slack_id(page.person) if page.person else None,
        policy=row.policy_key,
        schedule=key if kind == "schedule" else None,
        step=page.step % 1000 + 1,
        epoch_over=row.epoch > page.epoch or row.state == "done",
    )


def bundle_of_message(reader: Reader, message_id: int) -> BundleNotice | None:
    """The pages that one Slack message shows, as they stand now."""
    return _bundle(reader, message_id, runs.standing_in(reader, message_id))


def bundle_of_row(reader: Reader, bundle_id: int) -> BundleNotice | None:
    """The pages of one message outside Slack, by the number its link carries."""
    pages = [row.page_id for row in bundling.members(reader, bundle_id)]
    return _bundle(reader, bundle_id, runs.standing(reader, pages))


def asked_in_bundle(reader: Reader, bundle_id: int) -> tuple[list[int], list[int]]:
    """The incidents of the message that still ask its reader, and those that fire but whose page was overtaken."""
    pages = [row.page_id for row in bundling.members(reader, bundle_id)]
    standing = runs.standing(reader, pages)
    asked = {row.incident_id for row in standing if runs.is_asked(row)}
    older = {row.incident_id for row in standing if runs.fires(row)} - asked
    return sorted(asked), sorted(older)


def bundle_now(reader: Reader, rows: Sequence[Row]) -> BundleNotice | None:
    """The pages in hand that somebody still has to answer, as the one message that goes now; None: there is none."""
    standing = runs.standing(reader, [row.page_id for row in rows])
    asked = [row for row in standing if runs.is_asked(row)]
    notice = _bundle(reader, rows[0].bundle_id, asked)
    return replace(notice, late=late_by(reader, rows)) if notice is not None else None


def late_by(reader: Reader, rows: Sequence[Row]) -> timedelta | None:
    """How long the oldest of these messages should have gone, when that is long enough to be said."""
    due_at = min(row.due_at or row.created_at for row in rows)
    return reader.now - due_at if throttle.is_late(due_at, reader.now) else None


def _bundle(reader: Reader, bundle_id: int, standing: Sequence[Row]) -> BundleNotice | None:
    newest = {row.incident_id: row for row in standing}
    ordered = sorted(newest.values(), key=_worst_first)
    notices = [page_notice(reader, row.id) for row in ordered[:BUNDLE_SHOWN]]
    shown = [notice for notice in notices if notice is not None]
    if not shown:
        return None
    asked = sum(1 for row in ordered if runs.is_asked(row))
    return BundleNotice(shown, bundle_id, max(0, len(ordered) - BUNDLE_SHOWN), asked)


def _worst_first(standing: Row) -> tuple[int, int, datetime, int]:
    known = standing.severity in SEVERITIES
    severity = SEVERITIES.index(standing.severity) if known else len(SEVERITIES)
    return -Urgency(standing.urgency).rank, severity, standing.opened_at, standing.id


def who(reader: Reader, at: datetime | None = None, schedule: str | None = None) -> list[OnCallNow]:
    """Who is on call, for one schedule or service, or for all."""
    snapshot, when = reader.snapshot, at or reader.now
    config = snapshot.config
    keys = list(config.schedules)
    if schedule is not None:
        keys = [schedule] if schedule in config.schedules else _schedules_of(reader, schedule)
    return [_on_call(reader, key, when) for key in keys]


def _schedules_of(reader: Reader, service: str) -> list[str]:
    config = reader.snapshot.config
    found = config.services.get(service)
    policy = config.policies.get(found.policy or "") if found else None
    targets = [t for step in (policy.steps if policy else ()) for t in step.page]
    return list(dict.fromkeys(t.key for t in targets if t.kind == "schedule"))


def _on_call(reader: Reader, key: str, at: datetime) -> OnCallNow:
    snapshot = reader.snapshot
    config = snapshot.config
    person = snapshot.on_call(key, at)
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
        fallback=[snapshot.name(t.key) for t in fallback if t.kind == "person"],
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
            for target in step.page:
                people = find(snapshot.config, target, lambda key: snapshot.on_call(key, at)).people
                minutes = int(step.after.total_seconds() // 60)
                found += [(snapshot.name(p), f"after {minutes} min") for p in people]
        return found[:6]
    return []


def hand_off(reader: Reader, payload: Mapping[str, Any]) -> HandOff | None:
    """The notice of a hand-off as its reader sees it."""
    snapshot = reader.snapshot
    schedule, arriving = str(payload["schedule"]), payload.get("arriving")
    at = datetime.fromtimestamp(int(payload["at"]), tz=reader.now.tzinfo)
    following = snapshot.next_handoff(schedule, at)
    reach = snapshot.reach.get(arriving or "", Reach(None))
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
        pages_last_week=runs.pages_of(reader, arriving or "", reader.now - timedelta(days=7)),
    )


def people(reader: Reader) -> list[Person]:
    return list(reader.snapshot.config.people.values())


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


def why(reader: Reader, incident_id: int) -> list[str]:
    """Why each person was paged, or not: the chain as it was decided, one sentence a link."""
    incident = incidents.get(reader, incident_id)
    if incident is None:
        return [f"There is no incident {incident_id}."]
    members = alerts.all_members(reader, incident_id, limit=1)
    lines = [_origin(incident)]
    if members:
        lines += explain(reader, members[0].labels)[:3]
    for row in runs.all_of(reader, incident_id):
        lines.append(f"Policy {row.policy_key}: {row.state}. {row.reason}".strip())
    for page in runs.pages(reader, incident_id):
        name = reader.snapshot.name(page.person) if page.person else page.target
        lines.append(f"{name} was paged: {page.reason.get('ask')}; {page.reason.get('found')}.")
    if incident.nobody:
        lines.append(f"Nobody could be paged: {incident.nobody}.")
    if incident.urgency == "none":
        lines.append("Nobody was paged: its urgency is none.")
    return lines


def _origin(incident: Row) -> str:
    if incident.declared_by:
        return f"{incident.declared_by} declared it as {incident.severity}."
    if incident.origin == "storm":
        return "Many groups opened within a minute: a storm is one incident and one page."
    return f"The alert {incident.first_alert or 'without a name'} opened it."


def explain(reader: Reader, labels: Mapping[str, str]) -> list[str]:
    """What would happen to an alert with these labels now: route, group, hold, severity, runbook, people and why."""
    snapshot, now = reader.snapshot, reader.now
    config = snapshot.config
    lines: list[str] = []
    held = hold(config, snapshot.silences, labels, now)
    for way in routed(config, labels):
        lines.append(f"Route: {way.why}. Group: {way.group_key or 'one for all'}.")
        lines.append(
            f"Held back by {held.why} until {held.until:%H:%M} UTC."
            if held
            else "No silence holds it back."
        )
        value = labels.get("severity") or "none given"
        lines.append(
            f"Severity: {way.severity.incident}, urgency {way.severity.urgency}, from severity={value}."
        )
        lines += _explain_people(reader, way.policy, way.severity.urgency)
    if not lines:
        lines.append("No route takes it; the file has no last route.")
    lines.append(_explain_runbook(reader, labels))
    return lines


def _explain_people(reader: Reader, policy_key: str | None, urgency: Urgency) -> list[str]:
    snapshot = reader.snapshot
    policy = snapshot.config.policies.get(policy_key or "")
    if urgency is Urgency.NONE:
        return ["Nobody is paged: urgency none is stored and searchable only."]
    if policy is None:
        return ["No policy: the fallback is paged."]
    lines = []
    for n, step in enumerate(policy.steps, start=1):
        if step.urgency is not None and step.urgency is not urgency:
            lines.append(f"Step {n} of {policy.key} is for urgency {step.urgency} only.")
            continue
        for target in step.page:
            found = find(snapshot.config, target, lambda key: snapshot.on_call(key, reader.now))
            after = f"after {int(step.after.total_seconds() // 60)} min"
            roads_ = "; ".join(_explain_roads(reader, person, urgency) for person in found.people)
            lines.append(f"Step {n} of {policy.key}, {after}: {found.reason}. {roads_}".strip())
    return lines


def _explain_roads(reader: Reader, person: str, urgency: Urgency) -> str:
    snapshot = reader.snapshot
    reach = snapshot.reach.get(person, Reach(None))
    by = roads(snapshot.config, reach, urgency)
    said = (
        ", ".join(f"{road.by} at {int(road.after.total_seconds() // 60)}:00" for road in by)
        or "no road"
    )
    warn = "" if has_loud_road(snapshot.config, reach) else " (no loud road)"
    return f"{snapshot.name(person)}: {said}{warn}"


def _explain_runbook(reader: Reader, labels: Mapping[str, str]) -> str:
    snapshot = reader.snapshot
    match = choose(labels, {}, snapshot.shelf.index, snapshot.config.runbooks.link_base or "")
    if match is None:
        return "Runbook: none fits for certain."
    return f"Runbook: {match.runbook.title}, because {match.why}."


def record(reader: Reader, incident_id: int) -> dict[str, Any]:
    """The incident as incident-record/1; raises BadInput when there is none."""
    return records.record_of(reader, incident_id)


def draft(reader: Reader, incident_id: int, kind: str) -> str | None:
    row = drafts.latest(reader, incident_id, kind)
    return None if row is None else str(row.markdown)


def runbooks_matching(reader: Reader, query: str, limit: int = 5) -> list[ShownRunbook]:
    """Runbooks for a name, an incident's number or free words, best first."""
    index = reader.snapshot.shelf.index
    named = [book for book, _ in index.named(query)]
    if not named:
        found = SearchIndex(index.runbooks).search(query_of({"alertname": query}, {}), limit)
        named = [match.runbook for match in found]
    return [
        ShownRunbook(b.title, b.slug, "it fits your words", first_steps(b), None)
        for b in list(dict.fromkeys(named))[:limit]
    ]


def contacts(reader: Reader, person_key: str) -> list[ContactShown]:
    """A person's roads: own ones and the file's first values."""
    snapshot = reader.snapshot
    config = snapshot.config
    known = snapshot.people.get(person_key)

    def loud(kind: str) -> bool:
        return kind in config.channels and is_loud(config.channels[kind])

    shown = [
        ContactShown(
            row.kind, row.address, row.verified_at is not None, from_file=False, loud=loud(row.kind)
        )
        for row in (contacts_store.contacts(reader, known.id) if known else ())
    ]
    reach = snapshot.reach.get(person_key, Reach(None))
    shown += [
        ContactShown(c.kind, c.address, verified=True, from_file=True, loud=loud(c.kind))
        for c in reach.contacts
        if c.ref.startswith("file:")
    ]
    return shown


def with_links(shown: Situation, chat_link: str | None) -> Situation:
    """The situation with the address of its card in chat. There is no incident page yet, so no link to one."""
    return replace(shown, chat_link=chat_link)
