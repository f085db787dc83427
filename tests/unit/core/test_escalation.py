"""The escalation machine: whom it asks, in which order, and that it never stops without a reason."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from oncall_bot.core import escalation as machine
from oncall_bot.core.config import Policy, Step, Target, Urgency
from oncall_bot.core.escalation import Decision, Due, Position, Roster, Run, Stage, Status

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
        due = machine.nobody_there(POLICY, run, position, Urgency.HIGH, NOON, reached=False)
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
    last = machine.nobody_there(POLICY, run, position, Urgency.HIGH, NOON, reached=False)
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


class Incident(RuleBasedStateMachine):
    """An open incident under everything that can happen to it, in any order."""

    @initialize(
        times=st.integers(0, 3),
        urgency=st.sampled_from([Urgency.LOW, Urgency.HIGH]),
        timeout=st.sampled_from([None, timedelta(minutes=30)]),
    )
    def open(self, times: int, urgency: Urgency, timeout: timedelta | None) -> None:
        self.policy = Policy("main", POLICY.steps, times, timedelta(minutes=15), timeout)
        self.urgency, self.now, self.over = urgency, NOON, False
        self.decision = machine.start(self.policy, FRESH, urgency, NOON, wait=timedelta(0))
        self.epochs = [self.decision.run.epoch]

    def take(self, decision: Decision) -> None:
        if decision.run != self.decision.run or decision.next_due is not None:
            self.decision = decision
            self.epochs.append(decision.run.epoch)

    @property
    def due(self) -> Due | None:
        return self.decision.next_due

    @rule(late=st.integers(0, 3600))
    @precondition(lambda self: self.decision.next_due is not None and not self.over)
    def strike(self, late: int) -> None:
        due = self.due
        assert due is not None
        self.now = max(self.now, due.at + timedelta(seconds=late))
        if due.kind == "ack_timeout":
            self.take(
                machine.ack_timed_out(self.policy, self.decision.run, due, self.urgency, self.now)
            )
        else:
            self.take(
                machine.step_due(
                    self.policy, ROSTER, self.decision.run, due, self.urgency, self.now
                )
            )

    @rule(seconds=st.integers(1, 900))
    def time_passes(self, seconds: int) -> None:
        due = self.due
        ahead = self.now + timedelta(seconds=seconds)
        self.now = min(ahead, due.at) if due is not None and due.at > self.now else self.now

    @rule()
    @precondition(lambda self: not self.over)
    def acknowledge(self) -> None:
        self.take(
            machine.acknowledged(
                self.policy, self.decision.run, "person:ana", self.urgency, self.now
            )
        )

    @rule()
    @precondition(lambda self: not self.over)
    def escalate(self) -> None:
        decision = machine.escalated(self.policy, ROSTER, self.decision.run, self.urgency, self.now)
        assert decision.asks, "asking for the next step always asks somebody"
        self.take(decision)

    @rule()
    @precondition(lambda self: not self.over)
    def raise_urgency(self) -> None:
        self.urgency = Urgency.HIGH
        self.take(machine.anew(self.policy, self.decision.run, self.urgency, self.now))

    @rule()
    @precondition(lambda self: not self.over)
    def hold_and_release(self) -> None:
        self.take(machine.held(self.decision.run))
        self.take(machine.anew(self.policy, self.decision.run, self.urgency, self.now))

    @rule()
    @precondition(lambda self: not self.over)
    def resolve(self) -> None:
        self.decision, self.over = machine.done(self.decision.run), True

    @invariant()
    def an_open_incident_has_a_due_row_or_a_reason(self) -> None:
        decision = self.decision
        if self.over:
            assert decision.next_due is None
        elif decision.next_due is None:
            assert decision.reason
            assert decision.run.status is Status.ACKED or self.urgency is Urgency.LOW
        else:
            assert decision.next_due.epoch == decision.run.epoch
            assert decision.next_due.at >= self.now or decision.next_due.at >= NOON

    @invariant()
    def epochs_never_run_backwards(self) -> None:
        assert self.epochs == sorted(self.epochs)


TestIncident = Incident.TestCase
TestIncident.settings = settings(stateful_step_count=15)
