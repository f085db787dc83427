"""Where an incident stands at an instant: its state, who has it, how it goes on by itself.

Knows how to tell that from a record alone, for a record that came as a file. Where the rows are at hand the caller says
it better. Refuses to word anything. Serves the catch-up and the status update.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from oncall_bot.core.records import Record, RecordEvent

NEVER = datetime.min.replace(tzinfo=UTC)
CALM = ("mitigated", "resolved")


class Phase(StrEnum):
    WAITING = "waiting"  # nobody has it
    WORKED_ON = "worked on"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Standing:
    """`at` is now. `holder` has it; `next_told` says what the bot does by itself next, a clause with its time."""

    at: datetime
    phase: Phase
    since: datetime | None = None
    holder: str | None = None
    next_told: str = ""
    firing: int | None = None
    events: Sequence[str] = ()  # the lines this rests on


def standing_of(record: Record) -> Standing:
    """As the record's last line left it."""
    at = record.events[-1].at if record.events else NEVER
    statuses = [e for e in record.events if e.kind == "status" and e.data.get("to")]
    last = statuses[-1] if statuses else None
    to = str(last.data["to"]).lower() if last else ""
    word = record.status.lower() if record.status.lower() in CALM else to
    if word in CALM and (last is None or to == word):
        rests_on = [last.id] if last else []
        since = last.at if last else None
        return Standing(at, Phase(word), since, events=rests_on)
    ack = _ack_since(record, _reopened_at(statuses))
    if ack is None:
        return Standing(at, Phase.WAITING)
    return Standing(at, Phase.WORKED_ON, ack.at, record.name_of(ack.actor), events=[ack.id])


def _reopened_at(statuses: list[RecordEvent]) -> datetime | None:
    """When it last began anew: an acknowledgement from before does not count."""
    calm, found = False, None
    for event in statuses:
        is_calm = str(event.data["to"]).lower() in CALM
        if calm and not is_calm:
            found = event.at
        calm = is_calm
    return found


def _ack_since(record: Record, after: datetime | None) -> RecordEvent | None:
    acks = [e for e in record.events if e.kind == "ack" and (after is None or e.at >= after)]
    return acks[-1] if acks else None
