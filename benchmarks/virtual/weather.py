"""What breaks, and when: alerts of a seeded month, as a source would tell of them.

Knows single failures, flaps, bursts over several services, storms, and that a source repeats itself. Refuses to know
what the bot makes of it. Serves `benchmarks.virtual.run`.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from benchmarks.virtual.installation import SERVICES

REPEATS_EVERY = timedelta(hours=4)
STORM_GROUPS = 60


@dataclass(slots=True)
class Trouble:
    """One thing that breaks: an alert with a name of its own, which fires from..to, perhaps several times."""

    name: str
    service: str
    severity: str
    times: list[tuple[datetime, datetime]]
    storm: bool = False

    @property
    def labels(self) -> dict[str, str]:
        return {"alertname": self.name, "service": self.service, "severity": self.severity}

    @property
    def critical(self) -> bool:
        return self.severity == "critical"


@dataclass(order=True, slots=True)
class Told:
    """One thing the source says: this trouble fires since `start`, or has ended."""

    at: datetime
    number: int
    trouble: Trouble = field(compare=False)
    start: datetime = field(compare=False)
    ended: bool = field(compare=False)


class Weather:
    """A month of it, the same for the same seed."""

    def __init__(self, seed: int, began: datetime, days: float, a_day: int) -> None:
        self._random = random.Random(seed)
        self._numbers = itertools.count()
        self.troubles: list[Trouble] = []
        ends = began + timedelta(days=days)
        now = began
        while (now := now + self._gap(a_day)) < ends:
            self._break_something(now)
        for storm_at in self._storms(began, days):
            self._storm(storm_at)
        self.told = sorted(self._all_told())

    def _gap(self, a_day: int) -> timedelta:
        return timedelta(seconds=self._random.expovariate(a_day / 86_400))

    def _break_something(self, now: datetime) -> None:
        kind = self._random.random()
        if kind < 0.15:
            self._trouble(now, flaps=True)
        elif kind < 0.27:
            team = self._random.choice(sorted(SERVICES))
            for n in range(self._random.randint(2, 8)):
                self._trouble(now + timedelta(seconds=n * self._random.uniform(0, 15)), team=team)
        else:
            self._trouble(now)

    def _trouble(self, now: datetime, *, team: str | None = None, flaps: bool = False) -> None:
        service = self._random.choice(SERVICES[team or self._random.choice(sorted(SERVICES))])
        severity = self._random.choices(["critical", "warning", "info"], [6, 3, 1])[0]
        times = [self._episode(now, 1200.0)]
        for _ in range(self._random.randint(2, 12) if flaps else 0):
            times[-1] = self._episode(times[-1][0], 120.0)
            times.append(self._episode(times[-1][1] + self._span(90.0), 1200.0))
        self._add(service, severity, times)

    def _episode(self, start: datetime, mean: float) -> tuple[datetime, datetime]:
        return start, start + self._span(mean)

    def _span(self, mean: float) -> timedelta:
        return timedelta(seconds=max(5.0, self._random.expovariate(1 / mean)))

    def _storms(self, began: datetime, days: float) -> Iterator[datetime]:
        for day in range(1, int(days), 4):
            yield began + timedelta(days=day, seconds=self._random.uniform(0, 80_000))

    def _storm(self, now: datetime) -> None:
        team = self._random.choice(sorted(SERVICES))
        ends = now + timedelta(minutes=self._random.uniform(10, 60))
        for n in range(STORM_GROUPS):
            start = now + timedelta(seconds=n * 0.15)
            service = SERVICES[team][n % len(SERVICES[team])]
            self._add(service, "critical", [(start, ends + timedelta(seconds=n))], storm=True)

    def _add(
        self,
        service: str,
        severity: str,
        times: list[tuple[datetime, datetime]],
        *,
        storm: bool = False,
    ) -> None:
        name = f"Trouble{len(self.troubles):05d}"
        self.troubles.append(Trouble(name, service, severity, times, storm))

    def _all_told(self) -> Iterator[Told]:
        for trouble in self.troubles:
            for start, end in trouble.times:
                at = start
                while at < end:
                    yield Told(at, next(self._numbers), trouble, start, ended=False)
                    at += REPEATS_EVERY
                yield Told(end, next(self._numbers), trouble, start, ended=True)


class Agenda:
    """What happens when, soonest first."""

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    def add(self, at: datetime, what: Callable[[], None]) -> None:
        heapq.heappush(self._heap, (at, next(self._numbers), what))

    def next_at(self) -> datetime | None:
        return self._heap[0][0] if self._heap else None

    def due(self, now: datetime) -> Iterator[Callable[[], None]]:
        while self._heap and self._heap[0][0] <= now:
            yield heapq.heappop(self._heap)[2]
