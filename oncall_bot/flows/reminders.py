"""Reminders before a shift, as each person wants them: planned ahead, sent once, never for a shift that is not theirs.

Knows bounds and dedupe keys. Refuses rota arithmetic. Serves `/oncall remind`, the jobs and the tick.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from oncall_bot.core.outcomes import Actor, Outcome
from oncall_bot.core.rota_words import wall
from oncall_bot.flows import notices
from oncall_bot.store import incidents, reminders, timers
from oncall_bot.store.statements import Row
from oncall_bot.store.transactions import Tx

SHORTEST, LONGEST, MOST = timedelta(minutes=5), timedelta(days=14), 5
PLANNED_AHEAD = timedelta(minutes=10)
"""Planned so long before they are due: the duty that plans comes every minute."""
_TICK = timedelta(microseconds=1)


def set_reminders(tx: Tx, person: str, spans: Sequence[timedelta], actor: Actor) -> Outcome:
    """These and no others from now on; none ends them."""
    known = tx.snapshot.people.get(person)
    if known is None:
        return Outcome(False, "You are not in oncall.yaml; ask an admin to add you there first.")
    wanted = sorted(set(spans), reverse=True)
    if len(wanted) > MOST or any(not SHORTEST <= one <= LONGEST for one in wanted):
        return Outcome(False, "Up to 5 reminders, each 5 minutes to 14 days ahead: remind 24h 1h")
    reminders.replace(tx, known.id, wanted)
    seconds = [int(one.total_seconds()) for one in wanted]
    incidents.audit(tx, str(actor), "remind", f"person:{person}", after={"before_s": seconds})
    if not wanted:
        return Outcome(True, "You are no longer reminded before your shifts.")
    plan(tx)
    return Outcome(True, f"You are reminded {' and '.join(_span(s) for s in wanted)} before each shift.")  # fmt: skip


def plan(tx: Tx) -> None:
    """Every reminder that is due within some minutes has its timer."""
    wanted = reminders.by_person(tx)
    if not wanted:
        return
    horizon = max(one for spans in wanted.values() for one in spans) + PLANNED_AHEAD
    for schedule in tx.snapshot.config.schedules:
        for shift in tx.snapshot.shifts(schedule, tx.now, tx.now + horizon):
            if shift.start <= tx.now or shift.user not in wanted:
                continue
            for before in wanted[shift.user]:
                due_at = shift.start - before
                if tx.now - PLANNED_AHEAD <= due_at <= tx.now + PLANNED_AHEAD:
                    _add(tx, schedule, shift.user, shift.start, before)


def _add(tx: Tx, schedule: str, person: str, start: datetime, before: timedelta) -> None:
    stamp, seconds = int(start.timestamp()), int(before.total_seconds())
    timers.add(
        tx,
        "remind",
        f"person:{person}",
        start - before,
        f"remind:{schedule}:{stamp}:{person}:{seconds}",
        {"schedule": schedule, "at": stamp, "before_s": seconds},
    )


def remind(tx: Tx, timer: Row) -> None:
    """The time has come: told if the shift is still to begin and still theirs, and the wish still stands."""
    person, schedule = timer.subject.partition(":")[2], str(timer.data["schedule"])
    start = datetime.fromtimestamp(int(timer.data["at"]), UTC)
    before = timedelta(seconds=int(timer.data["before_s"]))
    if start <= tx.now or before not in reminders.by_person(tx).get(person, ()):
        return
    following = tx.snapshot.next_handoff(schedule, start - _TICK)
    if following is None or following[0] != start or following[2] != person:
        return
    end = tx.snapshot.next_handoff(schedule, start)
    zone = tx.snapshot.config.schedules[schedule].definition.zone
    until = f" until {wall(end[0], zone)}" if end else ""
    text = (
        f"Your shift for {schedule} begins in {_span(start - tx.now)}:"
        f" {wall(start, zone)}{until} ({zone.key})."
    )
    notices.tell_person(tx, person, text, str(timer.dedupe_key))


def _span(span: timedelta) -> str:
    """`24 h`, `1 h 30 min`, `45 min`."""
    minutes = max(1, round(span.total_seconds() / 60))
    hours, rest = divmod(minutes, 60)
    if hours and rest:
        return f"{hours} h {rest} min"
    return f"{hours} h" if hours else f"{rest} min"
