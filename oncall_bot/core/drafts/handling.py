"""How the incident was noticed and handled: alerts, pages, steps, decisions, the end.

Knows the order of a response. Refuses to judge it: durations speak.
Serves documents.
"""

from __future__ import annotations

from datetime import timedelta

from oncall_bot.core.drafts.folding import FOLD_FROM, by_name
from oncall_bot.core.drafts.statements import Role
from oncall_bot.core.drafts.story import (
    Lines,
    Step,
    Story,
    action_sentence,
    alert_detail,
    alert_sentence,
    decision,
    escalations,
    measured,
    perhaps_separate,
    reopened_sentence,
    said,
    steps_of,
    tellable,
    worst_alerts,
)
from oncall_bot.core.drafts.wording import CALC, lower_first, sentence, spell, upper_first
from oncall_bot.core.facts import AlertFact, Moment

MOST_STEPS = 18
MOST_ALERTS = 12
MOST_LOOKED_AT = 500
MOST_PAGES = 4


def detection(story: Story) -> Lines:
    """How it was noticed and who answered, with the alerts and what they measured."""
    facts = story.facts
    if facts.detected is None:
        none = sentence("No alert fired after the start of the impact", CALC)
        return ["## Detection", f"- {none}"]
    first = story.alert_of(story.event(facts.detected))
    rest = _distinct([a for a in worst_alerts(story, MOST_LOOKED_AT) if a is not first])
    told = [_first_alert(story, facts.detected, first), *_paging(story)]
    own = [a for a in rest if not perhaps_separate(story, a)]
    told += [_alerts_of_a_name(story, group) for group in by_name(own)]
    apart = [a for a in rest if perhaps_separate(story, a)]
    told += [f"Perhaps a separate matter: {alert_sentence(story, a)}" for a in apart]
    told += [_ended_before(story, a) for a in facts.alerts if a.before_start][:3]
    return ["## Detection", *(f"- {text}" for text in told)]


def _distinct(alerts: list[AlertFact]) -> list[AlertFact]:
    """Alerts of at most so many names."""
    names = list(dict.fromkeys(a.alert.name for a in alerts))[:MOST_ALERTS]
    return [a for a in alerts if a.alert.name in names]


def _alerts_of_a_name(story: Story, group: tuple[AlertFact, ...]) -> str:
    """One alert as a sentence of its own; many of a name as a count with its span."""
    if len(group) < FOLD_FROM:
        return " ".join(alert_sentence(story, a) for a in group)
    first, last, words = group[0], group[-1], story.words
    ids = [a.fired.id if a.fired else a.alert.id for a in (first, last)]
    name = words.plain(first.alert.name)
    span = f"from {words.clock(first.alert.starts_at)} to {words.clock(last.alert.starts_at)}"
    return sentence(f"{len(group)} more {name} alerts fired {span}", *ids, CALC)


def _first_alert(story: Story, detected: Moment, first: AlertFact | None) -> str:
    facts, words = story.facts, story.words
    name = words.plain(first.alert.name) if first else "The first alert"
    detail = measured(alert_detail(story, first)) if first else ""
    took = facts.time_to_detect
    after = f", {spell(took)} after the start" if took is not None and facts.start_was_set else ""
    when = words.when(detected.at)
    told = f"{when}{after}{detail}" if detail.startswith(":") else f"{when}{detail}{after}"
    return sentence(f"{name} fired {told}", detected.event_id, CALC)


def _ended_before(story: Story, fact: AlertFact) -> str:
    name = story.words.plain(fact.alert.name)
    text = f"{name} had fired and ended before the start, perhaps a separate matter"
    return sentence(text, fact.fired.id if fact.fired else fact.alert.id, CALC)


def _paging(story: Story) -> Lines:
    facts, words = story.facts, story.words
    told = [
        sentence(f"{words.who(p.handle)} was paged {words.when(p.at)}", p.event_id)
        for p in facts.pages
        if p.handle and not p.escalated and facts.started and p.at >= facts.started.at
    ][:MOST_PAGES]
    told += [text for _, text in escalations(story)[:MOST_PAGES]]
    if facts.acked and facts.time_to_ack is not None:
        who = words.who(story.event(facts.acked).actor)
        took = spell(facts.time_to_ack)
        text = f"{who} acknowledged {words.when(facts.acked.at)}, {took} after the first alert"
        told.append(sentence(text, facts.acked.event_id, CALC))
    else:
        told.append(sentence("Nobody acknowledged the alert in the record", CALC))
    return told


def response(story: Story) -> Lines:
    """What people did, decided and saw until it was over, in order of time."""
    ends = _ends(story)
    steps = sorted(_steps(story), key=lambda step: step[0])[: MOST_STEPS - len(ends)]
    told = [text for _, text in sorted([*steps, *ends], key=lambda step: step[0])]
    told += _runbook(story)
    if not told:
        told = [sentence("The record holds no steps of the response", CALC)]
    return ["## Response and recovery", *(f"- {text}" for text in told)]


def _steps(story: Story) -> list[Step]:
    words = story.words
    steps = [(e.at, action_sentence(story, e)) for e in steps_of(story)[: 2 * MOST_STEPS]]
    for event in story.record.events:
        if event.kind == "bot" and story.during(event) and tellable(story, event):
            what = lower_first(words.plain(event.text))
            text = f"{words.when(event.at)} {words.plain(event.actor)} reported: {what}"
            steps.append((event.at, sentence(upper_first(text), event.id)))
    steps += [(s.event.at, decision(story, s)) for s in story.of(Role.DECISION)]
    for remark in story.of(Role.PROGRESS):
        at = remark.event.at
        steps.append((at, f"{words.clock(at)}: {said(story, remark)}"))
    return steps


def _ends(story: Story) -> list[Step]:
    """Declared, reopened, mitigated, resolved."""
    facts, words, told = story.facts, story.words, []
    if facts.declared:
        who = words.who(story.event(facts.declared).actor)
        text = f"{who} declared the incident {words.when(facts.declared.at)}"
        told.append((facts.declared.at, sentence(text, facts.declared.event_id)))
    again = reopened_sentence(story)
    if again:
        told.append((facts.reopened[0].at, again))
    ends: list[tuple[str, Moment | None, timedelta | None]] = [
        ("mitigated", facts.mitigated, facts.time_to_mitigate),
        ("resolved", facts.resolved, facts.time_to_resolve),
    ]
    for name, moment, took in ends:
        if moment is not None and took is not None:
            text = f"The incident was {name} {words.when(moment.at)}, {spell(took)} after the start"
            told.append((moment.at, sentence(text, moment.event_id, CALC)))
    return told


def _runbook(story: Story) -> Lines:
    facts, words = story.facts, story.words
    if not facts.runbook:
        return []
    name, opened = words.plain(facts.runbook), facts.runbook_opened
    if opened:
        text = f"The runbook {name} was named in the response {words.when(opened.at)}"
        return [sentence(text, opened.event_id)]
    text = f"The runbook {name} was matched; the record does not show that anybody opened it"
    return [sentence(text, CALC)]
