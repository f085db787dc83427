"""The escalation machine: whom it asks, in which order, and that it never stops without a reason."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest

from oncall_bot.core import escalation as machine
from oncall_bot.core.config import Policy, Step, Target, Urgency
from oncall_bot.core.escalation import Due, Position, Roster, Run, Stage, Status
from oncall_bot.core.hours import Hours

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ANA, BO, DEE, SHOP = (Target("person", key) for key in ("ana", "bo", "dee", "shop"))
ROSTER = Roster((DEE,), (DEE, Target("channel", "#alerts")))
POLICY = Policy(
    "main",
    (
        Step(timedelta(0), (ANA,)),
        Step(timedelta(minutes=5), (BO,), Urgency.HIGH),
        Step(timedelta(minutes=15), (SHOP,)),
    ),
    times=1,
    every=timedelta(minutes=15),
    ack_timeout=timedelta(minutes=30),
)
FRESH = Run(Status.WAITING)


def asked(urgency: Urgency, steps: int = 12) -> list[tuple[float, str]]:
    """(minutes, first target) of everybody asked when nobody ever answers."""
    decision = machine.start(POLICY, FRESH, urgency, NOON, wait=timedelta(0))
    told: list[tuple[float, str]] = []
    while decision.next_due is not None and len(told) < steps:
        due = decision.next_due
        decision = machine.step_due(POLICY, ROSTER, decision.run, due, urgency, due.at)
        told += [
            ((due.at - NOON) / timedelta(minutes=1), ask.targets[0].key) for ask in decision.asks
        ]
    return told


def test_rounds_then_the_fallback_then_the_last_resort_without_end() -> None:
    assert asked(Urgency.HIGH, 9) == [
        (0, "ana"),
        (5, "bo"),
        (15, "shop"),
        (30, "ana"),
        (35, "bo"),
        (45, "shop"),
        (60, "dee"),
        (75, "dee"),
        (105, "dee"),
    ]


def test_low_urgency_asks_its_steps_once() -> None:
    assert asked(Urgency.LOW) == [(0, "ana"), (15, "shop")]


def test_urgency_none_asks_nobody() -> None:
    decision = machine.start(POLICY, FRESH, Urgency.NONE, NOON, wait=timedelta(0))
    assert (decision.run.status, decision.next_due) == (Status.QUIET, None)
    assert decision.reason


def test_the_wait_of_the_group_comes_before_the_first_step() -> None:
    decision = machine.start(POLICY, FRESH, Urgency.HIGH, NOON, wait=timedelta(seconds=30))
    assert decision.next_due is not None
    assert decision.next_due.at == NOON + timedelta(seconds=30)


def test_an_outdated_timer_does_nothing() -> None:
    begun = machine.start(POLICY, FRESH, Urgency.HIGH, NOON, wait=timedelta(0))
    assert begun.next_due is not None
    acked = machine.acknowledged(POLICY, begun.run, "person:ana", Urgency.HIGH, NOON)
    late = machine.step_due(POLICY, ROSTER, acked.run, begun.next_due, Urgency.HIGH, NOON)
    assert (late.run, late.asks, late.next_due) == (acked.run, (), None)


def test_a_step_that_reaches_nobody_is_followed_at_once_then_the_fallback_then_the_last_resort() -> (
    None
):
    run, position, seen = Run(Status.RUNNING, round_started_at=NOON), Position(0, 0), []
    for _ in range(4):
        due = machine.nobody_there(POLICY, run, position, Urgency.HIGH, NOON, reached=False).due
        assert due is not None
        seen.append((due.position.stage, due.position.step, due.at - NOON))
        position = due.position
    now, later = timedelta(0), timedelta(minutes=30)
    assert seen == [
        (Stage.STEP, 1, now),
        (Stage.STEP, 2, now),
        (Stage.FALLBACK, 0, now),
        (Stage.LAST_RESORT, 0, now),
    ]
    last = machine.nobody_there(POLICY, run, position, Urgency.HIGH, NOON, reached=False).due
    assert last is not None
    assert last.at - NOON == later


def test_an_ack_without_a_timeout_waits_for_nothing() -> None:
    plain = Policy("plain", POLICY.steps)
    decision = machine.acknowledged(plain, FRESH, "person:ana", Urgency.HIGH, NOON)
    assert decision.next_due is None


@pytest.mark.parametrize("by", ["person:bo", "slack:U1"])
def test_the_ack_timeout_asks_the_one_who_had_it_and_then_begins_anew(by: str) -> None:
    acked = machine.acknowledged(POLICY, FRESH, by, Urgency.HIGH, NOON)
    assert acked.next_due is not None
    due_at = acked.next_due.at
    again = machine.ack_timed_out(POLICY, acked.run, acked.next_due, Urgency.HIGH, due_at)
    assert again.next_due is not None
    assert again.next_due.position == Position(0, 0)
    assert [t.key for ask in again.asks for t in ask.targets] == (
        ["bo"] if by == "person:bo" else []
    )
    assert again.next_due.at == (due_at + machine.REPAGE_GRACE if again.asks else due_at)


def test_names_of_positions_are_words() -> None:
    names = [
        Position(0, 1),
        Position(1, 0),
        Position(1, 0, Stage.FALLBACK),
        Position(1, 0, Stage.LAST_RESORT),
    ]
    assert [machine.step_name(POLICY, at) for at in names] == [
        "step 2 of 3",
        "step 1 of 3, round 2 of 2",
        "the fallback",
        "the last resort",
    ]


def test_low_urgency_that_nobody_was_told_of_is_tried_again_for_ever() -> None:
    run, at = Run(Status.RUNNING, round_started_at=NOON), Position(0, 2)
    seen = []
    for _ in range(4):
        due = machine.nobody_there(POLICY, run, at, Urgency.LOW, NOON, reached=False).due
        assert due is not None
        seen.append((due.position.stage, due.at - NOON))
        at = due.position
    now, later = timedelta(0), timedelta(minutes=30)
    assert seen == [
        (Stage.FALLBACK, now),
        (Stage.LAST_RESORT, now),
        (Stage.LAST_RESORT, later),
        (Stage.LAST_RESORT, later),
    ]


OFFICE = Hours("Europe/Berlin", (1, 2, 3, 4, 5), time(8), time(20))
NIGHT = Hours("Europe/Berlin", start=time(20), end=time(8))
BY_HOUR = Policy(
    "shift",
    (
        Step(timedelta(0), (ANA,), hours=OFFICE),
        Step(timedelta(minutes=5), (BO,), hours=NIGHT),
        Step(timedelta(minutes=10), (SHOP,)),
    ),
    times=1,
)
MONDAY_NOON, MONDAY_3AM = NOON, NOON - timedelta(hours=9)


def chain(policy: Policy, begin: datetime, steps: int) -> list[tuple[float, str]]:
    decision = machine.start(policy, FRESH, Urgency.HIGH, begin, wait=timedelta(0))
    told: list[tuple[float, str]] = []
    while decision.next_due is not None and len(told) < steps:
        due = decision.next_due
        decision = machine.step_due(policy, ROSTER, decision.run, due, Urgency.HIGH, due.at)
        told += [((due.at - begin) / timedelta(minutes=1), a.targets[0].key) for a in decision.asks]
    return told


def test_a_step_outside_its_hours_is_passed_over_and_the_others_keep_their_times() -> None:
    assert chain(BY_HOUR, MONDAY_NOON, 2) == [(0, "ana"), (10, "shop")]
    assert chain(BY_HOUR, MONDAY_3AM, 2) == [(5, "bo"), (10, "shop")]


def test_what_was_passed_over_is_told_with_its_reason_and_time() -> None:
    begun = machine.start(BY_HOUR, FRESH, Urgency.HIGH, MONDAY_3AM, wait=timedelta(0))
    (passed,) = begun.passed
    assert passed.position == Position(0, 0)
    assert passed.at == MONDAY_3AM
    assert passed.why == "it applies only Mon to Fri 08:00 to 20:00 (Europe/Berlin)"


def test_the_hour_that_counts_is_the_one_at_which_the_step_is_due() -> None:
    just_before = datetime(2026, 3, 2, 18, 57, tzinfo=UTC)  # 19:57 in Berlin
    assert chain(BY_HOUR, just_before, 3)[:2] == [(0, "ana"), (5, "bo")]


def test_where_no_step_of_the_round_applies_the_fallback_is_asked_at_once() -> None:
    office_only = Policy("office", (Step(timedelta(0), (ANA,), hours=OFFICE),), times=2)
    assert chain(office_only, MONDAY_3AM, 2) == [(0, "dee"), (15, "dee")]


def test_a_step_struck_so_late_that_its_hours_are_over_is_passed_over_then() -> None:
    begun = machine.start(BY_HOUR, FRESH, Urgency.HIGH, MONDAY_NOON, wait=timedelta(0))
    assert begun.next_due is not None
    night = MONDAY_NOON + timedelta(hours=10)
    late = machine.step_due(BY_HOUR, ROSTER, begun.run, begun.next_due, Urgency.HIGH, night)
    assert late.asks == ()
    assert [one.position.step for one in late.passed] == [0]
    assert late.next_due is not None
    assert (late.next_due.position, late.next_due.at) == (Position(0, 1), night)


def test_a_policy_that_lost_the_step_meanwhile_goes_on_behind_it() -> None:
    begun = machine.start(POLICY, FRESH, Urgency.HIGH, NOON, wait=timedelta(0))
    due = Due("escalate", NOON, begun.run.epoch, Position(0, 7))
    gone = machine.step_due(POLICY, ROSTER, begun.run, due, Urgency.HIGH, NOON)
    assert gone.next_due is not None
    assert gone.passed[0].why == "the policy has no such step any more"


def test_the_next_step_now_is_the_first_one_while_none_was_asked_yet() -> None:
    waiting = machine.start(POLICY, FRESH, Urgency.HIGH, NOON, wait=timedelta(minutes=1)).run
    (ask,) = machine.escalated(POLICY, ROSTER, waiting, Urgency.HIGH, NOON).asks
    assert ask.position == Position(0, 0)
    acked = machine.acknowledged(POLICY, waiting, "person:ana", Urgency.HIGH, NOON).run
    (ask,) = machine.escalated(POLICY, ROSTER, acked, Urgency.HIGH, NOON).asks
    assert ask.position == Position(0, 0)


def test_the_next_step_after_the_fallback_is_the_last_resort_and_never_a_step_again() -> None:
    run = Run(Status.RUNNING, round=1, stage=Stage.FALLBACK, round_started_at=NOON)
    stages = []
    for _ in range(3):
        decision = machine.escalated(POLICY, ROSTER, run, Urgency.HIGH, NOON)
        stages.append((decision.asks[0].position.stage, decision.asks[0].position.step))
        run = decision.run
    assert stages == [(Stage.LAST_RESORT, n) for n in range(3)]
