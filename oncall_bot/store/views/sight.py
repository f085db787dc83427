"""What the metrics say of an incident: its picture and readings as stored, and what is to be asked for them.

Knows how rows become the values of core.situation, and which alert speaks for the incident. Writes nothing.
Serves the card, the runbook's message and `engine.sight`. Every query is by an index and bounded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from oncall_bot.core.incidents import Status
from oncall_bot.core.live_checks import CHECKS_MAX, LiveCheck, Reading, reading_of
from oncall_bot.core.runbooks import Runbook
from oncall_bot.core.situation import Before, Beside, ShownPicture
from oncall_bot.store import groups, history, incidents, messages, pictures, runbooks
from oncall_bot.store.snapshot import runbook_of
from oncall_bot.store.statements import Row
from oncall_bot.store.transactions import Reader

WEEK, AROUND = timedelta(days=7), timedelta(minutes=10)
BESIDE_SHOWN = 3
ALERTS_READ = 50
READINGS_READ = 60


@dataclass(frozen=True, slots=True)
class Subject:
    """What there is to look at for an incident: whose labels, which expression, since when."""

    incident_id: int
    title: str
    source: str
    alertname: str
    labels: Sequence[Mapping[str, str]]  # of its alerts, the one that speaks for it first
    expression: str
    fired_at: datetime
    ended_at: datetime | None
    is_open: bool
    asked: int
    checks: Sequence[LiveCheck] = ()


def subject(reader: Reader, incident_id: int) -> Subject | None:
    """The incident as metrics see it; None when no alert belongs to it."""
    incident = incidents.get(reader, incident_id)
    source_id = history.source_of(reader, incident_id)
    if incident is None or source_id is None or incident.status == Status.MERGED:
        return None
    firing = groups.open_members(reader, incident_id, limit=ALERTS_READ)
    members = firing or groups.all_members(reader, incident_id, limit=ALERTS_READ)
    if not members:
        return None
    spokesman = next((one for one in members if one.expression), members[0])
    own = [one for one in members if one.name == spokesman.name]
    sources = {number: key for key, number in reader.snapshot.sources.items()}
    row = pictures.get(reader, incident_id)
    book = _book(reader, incident_id)
    return Subject(
        incident_id=incident_id,
        title=spokesman.name if incident.origin == "storm" else incident.title,
        source=sources.get(source_id, ""),
        alertname=spokesman.name,
        labels=[one.labels for one in (spokesman, *own)],
        expression=spokesman.expression or "",
        fired_at=min(one.starts_at for one in own),
        ended_at=None if firing else max(one.ended_at for one in own),
        is_open=incident.status != Status.RESOLVED,
        asked=row.asked if row else 0,
        checks=book.checks[:CHECKS_MAX] if book else (),
    )


def _book(reader: Reader, incident_id: int) -> Runbook | None:
    row = runbooks.of_incident(reader, incident_id)
    if row is None:
        return None
    return runbook_of(row.source, row.slug, row.text, row.sha256, row.document)


def picture(reader: Reader, incident_id: int) -> ShownPicture | None:
    """The picture as it was drawn last, or why it could not be; None before the first try."""
    row = pictures.get(reader, incident_id)
    if row is None or row.drawn_at is None:
        return None
    return ShownPicture(row.file_id, row.alt, row.sentence, row.fault, row.drawn_at)


def checks(reader: Reader, incident_id: int) -> tuple[int, list[Reading]]:
    """How many live checks the incident's runbook holds, and what each came to last, in the order of the runbook."""
    book = _book(reader, incident_id)
    if book is None or not book.checks:
        return 0, []
    newest: dict[str, Reading] = {}
    for row in incidents.last_events(reader, incident_id, ("metric",), limit=READINGS_READ):
        if row.data.get("runbook") == book.slug:
            newest.setdefault(str(row.data.get("check")), reading_of(row.data, row.at))
    return len(book.checks), [newest[one.name] for one in book.checks if one.name in newest]


def before(reader: Reader, incident: Row) -> Before | None:
    """How often the same alerts were there within a week, and how long they usually last; None for the first time."""
    rows = history.earlier(reader, incident.id, WEEK)
    if not rows:
        return None
    lasted = [row.closed_at - row.opened_at for row in rows]
    return Before(len(rows) + 1, timedelta(seconds=median(one.total_seconds() for one in lasted)))


def beside(reader: Reader, incident: Row) -> tuple[list[Beside], int]:
    """What else began within ten minutes, the nearest in time first, and how many more there are."""
    if incident.origin == "storm":
        return [], 0
    rows = history.near(reader, incident.id, incident.opened_at, AROUND)
    rows.sort(key=lambda row: abs(row.opened_at - incident.opened_at))
    shown = [
        Beside(row.id, row.title, row.opened_at, _place(reader, row.id))
        for row in rows[:BESIDE_SHOWN]
    ]
    return shown, max(0, len(rows) - len(shown))


def _place(reader: Reader, incident_id: int) -> tuple[str, str] | None:
    root = messages.role_of(reader, incident_id, "root")
    if root is None or root.ts is None or root.channel_id is None:
        return None
    return root.channel_id, root.ts
