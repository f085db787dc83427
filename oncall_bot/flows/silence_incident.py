"""Silence what an incident's alerts have in common, for a while; what still fires at the end pages then.

Knows which matchers a silence gets and whose alerts it would hold; how long and wide it may be for whom says
`core.silence_rights`. Serves Slack.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from oncall_bot.core import silence_rights
from oncall_bot.core.incidents import Status
from oncall_bot.core.matchers import Matcher, format_matchers
from oncall_bot.core.outcomes import Actor, Outcome
from oncall_bot.core.rights import Right
from oncall_bot.core.timeline import Entry, Kind
from oncall_bot.flows import holding, paging, showing
from oncall_bot.flows.answering import audited, find, known, refused, turned_down
from oncall_bot.store import alerts, firings, groups, incidents, silences
from oncall_bot.store.transactions import Tx

SILENCED_MAX = 20_000
NEVER_IN_COMMON = frozenset({"severity", "replica", "prometheus"})


def silence_incident(
    tx: Tx, incident_id: int, for_: timedelta, comment: str, actor: Actor
) -> Outcome:
    """Hold back the incident's alerts and everything like them until the time is over."""
    incident = find(tx, incident_id, actor, Right.SILENCE)
    if isinstance(incident, Outcome):
        return incident
    if not silence_rights.is_a_length(for_):
        return Outcome(False, silence_rights.OUT_OF_BOUNDS)
    members = groups.open_members(tx, incident_id, limit=SILENCED_MAX)
    matchers = in_common([row.labels for row in members])
    if not matchers:
        return Outcome(
            False,
            f"The alerts of incident {incident_id} have nothing in common to silence by.",
            incident_id,
        )
    problem = not_for(tx, actor, incident.team, for_, matchers)
    if problem is not None:
        return turned_down(tx, actor, "silence", problem, incident_id)
    ends_at = tx.now + for_
    silence_id = silences.insert(
        tx,
        matchers=[str(matcher) for matcher in matchers],
        ends_at=ends_at,
        by=str(actor),
        by_name=actor.name,
        comment=comment[:500],
        incident_id=incident_id,
    )
    key = f"silence:{silence_id}"
    alerts.mute(tx, {row.occurrence_id: key for row in members})
    incidents.change(tx, incident_id, silence_id=silence_id, held=len(members))
    if incident.status == Status.ACKED:
        # nobody has to have it until then; at the end it pages anew, as the answer below promises
        incidents.change(tx, incident_id, status=str(Status.OPEN))
    paging.hold(tx, incident, f"held back by silence {silence_id}", by_hand=True)
    holding.plan_end(tx, key, ends_at)
    text = f"{actor.name} silenced {format_matchers(matchers)} for {for_}: {comment}"
    incidents.write(tx, incident_id, [Entry(Kind.STATUS, text, tx.now, actor, {"to": "silenced"})])
    audited(
        tx, actor, "silence", incident_id, silence=silence_id, seconds=int(for_.total_seconds())
    )
    showing.changed(tx, incident_id, at_once=True, pages=True)
    return Outcome(
        True, f"Incident {incident_id} is silenced. What still fires then pages again.", incident_id
    )


def not_for(
    tx: Tx, actor: Actor, team: str | None, for_: timedelta, matchers: Sequence[Matcher]
) -> str | None:
    """Why a silence is too long or too wide for the actor, in words; None when it is not."""
    rights = tx.snapshot.rights
    too_long = silence_rights.too_long(rights.role_in(actor, team), for_)
    if too_long is not None:
        return too_long
    held = held_teams(tx, matchers, team)
    return silence_rights.too_wide(rights, actor, team, matchers, held)


def held_teams(tx: Tx, matchers: Sequence[Matcher], team: str | None) -> set[str]:
    """The other teams whose alerts that fire now these matchers hold."""
    name = next((m.value for m in matchers if m.name == "alertname" and m.op == "="), None)
    rows = firings.firing_labels(tx, name=name, limit=SILENCED_MAX)
    held = [row.id for row in rows if all(m.matches(row.labels) for m in matchers)]
    return firings.teams_of(tx, held) - {team or ""}


def in_common(label_sets: Sequence[Mapping[str, str]]) -> tuple[Matcher, ...]:
    """The labels that every one of them has with the same value: the narrowest silence that holds all."""
    if not label_sets:
        return ()
    first, rest = label_sets[0], label_sets[1:]
    shared = {
        name: value
        for name, value in first.items()
        if name not in NEVER_IN_COMMON and value and all(other.get(name) == value for other in rest)
    }
    return tuple(Matcher(name, "=", shared[name]) for name in sorted(shared))


def end_silence(tx: Tx, silence_id: int, actor: Actor) -> Outcome:
    """End a silence now; what it held is decided anew at once."""
    row = silences.get(tx, silence_id)
    if row is None:
        return Outcome(False, f"There is no silence {silence_id}.")
    may_not = _may_not_end(tx, row.incident_id, silence_id, actor)
    if may_not is not None:
        return may_not
    if not silences.cancel(tx, silence_id):
        return Outcome(False, f"Silence {silence_id} has ended already.", row.incident_id)
    holding.plan_end(tx, f"silence:{silence_id}", tx.now)
    if row.incident_id is not None:
        text = f"{actor.name} ended the silence"
        incidents.write(tx, row.incident_id, [Entry(Kind.ACTION, text, tx.now, actor)])
        audited(tx, actor, "end_silence", row.incident_id, silence=silence_id)
        showing.changed(tx, row.incident_id, at_once=True)
    else:
        incidents.audit(tx, str(actor), "end_silence", f"silence:{silence_id}")
    return Outcome(True, f"Silence {silence_id} ends now. What still fires pages.", row.incident_id)


def _may_not_end(tx: Tx, incident_id: int | None, silence_id: int, actor: Actor) -> Outcome | None:
    if incident_id is None:
        return refused(tx, actor, Right.END_SILENCE, f"silence:{silence_id}", None)
    found = known(tx, incident_id, actor, Right.END_SILENCE)
    return found if isinstance(found, Outcome) else None
