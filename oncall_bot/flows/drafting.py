"""Summary and postmortem: facts by code at once, prose later if a model is named, shown to a human.

Knows when a draft is due (drafts are not noise: only if declared, if the severity says so, or if somebody asks,
after the quiet window) and what is left for the engine. Refuses to write: core.drafts does; and to trust a model.
Serves resolve, the tick and Slack.
"""

from __future__ import annotations

from datetime import timedelta

from oncall_bot.core.drafts import KINDS, checks_of, compose, draft, summary_line
from oncall_bot.core.incidents import Status
from oncall_bot.core.outcomes import Actor, Outcome
from oncall_bot.core.records import parse_record
from oncall_bot.core.rights import Right
from oncall_bot.core.timeline import Entry, Kind
from oncall_bot.flows import showing
from oncall_bot.flows.answering import known
from oncall_bot.ports import Prose
from oncall_bot.store import (
    drafts,
    incidents,
    messages,
    model_calls,
    outbox,
    record,
    timers,
)
from oncall_bot.store.outbox import Lane
from oncall_bot.store.transactions import Tx

QUIET_WINDOW = timedelta(minutes=15)


def await_quiet(tx: Tx, incident_id: int) -> None:
    """Resolved: a postmortem is drafted when it stays quiet."""
    timers.rearm(
        tx, "quiet", f"incident:{incident_id}", tx.now + QUIET_WINDOW, f"quiet:{incident_id}"
    )


def forget_quiet(tx: Tx, incident_id: int) -> None:
    timers.drop(tx, "quiet", f"incident:{incident_id}")


def quiet_enough(tx: Tx, incident_id: int) -> None:
    """The quiet window has passed: draft what the severity asks for."""
    incident = incidents.lock(tx, incident_id)
    if incident is None or incident.status != Status.RESOLVED:
        return
    declared = incident.declared_at is not None and incident.declared_by is not None
    if (declared or incident.postmortem == "draft") and drafts.latest(
        tx, incident_id, "postmortem"
    ) is None:
        write(tx, incident_id, "postmortem", asked_by=None)


def request_draft(
    tx: Tx, incident_id: int, kind: str, actor: Actor, *, channel: str | None = None
) -> Outcome:
    """Somebody asks for a draft: it is there at once, made of facts; prose follows when a model is named."""
    if kind not in KINDS:
        return Outcome(False, "Ask for a summary or a postmortem.")
    incident = known(tx, incident_id, actor, Right.DRAFT)
    if isinstance(incident, Outcome):
        return incident
    write(tx, incident_id, kind, asked_by=str(actor), channel=channel)
    return Outcome(
        True,
        f"The {kind} of incident {incident_id} is drafted; it lies in the thread.",
        incident_id,
    )


def write(
    tx: Tx, incident_id: int, kind: str, *, asked_by: str | None, channel: str | None = None
) -> int:
    """Store the facts and the model-free draft, show it, and leave the wish for prose."""
    facts = record.record_of(tx, incident_id)
    markdown = draft(parse_record(facts), kind)
    draft_id = drafts.insert(
        tx, incident_id, kind, facts=facts, markdown=markdown, state="facts", asked_by=asked_by
    )
    incident = incidents.get(tx, incident_id)
    where = (incident.channel if incident else None) or channel
    if where:
        role = f"draft:{kind}"
        if messages.role_of(tx, incident_id, role) is None:
            messages.create(tx, incident_id=incident_id, role=role, channel=where)
        _show(tx, incident_id, kind)
    outbox.add(
        tx,
        lane=Lane.DRAFT,
        kind="draft",
        destination="llm",
        dedupe_key=f"draft:{draft_id}",
        payload={"draft_id": draft_id, "kind": kind},
        incident_id=incident_id,
    )
    incidents.write(
        tx,
        incident_id,
        [Entry(Kind.BOT, f"Drafted a {kind} from the record", tx.now, data={"draft": kind})],
    )
    showing.changed(tx, incident_id)
    return draft_id


def add_narrative(tx: Tx, draft_id: int, prose: Prose) -> int:
    """Put a model's sentences around the facts; answers how many stayed.

    What the record does not bear out is left out and kept beside the draft with its reason; what is missing is told
    in one line. A draft that was changed meanwhile stays as it is.
    """
    for judged in prose.judged:
        model_calls.judge(tx, draft_id, judged)
    row = drafts.get(tx, draft_id)
    if row is None or row.state != "facts":
        return 0
    composed = compose(parse_record(row.facts), row.kind, prose.claims, prose.missing)
    drafts.set_text(tx, draft_id, composed.markdown, "narrated", checks_of(composed.checked))
    _show(tx, row.incident_id, row.kind)
    return len(composed.checked.kept)


def _show(tx: Tx, incident_id: int, kind: str) -> None:
    message = messages.role_of(tx, incident_id, f"draft:{kind}")
    if message is not None:
        messages.touch(tx, message, at_once=True)


def line_of(tx: Tx, incident_id: int) -> str:
    """The summary line of an incident, from its record."""
    return summary_line(parse_record(record.record_of(tx, incident_id)))
