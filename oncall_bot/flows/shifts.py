"""Shifts change: every schedule has a timer at its next hand-off, and the notice goes out once.

Knows keys that make it once (schedule and instant). Refuses rota arithmetic. Serves apply, the jobs and the tick.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from oncall_bot.core.config import Config
from oncall_bot.core.rotations import next_handoff
from oncall_bot.flows import notices
from oncall_bot.store import timers
from oncall_bot.store.transactions import Tx

LOOK_BACK = timedelta(microseconds=1)
PASSED_MAX = 1000
Change = tuple[datetime, str | None, str | None]
"""When, who leaves, who arrives."""


def plan_handoffs(tx: Tx) -> None:
    """Every schedule's next hand-off has its timer."""
    for schedule in tx.snapshot.config.schedules:
        following = tx.snapshot.next_handoff(schedule, tx.now)
        if following is not None:
            stamp = int(following[0].timestamp())
            timers.add(
                tx,
                "hand_off",
                f"schedule:{schedule}",
                following[0],
                f"handoff:{schedule}:{stamp}",
                {"at": stamp},
            )


def plan_first(tx: Tx, config: Config) -> None:
    """Schedules of a file that comes into force get their first timer with it, not a minute later."""
    for key, schedule in config.schedules.items():
        if timers.of(tx, f"schedule:{key}"):
            continue
        covers = tx.snapshot.overrides.get(key, ())
        following = next_handoff(schedule.definition, tx.now, covers)
        if following is not None:
            plan_again(tx, key, following[0])


def plan_again(tx: Tx, schedule: str, at: datetime) -> None:
    """The timer of that hand-off, whatever became of an earlier one; the notice still goes out once."""
    stamp = int(at.timestamp())
    key = f"handoff:{schedule}:{stamp}"
    timers.rearm(tx, "hand_off", f"schedule:{schedule}", at, key, {"at": stamp})


def plan_edges(tx: Tx, schedule: str, starts_at: datetime, ends_at: datetime) -> None:
    """Somebody else is on call, or no longer, between these instants: both may be a hand-off."""
    for edge in (starts_at, ends_at):
        if edge > tx.now:
            plan_again(tx, schedule, edge)


def handed_off(tx: Tx, schedule: str, stamp: int) -> None:
    """The instant is there: if the shift still changes now (an override may have moved it), both are told.

    After a time in which nobody struck timers, every hand-off since then goes into the log; only the last is told,
    because whoever came and went meanwhile has nothing to do any more.
    """
    passed = _passed(tx, schedule, datetime.fromtimestamp(stamp, UTC))
    for at, _, arriving in passed:
        notices.log_shift(tx, schedule, at, arriving)
    if passed:
        notices.hand_off(tx, schedule, *passed[-1])
    plan_handoffs(tx)


def _passed(tx: Tx, schedule: str, since: datetime) -> list[Change]:
    """The hand-offs from that instant until now, oldest first."""
    found: list[Change] = []
    following = tx.snapshot.next_handoff(schedule, since - LOOK_BACK)
    while following is not None and following[0] <= tx.now and len(found) < PASSED_MAX:
        found.append(following)
        following = tx.snapshot.next_handoff(schedule, following[0])
    return found
