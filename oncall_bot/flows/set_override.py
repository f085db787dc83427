"""Cover: somebody else is on call for a while. Knows bounds; refuses rota arithmetic. Serves Slack and the CLI."""

from __future__ import annotations

from datetime import datetime, timedelta

from oncall_bot.core.outcomes import Actor, Outcome
from oncall_bot.flows import notices, shifts
from oncall_bot.store import incidents, people
from oncall_bot.store.transactions import Tx

LONGEST = timedelta(days=60)


def set_override(
    tx: Tx,
    schedule: str,
    starts_at: datetime,
    ends_at: datetime,
    person_key: str | None,
    actor: Actor,
) -> Outcome:
    """Paint the person over the schedule; whoever is touched is told."""
    snapshot = tx.snapshot
    schedule_id = snapshot.schedule_ids.get(schedule)
    if schedule_id is None or schedule not in snapshot.config.schedules:
        known = ", ".join(snapshot.config.schedules) or "none"
        return Outcome(False, f"There is no schedule {schedule[:60]!r}. Schedules: {known}.")
    if ends_at <= max(starts_at, tx.now) or ends_at - starts_at > LONGEST:
        return Outcome(False, "An override ends after it begins, not in the past, within 60 days.")
    if person_key is not None and person_key not in snapshot.people:
        return Outcome(False, f"I don't know {person_key[:60]!r}. Name a person of the file.")
    person_id = snapshot.people[person_key].id if person_key else None
    before = snapshot.on_call(schedule, max(starts_at, tx.now))
    people.insert_override(tx, schedule_id, starts_at, ends_at, person_id, str(actor))
    for edge in (starts_at, ends_at):
        if edge > tx.now:
            shifts.plan_again(tx, schedule, edge)
    incidents.audit(
        tx,
        str(actor),
        "override",
        f"schedule:{schedule}",
        after={"from": starts_at.isoformat(), "to": ends_at.isoformat(), "person": person_key},
    )
    text = (
        f"{actor.name}: {snapshot.name(person_key)} is on call for {schedule}"
        f" from {starts_at:%a %d %b %H:%M} to {ends_at:%a %d %b %H:%M} UTC."
    )
    for told in {before, person_key} - {None, actor.key}:
        notices.tell_person(
            tx, str(told), text, f"override:{schedule}:{int(tx.now.timestamp() * 1000)}:{told}"
        )
    return Outcome(True, text)
