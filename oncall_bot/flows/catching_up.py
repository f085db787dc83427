"""Somebody asks to be caught up, or for the words of a status update. Nothing is posted and nobody is paged by either.

Knows when each person last looked, and keeps a suggested update as a draft that only its asker sees. Refuses to write:
core.drafts does. Serves the Slack edge.
"""

from __future__ import annotations

from oncall_bot.core.drafts.status_update import AUDIENCES, status_update
from oncall_bot.core.outcomes import Actor, Outcome
from oncall_bot.core.records import parse_record
from oncall_bot.core.rights import Right
from oncall_bot.flows.answering import audited, known
from oncall_bot.store import drafts, incidents, looks, record
from oncall_bot.store.transactions import Tx
from oncall_bot.store.views.catching_up import standing_now


def looked(tx: Tx, incident_id: int, actor: Actor) -> None:
    """Remember that this person has seen the incident as it stands."""
    if incidents.get(tx, incident_id) is not None:
        looks.remember(tx, incident_id, str(actor))


def suggest_update(tx: Tx, incident_id: int, audience: str, actor: Actor) -> Outcome | int:
    """The number of the draft that holds the suggestion, or why there is none."""
    if audience not in AUDIENCES:
        return Outcome(False, "An update is for internal or for customers.")
    incident = known(tx, incident_id, actor, Right.DRAFT)
    if isinstance(incident, Outcome):
        return incident
    told = parse_record(record.record_of(tx, incident_id))
    draft_id = drafts.insert(
        tx,
        incident_id,
        f"update-{audience}",
        facts={},
        markdown=status_update(told, audience, standing_now(tx, incident)),
        state="facts",
        asked_by=str(actor),
    )
    audited(tx, actor, "suggest_update", incident_id, audience=audience)
    return draft_id
