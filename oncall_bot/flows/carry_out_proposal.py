"""The press under a proposal: everything is looked at again, then the flow it stands for runs, once.

Knows which flow each act is. Refuses to trust the card: rights, time and state count as they are now. Serves Slack.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from oncall_bot.core.matchers import Matcher
from oncall_bot.core.outcomes import Actor, Outcome
from oncall_bot.core.rights import Right
from oncall_bot.core.talk.orders import Act
from oncall_bot.core.talk.proposals import RIGHT, Proposal, may_press
from oncall_bot.flows import holding
from oncall_bot.flows.acknowledge import acknowledge, take_over
from oncall_bot.flows.answering import may, refused, turned_down
from oncall_bot.flows.declare import change_severity, declare, note
from oncall_bot.flows.escalate import escalate, page_by_hand
from oncall_bot.flows.inbound import seen
from oncall_bot.flows.resolve import resolve
from oncall_bot.flows.set_override import set_override
from oncall_bot.flows.silence_incident import not_for, silence_incident
from oncall_bot.store import firings, incidents, silences
from oncall_bot.store.statements import Row
from oncall_bot.store.transactions import Tx

LOOKED_THROUGH = 2000
REPEATED = "That was pressed already; it counts once."


def carry_out_proposal(tx: Tx, proposal: Proposal, actor: Actor) -> Outcome:
    """Do what the card says, in the name of whoever pressed it. Expired, pressed before, or not theirs: says so."""
    incident = incidents.get(tx, proposal.incident) if proposal.incident is not None else None
    refusal = _not_theirs(tx, proposal, actor, incident)
    if refusal is not None:
        return refusal
    if tx.now >= proposal.expires_at:
        return Outcome(
            False,
            "This card has expired: it was good for 10 minutes. Ask again.",
            proposal.incident,
        )
    if _may(tx, proposal, actor, incident) and seen(tx, "proposal", proposal.id):
        return Outcome(False, REPEATED, proposal.incident)
    return _DO[proposal.act](tx, proposal, actor)


def dismiss_proposal(tx: Tx, proposal: Proposal, actor: Actor) -> Outcome:
    """`Leave it`: the card does nothing any more."""
    incident = incidents.get(tx, proposal.incident) if proposal.incident is not None else None
    refusal = _not_theirs(tx, proposal, actor, incident)
    if refusal is not None:
        return refusal
    if seen(tx, "proposal", proposal.id):
        return Outcome(False, REPEATED, proposal.incident)
    return Outcome(True, "Left as it is.", proposal.incident)


def _not_theirs(tx: Tx, proposal: Proposal, actor: Actor, incident: Row | None) -> Outcome | None:
    """Why this card is not for the actor to press, None when it is."""
    team = incident.team if incident is not None else None
    why = may_press(proposal, actor, tx.snapshot.rights, team)
    if why is None:
        return None
    about = "" if proposal.incident else "slack"
    return turned_down(tx, actor, f"proposal_{proposal.act}", why, proposal.incident, about)


def _may(tx: Tx, proposal: Proposal, actor: Actor, incident: Row | None) -> bool:
    """Whether the actor has the right; a press without it uses the card up for nobody."""
    right = RIGHT[proposal.act]
    if incident is not None:
        return may(tx, incident, actor, right)
    return tx.snapshot.rights.may(actor, right, None)


def _number(proposal: Proposal) -> int:
    return proposal.incident if proposal.incident is not None else -1


def _ack(tx: Tx, p: Proposal, actor: Actor) -> Outcome:
    return acknowledge(tx, _number(p), actor)


def _take(tx: Tx, p: Proposal, actor: Actor) -> Outcome:
    return take_over(tx, _number(p), actor)


def _resolve(tx: Tx, p: Proposal, actor: Actor) -> Outcome:
    return resolve(tx, _number(p), actor)


def _escalate(tx: Tx, p: Proposal, actor: Actor) -> Outcome:
    return escalate(tx, _number(p), actor)


def _severity(tx: Tx, p: Proposal, actor: Actor) -> Outcome:
    return change_severity(tx, _number(p), p.args["severity"], actor)


def _note(tx: Tx, p: Proposal, actor: Actor) -> Outcome:
    return note(tx, _number(p), p.args["text"], actor)


def _page(tx: Tx, p: Proposal, actor: Actor) -> Outcome:
    return page_by_hand(tx, _number(p), p.args["target"], actor, note=p.args.get("note", ""))


def _override(tx: Tx, p: Proposal, actor: Actor) -> Outcome:
    start, end = (datetime.fromisoformat(p.args[name]) for name in ("start", "end"))
    return set_override(tx, p.args["schedule"], start, end, p.args["person"], actor)


def _declare(tx: Tx, p: Proposal, actor: Actor) -> Outcome:
    return declare(
        tx,
        p.args["title"],
        p.args["severity"],
        actor,
        service=p.args.get("service") or None,
        channel=p.args.get("channel") or None,
        press_id=f"proposal:{p.id}",
    )


def _silence(tx: Tx, p: Proposal, actor: Actor) -> Outcome:
    for_, comment = timedelta(seconds=int(p.args["seconds"])), p.args.get("comment", "")
    if p.incident is not None:
        return silence_incident(tx, p.incident, for_, comment, actor)
    return _silence_ahead(tx, p.args["alert"], for_, comment, actor)


def _silence_ahead(tx: Tx, alert: str, for_: timedelta, comment: str, actor: Actor) -> Outcome:
    """Hold back an alert that does not fire yet; what fires belongs to an incident, which is silenced instead."""
    may_not = refused(tx, actor, Right.SILENCE, "silence:new", None)
    if may_not is not None:
        return may_not
    if any(row.name == alert for row in firings.firing(tx, limit=LOOKED_THROUGH)):
        return Outcome(False, f"{alert} has begun to fire. Silence its incident instead.")
    matchers = (Matcher("alertname", "=", alert),)
    problem = not_for(tx, actor, None, for_, matchers)
    if problem is not None:
        return turned_down(tx, actor, "silence", problem, None, "silence:new")
    ends_at = tx.now + for_
    silence_id = silences.insert(
        tx,
        matchers=[str(one) for one in matchers],
        ends_at=ends_at,
        by=str(actor),
        by_name=actor.name,
        comment=comment[:500],
    )
    holding.plan_end(tx, f"silence:{silence_id}", ends_at)
    seconds = int(for_.total_seconds())
    incidents.audit(
        tx,
        str(actor),
        "silence",
        f"silence:{silence_id}",
        after={"by": actor.by, "seconds": seconds},
    )
    return Outcome(True, f"{alert} is silenced. What still fires at the end pages.")


_DO: Mapping[Act, Callable[[Tx, Proposal, Actor], Outcome]] = {
    Act.ACK: _ack,
    Act.TAKE: _take,
    Act.RESOLVE: _resolve,
    Act.ESCALATE: _escalate,
    Act.SEVERITY: _severity,
    Act.NOTE: _note,
    Act.PAGE: _page,
    Act.OVERRIDE: _override,
    Act.DECLARE: _declare,
    Act.SILENCE: _silence,
}
