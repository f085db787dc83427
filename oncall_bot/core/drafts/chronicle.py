"""The timeline of a draft: what happened, in order, without the chatter.

Knows which kinds of events carry the story and which give way when there are too many.
Refuses remarks: they are findings, not happenings.
Serves documents and the summary.
"""

from __future__ import annotations

import re
from datetime import datetime

from oncall_bot.core.drafts.folding import Fold, folded, subject_of
from oncall_bot.core.drafts.story import (
    Lines,
    Step,
    Story,
    anonymous,
    decent,
    is_deed,
    perhaps_separate,
    steps_of,
    tellable,
)
from oncall_bot.core.drafts.wording import (
    cite,
    joined,
    sentence,
    starts_with_verb,
    upper_first,
)
from oncall_bot.core.evidence import Guess
from oncall_bot.core.records import RecordEvent

MOST_ENTRIES = 60
MOST_READINGS = 3
_RANK = {"status": 0, "action": 0, "deploy": 1, "chat": 1, "ack": 2, "page": 3, "alert": 3}
_RANK |= {"resolve": 4, "metric": 5, "bot": 5}
_COMPARED = re.compile(
    r"\((?:usual|usually|normal|normally|baseline|limit|max|was|of|expected)\b|\bof \d"
)


def timeline(story: Story) -> Lines:
    """Pages, acknowledgements, changes, actions, states and what was ruled out; at most sixty."""
    ruled = _ruled_out(story)
    twice = echoes(story)
    worth = [
        e for e in story.record.events if e.id in ruled or (e.id not in twice and _timed(story, e))
    ]
    folds = folded(worth)
    ordered = sorted(range(len(folds)), key=lambda n: (_RANK.get(folds[n].first.kind, 3), n))
    kept = [folds[n] for n in sorted(ordered[:MOST_ENTRIES])]
    entries = _with_start(story, [(f.first.at, _line(story, f, ruled)) for f in kept])
    stamp = "%Y-%m-%d %H:%M" if len({at.date() for at, _ in entries}) > 1 else "%H:%M"
    lines = [f"- {at:{stamp}} {story.words.begin(text)}" for at, text in entries]
    if not lines:
        lines = ["- The record holds no events."]
    if len(folds) > MOST_ENTRIES:
        lines.append("- Lesser entries are left out here; the record has them all.")
    return ["## Timeline (UTC)", *lines]


def _timed(story: Story, event: RecordEvent) -> bool:
    return (event.kind in _RANK or is_deed(story, event)) and tellable(story, event)


def echoes(story: Story) -> frozenset[str]:
    """Changes of severity are written down twice: what somebody did, and what became of it. The second ones."""
    changed = {(e.data.get("to"), e.at.replace(microsecond=0)) for e in steps_of(story)}
    return frozenset(
        e.id
        for e in story.record.events
        if e.kind == "status"
        and e.data.get("to")
        and (e.data["to"], e.at.replace(microsecond=0)) in changed
    )


def _ruled_out(story: Story) -> dict[str, Guess]:
    """The guesses with words fit to print, by the event that ruled them out."""
    found = [g for g in story.evidence.guesses if g.ruled_out and g.phrase and decent(g.phrase)]
    return {g.ruled_out.id: g for g in reversed(found) if g.ruled_out}


def _with_start(story: Story, entries: list[Step]) -> list[Step]:
    """The start of the impact where it lies, not where somebody set it."""
    started = story.facts.started
    if started and story.facts.start_was_set:
        told = f"Start of the impact, as set by the responders{cite(started.event_id)}"
        entries = [*entries, (started.at, told)]
    return sorted(entries, key=lambda entry: entry[0])


def _line(story: Story, fold: Fold, ruled: dict[str, Guess]) -> str:
    if len(fold.events) == 1:
        return _entry(story, fold.first, ruled.get(fold.first.id))
    many, until = len(fold.events), story.words.clock(fold.last.at)
    name, cited = story.words.plain(fold.subject), cite(fold.first.id, fold.last.id)
    if fold.first.kind == "metric":
        first, last = reading(story, fold.first), reading(story, fold.last)
        return f"{first}; {last} at {until}, {many} readings in all{cited}"
    did = "fired" if fold.first.kind == "alert" else "ended"
    return f"{many} {name} alerts {did} until {until}{cited}"


def _entry(story: Story, event: RecordEvent, guess: Guess | None) -> str:
    if guess:
        return f"Ruled out: {story.words.plain(guess.phrase)}{cite(guess.event.id, event.id)}"
    if event.kind in ("action", "deploy", "note"):
        told = story.words.action(event, named=not anonymous(story, event))
        return f"{told}{cite(event.id)}"
    return f"{_observed(story, event)}{cite(event.id)}"


def _observed(story: Story, event: RecordEvent) -> str:
    words = story.words
    text = words.plain(event.text).rstrip(".")
    if event.kind == "alert":
        fact = story.alert_of(event)
        if fact and (fact.before_start or perhaps_separate(story, fact)):
            return f"{words.plain(fact.alert.name)} fired, perhaps a separate matter"
    if event.kind == "metric":
        return reading(story, event)
    if event.kind == "page":
        return _paged(story, event, text)
    if event.kind in ("ack", "status") and event.actor.startswith("@"):
        return by_person(story, event)
    return text


_BY_ROAD = re.compile(r"^(acknowledged) by \w{2,12}$")
_DECLARED = re.compile(
    r"^(?:incident )?declared (?:as )?(sev-?\d)\b(?:, commander .*)?$", re.IGNORECASE
)
_PAGED = re.compile(r"^Paged ([^:]{2,80}): ([a-z, ]{2,80})$")
_ROADS = {"slack": "Slack", "voice": "phone", "mail": "e-mail", "sms": "SMS"}


def by_person(story: Story, event: RecordEvent) -> str:
    """An acknowledgement or a change of state with the one who did it: `Ana Ruiz acknowledged`."""
    words = story.words
    said = _BY_ROAD.sub(r"\1", words.without_name(event))
    name, said = words.who(event.actor), words.lower(said)
    declared = _DECLARED.match(said)
    if declared:
        return f"{name} declared the incident, {declared[1].upper()}"
    if said.startswith("mitigated"):
        return f"{name} called it {said}"
    if said == "incident resolved":
        return f"{name} resolved the incident"
    return f"{name} {said}" if starts_with_verb(upper_first(f"{said} it")) else f"{name}: {said}"


def _paged(story: Story, event: RecordEvent, text: str) -> str:
    """`Ana Ruiz was paged by Slack and push`, for pages as we write them down ourselves."""
    found = _PAGED.match(text)
    if found is None:
        return text
    roads = [_ROADS.get(road.strip(), road.strip()) for road in found[2].split(",")]
    return f"{found[1]} was paged by {joined(roads)}"


def reading(story: Story, event: RecordEvent) -> str:
    """A metric as a clause: `queue depth was 4,000`."""
    return re.sub(r"\s=\s", " was ", story.words.plain(event.text).rstrip("."), count=1)


def readings(story: Story) -> list[Step]:
    """Readings of metrics that come with something to compare them to."""
    told: list[tuple[datetime, str]] = []
    seen: set[str] = set()
    for event in story.record.events:
        subject = subject_of(event)
        if subject and subject in seen:
            continue
        if event.kind == "metric" and story.during(event) and _COMPARED.search(event.text):
            if tellable(story, event):
                text = upper_first(f"{story.words.when(event.at)} {reading(story, event)}")
                told.append((event.at, sentence(text, event.id)))
                seen.add(subject)
            if len(told) == MOST_READINGS:
                break
    return told
