"""A responder says that a runbook is right or wrong for this alert, that none fits, or takes it back.

Knows what each answer changes: in the incident it was given in at once, and for every later alert of the rule. One word
makes a runbook certain or bars it; it is audited, stands in the timeline, and is undone by one press. Refuses to search
(`find_runbook`) and to know buttons. Serves Slack.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from oncall_bot.core.outcomes import Actor, Outcome
from oncall_bot.core.rights import Right
from oncall_bot.core.runbooks import Match, Runbook
from oncall_bot.core.timeline import Entry, Kind
from oncall_bot.core.verdicts import Verdict, rule_of
from oncall_bot.flows import find_runbook, showing
from oncall_bot.flows.answering import audited, known
from oncall_bot.store import incidents, messages, runbooks, verdicts
from oncall_bot.store.runbooks import ATTACHED, POSSIBLE, WITHDRAWN
from oncall_bot.store.statements import Row
from oncall_bot.store.transactions import Tx


@dataclass(frozen=True, slots=True)
class _Pair:
    """A runbook that an incident was given or offered; `match` is the row that says so."""

    incident: Row
    book: Runbook
    match: Row

    @property
    def rule(self) -> str:
        return _rule(self.incident)


def call_right(tx: Tx, incident_id: int, actor: Actor, runbook_id: int) -> Outcome:
    """From now on the runbook is certain for this alert; one that was only possible is attached."""
    pair = _find(tx, incident_id, runbook_id, actor)
    if isinstance(pair, Outcome):
        return pair
    verdicts.put(tx, pair.rule, runbook_id, actor, Verdict.RIGHT)
    if pair.match.standing != ATTACHED:
        _withdraw_attached(tx, incident_id)
        chosen = Match(pair.book, "learned", 1.0, f"{actor.name} chose it")
        find_runbook.give(tx, incident_id, pair.match.group_id, chosen)
    alert, title = pair.incident.first_alert, pair.book.title
    said = f"{actor.name} called the runbook {title} right for {alert}"
    _tell(tx, pair.incident, actor, "runbook.right", said, [runbook_id])
    return Outcome(True, f"{title} is the runbook of {alert} from now on.", incident_id)


def call_wrong(tx: Tx, incident_id: int, actor: Actor, runbook_id: int) -> Outcome:
    """The runbook is not given to this alert again, unless its own matchers name it; another one is looked for."""
    pair = _find(tx, incident_id, runbook_id, actor)
    if isinstance(pair, Outcome):
        return pair
    _bar(tx, pair.incident, [runbook_id], actor)
    alert, title = pair.incident.first_alert, pair.book.title
    said = f"{actor.name} called the runbook {title} wrong for {alert}"
    _tell(tx, pair.incident, actor, "runbook.wrong", said, [runbook_id])
    if runbooks.of_incident(tx, incident_id) is None and not runbooks.offered(tx, incident_id):
        find_runbook.plan(tx, incident_id, pair.match.group_id, instead_of=runbook_id)
    if pair.match.how == "matchers":
        return Outcome(
            True,
            f"{title} is out of incident {incident_id}. Its own matchers name {alert}: change them in the runbook,"
            " else the next one gets it again.",
            incident_id,
        )
    return Outcome(True, f"{title} is not given to {alert} again.", incident_id)


def call_none_fitting(tx: Tx, incident_id: int, actor: Actor) -> Outcome:
    """None of those attached or offered here fits: each is wrong for this alert."""
    incident = known(tx, incident_id, actor, Right.JUDGE_RUNBOOK)
    if isinstance(incident, Outcome):
        return incident
    attached = runbooks.of_incident(tx, incident_id)
    shown = [row.id for row in runbooks.offered(tx, incident_id)]
    shown += [attached.id] if attached is not None else []
    if not shown or not incident.first_alert:
        return Outcome(False, f"No runbook is offered for incident {incident_id}.", incident_id)
    _bar(tx, incident, shown, actor)
    said = f"{actor.name} said that no runbook fits {incident.first_alert}"
    _tell(tx, incident, actor, "runbook.none", said, shown)
    return Outcome(True, f"None of them is given to {incident.first_alert} again.", incident_id)


def take_back(tx: Tx, incident_id: int, actor: Actor, runbook_id: int) -> Outcome:
    """What was said on this runbook for this alert is forgotten, whoever said it; here it stands as it did."""
    pair = _find(tx, incident_id, runbook_id, actor)
    if isinstance(pair, Outcome):
        return pair
    if not verdicts.drop(tx, pair.rule, runbook_id):
        return Outcome(False, "No word on this runbook is left to take back.", incident_id)
    if pair.match.standing == WITHDRAWN:
        taken = runbooks.of_incident(tx, incident_id) is not None
        runbooks.stand(tx, incident_id, runbook_id, POSSIBLE if taken else ATTACHED)
    title = pair.book.title
    said = f"{actor.name} took back what was said on the runbook {title}"
    _tell(tx, pair.incident, actor, "runbook.undo", said, [runbook_id])
    return Outcome(True, f"What was said on {title} counts no more.", incident_id)


def _find(tx: Tx, incident_id: int, runbook_id: int, actor: Actor) -> _Pair | Outcome:
    incident = known(tx, incident_id, actor, Right.JUDGE_RUNBOOK)
    if isinstance(incident, Outcome):
        return incident
    match, book = (
        runbooks.match_of(tx, incident_id, runbook_id),
        tx.snapshot.shelf.by_id.get(runbook_id),
    )
    if match is None or book is None or not incident.first_alert:
        return Outcome(
            False, f"Incident {incident_id} does not offer that runbook any more.", incident_id
        )
    return _Pair(incident, book, match)


def _bar(tx: Tx, incident: Row, runbook_ids: Sequence[int], actor: Actor) -> None:
    for runbook_id in runbook_ids:
        verdicts.put(tx, _rule(incident), runbook_id, actor, Verdict.WRONG)
        runbooks.stand(tx, incident.id, runbook_id, WITHDRAWN)


def _withdraw_attached(tx: Tx, incident_id: int) -> None:
    attached = runbooks.of_incident(tx, incident_id)
    if attached is not None:
        runbooks.stand(tx, incident_id, attached.id, POSSIBLE)


def _rule(incident: Row) -> str:
    return rule_of(incident.first_alert, incident.service)


def _tell(
    tx: Tx, incident: Row, actor: Actor, verb: str, said: str, runbook_ids: Sequence[int]
) -> None:
    entry = Entry(Kind.NOTE, said, tx.now, actor, data={"runbooks": list(runbook_ids)})
    incidents.write(tx, incident.id, [entry])
    audited(tx, actor, verb, incident.id, runbooks=list(runbook_ids))
    message = messages.role_of(tx, incident.id, "runbook")
    if message is not None:
        messages.touch(tx, message, at_once=True)
    showing.changed(tx, incident.id)
