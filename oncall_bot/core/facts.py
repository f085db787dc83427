"""The facts of an incident that code can compute: milestones, durations, figures, people, changes.

Knows the definitions (started is the last impact start set, mitigated the last time it was) and
cites the event behind each. Refuses prose and guesses: what the record does not hold is None.
Serves drafts, the verifier, the resolved card and analytics.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from oncall_bot.core.records import Record, RecordAlert, RecordEvent, instant

CHANGES_WITHIN = timedelta(hours=2)
SILENCE_OVER = timedelta(minutes=15)
_CALM = ("mitigated", "resolved")
_HANDLE = re.compile(r"(?<![\w/])@[A-Za-z0-9](?:[\w.-]{0,62}\w)?")
_ESCALATED = re.compile(r"\bescalat", re.IGNORECASE)
_ACTION = re.compile(r"^\s*(?:AI|action(?: item)?|todo|follow[- ]?up)\s*[:–—-]\s*", re.IGNORECASE)
_DATE = r"(\d{4}-\d{2}-\d{2})"
_DUE = re.compile(
    rf"[,;(\s–—-]*\b(?:due|deadline|until|by)\b(?: date)?[:=]?\s*(?:on |by )?{_DATE}\)?",
    re.IGNORECASE,
)
_OWNER = re.compile(
    rf"[,;(\s–—-]*\b(?:owner|assigned to|assignee)[:=]?\s*({_HANDLE.pattern})\)?", re.IGNORECASE
)
_LEADING_OWNER = re.compile(rf"^({_HANDLE.pattern})\s*(?:[:,–—-]\s*|\bto\b\s+)?")
_NO_OWNER = re.compile(
    r"[,;(\s–—-]*\b(?:no owner(?: yet)?|owner[:=]?\s*(?:tbd|none|\?)|unowned|unassigned"
    r"|needs an owner)\b\)?",
    re.IGNORECASE,
)
_NO_DUE = re.compile(
    r"[,;(\s–—-]*\b(?:no (?:due )?date(?: yet)?|no due(?: yet)?|due[:=]?\s*(?:tbd|none|\?))\b\)?",
    re.IGNORECASE,
)
_WORD = re.compile(r"[a-z0-9]{3,}")


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant and the event that sets it."""

    at: datetime
    event_id: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of the impact, the newest one told."""

    name: str
    value: float | str
    event_id: str


@dataclass(frozen=True, slots=True)
class PageFact:
    """Somebody was paged; `escalated` when an earlier page had gone unanswered."""

    at: datetime
    handle: str | None
    escalated: bool
    event_id: str


@dataclass(frozen=True, slots=True)
class Responder:
    """What one person was asked and answered."""

    handle: str
    pages: int
    acks: int
    escalations: int


@dataclass(frozen=True, slots=True)
class AlertFact:
    """An alert, the events that tell of it, and whether it had ended before the impact began."""

    alert: RecordAlert
    fired: RecordEvent | None
    ended: RecordEvent | None
    before_start: bool


@dataclass(frozen=True, slots=True)
class ActionItem:
    """A task agreed on; owner and due date are None where nobody named them."""

    text: str
    owner: str | None
    due: date | None
    event_id: str


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch in which nobody wrote anything down."""

    after: RecordEvent
    until: RecordEvent

    @property
    def lasted_for(self) -> timedelta:
        """How long nothing was written."""
        return self.until.at - self.after.at


@dataclass(frozen=True, slots=True)
class Facts:
    """All that code computes of one record; every part names its events."""

    started: Moment | None
    start_was_set: bool
    detected: Moment | None
    acked: Moment | None
    declared: Moment | None
    mitigated: Moment | None
    resolved: Moment | None
    reopened: tuple[Moment, ...] = ()
    impact: tuple[Figure, ...] = ()
    superseded: tuple[Figure, ...] = ()
    pages: tuple[PageFact, ...] = ()
    responders: tuple[Responder, ...] = ()
    alerts: tuple[AlertFact, ...] = ()
    changes: tuple[RecordEvent, ...] = ()
    actions: tuple[ActionItem, ...] = ()
    gaps: tuple[Gap, ...] = ()
    runbook: str | None = None
    runbook_opened: Moment | None = None
    impact_events: tuple[RecordEvent, ...] = field(default=())

    @property
    def time_to_detect(self) -> timedelta | None:
        """From the start of the impact to the first alert after it."""
        return _between(self.started, self.detected)

    @property
    def time_to_ack(self) -> timedelta | None:
        """From the first alert to the first acknowledgement after it."""
        return _between(self.detected, self.acked)

    @property
    def time_to_mitigate(self) -> timedelta | None:
        """How long the impact lasted: from its start to the last mitigation."""
        return _between(self.started, self.mitigated)

    @property
    def time_to_resolve(self) -> timedelta | None:
        """From the start of the impact to the last time it was resolved."""
        return _between(self.started, self.resolved)

    def moments(self) -> dict[str, Moment]:
        """The milestones that the record holds, in their usual order."""
        named = {
            "started": self.started,
            "detected": self.detected,
            "acknowledged": self.acked,
            "declared": self.declared,
            "mitigated": self.mitigated,
            "resolved": self.resolved,
        }
        return {name: moment for name, moment in named.items() if moment is not None}


def facts_of(record: Record) -> Facts:
    """Everything code can say about the record, each fact with the event that supports it."""
    events = record.events
    started, was_set = _started(events)
    detected = _first(events, "alert", started)
    acked = _first(events, "ack", detected)
    statuses = [(e, _status(e)) for e in events if e.kind == "status"]
    pages = tuple(page for e in events if e.kind == "page" for page in _pages(e))
    impact, superseded, impact_events = _impact(events)
    resolved = _last_status(statuses, "resolved")
    return Facts(
        started=started,
        start_was_set=was_set,
        detected=detected,
        acked=acked,
        declared=_declared(statuses),
        mitigated=_last_status(statuses, "mitigated"),
        resolved=resolved,
        reopened=_reopened(statuses),
        impact=impact,
        superseded=superseded,
        impact_events=impact_events,
        pages=pages,
        responders=_responders(events, pages),
        alerts=_alerts(record, started),
        changes=_changes(events, started),
        actions=_actions(events),
        gaps=_gaps(events, started, resolved),
        runbook=record.runbook,
        runbook_opened=_runbook_opened(record),
    )


def _between(start: Moment | None, end: Moment | None) -> timedelta | None:
    return end.at - start.at if start and end and end.at >= start.at else None


def _started(events: Sequence[RecordEvent]) -> tuple[Moment | None, bool]:
    """The last impact start that somebody set; without one, the first alert or event stands in."""
    for event in reversed(events):
        if event.kind == "milestone" and event.data.get("name") == "impact_start":
            at = instant(event.data.get("at")) or event.at
            return Moment(at, event.id), not event.data.get("assumed")
    first = next((e for e in events if e.kind == "alert"), events[0] if events else None)
    return (Moment(first.at, first.id) if first else None), False


def _first(events: Sequence[RecordEvent], kind: str, after: Moment | None) -> Moment | None:
    if after is None:
        return None
    found = next((e for e in events if e.kind == kind and e.at >= after.at), None)
    return Moment(found.at, found.id) if found else None


def _status(event: RecordEvent) -> str:
    """The state it went to; a new severity and a silence are none."""
    to = str(event.data.get("to") or "").strip().lower()
    return "" if re.fullmatch(r"sev-?\d|silenced", to) else to


Statuses = Sequence[tuple[RecordEvent, str]]


def _last_status(statuses: Statuses, wanted: str) -> Moment | None:
    found = next((e for e, to in reversed(statuses) if to == wanted), None)
    return Moment(found.at, found.id) if found else None


def _declared(statuses: Statuses) -> Moment | None:
    """By a person; an incident that its alerts opened was never declared."""
    named = (e for e, to in statuses if to and to not in _CALM)
    found = next((e for e in named if e.actor.startswith("@") or "declar" in e.text.lower()), None)
    return Moment(found.at, found.id) if found else None


def _reopened(statuses: Statuses) -> tuple[Moment, ...]:
    calm, reopened = False, []
    for event, to in statuses:
        if calm and to and to not in _CALM:
            reopened.append(Moment(event.at, event.id))
        calm = to in _CALM or (calm and not to)
    return tuple(reopened)


def _impact(
    events: Sequence[RecordEvent],
) -> tuple[tuple[Figure, ...], tuple[Figure, ...], tuple[RecordEvent, ...]]:
    """The newest value of each figure, the replaced ones, and the lines still wholly true."""
    newest: dict[str, Figure] = {}
    replaced: list[Figure] = []
    lines = [e for e in events if e.kind == "impact"]
    for event in lines:
        for name, value in event.data.items():
            if isinstance(value, bool) or not isinstance(value, (int, float, str)):
                continue
            old = newest.get(str(name))
            if old and old.value != value:
                replaced.append(old)
            newest[str(name)] = Figure(str(name), value, event.id)
    stale = {figure.event_id for figure in replaced}
    last_bare = next((e.id for e in reversed(lines) if not e.data), None)
    current = [e for e in lines if e.id not in stale and (e.data or e.id == last_bare)]
    return tuple(newest.values()), tuple(replaced), tuple(current)


def _pages(event: RecordEvent) -> list[PageFact]:
    told = event.data.get("person")
    handles = [told] if isinstance(told, str) and told else _HANDLE.findall(event.text)
    to, step = event.data.get("to"), event.data.get("step")
    if not handles and isinstance(to, list):
        handles = [f"@{key}" for key in to if isinstance(key, str) and ":" not in key]
    escalated = (
        bool(event.data.get("escalated"))
        or (isinstance(step, int) and step > 1)
        or bool(_ESCALATED.search(event.text))
    )
    return [PageFact(event.at, handle, escalated, event.id) for handle in handles or [None]]


def _responders(events: Sequence[RecordEvent], pages: Sequence[PageFact]) -> tuple[Responder, ...]:
    acks = [e.actor for e in events if e.kind == "ack"]
    handles = dict.fromkeys([p.handle for p in pages if p.handle] + acks)
    return tuple(
        Responder(
            handle,
            pages=sum(p.handle == handle for p in pages),
            acks=acks.count(handle),
            escalations=sum(p.handle == handle and p.escalated for p in pages),
        )
        for handle in handles
    )


def _alerts(record: Record, started: Moment | None) -> tuple[AlertFact, ...]:
    fired = _alert_events(record, "alert")
    ended = _alert_events(record, "resolve")
    facts = []
    for alert in sorted(record.alerts, key=lambda a: a.starts_at):
        over = bool(started and alert.ends_at and alert.ends_at < started.at)
        facts.append(
            AlertFact(
                alert,
                _nearest(fired, alert, alert.starts_at),
                _nearest(ended, alert, alert.ends_at),
                over,
            )
        )
    return tuple(facts)


AlertEvents = dict[str, list[RecordEvent]]


def _alert_events(record: Record, kind: str) -> AlertEvents:
    by_name: AlertEvents = {}
    for event in record.events:
        if event.kind == kind:
            named = str(event.data.get("alert") or event.text.split(" ", 1)[0])
            by_name.setdefault(named, []).append(event)
    return by_name


def _nearest(by_name: AlertEvents, alert: RecordAlert, at: datetime | None) -> RecordEvent | None:
    found = by_name.get(alert.name)
    if not found or at is None:
        return None
    return min(found, key=lambda e: abs(e.at - at))


def _changes(events: Sequence[RecordEvent], started: Moment | None) -> tuple[RecordEvent, ...]:
    if started is None:
        return ()
    since = started.at - CHANGES_WITHIN
    return tuple(e for e in events if e.kind == "deploy" and since <= e.at <= started.at)


def _gaps(
    events: Sequence[RecordEvent], started: Moment | None, resolved: Moment | None
) -> tuple[Gap, ...]:
    if started is None or resolved is None:
        return ()
    spoken = [
        e for e in events if e.kind not in ("bot", "metric") and started.at <= e.at <= resolved.at
    ]
    pairs = pairwise(spoken)
    return tuple(Gap(a, b) for a, b in pairs if b.at - a.at > SILENCE_OVER)


def _runbook_opened(record: Record) -> Moment | None:
    """The first human line that names the runbook: proof that somebody had it open."""
    if not record.runbook:
        return None
    told = (e for e in record.events if e.kind in ("action", "chat") and record.runbook in e.text)
    return next((Moment(e.at, e.id) for e in told), None)


def _actions(events: Sequence[RecordEvent]) -> tuple[ActionItem, ...]:
    """The action items; one told again in nearly the same words replaces the earlier."""
    items: list[ActionItem] = []
    for event in events:
        if event.kind != "note" or not (_ACTION.match(event.text) or "owner" in event.data):
            continue
        item = action_item(event)
        again = [n for n, old in enumerate(items) if _alike(old.text, item.text)]
        for n in reversed(again):
            item = ActionItem(
                item.text, item.owner or items[n].owner, item.due or items[n].due, item.event_id
            )
            del items[n]
        items.append(item)
    return tuple(items)


def action_item(event: RecordEvent) -> ActionItem:
    """The task, owner and due date that a note states."""
    text = _ACTION.sub("", event.text)
    due, owner = _due(event, text), event.data.get("owner")
    text = _NO_DUE.sub("", _NO_OWNER.sub("", _DUE.sub("", text)))
    named = _OWNER.search(text)
    leading = _LEADING_OWNER.match(text)
    if not isinstance(owner, str):
        owner = named[1] if named else leading[1] if leading else None
    text = _LEADING_OWNER.sub("", _OWNER.sub("", text)) if leading else _OWNER.sub("", text)
    return ActionItem(text.strip(" ,;.–—-"), owner or None, due, event.id)


def _due(event: RecordEvent, text: str) -> date | None:
    told = event.data.get("due")
    found = [told] if isinstance(told, str) else [m[1] for m in _DUE.finditer(text)]
    for value in found:
        try:
            return datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=UTC).date()
        except ValueError:
            continue
    return None


def _alike(one: str, other: str) -> bool:
    a, b = set(_WORD.findall(one.lower())), set(_WORD.findall(other.lower()))
    return bool(a and b) and len(a & b) >= 0.75 * max(len(a), len(b))
