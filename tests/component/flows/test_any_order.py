"""Incidents under whatever alerts, people and sources do, in any order, on both databases.

Whatever happens: who is open has something due or says why not, and nobody is rung twice for one page.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from oncall_bot.core.alerts import fingerprint
from oncall_bot.flows.acknowledge import take_over
from oncall_bot.flows.escalate import escalate, hand_over, page_by_hand
from oncall_bot.flows.reconcile import Listed, Lists, reconcile, reopen_listed
from oncall_bot.flows.resolve import mitigate, resolve
from oncall_bot.flows.silence_incident import end_silence, silence_incident
from oncall_bot.store import audit, groups, views
from oncall_bot.store.db import Store
from tests.component.flows.world import World
from tests.databases import HandClock, Postgres, Sqlite

PEOPLE = st.sampled_from(["ana", "bo", "cy", "dee"])
ALL = [
    {"alertname": name, "service": "checkout", "severity": severity, "instance": instance}
    for name, severity in (("Errors", "critical"), ("Slow", "warning"))
    for instance in ("a", "b")
]
ALERTS = st.sampled_from(ALL)
NUMBERS = st.integers(1, 2)


class Anything(RuleBasedStateMachine):
    server: ClassVar[Sqlite | Postgres]

    def __init__(self) -> None:
        super().__init__()
        self.clock = HandClock()
        self.url = self.server.fresh()
        self.store = Store(self.url, clock=self.clock)
        self.store.open()
        self.world = World(self.store, self.clock)
        self.firing: dict[str, tuple[dict[str, str], Any]] = {}

    def teardown(self) -> None:
        self.store.close()
        self.server.drop(self.url)

    def act(self, flow: Any, *args: Any, **more: Any) -> None:
        self.store.write(flow, *args, **more).result()
        self.world.run()

    @initialize()
    def begin(self) -> None:
        self.fire([{**one} for one in ALL[:2]])

    @rule(which=st.lists(ALERTS, min_size=1, max_size=3))
    def fire(self, which: list[dict[str, str]]) -> None:
        for labels in which:
            _, since = self.firing.setdefault(fingerprint(labels), (labels, self.clock.now))
            self.world.told(labels, starts_at=since)
        self.world.run()

    @rule(labels=ALERTS)
    def ends(self, labels: dict[str, str]) -> None:
        found = self.firing.pop(fingerprint(labels), None)
        if found is not None:
            self.clock.advance(1)
            self.world.told(labels, starts_at=found[1], ended=True)
            self.world.run()

    @rule(number=NUMBERS, person=PEOPLE)
    def acknowledge(self, number: int, person: str) -> None:
        self.world.ack(number, person)

    @rule(number=NUMBERS, person=PEOPLE, flow=st.sampled_from([take_over, escalate, mitigate]))
    def answers(self, number: int, person: str, flow: Any) -> None:
        self.act(flow, number, self.world.person(person))

    @rule(number=NUMBERS, person=PEOPLE)
    def resolves(self, number: int, person: str) -> None:
        self.act(resolve, number, self.world.person(person))

    @rule(number=NUMBERS, person=PEOPLE, to=PEOPLE)
    def hands_over(self, number: int, person: str, to: str) -> None:
        self.act(hand_over, number, to, self.world.person(person))

    @rule(number=NUMBERS, person=PEOPLE, to=st.sampled_from(["cy", "team:shop", "policy:gap"]))
    def pages(self, number: int, person: str, to: str) -> None:
        self.act(page_by_hand, number, to, self.world.person(person))

    @rule(number=NUMBERS, person=PEOPLE)
    def silences(self, number: int, person: str) -> None:
        quiet = timedelta(minutes=30)
        self.act(silence_incident, number, quiet, "moving", self.world.person(person))

    @rule(number=NUMBERS, person=PEOPLE)
    def ends_the_silence(self, number: int, person: str) -> None:
        self.act(end_silence, number, self.world.person(person))

    @rule(held=st.sampled_from([None, "silence x"]), whole=st.booleans())
    def the_source_lists(self, held: str | None, whole: bool) -> None:
        listed = {p: Listed(p, since, held) for p, (_, since) in self.firing.items()}
        lists = Lists("default", whole, listed)
        self.act(reopen_listed, lists, sorted(listed))
        self.act(reconcile, lists)

    @rule(minutes=st.sampled_from([1, 6, 16, 31]))
    def time_passes(self, minutes: int) -> None:
        self.world.pass_time(minutes * 60, step=60)

    @invariant()
    def what_is_open_has_something_due_or_says_why_not(self) -> None:
        assert self.store.look(audit.unwatched) == []
        assert self.store.look(audit.no_next_step, self.clock.now + timedelta(days=1)) == []
        for shown in self.world.open():
            lines = self.store.look(views.why, shown.incident_id)
            ends = {line.about for line in lines} & {"next", "held", "answered", "over"}
            assert ends or shown.urgency == "none", [line.text(str) for line in lines]

    @invariant()
    def the_counters_are_those_of_the_rows(self) -> None:
        for number, firing, held in self.world.rows(
            "SELECT i.id, i.firing, i.held FROM incident i WHERE i.status IN ('open', 'acked', 'mitigated')"
        ):
            rows = self.world.rows(
                "SELECT o.muted_by FROM alert_group g JOIN group_member m ON m.group_id = g.id "
                f"JOIN occurrence o ON o.id = m.occurrence_id WHERE g.incident_id = {number} "
                "AND o.ended_at IS NULL"
            )
            counted = firing + self.store.look(groups.uncounted, number)
            assert (counted, held) == (len(rows), sum(1 for (hold,) in rows if hold)), number

    @invariant()
    def nobody_is_rung_twice_for_one_page(self) -> None:
        sent = self.world.rows(
            "SELECT page_id, destination, count(*) FROM outbox WHERE page_id IS NOT NULL "
            "AND state = 'sent' AND kind = 'loud' GROUP BY page_id, destination HAVING count(*) > 1"
        )
        assert sent == []


def test_whatever_happens_somebody_is_asked_or_it_is_said_why_not(
    server: Sqlite | Postgres,
) -> None:
    class OnThisServer(Anything):
        pass

    OnThisServer.server = server
    few = 4 if isinstance(server, Postgres) else 8
    run_state_machine_as_test(
        OnThisServer,
        settings=settings(max_examples=few, stateful_step_count=15, deadline=None),
    )
