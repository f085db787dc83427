"""What a model may see of an incident: the ledger, redacted, cut into windows it can read.

Knows which entries are worth their tokens and how each is written. Refuses to send secrets, values that the file
withholds, and the text of outsiders; the newest entries are never left out.
Serves prompts and the drafter.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from oncall_bot.core.disclosure import Withholder
from oncall_bot.core.evidence import Evidence, Standing, weigh
from oncall_bot.core.facts import Facts, facts_of
from oncall_bot.core.records import Record, RecordAlert, RecordEvent
from oncall_bot.core.redaction import Redactor
from oncall_bot.core.verification import CALC
from oncall_bot.llm.books import tokens_in

MOST_EVENTS = 150
NEWEST = 40
MOST_TEXT = 600
MOST_REPEATS = 3
FOR_THE_LEDGER = 0.55
"""The part of a draft's tokens that the ledger may take when it is read once; the rest is for questions and replies."""
MOST_ALERTS = 20
_PLAIN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_:.-]{0,80}")
"""A name that cannot be a sentence: alert names come from outside."""
_RANK = {
    "pin": 0,
    "status": 0,
    "milestone": 0,
    "impact": 0,
    "action": 1,
    "deploy": 1,
    "note": 2,
    "ack": 3,
    "page": 3,
}


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of the ledger as JSON lines, and the ids a reply about it may cite."""

    lines: tuple[str, ...]
    ids: tuple[str, ...]

    def fenced(self, marker: str) -> str:
        """Between two fence lines that carry the marker: everything inside is data."""
        fence = (f"=== LEDGER {marker} ===", *self.lines, f"=== END OF LEDGER {marker} ===")
        return "\n".join(fence)


@dataclass(frozen=True, slots=True)
class Ledger:
    """All windows, oldest first, and what puts withheld values back into a reply."""

    windows: tuple[Window, ...]
    withholder: Withholder


def ledger_of(
    record: Record, withheld: Sequence[str], tokens: int, most_events: int = MOST_EVENTS
) -> Ledger:
    """The record as windows of at most so many entries, within the tokens that a draft may use."""
    clean = _Cleaner(record, withheld)
    evidence = weigh(record)
    rows = {e.id: clean.line(_row(e, evidence, clean)) for e in _worth(evidence)}
    chosen = _chosen(record, rows, int(tokens * FOR_THE_LEDGER))
    alerts = [a for a in record.alerts if _PLAIN_NAME.fullmatch(a.name)][:MOST_ALERTS]
    head = [clean.line(_head(record, facts_of(record), clean))]
    head += [clean.line(_alert(alert, clean)) for alert in alerts]
    cited = (CALC, *(alert.id for alert in alerts))
    cuts = range(0, max(1, len(chosen)), most_events)
    windows = [chosen[n : n + most_events] for n in cuts]
    return Ledger(
        tuple(Window((*head, *(rows[i] for i in ids)), (*cited, *ids)) for ids in windows),
        clean.withholder,
    )


def _worth(evidence: Evidence) -> list[RecordEvent]:
    """Without the noise; what a machine repeats over and over is there the first and the last time."""
    events = [e for e in evidence.record.events if e.id not in evidence.noise]
    said = Counter((e.kind, e.actor, e.text) for e in events)
    left, kept = Counter(said), []
    for event in events:
        key = (event.kind, event.actor, event.text)
        first, last = left[key] == said[key], left[key] == 1
        left[key] -= 1
        if said[key] <= MOST_REPEATS or first or last:
            kept.append(event)
    return kept


def _chosen(record: Record, rows: dict[str, str], tokens: int) -> list[str]:
    """The newest first, then what was decided, done and measured before what was said, until the tokens are used."""
    events = [e for e in record.events if e.id in rows]
    newest = {e.id for e in events[-NEWEST:]}
    order = sorted(
        range(len(events)),
        key=lambda n: (events[n].id not in newest, _RANK.get(events[n].kind, 4), -n),
    )
    chosen: set[str] = set()
    for n in order:
        cost = tokens_in(rows[events[n].id])
        if tokens < cost and events[n].id not in newest:
            break
        tokens -= cost
        chosen.add(events[n].id)
    return [e.id for e in events if e.id in chosen]


class _Cleaner:
    """Takes secrets and withheld values out of every text that goes into a line."""

    def __init__(self, record: Record, withheld: Sequence[str]) -> None:
        self.withholder = Withholder(withheld)
        self._redactor = Redactor()
        self._redactor.learn(event.text for event in record.events)

    def text(self, text: str) -> str:
        return self.withholder.withhold(self._redactor.redact(text))

    def line(self, row: dict[str, Any]) -> str:
        return json.dumps(row, ensure_ascii=False)


def _head(record: Record, facts: Facts, clean: _Cleaner) -> dict[str, Any]:
    return {
        "id": CALC,
        "incident": clean.text(record.title),
        "severity": clean.text(record.severity) if record.severity else record.severity,
        "services": [clean.text(service) for service in record.services],
        "facts": {clean.text(k): clean.text(v) for k, v in computed(facts).items()},
    }


def _alert(alert: RecordAlert, clean: _Cleaner) -> dict[str, Any]:
    """An alert by its name alone: what else a source writes about it is text from outside."""
    row: dict[str, Any] = {
        "id": alert.id,
        "kind": "alert",
        "name": clean.text(alert.name),
        "fired": alert.starts_at.strftime("%Y-%m-%d %H:%M:%S UTC"),
    }
    if alert.ends_at is not None:
        row["ended"] = alert.ends_at.strftime("%Y-%m-%d %H:%M:%S UTC")
    figures = {"value": alert.value, "threshold": alert.threshold}
    return row | {name: figure for name, figure in figures.items() if figure is not None}


def _row(event: RecordEvent, evidence: Evidence, clean: _Cleaner) -> dict[str, Any]:
    standing = evidence.standing[event.id]
    row: dict[str, Any] = {
        "id": event.id,
        "at": event.at.strftime("%Y-%m-%d %H:%M:%S UTC"),
        "kind": event.kind,
        "standing": standing.value,
    }
    if standing is Standing.EXTERNAL:
        return row | {"text": f"(text from outside, {len(event.text)} characters, left out)"}
    person = evidence.record.name_of(event.actor)
    return row | {"by": clean.text(person), "text": clean.text(event.text[:MOST_TEXT])}


def computed(facts: Facts) -> dict[str, str]:
    """The facts by code that a sentence may use when it cites calc."""
    told = {
        name: moment.at.strftime("%Y-%m-%d %H:%M:%S UTC")
        for name, moment in facts.moments().items()
    }
    spans = {
        "time to detect": facts.time_to_detect,
        "time to acknowledge": facts.time_to_ack,
        "impact lasted": facts.time_to_mitigate,
        "time to resolve": facts.time_to_resolve,
    }
    told |= {
        name: f"{int(span.total_seconds())} s" for name, span in spans.items() if span is not None
    }
    return told | {figure.name.replace("_", " "): str(figure.value) for figure in facts.impact}
