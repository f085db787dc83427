"""An override: somebody is on call for a while, set at once and taken back at once. Whoever is touched is told.

Knows bounds and who must hear of it; who may is `core.rota_rights`'s. Refuses rota arithmetic. Serves Slack.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from oncall_bot.core.outcomes import Actor, Outcome
from oncall_bot.core.rights import Right
from oncall_bot.core.rota_rights import may_set, may_take, who_may_set
from oncall_bot.core.rota_words import span
from oncall_bot.core.rotations import Override, Shift
from oncall_bot.core.rotations import shifts as painted
from oncall_bot.flows import notices, shifts
from oncall_bot.flows.answering import turned_down
from oncall_bot.store import covers, incidents, people
from oncall_bot.store.statements import Row
from oncall_bot.store.transactions import Tx

LONGEST = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Overridden(Outcome):
    """The override as stored, when it was."""

    override_id: int | None = None


def set_override(
    tx: Tx,
    schedule: str,
    starts_at: datetime,
    ends_at: datetime,
    person_key: str | None,
    actor: Actor,
) -> Overridden:
    """Paint the person, or nobody, over the schedule; hand-offs are planned by the second."""
    starts_at, ends_at = starts_at.replace(microsecond=0), ends_at.replace(microsecond=0)
    problem = _problem(tx, schedule, starts_at, ends_at, person_key)
    if problem is not None:
        return Overridden(False, problem)
    may_not = _refused(tx, schedule, actor)
    if may_not is not None:
        return Overridden(False, may_not.reason, refused=True)
    snapshot = tx.snapshot
    touched = {s.user for s in snapshot.shifts(schedule, max(starts_at, tx.now), ends_at)}
    override_id = people.insert_override(
        tx,
        snapshot.schedule_ids[schedule],
        starts_at,
        ends_at,
        snapshot.people[person_key].id if person_key else None,
        str(actor),
    )
    shifts.plan_edges(tx, schedule, starts_at, ends_at)
    after = {
        "from": starts_at.isoformat(),
        "to": ends_at.isoformat(),
        "person": person_key,
        "override": override_id,
    }
    incidents.audit(tx, str(actor), "override", f"schedule:{schedule}", after=after)
    what = f"for {schedule} from {_span(tx, schedule, starts_at, ends_at)}"
    text = f"{actor.name}: {snapshot.name(person_key)} is on call {what}."
    _tell(tx, touched | {person_key}, actor, text, f"override:{override_id}")
    return Overridden(True, text, override_id=override_id)


def cancel_override(tx: Tx, override_id: int, actor: Actor) -> Outcome:
    """From now on it does not act; what was on call under it stays so in the past."""
    found = covers.lock_override(tx, override_id)
    if found is None or found.cancelled_at is not None:
        return Outcome(False, "That override is not there any more. Nothing is left to do.")
    if found.ends_at <= tx.now:
        return Outcome(False, "That override is over. What was, stays.")
    may_not = _refused(tx, found.schedule, actor)
    if may_not is not None:
        return may_not
    if found.swap_id is not None:
        return Outcome(False, "It comes from a cover request: undo it there, both sides at once.")
    covers.end(tx, [found])
    shifts.plan_edges(tx, found.schedule, found.starts_at, found.ends_at)
    incidents.audit(
        tx, str(actor), "override_cancel", f"schedule:{found.schedule}", before=_stored(found)
    )
    left = _span(tx, found.schedule, max(found.starts_at, tx.now), found.ends_at)
    who = tx.snapshot.name(found.person)
    text = f"{actor.name} cancelled the override of {found.schedule}: {who}, {left}."
    back = {s.user for s in _without(tx, found)}
    _tell(tx, back | {found.person}, actor, text, f"override_cancel:{override_id}")
    return Outcome(True, text)


def _problem(
    tx: Tx, schedule: str, starts_at: datetime, ends_at: datetime, person: str | None
) -> str | None:
    config = tx.snapshot.config
    if schedule not in tx.snapshot.schedule_ids or schedule not in config.schedules:
        known = ", ".join(config.schedules) or "none"
        return f"There is no schedule {schedule[:60]!r}. Schedules: {known}."
    if ends_at <= max(starts_at, tx.now) or ends_at - starts_at > LONGEST:
        return "An override ends after it begins, not in the past, within 60 days."
    if person is not None and (person not in tx.snapshot.people or person not in config.people):
        return f"I don't know {person[:60]!r}. Name a person of the file."
    if person is not None and not may_take(tx.snapshot.rights, person):
        return f"{tx.snapshot.name(person)} is a viewer and can't be on call."
    return None


def _refused(tx: Tx, schedule: str, actor: Actor) -> Outcome | None:
    if may_set(tx.snapshot.rights, schedule, actor):
        return None
    who = who_may_set(tx.snapshot.config, schedule)
    reason = f"Who is on call for {schedule} is set by {who}. Ask one of them."
    return turned_down(tx, actor, str(Right.OVERRIDE), reason, None, f"schedule:{schedule}")


def _without(tx: Tx, override: Row) -> list[Shift]:
    """Who is on call in its time once it is gone; the snapshot still has it."""
    start, end = max(override.starts_at, tx.now), override.ends_at
    rows = covers.overrides_ahead(tx, override.schedule, end)
    others = [
        Override(row.starts_at, row.ends_at, row.person, row.replaces)
        for row in sorted(rows, key=lambda row: row.id)
        if row.id != override.id
    ]
    definition = tx.snapshot.config.schedules[override.schedule].definition
    return painted(definition, start, end, others)


def _tell(tx: Tx, touched: set[str | None], actor: Actor, text: str, key: str) -> None:
    for person in sorted(one for one in touched - {None, actor.key} if one):
        notices.tell_person(tx, person, text, f"{key}:{person}")


def _stored(override: Row) -> dict[str, str | int | None]:
    return {
        "override": override.id,
        "from": override.starts_at.isoformat(),
        "to": override.ends_at.isoformat(),
        "person": override.person,
    }


def _span(tx: Tx, schedule: str, starts_at: datetime, ends_at: datetime) -> str:
    return span(starts_at, ends_at, tx.snapshot.config.schedules[schedule].definition.zone)
