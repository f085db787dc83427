"""One record made ready for telling: its facts, its evidence, its words and the remarks worth repeating.

Knows how each kind of event becomes a sentence with its citation. Refuses the order and the headings.
Serves the sections of a draft.
"""

from __future__ import annotations

import re
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
    upper_first,
)
from oncall_bot.core.evidence import Evidence, Standing, blames, stems, weigh
from oncall_bot.core.facts import AlertFact, Facts, facts_of
from oncall_bot.core.records import Record, RecordEvent
from oncall_bot.core.redaction import speaks_of_secret

JUST_BEFORE = timedelta(minutes=15)
NEAR_THE_START = timedelta(minutes=10)
AT_THE_START = timedelta(minutes=2)
_SET_FOR = re.compile(r"\d{2}:\d{2}(?::\d{2})?Z?\s*(?:UTC)?\s*[,;:(–—-]\s*([^()]{4,200})\)?\s*$")
_SEVERITY_WORD = re.compile(
    r"^(?:critical|warning|info|page|error|high|low|major|minor)\b[:,]?\s*", re.I
)


@dataclass(frozen=True, slots=True)
class Story:
    """Everything a section may draw on."""

    record: Record
    facts: Facts
    evidence: Evidence
    words: Words
    remarks: tuple[Statement, ...]

    def of(self, *roles: Role) -> list[Statement]:
        """The remarks of these roles in order of time."""
        return [s for s in self.remarks if s.role in roles]


def tell(record: Record) -> Story:
    """The record, weighed and ready."""
    facts, evidence, words = facts_of(record), weigh(record), Words(record)
    return Story(record, facts, evidence, words, tuple(statements(evidence, facts, words)))


def tellable(story: Story, event: RecordEvent) -> bool:
    """Whether a log line (no chat) may be told: not from outside, not an instruction, not noise."""
    return story.evidence.quotable(event) and event.kind != "chat" and not blames(event.text)


def said(story: Story, statement: Statement) -> str:
    """A remark as cited sentences."""
    return " ".join(sentence(part, statement.event.id) for part in statement.sentences)


def causes(story: Story) -> list[Statement]:
    """What a person pinned as the cause."""
    return [s for s in story.remarks if story.evidence.standing[s.event.id] is Standing.CAUSE]


def triggers(story: Story) -> list[RecordEvent]:
    """Actions recorded at the very moment the impact began."""
    started = story.facts.started
    if started is None or not story.facts.start_was_set:
        return []
    return [
        e
        for e in story.record.events
        if e.kind == "action"
        and tellable(story, e)
        and timedelta(0) <= started.at - e.at <= AT_THE_START
    ]


def changes(story: Story) -> list[RecordEvent]:
    """Deploys shortly before the start, those that the responders came back to first."""
    found = [e for e in story.facts.changes if tellable(story, e)]
    return sorted(
        found, key=lambda e: (not _came_up_again(story, e), _ruled_out(story, e), -e.at.timestamp())
    )


def _came_up_again(story: Story, change: RecordEvent) -> bool:
    started = story.facts.started
    named = {w for w in re.findall(r"[\w.-]*\d[\w.-]*", change.text) if len(w) > 2}
    later = (
        e
        for e in story.record.events
        if started and e.at > started.at and e.kind in ("action", "chat")
    )
    undone = re.compile(r"\b(?:roll(?:ed|ing)? ?back|revert|disabl|remov|undo|undid)", re.I)
    words = stems(change.text)
    return any(
        (
            any(name in e.text for name in named)
            or (undone.search(e.text) and len(words & stems(e.text)) >= 1)
        )
        and story.evidence.standing[e.id] is not Standing.EXTERNAL
        for e in later
    )


def _ruled_out(story: Story, change: RecordEvent) -> bool:
    words = stems(change.text)
    return any(g.ruled_out and len(words & stems(g.phrase)) >= 2 for g in story.evidence.guesses)


def likely_involved(story: Story, change: RecordEvent) -> bool:
    """Whether a change belongs in the summary: the responders came back to it, or it was the last thing before the start."""
    started = story.facts.started
    if started is None or _ruled_out(story, change):
        return False
    last = max(story.facts.changes, key=lambda e: e.at)
    return _came_up_again(story, change) or (
        change is last and started.at - change.at <= JUST_BEFORE
    )


def start_reason(story: Story) -> str | None:
    """Why the start lies where it lies, in the words of whoever set it."""
    started = story.facts.started
    event = story.record.by_id().get(started.event_id) if started else None
    found = _SET_FOR.search(event.text) if event and event.kind == "milestone" else None
    return story.words.plain(found[1]) if found and not speaks_of_secret(found[1]) else None


def change_sentence(story: Story, event: RecordEvent) -> str:
    """A deploy before the start, neutral about what it did."""
    started = story.facts.started
    before = (
        f", {spell(started.at - event.at)} before the start"
        if started and started.at > event.at
        else ""
    )
    told = f"{story.words.when(event.at)}{before}, {story.words.action(event)}; not confirmed as a cause"
    return sentence(upper_first(told), event.id, started.event_id if started else None, CALC)


def alert_detail(story: Story, fact: AlertFact) -> str:
    """What the alert measured, without its name and severity word."""
    if fact.fired is None or not tellable(story, fact.fired):
        return ""
    text = story.words.plain(fact.fired.text)
    if text.startswith(fact.alert.name):
        text = text[len(fact.alert.name) :].lstrip(" :,–—-")
    rest = _SEVERITY_WORD.sub("", text)
    return rest if rest != text or text else ""


def alert_sentence(story: Story, fact: AlertFact) -> str:
    """An alert as a sentence: when it fired and what it measured."""
    name = story.words.plain(fact.alert.name)
    detail = alert_detail(story, fact)
    source = fact.fired.id if fact.fired else fact.alert.id
    return sentence(
        f"{name} fired {story.words.when(fact.alert.starts_at)}{measured(detail)}",
        source,
        fact.alert.id,
    )


def measured(detail: str) -> str:
    """The end of a sentence about an alert: `: 97% of requests fail`, ` in 27 of 27 regions`."""
    if not detail:
        return ""
    prepositions = ("in ", "on ", "for ", "at ", "by ", "from ", "with ")
    return f" {detail}" if detail.startswith(prepositions) else f": {lower_first(detail)}"


def worst_alerts(story: Story, most: int) -> list[AlertFact]:
    """The alerts of this impact, the critical and early ones first."""
    rank = {"critical": 0, "page": 0, "error": 1, "high": 1, "warning": 2}
    started = story.facts.started
    live = [a for a in story.facts.alerts if not a.before_start]

    def order(fact: AlertFact) -> tuple[bool, int, datetime]:
        early = started is not None and fact.alert.starts_at < started.at
        return early, rank.get(fact.alert.severity.lower(), 3), fact.alert.starts_at

    return sorted(live, key=order)[:most]


def perhaps_separate(story: Story, fact: AlertFact) -> bool:
    """Whether an alert is milder than the one that told of the incident, so that it may belong elsewhere."""
    detected = story.facts.detected
    first = next(
        (a for a in story.facts.alerts if detected and a.fired and a.fired.id == detected.event_id),
        None,
    )
    if first is None or first is fact:
        return False
    return first.alert.severity.lower() in (
        "critical",
        "page",
        "error",
    ) and fact.alert.severity.lower() in ("warning", "info")


def anonymous(story: Story, event: RecordEvent) -> bool:
    """Whether a step is told without a name: the one at the start, and what the same person did around it."""
    begun = triggers(story)
    return any(event.actor == e.actor and abs(event.at - e.at) <= NEAR_THE_START for e in begun)


def action_sentence(story: Story, event: RecordEvent) -> str:
    """What somebody did, with its time."""
    named = not anonymous(story, event)
    return sentence(
        upper_first(f"{story.words.when(event.at)} {story.words.action(event, named=named)}"),
        event.id,
    )


def reopened_sentence(story: Story) -> str | None:
    """The relapse in the words of the status change that told of it."""
    if not story.facts.reopened:
        return None
    events = story.record.by_id()
    again = [events[m.event_id] for m in story.facts.reopened]
    calm = [
        e
        for e in story.record.events
        if e.kind == "status" and e.data.get("to") in ("mitigated", "resolved")
    ]
    first = next((e for e in reversed(calm) if e.at <= again[0].at), None)
    why = story.words.plain(again[0].text) if tellable(story, again[0]) else ""
    when = joined(story.words.when(e.at) for e in again)
    before = (
        f"after it had been called {first.data['to']} {story.words.when(first.at)}" if first else ""
    )
    told = f"It was reopened {when} {before}".rstrip()
    return sentence(
        f"{told}: {lower_first(why)}" if why else told,
        first.id if first else None,
        *(e.id for e in again),
    )
