"""Alike entries told once: forty alerts of one name in three minutes are one line with a count.

Knows which events are alike (an alert's name, a metric's name) and from how many on they are folded. Refuses to fold
what people did. Serves the timeline and the detection.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from oncall_bot.core.facts import AlertFact
from oncall_bot.core.records import RecordEvent

FOLD_FROM = 4
_METRIC = re.compile(r"^\s*([A-Za-z_:][\w:. ]{1,80}?)\s*(?:\{[^}]{0,200}\})?\s*(?:=|was\b|rate\b)")
_FIRED = re.compile(r"^\s*(\w[\w:.-]{1,80})\b")


@dataclass(frozen=True, slots=True)
class Fold:
    """Alike events, oldest first; one alone is a fold of one."""

    subject: str
    events: tuple[RecordEvent, ...]

    @property
    def first(self) -> RecordEvent:
        return self.events[0]

    @property
    def last(self) -> RecordEvent:
        return self.events[-1]


def folded(events: Iterable[RecordEvent]) -> list[Fold]:
    """The events with alike ones together at the place of the first of them."""
    rows = list(events)
    alike: dict[tuple[str, str], list[RecordEvent]] = defaultdict(list)
    for event in rows:
        subject = subject_of(event)
        if subject:
            alike[event.kind, subject].append(event)
    many = {key for key, members in alike.items() if len(members) >= FOLD_FROM}
    found = []
    for event in rows:
        key = (event.kind, subject_of(event))
        if key not in many:
            found.append(Fold(key[1], (event,)))
        elif event is alike[key][0]:
            found.append(Fold(key[1], tuple(alike[key])))
    return found


def subject_of(event: RecordEvent) -> str:
    """What a machine's line is about; empty for everything else."""
    if event.kind == "metric":
        found = _METRIC.match(event.text)
        return found[1].strip() if found else ""
    if event.kind in ("alert", "resolve"):
        found = _FIRED.match(event.text)
        return found[1] if found else ""
    return ""


def by_name(alerts: Sequence[AlertFact]) -> list[tuple[AlertFact, ...]]:
    """Alerts of one name together, in the order of the first of each."""
    groups: dict[str, list[AlertFact]] = {}
    for fact in alerts:
        groups.setdefault(fact.alert.name, []).append(fact)
    return [tuple(sorted(group, key=lambda a: a.alert.starts_at)) for group in groups.values()]
