"""An incident under everything that can happen to it: whoever should be asked is asked, once, and in order.

Policies, conditions, urgencies and reachability are drawn; the machine is driven as the flows drive it.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from oncall_bot.core import escalation as machine
from oncall_bot.core.config import Policy, Step, Target, Urgency
from oncall_bot.core.escalation import Ask, Decision, Due, Position, Roster, Run, Stage, Status
from oncall_bot.core.hours import Hours

BEGIN = datetime(2026, 3, 28, 22, tzinfo=UTC)  # three hours before clocks jump in Berlin
DEE = Target("person", "dee")
ROSTER = Roster((DEE,), (DEE, Target("channel", "#alerts")))
ORDER = {Stage.AGAIN: 0, Stage.STEP: 1, Stage.FALLBACK: 2, Stage.LAST_RESORT: 3}

HOURS = st.none() | st.builds(
    Hours,
    st.sampled_from(["Europe/Berlin", "UTC", "Asia/Kathmandu"]),
    st.sets(st.integers(1, 7), min_size=1).map(lambda days: tuple(sorted(days))),
    st.builds(time, st.integers(0, 23)),
    st.builds(time, st.integers(0, 23), st.just(30)),
)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    afters = sorted(draw(st.lists(st.integers(0, 40), min_size=1, max_size=4)))
    steps = tuple(
        Step(
            timedelta(minutes=after),
            (Target("person", f"p{n}"),),
            draw(st.sampled_from([None, None, Urgency.HIGH, Urgency.LOW])),
            draw(HOURS),
        )
        for n, after in enumerate(afters)
    )
    timeout = draw(st.sampled_from([None, timedelta(minutes=30)]))
    return Policy("main", steps, draw(st.integers(0, 2)), timedelta(minutes=15), timeout)


class Incident(RuleBasedStateMachine):
    """`carry_out` is what flows.paging does with a decision, without rows."""

    @initialize(
        policy=policies(),
        urgency=st.sampled_from([Urgency.LOW, Urgency.HIGH]),
        wait=st.integers(0, 60),
        deaf=st.sets(st.sampled_from(["p0", "p1", "p2", "p3", "dee"])),
    )
    def open(self, policy: Policy, urgency: Urgency, wait: int, deaf: set[str]) -> None:
        self.policy, self.urgency, self.deaf = policy, urgency, deaf
        self.now, self.over, self.reason = BEGIN, False, ""
        self.run, self.due = Run(Status.WAITING), None
        self.asked: list[tuple[int, Position]] = []
        self.reached: set[tuple[int, int]] = set()
        self.told_anybody = False
        self.waiting: list[Due] = []
        begun = machine.start(policy, self.run, urgency, self.now, wait=timedelta(seconds=wait))
        self.carry_out(begun)

    def carry_out(self, decision: Decision) -> None:
        run, due = decision.run, decision.next_due
        for _ in range(40):
            missed = None
            for ask in decision.asks:
                if self.page(run, ask):
                    continue
                missed = ask.position
            for passed in decision.passed:
                assert passed.why
            if not decision.asks and decision.passed and run.status is Status.RUNNING:
                ends = due is None or (due.position.round, due.position.stage) != (
                    run.round,
                    Stage.STEP,
                )
                missed = Position(run.round, run.step, run.stage) if ends else None
            if missed is not None and missed.stage is not Stage.AGAIN:
                reached = (run.epoch, run.round) in self.reached
                due = machine.nobody_there(
                    self.policy, run, missed, self.urgency, self.now, reached=reached
                ).due
            if due is None or due.at > self.now or due.kind != "escalate":
                break
            decision = machine.step_due(self.policy, ROSTER, run, due, self.urgency, self.now)
            run, due = decision.run, decision.next_due
        else:
            raise AssertionError("a decision never comes to rest")
        self.run, self.due, self.reason = run, due, decision.reason
        if due is not None:
            self.waiting.append(due)

    def page(self, run: Run, ask: Ask) -> bool:
        assert (run.epoch, ask.position) not in self.asked, "a position is asked once in an epoch"
        self.asked.append((run.epoch, ask.position))
        found = [t for t in ask.targets if t.key not in self.deaf and t.kind == "person"]
        if found:
            self.reached.add((run.epoch, ask.position.round))
            self.told_anybody = True
        return bool(found)

    @rule(late=st.integers(0, 7200))
    @precondition(lambda self: self.due is not None and not self.over)
    def strike(self, late: int) -> None:
        self.now = max(self.now, self.due.at + timedelta(seconds=late))
        self.struck(self.due)

    def struck(self, due: Due) -> None:
        before = self.run
        if due.kind == "ack_timeout":
            decision = machine.ack_timed_out(self.policy, self.run, due, self.urgency, self.now)
        else:
            decision = machine.step_due(self.policy, ROSTER, self.run, due, self.urgency, self.now)
        if decision.run == before and not decision.asks:
            assert decision.reason.startswith("outdated")
            return
        self.carry_out(decision)

    @rule(which=st.integers(0, 30))
    @precondition(lambda self: len(self.waiting) > 1)
    def an_old_timer_strikes(self, which: int) -> None:
        """A row that was left behind, or struck by two processes, does nothing."""
        due = self.waiting[which % (len(self.waiting) - 1)]
        if due.epoch == self.run.epoch:
            return  # the one in force, or a position of this epoch whose row is done by now
        asked = len(self.asked)
        self.struck(due)
        assert len(self.asked) == asked

    @rule(seconds=st.integers(1, 900))
    def time_passes(self, seconds: int) -> None:
        ahead = self.now + timedelta(seconds=seconds)
        self.now = ahead if self.due is None else max(self.now, min(ahead, self.due.at))

    @rule(by=st.sampled_from(["person:p0", "slack:U1"]))
    @precondition(lambda self: not self.over)
    def acknowledge(self, by: str) -> None:
        self.carry_out(machine.acknowledged(self.policy, self.run, by, self.urgency, self.now))

    @rule()
    @precondition(lambda self: not self.over)
    def escalate(self) -> None:
        asked = len(self.asked)
        self.carry_out(machine.escalated(self.policy, ROSTER, self.run, self.urgency, self.now))
        assert len(self.asked) > asked, "asking for the next step always asks somebody"

    @rule()
    @precondition(lambda self: not self.over)
    def raise_urgency(self) -> None:
        self.urgency = Urgency.HIGH
        self.carry_out(machine.anew(self.policy, self.run, self.urgency, self.now))

    @rule()
    @precondition(lambda self: not self.over)
    def hold_and_release(self) -> None:
        self.run = machine.held(self.run, "held back by silence 3").run
        self.carry_out(machine.anew(self.policy, self.run, self.urgency, self.now))

    @rule()
    @precondition(lambda self: not self.over)
    def resolve(self) -> None:
        self.run, self.over = machine.done(self.run).run, True
        self.due = None

    @invariant()
    def an_open_incident_has_a_due_row_or_a_reason(self) -> None:
        if self.over:
            return
        if self.due is not None:
            assert self.due.epoch == self.run.epoch
            assert self.due.at >= BEGIN
            return
        assert self.reason
        if self.run.status is Status.ACKED:
            return
        assert self.urgency is Urgency.LOW, "high urgency goes on until somebody answers"
        assert self.told_anybody, "an incident of which nobody was told is never left"

    @invariant()
    def within_an_epoch_steps_come_in_their_order(self) -> None:
        epochs = [epoch for epoch, _ in self.asked]
        assert epochs == sorted(epochs)
        places = [(epoch, _place(at)) for epoch, at in self.asked]
        assert places == sorted(places)


def _place(at: Position) -> tuple[int, int, int]:
    """Steps by round and number; behind them the fallback, then the last resort."""
    behind = max(0, ORDER[at.stage] - 1)
    return behind, 0 if behind else at.round, at.step


TestIncident = Incident.TestCase
TestIncident.settings = settings(stateful_step_count=25)
