"""Somebody has it: paging stops, everybody who was paged may sleep, and the clock of the ack timeout starts.

Serves every road an answer comes by: Slack buttons and commands, signed links, later keypads and replies.
"""

from __future__ import annotations

from collections.abc import Sequence

from oncall_bot.core import escalation
from oncall_bot.core.config import Urgency
from oncall_bot.core.incidents import Status
from oncall_bot.core.outcomes import Actor, Outcome
from oncall_bot.core.rights import Right
from oncall_bot.core.timeline import Entry, Kind
from oncall_bot.flows import notices, paging, showing
from oncall_bot.flows.answering import audited, find
from oncall_bot.store import incidents, runs
from oncall_bot.store.statements import Row
from oncall_bot.store.transactions import Tx

NUMBERS_SHOWN = 10


def acknowledge(tx: Tx, incident_id: int, actor: Actor) -> Outcome:
    """The actor has the incident. A late press names the winner and changes nothing.

    Whoever is being paged for an incident that somebody else has takes it over: they were asked for. Acknowledging
    once more is the word that the ack timeout waits for.
    """
    incident = find(tx, incident_id, actor, Right.ACKNOWLEDGE)
    if isinstance(incident, Outcome):
        return incident
    former = incident.acked_by if incident.status in (Status.ACKED, Status.MITIGATED) else None
    if former is None:
        take(tx, incident, actor)
        return Outcome(True, f"You have incident {incident_id}. Nobody else is paged.", incident_id)
    if former == str(actor):
        return _again(tx, incident, actor)
    if not runs.asks(tx, incident_id, actor.key):
        return _late(incident, actor)
    return take_over(tx, incident_id, actor)


def take_over(tx: Tx, incident_id: int, actor: Actor) -> Outcome:
    """The incident is the actor's, whoever had it. Nobody is paged for it any more; the former is told."""
    incident = find(tx, incident_id, actor, Right.ACKNOWLEDGE)
    if isinstance(incident, Outcome):
        return incident
    if incident.acked_by == str(actor):
        return _again(tx, incident, actor)
    take(tx, incident, actor)
    if incident.acked_by is None:
        return Outcome(True, f"You have incident {incident_id}. Nobody else is paged.", incident_id)
    tell_former(tx, incident, f"{actor.name} has it now")
    had = incident.acked_by_name or "somebody else"
    return Outcome(
        True, f"You have incident {incident_id} now; {had} had it and is told.", incident_id
    )


def tell_former(tx: Tx, incident: Row, what: str) -> None:
    """Whoever had the incident (as it was read before) hears that it is no longer theirs."""
    kind, _, key = (incident.acked_by or "").partition(":")
    stamp = int(tx.now.timestamp() * 1000)
    text = f"Incident {incident.id}: {what}. You are not paged for it any more."
    if kind in ("person", "slack"):
        notices.tell_whoever(tx, kind, key, text, f"taken:{incident.id}:{stamp}")


def acknowledge_all(tx: Tx, incident_ids: Sequence[int], actor: Actor) -> Outcome:
    """The actor has every one of these that nobody has yet: the answer to one message about several incidents."""
    answers = {one: acknowledge(tx, one, actor) for one in sorted(set(incident_ids))}
    taken = [one for one, answer in answers.items() if answer.done]
    if not taken:
        refusal = next((answer for answer in answers.values() if answer.refused), None)
        if refusal is not None:
            return refusal
        return Outcome(False, "Nothing is left to do: somebody has each of them, or it is over.")
    shown = ", ".join(str(one) for one in taken[:NUMBERS_SHOWN])
    more = f" and {len(taken) - NUMBERS_SHOWN} more" if len(taken) > NUMBERS_SHOWN else ""
    noun = "incident" if len(taken) == 1 else "incidents"
    return Outcome(True, f"You have {noun} {shown}{more}. Nobody else is paged.", taken[0])


def acknowledge_message(tx: Tx, message_id: int, actor: Actor) -> Outcome:
    """`Acknowledge all` under a Slack message that shows several pages: what in it still asks."""
    asked = [row.incident_id for row in runs.standing_in(tx, message_id) if runs.is_asked(row)]
    return acknowledge_all(tx, asked, actor)


def take(tx: Tx, incident: Row, actor: Actor) -> None:
    """The incident is the actor's from now on."""
    status = incident.status if incident.status == Status.MITIGATED else str(Status.ACKED)
    incidents.change(
        tx,
        incident.id,
        status=status,
        acked_at=tx.now,
        acked_by=str(actor),
        acked_by_name=actor.name,
        nobody=None,
    )
    hold_for(tx, incident, actor)
    if actor.kind == "person":
        runs.answered(tx, incident.id, actor.key, actor.by)
    entry = Entry(
        Kind.ACK, f"{actor.name} acknowledged by {actor.by}", tx.now, actor, {"by": actor.by}
    )
    incidents.write(tx, incident.id, [entry])
    audited(tx, actor, "acknowledge", incident.id)
    showing.changed(tx, incident.id, at_once=True, pages=True)


def hold_for(tx: Tx, incident: Row, actor: Actor) -> None:
    """Every run stops for whoever has it; the clock of the ack timeout begins."""
    for row in runs.open_of(tx, incident.id):
        policy = paging.policy_of(tx.snapshot.config, row, row.policy_key, incident.team)
        decision = escalation.acknowledged(
            policy, runs.run_of(row), str(actor), Urgency(incident.urgency), tx.now
        )
        runs.save(tx, row.id, decision.run, decision.reason)
        if decision.next_due is not None:
            paging.plan(tx, row.id, decision.next_due)


def _again(tx: Tx, incident: Row, actor: Actor) -> Outcome:
    """A word from whoever has it: the ack timeout counts from now, and what pages them stops."""
    hold_for(tx, incident, actor)
    runs.answered(tx, incident.id, actor.key, actor.by)
    showing.changed(tx, incident.id, pages=True)
    return Outcome(False, f"You already have incident {incident.id}.", incident.id, actor.name)


def _late(incident: Row, actor: Actor) -> Outcome:
    winner = incident.acked_by_name or "Somebody"
    return Outcome(
        False,
        f"{winner} already has incident {incident.id}. Nothing is left to do.",
        incident.id,
        winner,
    )
