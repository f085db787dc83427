"""One record made ready for telling: facts, evidence, words, and the remarks worth repeating.

Knows how each kind of event becomes a cited sentence. Refuses the order and the headings.
Serves the sections of a draft.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from oncall_bot.core.drafts.statements import Role, Statement, statements
from oncall_bot.core.drafts.wording import (
    CALC,
    Words,
    joined,
    lower_first,
    sentence,
    spell,
    starts_with_verb,
    upper_first,
)
from oncall_bot.core.evidence import (
    HEDGE,
    INSTRUCTION,
    Evidence,
    Standing,
    blames,
    personal,
    stems,
    weigh,
)
from oncall_bot.core.facts import AlertFact, Facts, Moment, facts_of
from oncall_bot.core.pins import Pin, PinKind
from oncall_bot.core.records import Record, RecordEvent
from oncall_bot.core.redaction import speaks_of_secret

AT_THE_START = timedelta(minutes=2)
NEAR_THE_START = timedelta(minutes=10)
JUST_BEFORE = timedelta(minutes=15)
_MILD = ("warning", "info")
_GRAVE = ("critical", "page", "error")
_RANK = {"critical": 0, "page": 0, "error": 1, "high": 1, "warning": 2}
_PREPOSITIONS = ("in ", "on ", "for ", "at ", "by ", "from ", "with ")
_SET_FOR = re.compile(r"\d{2}:\d{2}(?::\d{2})?Z?\s*(?:UTC)?\s*[,;:(–—-]\s*([^()]{4,200})\)?\s*$")
_SEVERITY_WORD = re.compile(
    r"^(?:critical|warning|info|page|error|high|low|major|minor)\b[:,]?\s*", re.IGNORECASE
)
_DECIDED = re.compile(r"(?i)^\W*(?:decision|decided)\b[\s:–-]*(?:to\b)?\s*")
_UNDONE = re.compile(r"\b(?:roll(?:ed|ing)? ?back|revert|disabl|remov|undo|undid)", re.IGNORECASE)

Lines = list[str]
Step = tuple[datetime, str]  # a sentence and the time it speaks of


@dataclass(frozen=True, slots=True)
class Story:
    """Everything a section may draw on. `begun` are the steps recorded as the impact began."""

    record: Record
    facts: Facts
    evidence: Evidence
    words: Words
    events: Mapping[str, RecordEvent]
    alerts: Mapping[str, AlertFact]
    remarks: tuple[Statement, ...] = ()
    begun: tuple[RecordEvent, ...] = ()

    def of(self, *roles: Role) -> list[Statement]:
        """The remarks of these roles in order of time."""
        return [s for s in self.remarks if s.role in roles]

    def event(self, moment: Moment) -> RecordEvent:
        """The event behind a milestone."""
        return self.events[moment.event_id]

    def alert_of(self, event: RecordEvent) -> AlertFact | None:
        """The alert that an event says has fired."""
        return self.alerts.get(event.id)

    def during(self, event: RecordEvent) -> bool:
        """Whether it happened between the start of the impact and its end."""
        start, end = self.facts.started, self.facts.resolved
        return (start is None or event.at >= start.at) and (end is None or event.at <= end.at)


def tell(record: Record) -> Story:
    """The record, weighed and ready."""
    facts, evidence, words = facts_of(record), weigh(record), Words(record)
    alerts = {a.fired.id: a for a in reversed(facts.alerts) if a.fired}
    bare = Story(record, facts, evidence, words, record.by_id(), alerts)
    remarks = tuple(statements(evidence, facts, words))
    return Story(record, facts, evidence, words, bare.events, alerts, remarks, tuple(_begun(bare)))


def _begun(story: Story) -> list[RecordEvent]:
    """Actions recorded at the very moment the impact began."""
    started = story.facts.started
    if started is None or not story.facts.start_was_set:
        return []
    near = (
        e
        for e in story.record.events
        if e.kind == "action" and timedelta(0) <= started.at - e.at <= AT_THE_START
    )
    return [e for e in near if tellable(story, e)]


def tellable(story: Story, event: RecordEvent) -> bool:
    """Whether a log line (no chat) may be told: not from outside, no instruction, no blame."""
    return event.kind != "chat" and story.evidence.quotable(event) and not blames(event.text)


def decent(phrase: str) -> bool:
    """Whether the words of a guess may be repeated."""
    return not (INSTRUCTION.search(phrase) or personal(phrase) or speaks_of_secret(phrase))


def said(story: Story, statement: Statement) -> str:
    """A remark as cited sentences."""
    return " ".join(sentence(part, statement.event.id) for part in statement.sentences)


def causes(story: Story) -> list[Statement]:
    """What a person pinned as the cause."""
    standing = story.evidence.standing
    return [s for s in story.remarks if standing[s.event.id] is Standing.CAUSE]


def confirmed(story: Story, statement: Statement) -> str:
    """A pinned cause, with who pinned it."""
    event = statement.event
    pin = next(
        (p for p in pins_as(story, PinKind.CAUSE) if event.id in (p.target, p.event_id)), None
    )
    by = story.words.who(pin.by if pin else event.actor)
    first, *rest = statement.sentences
    told = [f"Cause, confirmed by {by}: {lower_first(first)}", *rest]
    return " ".join(sentence(part, event.id, pin.event_id if pin else None) for part in told)


def pins_as(story: Story, kind: PinKind) -> list[Pin]:
    """The pins of that kind that stand, newest first."""
    return [pin for pin in reversed(story.evidence.pins) if pin.kind is kind]


def factors_of(story: Story) -> list[Statement]:
    """The findings of the responders, without what somebody pinned as the cause."""
    known = {s.event.id for s in causes(story)}
    return [s for s in story.of(Role.FACTOR) if s.event.id not in known]


def decision(story: Story, statement: Statement) -> str:
    """A decision with its time and the one who took it."""
    event, words = statement.event, story.words
    what = lower_first(_DECIDED.sub("", statement.sentences[0]))
    first = upper_first(f"{words.when(event.at)} {words.who(event.actor)} decided: {what}")
    return " ".join(sentence(part, event.id) for part in (first, *statement.sentences[1:]))


def escalations(story: Story) -> list[Step]:
    """Who was paged because somebody else had not answered."""
    words = story.words
    return [
        (
            p.at,
            sentence(
                f"The page was escalated to {words.who(p.handle)} {words.when(p.at)}", p.event_id
            ),
        )
        for p in story.facts.pages
        if p.escalated and p.handle
    ]


def steps_of(story: Story) -> list[RecordEvent]:
    """What people did after the start, without the steps at the start itself; notes that tell of a deed count."""
    begun, start = {e.id for e in story.begun}, story.facts.started
    return [
        e
        for e in story.record.events
        if (e.kind == "action" or is_deed(story, e))
        and e.id not in begun
        and (start is None or e.at >= start.at)
        and tellable(story, e)
    ]


def is_deed(story: Story, event: RecordEvent) -> bool:
    """A note in which somebody wrote down what they did: `Stopped the batch job`."""
    if event.kind != "note" or not event.actor.startswith("@") or event.data.get("update"):
        return False
    task = any(item.event_id == event.id for item in story.facts.actions)
    said = story.words.without_name(event)
    return not task and starts_with_verb(said) and not HEDGE.search(said)


def action_sentence(story: Story, event: RecordEvent) -> str:
    """What somebody did, with its time."""
    done = story.words.action(event, named=not anonymous(story, event))
    return sentence(upper_first(f"{story.words.when(event.at)} {done}"), event.id)


def anonymous(story: Story, event: RecordEvent) -> bool:
    """Whether a step is told without a name: that at the start, and the same person's around it."""
    return any(
        event.actor == e.actor and abs(event.at - e.at) <= NEAR_THE_START for e in story.begun
    )


def changes(story: Story) -> list[RecordEvent]:
    """Deploys shortly before the start, those that the responders came back to first."""
    found = [e for e in story.facts.changes[-20:] if tellable(story, e)]
    return sorted(
        found, key=lambda e: (not _came_up_again(story, e), _ruled_out(story, e), -e.at.timestamp())
    )


def likely_involved(story: Story, change: RecordEvent) -> bool:
    """Whether a change belongs in the summary: it came up again, or it was the last."""
    started = story.facts.started
    if started is None or _ruled_out(story, change):
        return False
    last = max(story.facts.changes, key=lambda e: e.at)
    return _came_up_again(story, change) or (
        change is last and started.at - change.at <= JUST_BEFORE
    )


def _came_up_again(story: Story, change: RecordEvent) -> bool:
    started = story.facts.started
    marks = {w for w in re.findall(r"[\w.-]*\d[\w.-]*", change.text) if len(w) > 2}
    words, standing = stems(change.text), story.evidence.standing
    for event in story.record.events:
        if event.kind not in ("action", "chat") or not started or event.at <= started.at:
            continue
        again = any(mark in event.text for mark in marks)
        undone = bool(_UNDONE.search(event.text)) and bool(words & stems(event.text))
        if (again or undone) and standing[event.id] is not Standing.EXTERNAL:
            return True
    return False


def _ruled_out(story: Story, change: RecordEvent) -> bool:
    words = stems(change.text)
    guesses = story.evidence.guesses
    return any(g.ruled_out and len(words & stems(g.phrase)) >= 2 for g in guesses)


def change_sentence(story: Story, event: RecordEvent) -> str:
    """A deploy before the start, neutral about what it did."""
    started = story.facts.started
    before = ""
    if started and started.at > event.at:
        before = f", {spell(started.at - event.at)} before the start"
    done = story.words.action(event)
    told = f"{story.words.when(event.at)}{before}, {done}; not confirmed as a cause"
    return sentence(upper_first(told), event.id, started.event_id if started else None, CALC)


def start_reason(story: Story) -> str | None:
    """Why the start lies where it lies, in the words of whoever set it."""
    started = story.facts.started
    event = story.event(started) if started else None
    if event is None or event.kind != "milestone" or not tellable(story, event):
        return None
    found = _SET_FOR.search(event.text)
    return story.words.plain(found[1]) if found and not speaks_of_secret(found[1]) else None


def alert_detail(story: Story, fact: AlertFact) -> str:
    """What the alert measured, without its name and severity word."""
    if fact.fired is None or not tellable(story, fact.fired):
        return ""
    text = story.words.plain(fact.fired.text).removeprefix(fact.alert.name)
    return _SEVERITY_WORD.sub("", text.lstrip(" :,–—-"))


def measured(detail: str) -> str:
    """The end of a sentence about an alert: `: 97% of requests fail`, ` in 27 of 27 regions`."""
    if not detail:
        return ""
    return f" {detail}" if detail.startswith(_PREPOSITIONS) else f": {lower_first(detail)}"


def alert_sentence(story: Story, fact: AlertFact) -> str:
    """An alert as a sentence: when it fired and what it measured."""
    name = story.words.plain(fact.alert.name)
    detail = measured(alert_detail(story, fact))
    source = fact.fired.id if fact.fired else None
    text = f"{name} fired {story.words.when(fact.alert.starts_at)}{detail}"
    return sentence(text, source, fact.alert.id)


def worst_alerts(story: Story, most: int) -> list[AlertFact]:
    """The alerts of this impact, the critical and early ones first."""
    started = story.facts.started

    def order(fact: AlertFact) -> tuple[bool, int, datetime]:
        early = started is not None and fact.alert.starts_at < started.at
        return early, _RANK.get(fact.alert.severity.lower(), 3), fact.alert.starts_at

    return sorted((a for a in story.facts.alerts if not a.before_start), key=order)[:most]


def perhaps_separate(story: Story, fact: AlertFact) -> bool:
    """Whether an alert is milder than the one that told of the incident, thus of another."""
    detected = story.facts.detected
    first = story.alerts.get(detected.event_id) if detected else None
    if first is None or first is fact:
        return False
    return first.alert.severity.lower() in _GRAVE and fact.alert.severity.lower() in _MILD


def reopened_sentence(story: Story) -> str | None:
    """The relapse in the words of the status change that told of it."""
    if not story.facts.reopened:
        return None
    again = [story.event(m) for m in story.facts.reopened[:5]]
    calm = [
        e
        for e in story.record.events
        if e.kind == "status" and e.data.get("to") in ("mitigated", "resolved")
    ]
    first = next((e for e in reversed(calm) if e.at <= again[0].at), None)
    told = f"It was reopened {joined(story.words.when(e.at) for e in again)}"
    if first:
        told += f" after it had been called {first.data['to']} {story.words.when(first.at)}"
    if tellable(story, again[0]):
        told += f": {lower_first(story.words.plain(again[0].text))}"
    return sentence(told, first.id if first else None, *(e.id for e in again))
