"""What contributed, what was ruled out, what is still open.

Knows the difference between a change, a finding and a cause. Refuses to make one into the other:
only a person confirms a cause.
Serves documents.
"""

from __future__ import annotations

import re

from oncall_bot.core.drafts.chronicle import readings
from oncall_bot.core.drafts.story import (
    Lines,
    Story,
    causes,
    change_sentence,
    changes,
    confirmed,
    decent,
    factors_of,
    said,
    start_reason,
)
from oncall_bot.core.drafts.wording import CALC, lower_first, sentence, spell
from oncall_bot.core.evidence import Guess

MOST_FACTORS = 9
MOST_GUESSES = 6
MOST_QUESTIONS = 5


def factors(story: Story) -> Lines:
    """How it began, changes before it, and what the responders established."""
    known = causes(story)
    told = [confirmed(story, s) for s in known]
    told += _beginnings(story)
    weighty = sorted(factors_of(story), key=lambda s: -s.weight)[:MOST_FACTORS]
    if weighty:
        text = "The responders noted what follows, in this order"
        told.append(sentence(text, CALC))
    told += [said(story, s) for s in sorted(weighty, key=lambda s: s.event.at)]
    told += [text for _, text in readings(story)]
    if not known:
        text = "Nobody confirmed a cause in the record: these are findings, for the review to weigh"
        told.append(sentence(text, CALC))
    return ["## Contributing factors", *(f"- {text}" for text in told)]


def _beginnings(story: Story) -> Lines:
    """The step at the start, or what the start was counted from, and the changes before it."""
    started, words, told = story.facts.started, story.words, []
    for event in story.begun:
        step = lower_first(words.action(event, named=False))
        text = f"The start of the impact is the moment of this step: {step}"
        told.append(sentence(text, event.id, started.event_id if started else None))
    reason = start_reason(story)
    if reason and started and not told:
        text = f"The start was set {words.when(started.at)}, counted from this"
        told.append(sentence(f"{text}: {lower_first(reason)}", started.event_id))
    return told + [change_sentence(story, event) for event in changes(story)[:3]]


def hypotheses(story: Story) -> Lines:
    """Guesses that were ruled out, as ruled out."""
    found = [g for g in story.evidence.guesses if g.ruled_out and g.phrase and decent(g.phrase)]
    told = [f"- {_ruled_out(story, guess)}" for guess in found[:MOST_GUESSES]]
    return ["## Hypotheses considered", *told] if told else []


def _ruled_out(story: Story, guess: Guess) -> str:
    words, end = story.words, guess.ruled_out
    assert end is not None
    text = (
        f"An early suspicion, {words.plain(guess.phrase)}, came up {words.when(guess.event.at)} "
        f"and was ruled out {words.when(end.at)}, {spell(end.at - guess.event.at)} later"
    )
    return sentence(text, guess.event.id, end.id, CALC)


def open_questions(story: Story) -> Lines:
    """What the record does not answer."""
    told = []
    if not causes(story):
        told.append(sentence("What the cause was: nobody confirmed one in the record", CALC))
    told += [_open_guess(story, g) for g in story.evidence.guesses if still_open(story, g)]
    if story.facts.started and not story.facts.start_was_set:
        told.append(sentence("When the impact really began: nobody set its start", CALC))
    return ["## Open questions", *(f"- {text}" for text in told[:MOST_QUESTIONS])] if told else []


def _open_guess(story: Story, guess: Guess) -> str:
    text = (
        "An early guess, neither confirmed nor ruled out in the record: "
        f"{story.words.plain(guess.phrase)}, voiced {story.words.when(guess.event.at)}"
    )
    return sentence(text, guess.event.id)


def still_open(story: Story, guess: Guess) -> bool:
    """A guess of this incident that nothing took up later: none of its identifiers comes again."""
    if guess.ruled_out or not guess.phrase or not decent(guess.phrase):
        return False
    if not story.during(guess.event):
        return False
    marks = {mark for mark in re.findall(r"\w*\d\w*", guess.phrase) if len(mark) > 2}
    later = (
        e.text
        for e in story.record.events
        if e.at > guess.event.at and e.kind in ("chat", "action", "impact")
    )
    return not (marks and any(mark in text for text in later for mark in marks))
