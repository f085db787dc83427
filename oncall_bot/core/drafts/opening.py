"""The head of a draft: title, roles, and a summary that fits on a phone.

Knows what a late reader needs first and how many words that may take. Refuses causes that nobody
confirmed: the change before the start is told as a change.
Serves documents.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from oncall_bot.core.drafts.chronicle import readings
from oncall_bot.core.drafts.figures import impact_sentences
from oncall_bot.core.drafts.statements import Role
from oncall_bot.core.drafts.story import (
    Lines,
    Story,
    action_sentence,
    alert_sentence,
    causes,
    change_sentence,
    changes,
    confirmed,
    decision,
    escalations,
    factors_of,
    likely_involved,
    reopened_sentence,
    said,
    start_reason,
    steps_of,
    worst_alerts,
)
from oncall_bot.core.drafts.wording import CALC, joined, lower_first, sentence, spell
from oncall_bot.core.evidence import INSTRUCTION, blames
from oncall_bot.core.facts import AlertFact
from oncall_bot.core.records import RecordEvent

SUMMARY_WORDS = 205
MOST_LOOKED_AT = 500
BEGAN, FIRED, READ, NOTED, DONE = range(5)  # the order of a story

_REMEDY = re.compile(
    r"\brestor|\brol(?:l|led)\b.{0,30}\bback\b|\brollback|\brevert|\brestart|\bdisabl"
    r"|\bfail(?:ed)?[- ]?over|\bkill(?:ed)? switch|\bred-button|\bbypass|\bthrottl|\bshed"
    r"|\bblocked\b|\bpromot|\breplac|\brenew|\bissued\b|\bpushed\b|\bre-?enabled\b|\bswitched\b"
    r"|\bdrain|\bremoved\b|\braised\b|\bpurged\b|\bcopying\b|\brebuil|\bpatched\b|\bhotfix"
    r"|\bmoved\b|\brerouted\b|\bcleared\b|\bdeleted\b|\bstopped\b|\bpaused\b",
    re.IGNORECASE,
)
_IN_VAIN = re.compile(
    r"\bunchanged\b|\bno (?:effect|change|improvement|difference|help)\b|\bin vain\b"
    r"|\bdid(?:n't| not) (?:help|work|change)\b|\bwithout effect\b|\bstatus ?page\b|\bno better\b"
    r"|\bfailed\b",
    re.IGNORECASE,
)
_COUNTED = re.compile(r"\w+")
_CITED = re.compile(r"\[[^\]]*\]")


def header(story: Story) -> Lines:
    """Title, severity, state, roles, and that this is a draft."""
    record, words = story.record, story.words
    parts = [
        f"Severity {words.plain(record.severity) or 'not set'}",
        f"Status: {words.plain(record.status) or 'open'}",
    ]
    if record.commander:
        parts.append(f"Commander: {words.who(record.commander)}")
    if record.services:
        parts.append(f"Services: {', '.join(words.plain(s) for s in record.services)}")
    return [
        f"# {words.plain(record.id)}: {_title(story)}",
        " · ".join([*parts, "Draft, for review"]),
    ]


def _title(story: Story) -> str:
    title = story.record.title
    hostile = INSTRUCTION.search(title) or blames(title)
    return "title left out, it is no title" if hostile else story.words.plain(title).rstrip(". ")


def summary(story: Story) -> Lines:
    """Two paragraphs: what code computed, then what the record says."""
    computed = _computed(story)
    told = _told(story, SUMMARY_WORDS - sum(_length(s) for s in computed))
    lines = ["## Summary", " ".join(computed)]
    return [*lines, "", " ".join(told)] if told else lines


def _length(text: str) -> int:
    return len(_COUNTED.findall(_CITED.sub("", text)))


def _computed(story: Story) -> Lines:
    record, words = story.record, story.words
    where = f" on {joined(words.plain(s) for s in record.services)}" if record.services else ""
    kind = f"a {words.plain(record.severity)} incident" if record.severity else "an incident"
    first = sentence(f'"{_title(story)}" was {kind}{where}', CALC)
    return [first, *_course(story), *impact_sentences(story)[:3]]


def _course(story: Story) -> Lines:
    """When it began and ended, and that it came back if it did."""
    facts = story.facts
    if facts.started is None:
        return []
    day = f"{facts.started.at:%Y-%m-%d} at {facts.started.at:%H:%M} UTC"
    began = f"The impact began on {day}"
    if not facts.start_was_set:
        began = f"The first sign came on {day}"
    lasted, end = facts.time_to_mitigate, facts.mitigated
    over, took = facts.resolved, facts.time_to_resolve
    it = "was" if facts.start_was_set else "the incident was"
    if (lasted is None or end is None) and over is not None and took is not None:
        until = f"{began} and {it} resolved {story.words.when(over.at)}, after {spell(took)}"
        told = [sentence(until, facts.started.event_id, over.event_id, CALC)]
    elif lasted is None or end is None:
        told = [sentence(f"{began}; no mitigation is recorded", facts.started.event_id)]
    else:
        until = f"{began} and {it} mitigated {story.words.when(end.at)}, after {spell(lasted)}"
        told = [sentence(until, facts.started.event_id, end.event_id, CALC)]
    again = reopened_sentence(story)
    return [*told, again] if again else told


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A sentence for the summary: its place in the story and the time it speaks of."""

    place: int
    at: datetime
    text: str


def _told(story: Story, room: int) -> Lines:
    """The most telling sentences of the record that fit, in the order of the story."""
    chosen: list[_Candidate] = []
    for candidate in _candidates(story):
        length = _length(candidate.text)
        if length <= room:
            chosen.append(candidate)
            room -= length
    ordered = sorted(chosen, key=lambda c: (c.place, c.at))
    first = next((c for c in ordered if c.place == NOTED), None)
    noted = f"The responders noted: {lower_first(first.text)}" if first else ""
    return [noted if c is first else c.text for c in ordered]


def _candidates(story: Story) -> Iterator[_Candidate]:
    """Sentences by importance: how it began, what was found, what helped, what fired."""
    ranked = sorted(factors_of(story), key=lambda s: -s.weight)[:6]
    found = [_Candidate(NOTED, s.event.at, said(story, s)) for s in ranked]
    steps = [_Candidate(DONE, e.at, action_sentence(story, e)) for e in _decisive(story)[:4]]
    alerts = [
        _Candidate(FIRED, a.alert.starts_at, alert_sentence(story, a))
        for a in _of_two_names(worst_alerts(story, MOST_LOOKED_AT))
    ]
    yield from _origins(story)
    yield from [*found[:2], *steps[:1]]
    yield from (
        _Candidate(DONE, s.event.at, decision(story, s)) for s in story.of(Role.DECISION)[-1:]
    )
    yield from (_Candidate(FIRED, at, text) for at, text in escalations(story)[:1])
    yield from [*alerts[:1], *found[2:4], *steps[1:2], *alerts[1:2]]
    yield from (_Candidate(READ, at, text) for at, text in readings(story)[:1])
    yield from [*found[4:6], *steps[2:4]]


def _of_two_names(alerts: list[AlertFact]) -> list[AlertFact]:
    """The first alert of each of two names: the second of one name is no news."""
    firsts = {fact.alert.name: fact for fact in reversed(alerts)}
    return sorted(firsts.values(), key=alerts.index)[:2]


def _origins(story: Story) -> list[_Candidate]:
    """How it began: the confirmed cause, the step at the start, or the change just before it."""
    told = [_Candidate(BEGAN, s.event.at, confirmed(story, s)) for s in causes(story)[:2]]
    if story.begun:
        first = story.begun[0]
        return [*told, _Candidate(BEGAN, first.at, action_sentence(story, first))]
    near = [e for e in changes(story)[:1] if likely_involved(story, e)]
    told += [_Candidate(BEGAN, e.at, change_sentence(story, e)) for e in near]
    reason, started = start_reason(story), story.facts.started
    if reason and started:
        text = f"The start was counted from this: {lower_first(reason)}"
        told.append(_Candidate(BEGAN, started.at, sentence(text, started.event_id)))
    return told


def _decisive(story: Story) -> list[RecordEvent]:
    """The steps before the last mitigation, those whose words tell of a remedy first."""
    end = story.facts.mitigated
    done = [e for e in steps_of(story) if end is None or e.at <= end.at]
    return sorted(done, key=lambda e: (-_remedy(e.text), -e.at.timestamp()))


def _remedy(text: str) -> int:
    if _IN_VAIN.search(text):
        return 0
    return 2 if _REMEDY.search(text) else 1
