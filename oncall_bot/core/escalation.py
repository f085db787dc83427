"""The escalation machine: who is asked next, and when, until somebody answers.

    (policy, state, event, urgency, now) -> Decision(state, asks, next_due, reason)

Knows rounds, steps, epochs, the ack timeout, the fallback and the last resort. Refuses to know people, schedules,
roads and rows: targets are names. Serves `flows`; the property "an open incident has a due row or a stated reason"
rests on `Decision.next_due`.

Positions count on: steps of round 0..times, then the fallback, then the last resort every 30 minutes, without end.
An epoch numbers a fresh start (raise, re-open, ack timeout): what carries an older epoch does nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from oncall_bot.core.config import Policy, Target, Urgency

LAST_RESORT_EVERY = timedelta(minutes=30)
REPAGE_GRACE = timedelta(minutes=5)


class Status(StrEnum):
    WAITING = "waiting"  # the group's wait has not passed
    RUNNING = "running"
    ASKED = "asked"  # low urgency: everybody was asked once, nothing more will come
    ACKED = "acked"
    HELD = "held"  # silenced: nobody is paged until the hold ends
    QUIET = "quiet"  # urgency none
    DONE = "done"


class Stage(StrEnum):
    STEP = "step"
    AGAIN = "again"  # the one who acknowledged is asked for a word
    FALLBACK = "fallback"
    LAST_RESORT = "last_resort"


@dataclass(frozen=True, slots=True)
class Position:
    """Where a run stands. `step` counts from 0; -1 stands before the first step (AGAIN)."""

    round: int
    step: int
    stage: Stage = Stage.STEP


@dataclass(frozen=True, slots=True)
class Run:
    status: Status
    epoch: int = 1
    round: int = 0
    step: int = 0
    round_started_at: datetime | None = None
    acked_by: str | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """Page these targets now. `stage`, `round` and `step` say why."""

    position: Position
    targets: tuple[Target, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Due:
    """The next thing the clock must do, under this epoch."""

    kind: str  # "escalate" or "ack_timeout"
    at: datetime
    epoch: int
    position: Position


@dataclass(frozen=True, slots=True)
class Decision:
    run: Run
    asks: tuple[Ask, ...] = ()
    next_due: Due | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Roster:
    """Whom to turn to when the policy is through: the team's fallback, then the last resort and the channel."""

    fallback: tuple[Target, ...] = ()
    last_resort: tuple[Target, ...] = ()


def start(
    policy: Policy, run: Run, urgency: Urgency, now: datetime, *, wait: timedelta
) -> Decision:
    """Begin paging: at once, or when the group's wait has passed. Urgency none begins nothing."""
    if urgency is Urgency.NONE:
        return Decision(replace(run, status=Status.QUIET), reason="urgency none pages nobody")
    first = _first_position(policy, urgency, 0)
    began_at = now + wait
    waiting = replace(run, status=Status.WAITING, round=0, step=0, round_started_at=began_at)
    due_at = began_at + _after(policy, first)
    return Decision(waiting, (), Due("escalate", due_at, run.epoch, first), "paging begins")


def anew(
    policy: Policy, run: Run, urgency: Urgency, now: datetime, *, not_before: datetime | None = None
) -> Decision:
    """A new epoch: pages from step 1 (urgency rose, an alert came back, a hold ended)."""
    fresh = replace(run, epoch=run.epoch + 1, acked_by=None)
    wait = max(timedelta(0), (not_before - now)) if not_before else timedelta(0)
    return start(policy, fresh, urgency, now, wait=wait)


def step_due(
    policy: Policy, roster: Roster, run: Run, due: Due, urgency: Urgency, now: datetime
) -> Decision:
    """The clock struck: ask whom the position names and say when the next one is due."""
    if due.epoch != run.epoch or run.status not in (Status.WAITING, Status.RUNNING):
        return Decision(run, reason=f"outdated: the run is {run.status}, epoch {run.epoch}")
    ask = _ask(policy, roster, due.position, run)
    began_at = run.round_started_at or now
    if due.position.stage is Stage.STEP and due.position.round != run.round:
        began_at = now  # a round begins when its first step is due, late or not
    moved = replace(
        run,
        status=Status.RUNNING,
        round=due.position.round,
        step=due.position.step,
        round_started_at=began_at,
    )
    return Decision(moved, (ask,), _next_due(policy, moved, due.position, urgency, now), ask.reason)


def nobody_there(
    policy: Policy, run: Run, position: Position, urgency: Urgency, now: datetime, *, reached: bool
) -> Due | None:
    """The position reached nobody: the next step is due at once, then the fallback, then the last resort.

    `reached` says whether an earlier step of this round reached somebody; then the round ends as usual.
    """
    upcoming = _following(policy, position, urgency)
    if position.stage is Stage.LAST_RESORT:
        return _next_due(policy, run, position, urgency, now)
    if upcoming.stage is Stage.STEP and upcoming.round != position.round and not reached:
        upcoming = Position(position.round, 0, Stage.FALLBACK)
    elif upcoming.round != position.round:
        return _next_due(policy, run, position, urgency, now)
    return Due("escalate", now, run.epoch, upcoming)


def acknowledged(policy: Policy, run: Run, by: str, urgency: Urgency, now: datetime) -> Decision:
    """Somebody has it: nothing older pages any more; high urgency asks for a word after the ack timeout."""
    held = replace(run, status=Status.ACKED, epoch=run.epoch + 1, acked_by=by)
    if policy.ack_timeout is None or urgency is not Urgency.HIGH:
        return Decision(held, reason="acknowledged; no ack timeout applies")
    due = Due("ack_timeout", now + policy.ack_timeout, held.epoch, Position(0, -1, Stage.AGAIN))
    return Decision(held, (), due, "acknowledged; a word is asked for at the ack timeout")


def ack_timed_out(policy: Policy, run: Run, due: Due, urgency: Urgency, now: datetime) -> Decision:
    """No word since the ack: a new epoch asks the one who had it, then goes on from step 1."""
    if due.epoch != run.epoch or run.status is not Status.ACKED:
        return Decision(run, reason=f"outdated: the run is {run.status}, epoch {run.epoch}")
    begun = replace(
        run,
        status=Status.RUNNING,
        epoch=run.epoch + 1,
        round=0,
        step=-1,
        round_started_at=now + REPAGE_GRACE,
        acked_by=None,
    )
    position = Position(0, -1, Stage.AGAIN)
    asks: tuple[Ask, ...] = ()
    if run.acked_by and run.acked_by.startswith("person:"):
        target = Target("person", run.acked_by.removeprefix("person:"))
        asks = (Ask(position, (target,), "no word since the acknowledgement"),)
    first = _first_position(policy, urgency, 0)
    due_at = (now + REPAGE_GRACE if asks else now) + _after(policy, first)
    return Decision(begun, asks, Due("escalate", due_at, begun.epoch, first), "the ack timed out")


def escalated(
    policy: Policy, roster: Roster, run: Run, urgency: Urgency, now: datetime
) -> Decision:
    """Somebody asked for the next step now. The epoch rises, so the step that was waiting will not come twice."""
    at = _current(run)
    upcoming = _following(policy, at, urgency)
    begun = replace(run, status=Status.RUNNING, epoch=run.epoch + 1, acked_by=None)
    if upcoming.stage is Stage.STEP:
        begun = replace(
            begun, round_started_at=now - _after(policy, upcoming), round=upcoming.round
        )
    return step_due(
        policy, roster, begun, Due("escalate", now, begun.epoch, upcoming), urgency, now
    )


def held(run: Run) -> Decision:
    """Silenced: what waits is outdated; the end of the hold starts a new epoch."""
    return Decision(replace(run, status=Status.HELD, epoch=run.epoch + 1), reason="held back")


def done(run: Run) -> Decision:
    return Decision(replace(run, status=Status.DONE, epoch=run.epoch + 1), reason="over")


def step_name(policy: Policy, position: Position) -> str:
    """The position in words: `step 2 of 3`, `step 1 of 3, round 2 of 4`, `the fallback`, `the last resort`."""
    if position.stage is Stage.STEP:
        round_ = f", round {position.round + 1} of {policy.times + 1}" if position.round else ""
        return f"step {position.step + 1} of {len(policy.steps)}{round_}"
    return {
        Stage.AGAIN: "a word is asked for",
        Stage.FALLBACK: "the fallback",
        Stage.LAST_RESORT: "the last resort",
    }[position.stage]


def _current(run: Run) -> Position:
    return Position(run.round, run.step, Stage.AGAIN if run.step < 0 else Stage.STEP)


def _ask(policy: Policy, roster: Roster, position: Position, run: Run) -> Ask:
    targets: tuple[Target, ...] = ()
    if position.stage is Stage.STEP:
        targets = policy.steps[position.step].page
    elif position.stage is Stage.FALLBACK:
        targets = roster.fallback
    elif position.stage is Stage.LAST_RESORT:
        targets = roster.last_resort
    return Ask(position, targets, f"{policy.key}, {step_name(policy, position)}")


def _applies(policy: Policy, step: int, urgency: Urgency) -> bool:
    wanted = policy.steps[step].urgency
    return wanted is None or wanted is urgency


def _first_position(policy: Policy, urgency: Urgency, round_: int) -> Position:
    for step in range(len(policy.steps)):
        if _applies(policy, step, urgency):
            return Position(round_, step)
    return Position(round_, 0, Stage.FALLBACK)


def _following(policy: Policy, at: Position, urgency: Urgency) -> Position:
    if at.stage is Stage.STEP or at.stage is Stage.AGAIN:
        for step in range(at.step + 1, len(policy.steps)):
            if _applies(policy, step, urgency):
                return Position(at.round, step)
        if at.round < policy.times:
            return _first_position(policy, urgency, at.round + 1)
        return Position(at.round, 0, Stage.FALLBACK)
    if at.stage is Stage.FALLBACK:
        return Position(at.round, 0, Stage.LAST_RESORT)
    return Position(at.round, at.step + 1, Stage.LAST_RESORT)


def _after(policy: Policy, position: Position) -> timedelta:
    return policy.steps[position.step].after if position.stage is Stage.STEP else timedelta(0)


def _next_due(
    policy: Policy, run: Run, at: Position, urgency: Urgency, now: datetime
) -> Due | None:
    """When the position after `at` is due. Low urgency is asked once: no rounds, no last resort after the fallback."""
    upcoming = _following(policy, at, urgency)
    if urgency is Urgency.LOW and (upcoming.round != at.round or upcoming.stage is not Stage.STEP):
        return None
    began_at = run.round_started_at or now
    if upcoming.stage is Stage.LAST_RESORT:
        due_at = now + LAST_RESORT_EVERY if at.stage is Stage.LAST_RESORT else now + policy.every
    elif upcoming.stage is Stage.STEP and upcoming.round == at.round:
        due_at = began_at + _after(policy, upcoming)
    else:  # the next round, or the fallback, begins `every` after the last step
        due_at = now + policy.every + _after(policy, upcoming)
    return Due("escalate", max(due_at, now), run.epoch, upcoming)
