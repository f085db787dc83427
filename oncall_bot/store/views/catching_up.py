"""What somebody who joins late reads, from the rows as they are: who has it, what comes next, what is new.

Writes nothing. Serves the Slack edge and the flow that suggests updates; core.drafts writes the words.
"""

from __future__ import annotations

from datetime import datetime

from oncall_bot.core.drafts.catchup import catch_up as written
from oncall_bot.core.drafts.standing import Phase, Standing
from oncall_bot.core.drafts.wording import joined
from oncall_bot.core.records import parse_record
from oncall_bot.core.situation import Situation, State
from oncall_bot.store import incidents, looks
from oncall_bot.store import record as records
from oncall_bot.store.statements import Row
from oncall_bot.store.transactions import Reader
from oncall_bot.store.views.incident import situation_of

_PHASES = {
    State.FIRING: Phase.WAITING,
    State.SILENCED: Phase.WAITING,
    State.ACKNOWLEDGED: Phase.WORKED_ON,
    State.MITIGATED: Phase.MITIGATED,
    State.RESOLVED: Phase.RESOLVED,
    State.MERGED: Phase.RESOLVED,
}


def catch_up(reader: Reader, incident_id: int, actor: str) -> str | None:
    """Markdown for this reader, by what they have not seen; None when there is no such incident."""
    incident = incidents.get(reader, incident_id)
    if incident is None:
        return None
    record = parse_record(records.record_of(reader, incident_id))
    since = looks.last(reader, incident_id, actor)
    return written(record, standing_now(reader, incident), since=since)


def standing_now(reader: Reader, incident: Row) -> Standing:
    """State, holder and next step out of the rows that the bot itself goes by."""
    shown = situation_of(reader, incident)
    phase = _PHASES[shown.state]
    return Standing(
        at=reader.now,
        phase=phase,
        since=_since(shown, phase),
        holder=shown.resolved_by if phase is Phase.RESOLVED else shown.acked_by,
        next_told=_next(shown),
    )


def _since(shown: Situation, phase: Phase) -> datetime | None:
    return {
        Phase.WAITING: shown.opened_at,
        Phase.WORKED_ON: shown.acked_at,
        Phase.MITIGATED: shown.mitigated_at,
        Phase.RESOLVED: shown.resolved_at,
    }[phase]


def _next(shown: Situation) -> str:
    if shown.state is State.SILENCED and shown.silence is not None:
        return (
            f"Nobody is paged until {shown.silence.until:%H:%M} UTC: {shown.silence.by} silenced it"
        )
    if shown.state is State.ACKNOWLEDGED and shown.ack_until is not None:
        return f"Nobody else is paged until {shown.ack_until:%H:%M} UTC; then paging begins again"
    if shown.next is None or shown.state is not State.FIRING:
        return ""
    who = joined(shown.next.names) or "the next step"
    verb = "is" if len(shown.next.names) < 2 else "are"
    return f"If nobody answers, {who} {verb} paged at {shown.next.at:%H:%M} UTC ({shown.next.what})"
