"""The computed tables of a draft: what it did to users, and when what happened.

Knows units and sources. Refuses an estimate that was corrected.
Serves documents and the summary.
"""

from __future__ import annotations

import re
from datetime import datetime

from oncall_bot.core.drafts.story import Lines, Story, decent, pins_as, tellable
from oncall_bot.core.drafts.wording import (
    CALC,
    cite,
    figure,
    joined,
    sentence,
    spell,
    upper_first,
)
from oncall_bot.core.evidence import blames
from oncall_bot.core.pins import PinKind

MOST_LINES = 6
MOST_PINNED = 3
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


def impact_sentences(story: Story) -> Lines:
    """The impact in the words of whoever counted it, as far as no later count replaced it."""
    told = []
    for event in story.facts.impact_events[-MOST_LINES:]:
        if tellable(story, event):
            parts = _SENTENCE_END.split(story.words.plain(event.text))
            told += [sentence(upper_first(part), event.id) for part in parts if part]
    return told + _pinned(story)


def _pinned(story: Story) -> Lines:
    """What people marked as the impact among the things that were said."""
    told = []
    for pin in pins_as(story, PinKind.IMPACT)[:MOST_PINNED]:
        if decent(pin.text) and not blames(pin.text):
            marked = f"marked as impact by {story.words.who(pin.by)}"
            target = pin.target if pin.target in story.events else None
            text = f"{upper_first(story.words.plain(pin.text).rstrip('. '))} ({marked})"
            told.append(sentence(text, target, pin.event_id))
    return told


def impact(story: Story) -> Lines:
    """What it did to users: the newest figures, and how long."""
    facts = story.facts
    told = impact_sentences(story)
    spoken = {e.id for e in facts.impact_events if tellable(story, e)}
    left = [f for f in facts.impact if f.event_id not in spoken]
    told += [sentence(upper_first(story.words.plain(figure(f))), f.event_id) for f in left]
    lasted = facts.time_to_mitigate
    if lasted and facts.started and facts.mitigated:
        ids = facts.started.event_id, facts.mitigated.event_id
        told.append(sentence(f"The impact lasted {spell(lasted)}", *ids, CALC))
    if facts.superseded:
        both = {f.event_id for f in (*facts.superseded, *facts.impact)}
        text = "Earlier figures were corrected and are left out here"
        told.append(sentence(text, *sorted(both)[:4], CALC))
    counted = facts.impact or facts.impact_events or pins_as(story, PinKind.IMPACT)
    if not counted:
        told.append(sentence("Nobody recorded how many users or requests were affected", CALC))
    return ["## Impact", *(f"- {text}" for text in told)]


def key_times(story: Story) -> Lines:
    """Milestones and the four durations, all computed."""
    facts = story.facts
    started = "Impact started" if facts.start_was_set else "First sign (start not set)"
    label = {"started": started, "detected": "First alert"}
    took = {
        "detected": (facts.time_to_detect if facts.start_was_set else None, "to detect"),
        "acknowledged": (facts.time_to_ack, "to acknowledge"),
        "mitigated": (facts.time_to_mitigate, "to mitigate"),
        "resolved": (facts.time_to_resolve, "to resolve"),
    }
    rows = []
    for name, moment in facts.moments().items():
        duration, what = took.get(name, (None, ""))
        told = f"{spell(duration)} {what}" if duration is not None else ""
        shown = label.get(name, name.capitalize())
        rows.append(f"| {shown} | {_stamp(moment.at)} | {told}{cite(moment.event_id, CALC)} |")
    if facts.reopened:
        again = facts.reopened[:5]
        ids = cite(*(m.event_id for m in again), CALC)
        rows.append(f"| Reopened | {joined(_stamp(m.at) for m in again)} |{ids} |")
    if not rows:
        return ["## Key times (UTC)", f"- {sentence('The record holds no milestones', CALC)}"]
    return ["## Key times (UTC)", "| What | When | Took |", "|---|---|---|", *rows]


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%d} {at:%H:%M:%S} UTC"
