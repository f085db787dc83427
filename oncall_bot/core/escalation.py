"""The escalation machine: who is asked next, and when, until somebody answers.

    (policy, state, event, urgency, now) -> Decision(state, asks, passed, next_due, reason)

Knows rounds, steps and their conditions, epochs, the ack timeout, the fallback and the last resort. Refuses to know
people, schedules, roads and rows: targets are names. Serves `flows`; the property "an open incident has a due row or a
stated reason" rests on `Decision.next_due`.

Positions count on: steps of round 0..times, then the fallback, then the last resort every 30 minutes, without end.
An epoch numbers a fresh start (raise, re-open, ack timeout): what carries an older epoch does nothing.
A step whose condition does not hold when it would be due is passed over, said in `passed`; the others keep their times.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from oncall_bot.core import hours
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
    stage: Stage = Stage.STEP
    round_started_at: datetime | None = None
    acked_by: str | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """Page these targets now. `stage`, `round` and `step` say why."""

    position: Position
    targets: tuple[Target, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Passed:
    """A step that was not paged because its hours do not hold at the instant at which it would have been due."""

    position: Position
    at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Due:
    """The next thing the clock must do, under this epoch."""

    kind: str  # "escalate" or "ack_timeout"
    at: datetime
    epoch: int
    position: Position


@dataclass(frozen=True, slots=True)
class Ahead:
    """What comes next and when; `due` None: nothing does. `passed`: the steps left out on the way there."""

    due: Due | None
    passed: tuple[Passed, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    run: Run
    asks: tuple[Ask, ...] = ()
    next_due: Due | None = None
    reason: str = ""
    passed: tuple[Passed, ...] = ()


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
    began_at = now + wait
    waiting = replace(
        run,
        status=Status.WAITING,
        round=0,
        step=_BEFORE_STEPS.step,
        stage=Stage.STEP,
        round_started_at=began_at,
    )
    ahead = _from_the_top(policy, waiting, urgency, began_at)
    return Decision(waiting, (), ahead.due, "paging begins", ahead.passed)


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
    """The clock struck: ask whom the position names and say when the next one is due.

    A step whose condition does not hold by now asks nobody and is `passed`.
    """
    if due.epoch != run.epoch or run.status not in (Status.WAITING, Status.RUNNING):
        return Decision(run, reason=f"outdated: the run is {run.status}, epoch {run.epoch}")
    at = due.position
    began_at = run.round_started_at or now
    if at.stage is Stage.STEP and at.round != run.round:
        began_at = now - _after(policy, at)  # a round begins with its first step, late or not
    moved = replace(
        run,
        status=Status.RUNNING,
        round=at.round,
        step=at.step,
        stage=at.stage,
        round_started_at=began_at,
    )
    ahead = _ahead(policy, moved, at, urgency, now)
    why = why_not(policy, at.step, urgency, now) if at.stage is Stage.STEP else None
    if why is not None:
        passed = (Passed(at, now, why), *ahead.passed)
        return Decision(moved, (), ahead.due, f"{policy.key}, {step_name(policy, at)}", passed)
    ask = _ask(policy, roster, at)
    return Decision(moved, (ask,), ahead.due, ask.reason, ahead.passed)


def nobody_there(
    policy: Policy, run: Run, position: Position, urgency: Urgency, now: datetime, *, reached: bool
) -> Ahead:
    """The position reached nobody: the next step is due at once, then the fallback, then the last resort.

    `reached` says whether an earlier step of this round reached somebody; then the round ends as usual. The last
    resort is tried again for every urgency: an incident of which nobody was told is never left.
    """
    if position.stage is Stage.LAST_RESORT:
        again = Position(position.round, position.step + 1, Stage.LAST_RESORT)
        return Ahead(Due("escalate", now + LAST_RESORT_EVERY, run.epoch, again))
    if position.stage is Stage.FALLBACK:
        return Ahead(Due("escalate", now, run.epoch, Position(run.round, 0, Stage.LAST_RESORT)))
    found, passed = _in_round(policy, position.round, position.step + 1, urgency, None, now)
    if found is None and reached:
        return _ahead(policy, run, position, urgency, now)
    upcoming = found.position if found else Position(position.round, 0, Stage.FALLBACK)
    return Ahead(Due("escalate", now, run.epoch, upcoming), passed)


def acknowledged(policy: Policy, run: Run, by: str, urgency: Urgency, now: datetime) -> Decision:
    """Somebody has it: nothing older pages any more; high urgency asks for a word after the ack timeout."""
    held = replace(run, status=Status.ACKED, epoch=run.epoch + 1, acked_by=by)
    if policy.ack_timeout is None or urgency is not Urgency.HIGH:
        return Decision(held, reason="acknowledged; no ack timeout applies")
    due = Due("ack_timeout", now + policy.ack_timeout, held.epoch, _BEFORE_STEPS)
    return Decision(held, (), due, "acknowledged; a word is asked for at the ack timeout")


def ack_timed_out(policy: Policy, run: Run, due: Due, urgency: Urgency, now: datetime) -> Decision:
    """No word since the ack: a new epoch asks the one who had it, then goes on from step 1."""
    if due.epoch != run.epoch or run.status is not Status.ACKED:
        return Decision(run, reason=f"outdated: the run is {run.status}, epoch {run.epoch}")
    asks: tuple[Ask, ...] = ()
    if run.acked_by and run.acked_by.startswith("person:"):
        target = Target("person", run.acked_by.removeprefix("person:"))
        asks = (Ask(_BEFORE_STEPS, (target,), "no word since the acknowledgement"),)
    began_at = now + REPAGE_GRACE if asks else now
    begun = replace(
        run,
        status=Status.RUNNING,
        epoch=run.epoch + 1,
        round=0,
        step=_BEFORE_STEPS.step,
        stage=Stage.AGAIN,
        round_started_at=began_at,
        acked_by=None,
    )
    ahead = _from_the_top(policy, begun, urgency, began_at)
    return Decision(begun, asks, ahead.due, "the ack timed out", ahead.passed)


def escalated(
    policy: Policy, roster: Roster, run: Run, urgency: Urgency, now: datetime
) -> Decision:
    """Somebody asked for the next step now. The epoch rises, so the step that was waiting will not come twice."""
    upcoming, passed = _next_now(policy, run, urgency, now)
    begun = replace(
        run, status=Status.RUNNING, epoch=run.epoch + 1, round=upcoming.round, acked_by=None
    )
    if upcoming.stage is Stage.STEP:
        begun = replace(begun, round_started_at=now - _after(policy, upcoming))
    due = Due("escalate", now, begun.epoch, upcoming)
    decision = step_due(policy, roster, begun, due, urgency, now)
    return replace(decision, passed=(*passed, *decision.passed))


def held(run: Run, reason: str = "held back") -> Decision:
    """Silenced: what waits is outdated; the end of the hold starts a new epoch."""
    return Decision(replace(run, status=Status.HELD, epoch=run.epoch + 1), reason=reason)


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


def why_not(policy: Policy, step: int, urgency: Urgency, at: datetime) -> str | None:
    """Why the step pages nobody at that instant, in words; None when it applies, or is not there any more."""
    if step >= len(policy.steps):
        return "the policy has no such step any more"
    wanted = policy.steps[step]
    if wanted.urgency is not None and wanted.urgency is not urgency:
        return f"it applies only on {wanted.urgency} urgency"
    if wanted.hours is not None and not hours.is_open(wanted.hours, at):
        return f"it applies only {hours.spelled(wanted.hours)}"
    return None


_BEFORE_STEPS = Position(0, -1, Stage.AGAIN)


@dataclass(frozen=True, slots=True)
class _Found:
    position: Position
    at: datetime


def _in_round(
    policy: Policy,
    round_: int,
    first: int,
    urgency: Urgency,
    began_at: datetime | None,
    now: datetime,
) -> tuple[_Found | None, tuple[Passed, ...]]:
    """The round's first step from `first` on that applies when it is due, and those passed over for their hours.

    Without `began_at` every step is due now.
    """
    passed: list[Passed] = []
    for step in range(first, len(policy.steps)):
        at = max(now, began_at + policy.steps[step].after) if began_at else now
        why = why_not(policy, step, urgency, at)
        if why is None:
            return _Found(Position(round_, step), at), tuple(passed)
        if policy.steps[step].urgency in (None, urgency):
            passed.append(Passed(Position(round_, step), at, why))
    return None, tuple(passed)


def _from_the_top(policy: Policy, run: Run, urgency: Urgency, began_at: datetime) -> Ahead:
    """The first step of round 0 that applies; the fallback when none does."""
    found, passed = _in_round(policy, 0, 0, urgency, began_at, began_at)
    found = found or _Found(Position(0, 0, Stage.FALLBACK), began_at)
    return Ahead(Due("escalate", found.at, run.epoch, found.position), passed)


def _ahead(policy: Policy, run: Run, at: Position, urgency: Urgency, now: datetime) -> Ahead:
    """When the position after `at` is due. Low urgency is asked once: no rounds, nothing after the fallback."""
    if at.stage in (Stage.STEP, Stage.AGAIN):
        began_at = run.round_started_at or now
        found, passed = _in_round(policy, at.round, at.step + 1, urgency, began_at, now)
        if found is None and urgency is Urgency.LOW:
            return Ahead(None, passed)
        if found is None:
            found, later = _after_the_round(policy, at.round, urgency, now)
            passed = (*passed, *later)
        return Ahead(Due("escalate", found.at, run.epoch, found.position), passed)
    if urgency is Urgency.LOW:
        return Ahead(None)
    if at.stage is Stage.FALLBACK:
        upcoming = _Found(Position(at.round, 0, Stage.LAST_RESORT), now + policy.every)
    else:
        upcoming = _Found(_later_resort(at), now + LAST_RESORT_EVERY)
    return Ahead(Due("escalate", upcoming.at, run.epoch, upcoming.position))


def _after_the_round(
    policy: Policy, round_: int, urgency: Urgency, now: datetime
) -> tuple[_Found, tuple[Passed, ...]]:
    """The next round, or the fallback, begins `every` after the last step."""
    begins_at = now + policy.every
    passed: tuple[Passed, ...] = ()
    if round_ < policy.times:
        found, passed = _in_round(policy, round_ + 1, 0, urgency, begins_at, begins_at)
        if found is not None:
            return found, passed
    return _Found(Position(round_, 0, Stage.FALLBACK), begins_at), passed


def _next_now(
    policy: Policy, run: Run, urgency: Urgency, now: datetime
) -> tuple[Position, tuple[Passed, ...]]:
    """What comes after where the run stands, if all of it were due now. What has not begun begins with step 1."""
    if run.stage is Stage.FALLBACK:
        return Position(run.round, 0, Stage.LAST_RESORT), ()
    if run.stage is Stage.LAST_RESORT:
        return _later_resort(Position(run.round, run.step, run.stage)), ()
    first = 0 if run.status in (Status.WAITING, Status.QUIET) else run.step + 1
    found, passed = _in_round(policy, run.round, first, urgency, None, now)
    if found is None and run.round < policy.times:
        found, later = _in_round(policy, run.round + 1, 0, urgency, None, now)
        passed = (*passed, *later)
    return (found.position if found else Position(run.round, 0, Stage.FALLBACK)), passed


def _later_resort(at: Position) -> Position:
    return Position(at.round, at.step + 1, Stage.LAST_RESORT)


def _ask(policy: Policy, roster: Roster, position: Position) -> Ask:
    targets: tuple[Target, ...] = ()
    if position.stage is Stage.STEP:
        targets = policy.steps[position.step].page
    elif position.stage is Stage.FALLBACK:
        targets = roster.fallback
    elif position.stage is Stage.LAST_RESORT:
        targets = roster.last_resort
    return Ask(position, targets, f"{policy.key}, {step_name(policy, position)}")


def _after(policy: Policy, position: Position) -> timedelta:
    return policy.steps[position.step].after if position.step < len(policy.steps) else timedelta(0)
