"""Who was and will be paged for one incident, by which roads, and what became of each message.

Knows runs, their timers and the fates of their messages. Writes nothing and decides nothing. Serves the situation of an
incident and the reasons told of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from oncall_bot.core import escalation
from oncall_bot.core.config import Policy, Target, Urgency
from oncall_bot.core.escalation import Position, Stage
from oncall_bot.core.situation import NextStep, Paged, RoadFate
from oncall_bot.store import bundling, outbox, road_health, runs, timers
from oncall_bot.store.statements import Row
from oncall_bot.store.transactions import Reader

PAGED_SHOWN = 12


class Paging:
    """Everything about who was and will be paged for one incident."""

    def __init__(self, reader: Reader, incident: Row) -> None:
        self.reader = reader
        self.incident = incident
        self.runs = runs.all_of(reader, incident.id)
        self.open = [row for row in self.runs if row.state != "done"]
        self.due = [
            (row, timer)
            for row in self.open
            for timer in timers.of(reader, f"run:{row.id}")
            if timer.data.get("epoch") == row.epoch
        ]

    def policy(self, row: Row) -> Policy | None:
        return self.reader.snapshot.config.policies.get(row.policy_key)

    def steps(self) -> int:
        policy = self.policy(self.runs[0]) if self.runs else None
        return len(policy.steps) if policy else 1

    def paged(self) -> list[Paged]:
        rows = runs.pages(self.reader, self.incident.id)[-PAGED_SHOWN:]
        fates = self.fates()
        return [
            Paged(
                person_key=row.person or row.target,
                name=self._name(row),
                step=0 if self._by_hand(row) else row.step % 1000 + 1,
                decided_at=row.decided_at,
                roads=fates.get(row.id, ()),
                answered_at=row.answered_at,
                note=None if row.reason.get("loud", True) or row.person is None else "no loud road",
            )
            for row in rows
        ]

    def fates(self) -> dict[int, list[RoadFate]]:
        """By page: what became of each of its messages."""
        found: dict[int, list[RoadFate]] = defaultdict(list)
        sent = outbox.pages_of_incident(self.reader, self.incident.id)
        receipts = road_health.receipts(self.reader, [row.id for row in sent if row.kind == "loud"])
        numbers = {one.bundle_id for one in sent if one.bundle_id is not None}
        together = bundling.together(self.reader, sorted(numbers))
        for one in sent:
            fate = _fate(one, together.get(one.bundle_id, 1))
            found[one.page_id].append(_with_receipts(fate, receipts.get(one.id, ())))
        return found

    def _by_hand(self, page: Row) -> bool:
        return any(r.id == page.run_id and r.policy_key.startswith("manual:") for r in self.runs)

    def _name(self, page: Row) -> str:
        if page.person:
            return self.reader.snapshot.name(page.person)
        return str(page.target).partition(":")[2]

    def next_step(self) -> NextStep | None:
        upcoming = [(row, t) for row, t in self.due if t.kind == "escalate"]
        if not upcoming:
            return None
        return self.step_of(*min(upcoming, key=lambda pair: pair[1].due_at))

    def step_of(self, row: Row, timer: Row) -> NextStep:
        """What the timer will page, as things stand."""
        at = Position(int(timer.data["round"]), int(timer.data["step"]), Stage(timer.data["stage"]))
        return NextStep(timer.due_at, self._names(row, at, timer.due_at), self._what(row, at))

    def _names(self, row: Row, at: Position, due_at: datetime) -> list[str]:
        snapshot = self.reader.snapshot
        names: list[str] = []
        urgency = Urgency.HIGH if row.targets else Urgency(self.incident.urgency)
        is_list = at.stage is Stage.FALLBACK
        whom = snapshot.whom(self._targets(row, at), due_at, urgency, is_list=is_list)
        for found in whom.found:
            names += [snapshot.name(person) for person in found.people]
            if found.channel:
                names.append(found.channel)
        return list(dict.fromkeys(names))

    def _targets(self, row: Row, at: Position) -> Sequence[Target]:
        config = self.reader.snapshot.config
        if row.targets:
            return [Target(*text.split(":", 1)) for text in row.targets]
        policy = self.policy(row)
        if at.stage is Stage.STEP:
            return policy.steps[at.step].page if policy and at.step < len(policy.steps) else ()
        team = config.teams.get(self.incident.team or "")
        if at.stage is Stage.FALLBACK:
            return (team.fallback if team else ()) or config.defaults.fallback
        return [Target("person", key) for key in config.defaults.last_resort]

    def _what(self, row: Row, at: Position) -> str:
        policy = self.policy(row)
        if policy is None:
            return "again" if at.stage is Stage.STEP else "the fallback"
        return escalation.step_name(policy, at)

    def ack_until(self) -> datetime | None:
        return min((t.due_at for _, t in self.due if t.kind == "ack_timeout"), default=None)


def _fate(row: Row, together: int = 1) -> RoadFate:
    state = {"pending": "waiting", "sending": "waiting", "dead": "failed"}.get(row.state, row.state)
    if row.state in ("pending", "sending") and row.last_error:
        state = "failed"  # so far: it is tried again
    at = row.done_at if row.done_at is not None else row.next_attempt_at
    why = row.last_error
    if row.state == "sent" and together > 1:
        why = f"one message for {together} pages"
    elif row.held:
        why = row.held
    elif state == "waiting" and why is None:
        why = row.payload.get("waits")  # for the end of quiet hours
    return RoadFate(str(row.payload.get("road", "slack")), state, at, why)


def _with_receipts(fate: RoadFate, receipts: Sequence[Row]) -> RoadFate:
    """What its provider told after it took the message, the most telling in front."""
    said = road_health.most_telling(receipts)
    if fate.state != "sent" or said is None:
        return fate
    sent = [("sent", fate.at)] if fate.at is not None else []
    way = [*sent, *((row.state, row.at) for row in receipts)]
    return replace(fate, state=said.state, at=said.at, why=said.why or fate.why, told=way)
