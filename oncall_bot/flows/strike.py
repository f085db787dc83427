"""A timer strikes: the one table that says which flow each kind of timer means.

Knows kinds and their subjects. Refuses to know clocks and threads: `engine.tick` calls this once for each due row.
The timer is taken, decided and marked done in this one transaction; if anything raises, all of it is undone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from oncall_bot.flows import (
    answer_cover,
    canary,
    drafting,
    holding,
    notices,
    open_incident,
    paging,
    reconcile,
    reminders,
    shifts,
    telling,
    watchdog,
    withheld,
)
from oncall_bot.store import groups, incidents, timers
from oncall_bot.store.statements import Row
from oncall_bot.store.transactions import Tx

RETRY_MAX_S = 300


def strike(tx: Tx, timer_id: int) -> bool:
    """Do what the timer is for. False when somebody else has it, or it is no longer due."""
    timer = timers.take(tx, timer_id)
    if timer is None:
        return False
    timers.done(tx, timer_id)  # first, so that a flow may arm the same timer again
    STRIKES[timer.kind](tx, timer)
    return True


def strike_all(tx: Tx, timer_ids: Sequence[int]) -> list[bool]:
    """As `strike`, several in one transaction; when one raises nothing of it stays, and each is tried alone."""
    return [strike(tx, timer_id) for timer_id in timer_ids]


def strike_failed(tx: Tx, timer_id: int, error: str) -> None:
    """Count the failure and try again later; the admins are told at once and at each tenth try. It never dies."""
    attempts = timers.attempts(tx, timer_id)
    again_at = tx.now + timedelta(seconds=min(2 ** min(attempts, 9), RETRY_MAX_S))
    row = timers.failed(tx, timer_id, error, again_at)
    if row.attempts in (1, 3) or row.attempts % 10 == 0:
        notices.tell_admins(
            tx,
            f"timer:{timer_id}:{row.attempts}",
            f"A step of oncall-bot fails: {row.kind} for {row.subject}, tried {row.attempts} times. "
            "It is tried again; look at the log.",
        )


def _run(tx: Tx, timer: Row) -> None:
    paging.step_is_due(tx, _number(timer), paging.due_of(timer))


def _open_group(tx: Tx, timer: Row) -> None:
    """The brake is over and no storm came: the group gets an incident of its own."""
    group = groups.group(tx, _number(timer))
    if group is None or group.incident_id is not None:
        return
    member = groups.first_member(tx, group.id)
    if member is None:
        return
    ways = [
        way for way in tx.snapshot.router.routed(member.labels) if way.route.key == group.route_key
    ]
    if not ways:
        return
    over = group.firing <= 0
    ever = groups.count_members(tx, group.id)
    incident_id = open_incident.open_incident(
        tx,
        ways[0],
        [group.id],
        member.labels,
        member.annotations,
        fires=[member.labels.get("alertname", "")],
        ever=ever,
        over=over,
    )
    incidents.count(tx, incident_id, firing=group.firing, ever=ever)
    if over:
        open_incident.alerts_over(tx, incident_id)
    else:
        withheld.recount(tx, incident_id)  # its source may have silenced it meanwhile


def _number(timer: Row) -> int:
    return int(timer.subject.partition(":")[2])


def _key(timer: Row) -> str:
    return str(timer.subject.partition(":")[2])


STRIKES: dict[str, Callable[[Tx, Row], None]] = {
    "escalate": _run,
    "ack_timeout": _run,
    "open_group": _open_group,
    "confirm": lambda tx, timer: reconcile.confirm(tx, _number(timer)),
    "reopen_unconfirmed": lambda tx, timer: reconcile.reopen_unconfirmed(tx, _number(timer)),
    "source_hold": lambda tx, timer: reconcile.release_unheard(
        tx, _key(timer), int(timer.data.get("after", 0))
    ),
    "hold_end": lambda tx, timer: holding.hold_ended(tx, timer.subject),
    "hand_off": lambda tx, timer: shifts.handed_off(tx, _key(timer), int(timer.data["at"])),
    "remind": reminders.remind,
    "cover_expires": lambda tx, timer: answer_cover.expire(tx, _number(timer)),
    "tell": lambda tx, timer: telling.tell_rest(tx, _number(timer)),
    "quiet": lambda tx, timer: drafting.quiet_enough(tx, _number(timer)),
    "watchdog": lambda tx, timer: watchdog.watchdog_silent(tx, _key(timer), timer.due_at),
    "canary": lambda tx, timer: canary.ring(tx),
    "canary_check": lambda tx, timer: canary.ring_again(tx),
}
