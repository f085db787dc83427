"""An incident as its web page shows it: the situation, a page of its timeline, its newest draft, its figures.

Knows how much of a long timeline is read at once. Decides nothing. Serves web.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from oncall_bot.core.facts import Facts, facts_of
from oncall_bot.core.records import parse_record
from oncall_bot.core.situation import Situation
from oncall_bot.store import drafts, incidents, record, timeline_pages
from oncall_bot.store.statements import Row
from oncall_bot.store.transactions import Reader
from oncall_bot.store.views.incident import situation_of

ENTRIES = 100
MARKDOWN_MAX = 60_000


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One line. `person` is None where the bot speaks; `quoted` text is in somebody's own words."""

    seq: int
    at: datetime
    kind: str
    person: str | None
    text: str
    standing: str
    quoted: bool


@dataclass(frozen=True, slots=True)
class ShownDraft:
    kind: str
    markdown: str


@dataclass(frozen=True, slots=True)
class IncidentPage:
    situation: Situation
    entries: Sequence[TimelineEntry]
    last_seq: int  # of the whole timeline
    draft: ShownDraft | None
    facts: Facts
    now: datetime


def incident_page(reader: Reader, incident_id: int, last: int | None = None) -> IncidentPage | None:
    """The newest 100 entries, or those that end with number `last`; None when there is no such incident."""
    row = incidents.get(reader, incident_id)
    if row is None:
        return None
    last_seq = row.next_seq - 1
    upper = last_seq if last is None else min(max(last, 1), last_seq)
    entries = timeline_pages.up_to(reader, incident_id, upper, limit=ENTRIES)
    return IncidentPage(
        situation=situation_of(reader, row),
        entries=[_entry(one) for one in entries],
        last_seq=last_seq,
        draft=_draft(reader, incident_id),
        facts=facts_of(parse_record(record.record_of(reader, incident_id))),
        now=reader.now,
    )


def _entry(row: Row) -> TimelineEntry:
    person = None if row.actor.startswith("system:") else row.actor_name
    quoted = row.kind in {"chat", "note", "pin"} or row.trust == "external"
    return TimelineEntry(row.seq, row.at, row.kind, person, row.text, row.standing, quoted)


def _draft(reader: Reader, incident_id: int) -> ShownDraft | None:
    """The postmortem where there is one, else the summary."""
    for kind in ("postmortem", "summary"):
        row = drafts.latest(reader, incident_id, kind)
        if row is not None:
            return ShownDraft(kind, str(row.markdown)[:MARKDOWN_MAX])
    return None
