"""The book of the run: what was accepted, whom it must reach and when, and what reached them.

Knows names of alerts, steps and arrivals as the outside saw them; never a row of the bot's database. Serves the load
and the fakes, which write here, and the report, which reads.

Every alert has a name of its own, and each step of its policy pages another person; so a message to a person that
names the alert tells which step it is.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

NAME = re.compile(r"Chaos\d{7}")
ANSWERED_LATE = 1.0
"""Seconds after an acknowledgement was accepted within which a page already decided may still ring."""


@dataclass(slots=True)
class Case:
    """One alert, its incident, and what is known of it outside."""

    name: str
    team: int
    people: tuple[int, ...]  # by step
    dues: tuple[float, ...]  # by step, seconds after the incident began
    ack_after_step: int
    posted_at: float = 0.0
    accepted_at: float | None = None
    tries: int = 0
    acked_at: float | None = None
    ended_at: float | None = None
    ack_url: str | None = None
    arrived: dict[int, dict[str, float]] = field(default_factory=dict)  # step -> road -> first time

    @property
    def expected(self) -> range:
        """The steps that must have paged somebody."""
        return range(self.ack_after_step + 1)

    def due(self, step: int) -> float:
        """No later than this the step was due: counted from before the alert was posted."""
        return self.posted_at + self.dues[step]

    @property
    def anchored(self) -> bool:
        """Whether the beginning is known: it was accepted at the first try."""
        return self.tries == 1


@dataclass(slots=True)
class Life:
    """One process: when it could be asked, and when it died."""

    ready_at: float
    died_at: float | None = None


class Ledger:
    def __init__(self) -> None:
        self.cases: dict[str, Case] = {}
        self.of_person: dict[str, dict[int, int]] = {}
        self.rings: Counter[tuple[str, str]] = Counter()  # (road, key) -> messages that lie there
        self.roots: dict[str, set[str]] = defaultdict(
            set
        )  # alert -> ts of its messages in a channel
        self.admin: list[str] = []
        self.strangers: list[str] = []
        self.lives: list[Life] = []
        self.kills: Counter[str] = Counter()
        self._pages = 0

    # --- written by load and fakes ------------------------------------------------------------------------------

    def add(self, case: Case) -> None:
        self.cases[case.name] = case
        self.of_person[case.name] = {person: step for step, person in enumerate(case.people)}

    def accept(self, case: Case, at: float) -> None:
        """The bot answered 200."""
        case.accepted_at = at
        self._pages += len(case.expected)

    def told(self, person: int, text: str) -> list[tuple[Case, int]]:
        """The cases the text names, each with its step that pages this person."""
        return [
            (self.cases[name], self.of_person[name][person])
            for name in set(NAME.findall(text))
            if person in self.of_person.get(name, {})
        ]

    def message(self, road: str, person: str, key: str, text: str, at: float) -> None:
        """A message lies with a person: count it under its key, and its first arrival for each case it names."""
        names = set(NAME.findall(text))
        if not names:
            self.admin.append(text)
            return
        self.rings[road, key] += 1
        found = self.told(int(person[1:]) if person[1:].isdigit() else -1, text)
        if len(found) < len(names):
            self.strangers.append(f"{road} to {person}: {text[:120]}")
        for case, step in found:
            case.arrived.setdefault(step, {}).setdefault(road, at)

    def root(self, ts: str, text: str) -> None:
        """A message of its own in a channel."""
        for name in set(NAME.findall(text)):
            self.roots[name].add(ts)

    # --- read by the report -------------------------------------------------------------------------------------

    def accepted(self) -> list[Case]:
        return [case for case in self.cases.values() if case.accepted_at is not None]

    def missing(self) -> list[tuple[Case, int]]:
        """Pages of accepted alerts that reached nobody by any road."""
        return [
            (case, step)
            for case in self.accepted()
            for step in case.expected
            if step not in case.arrived
        ]

    def pages(self) -> int:
        return self._pages

    def doubled(self) -> dict[str, int]:
        """By road: messages that lie there more often than once."""
        found: dict[str, int] = defaultdict(int)
        for (road, _), count in self.rings.items():
            found[road] += count - 1
        return dict(found)

    def second_roots(self) -> list[str]:
        return [name for name, places in self.roots.items() if len(places) > 1]

    def without_root(self) -> list[str]:
        return [case.name for case in self.accepted() if not self.roots.get(case.name)]

    def after_the_ack(self) -> list[tuple[Case, int]]:
        """Steps that rang though they were due only after somebody had acknowledged."""
        return [
            (case, step)
            for case in self.accepted()
            if case.acked_at is not None and case.anchored
            for step in case.arrived
            if step > case.ack_after_step and case.due(step) > case.acked_at + ANSWERED_LATE
        ]

    def early(self) -> list[tuple[Case, int, float]]:
        """Pages that came before their time: a second or more."""
        return [
            (case, step, case.due(step) - min(roads.values()))
            for case in self.accepted()
            if case.anchored
            for step, roads in case.arrived.items()
            if min(roads.values()) < case.due(step) - 1.0
        ]

    def latenesses(self) -> tuple[list[float], list[float]]:
        """(after the page was due and a process ready, after it was due), each sorted; first of its roads counts."""
        ready = sorted(life.ready_at for life in self.lives)
        late, waited = [], []
        for case in self.accepted():
            if not case.anchored:
                continue
            for step in case.expected:
                if step in case.arrived:
                    at, due = min(case.arrived[step].values()), case.due(step)
                    waited.append(max(0.0, at - due))
                    late.append(max(0.0, at - max(due, self._ready(ready, due, at))))
        return sorted(late), sorted(waited)

    def _ready(self, ready: list[float], due: float, at: float) -> float:
        """When a process was ready for what was due: at once when one lived through, else the next that became so."""
        for life in self.lives:
            if life.ready_at <= due and (life.died_at is None or life.died_at >= at):
                return due
        return next((one for one in ready if due <= one <= at), due)


def percentile(values: list[float], share: float) -> float:
    return values[min(len(values) - 1, int(len(values) * share))] if values else 0.0


def figures(values: Iterable[float]) -> str:
    found = sorted(values)
    if not found:
        return "-"
    return f"p50 {percentile(found, 0.5):.2f} s, p99 {percentile(found, 0.99):.2f} s, max {found[-1]:.2f} s"
