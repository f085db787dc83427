"""The end of a draft: lessons, action items, and where everything comes from.

Knows what can be measured of a response. Refuses advice and blame; an action item without owner
or date says what it needs.
Serves documents.
"""

from __future__ import annotations

import re
from datetime import timedelta

from oncall_bot.core.drafts.statements import Role
from oncall_bot.core.drafts.story import Lines, Story, factors_of, said, tellable
from oncall_bot.core.drafts.wording import CALC, cite, lower_first, sentence, spell, upper_first
from oncall_bot.core.facts import ActionItem

QUICK = timedelta(minutes=5)
LONG_SILENCE = timedelta(minutes=30)
MOST_OBSTACLES = 3
MOST_ITEMS = 40
_OBSTACLE = re.compile(
    r"\bcan'?t\b|\bcannot\b|\bcouldn'?t\b|\bno access\b|\blocked out\b|\bneeds the\b"
    r"|\bnot (?:enabled|possible|available|alerted|monitored|documented)\b|\bdepends? on\b"
    r"|\bgoes through\b|\bexists? only\b|\bhas been failing\b|\bno (?:feature )?flag\b|\bonly for\b"
    r"|\bis (?:empty|out of date|outdated|stale)\b"
    r"|\bno (?:runbook|alert|backup|limit|guard|docs?|dashboard)\b",
    re.IGNORECASE,
)
_SPARED = re.compile(r"(?:^|[,;:.]\s*)(no [^,;:.]{4,80})", re.IGNORECASE)


def lessons(story: Story) -> Lines:
    """What went well, what went badly, where luck helped: measured, or said by the responders."""
    nothing = [sentence("The record holds nothing measurable here; ask in the review", CALC)]
    told = {
        "### What went well": _well(story) or nothing,
        "### What went badly": _badly(story) or nothing,
        "### Where we were lucky or spared": _luck(story),
    }
    lines = ["## Lessons"]
    for heading, sentences in told.items():
        if sentences:
            lines += [heading, *(f"- {text}" for text in sentences)]
    return lines


def _well(story: Story) -> Lines:
    facts, told = story.facts, []
    detect, ack = facts.time_to_detect, facts.time_to_ack
    if facts.detected and detect is not None and facts.start_was_set and detect <= QUICK:
        text = f"An alert told of it {spell(detect)} after the start"
        told.append(sentence(text, facts.detected.event_id, CALC))
    if facts.acked and ack is not None and ack <= QUICK:
        text = f"The first alert was acknowledged after {spell(ack)}"
        told.append(sentence(text, facts.acked.event_id, CALC))
    return told + [said(story, s) for s in story.of(Role.WELL)[:4]]


def _badly(story: Story) -> Lines:
    return [*_slow(story), *_repeated(story), *_obstacles(story), *_silent(story)]


def _slow(story: Story) -> Lines:
    facts, told = story.facts, []
    detect, ack = facts.time_to_detect, facts.time_to_ack
    if facts.detected and detect is not None and facts.start_was_set and detect > QUICK:
        text = f"The first alert came {spell(detect)} after the start"
        told.append(sentence(text, facts.detected.event_id, CALC))
    if facts.acked and ack is not None and ack > QUICK:
        text = f"It took {spell(ack)} from the first alert to the acknowledgement"
        told.append(sentence(text, facts.acked.event_id, CALC))
    escalated = next((p for p in facts.pages if p.escalated), None)
    if escalated:
        text = "A page stayed without an answer and was escalated"
        told.append(sentence(text, escalated.event_id))
    return told


def _repeated(story: Story) -> Lines:
    """What had to be done or told twice."""
    facts, told = story.facts, []
    if facts.reopened:
        ids = [m.event_id for m in facts.reopened[:5]]
        told.append(sentence("The incident had to be reopened after it had been calm", *ids))
    if facts.superseded:
        corrected = sorted({f.event_id for f in facts.superseded})[:4]
        told.append(sentence("The first figures of the impact had to be corrected", *corrected))
    return told


def _obstacles(story: Story) -> Lines:
    found = [s for s in factors_of(story) if _OBSTACLE.search(s.event.text)]
    return [f"In the way: {lower_first(said(story, s))}" for s in found[:MOST_OBSTACLES]]


def _silent(story: Story) -> Lines:
    gap = max(story.facts.gaps, key=lambda g: g.lasted_for, default=None)
    if gap is None or gap.lasted_for <= LONG_SILENCE:
        return []
    since = story.words.when(gap.after.at)
    text = f"Nothing was written down for {spell(gap.lasted_for)}, beginning {since}"
    return [sentence(text, gap.after.id, gap.until.id, CALC)]


def _luck(story: Story) -> Lines:
    told = [said(story, s) for s in story.of(Role.LUCK)[:3]]
    for event in story.facts.impact_events:
        if tellable(story, event):
            spared = _SPARED.findall(story.words.plain(event.text))
            told += [sentence(upper_first(part), event.id) for part in spared[:2]]
    return told[:4]


def action_items(story: Story) -> Lines:
    """Who does what until when; what lacks an owner or a date says so."""
    items = [i for i in story.facts.actions if tellable(story, story.events[i.event_id])]
    told = [_action_item(story, item) for item in items[:MOST_ITEMS]]
    if len(items) > MOST_ITEMS:
        told.append(f"- {sentence('More action items are in the record', CALC)}")
    none = f"- {sentence('Nobody recorded an action item', CALC)}"
    return ["## Action items", *(told or [none])]


def _action_item(story: Story, item: ActionItem) -> str:
    words = story.words
    owner = "no owner yet: needs an owner"
    if item.owner:
        name, handle = words.who(item.owner), words.plain_handle(item.owner)
        owner = f"owner: {name} ({handle})" if name != handle.lstrip("@") else f"owner: {handle}"
    due = f"due: {item.due.isoformat()}" if item.due else "no due date: needs a date"
    task = upper_first(words.plain(item.text))
    return f"- [ ] {task} — {owner}, {due}{cite(item.event_id)}"


def appendix(story: Story) -> Lines:
    """Where all this comes from."""
    text = (
        "Every statement names the events it rests on, [e...] in the incident's record and "
        "[a...] in its list of alerts; [calc] marks what was computed from them. "
        "Guesses, small talk and text from outside are left out [calc]."
    )
    return ["## Appendix: evidence", text]
