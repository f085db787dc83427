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
    """The instant is there: if the shift still changes now (an override may have moved it), both are told."""
    at = datetime.fromtimestamp(stamp, UTC)
    following = tx.snapshot.next_handoff(schedule, at - LOOK_BACK)
    if following is not None and following[0] == at:
        notices.hand_off(tx, schedule, at, following[1], following[2])
    plan_handoffs(tx)
