"""The little world that the practice Prometheus scrapes: signals that move, and metrics made of them.

Knows levels, ramps and their history, so that yesterday can be asked for as well as now; a counter is the sum of its
rate. Refuses to know PromQL and HTTP. Serves stories (which move signals) and the practice Prometheus (which asks).
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

SCRAPE_S = 5.0
"""How often everything is scraped; samples stand at multiples of this."""


@dataclass
class Signal:
    """A number that people or faults move: it goes from where it is to a new level within some seconds."""

    level: float
    ripple: float = 0.0  # a share of the level by which it wavers, so that a chart looks alive
    phase: float = 0.0
    _moves: list[tuple[float, float, float, float]] = field(default_factory=list)

    def move(self, at: float, to: float, over: float = 0.0) -> None:
        """From `at` (unix seconds) on it goes to `to` within `over` seconds. Moves come in order of time."""
        self._moves.append((at, self._smooth(at), to, max(over, 1e-9)))

    def at(self, t: float) -> float:
        """Its value then."""
        wave = math.sin(t / 47 + self.phase) * 0.6 + math.sin(t / 13 + 2 * self.phase) * 0.4
        return self._smooth(t) * (1 + self.ripple * wave)

    def _smooth(self, t: float) -> float:
        index = bisect_right(self._moves, t, key=lambda move: move[0]) - 1
        if index < 0:
            return self.level
        began, before, to, over = self._moves[index]
        share = min(1.0, (t - began) / over)
        return before + (to - before) * share


Value = Callable[[float], float | None]


@dataclass
class Series:
    """One time series: its labels with `__name__`, and what a scrape at an instant finds; None: nothing."""

    labels: Mapping[str, str]
    value: Value

    def sample(self, t: float) -> tuple[float, float] | None:
        """The newest sample at or before `t`, as (when, value)."""
        scraped = math.floor(t / SCRAPE_S) * SCRAPE_S
        found = self.value(scraped)
        return None if found is None else (scraped, found)

    def between(self, start: float, end: float) -> list[tuple[float, float]]:
        """The samples in (start, end]."""
        first = math.floor(start / SCRAPE_S) + 1
        last = math.floor(end / SCRAPE_S)
        found = ((n * SCRAPE_S, self.value(n * SCRAPE_S)) for n in range(first, last + 1))
        return [(t, value) for t, value in found if value is not None]


class Counter:
    """The sum of a rate since a beginning, kept for each scrape so that the past never changes."""

    def __init__(self, rate: Callable[[float], float], since: float) -> None:
        self._rate = rate
        self._since = math.floor(since / SCRAPE_S)
        self._sums = [0.0]

    def __call__(self, t: float) -> float | None:
        index = math.floor(t / SCRAPE_S) - self._since
        if index < 0:
            return None
        while len(self._sums) <= index:
            middle = (self._since + len(self._sums) - 0.5) * SCRAPE_S
            self._sums.append(self._sums[-1] + max(0.0, self._rate(middle)) * SCRAPE_S)
        return math.floor(self._sums[index])


class Scraped:
    """Every series there is; asked by name and by labels."""

    def __init__(self) -> None:
        self.series: list[Series] = []

    def gauge(self, name: str, value: Value | Signal, **labels: str) -> None:
        """A number that goes up and down."""
        found = value.at if isinstance(value, Signal) else value
        self.series.append(Series({"__name__": name, **labels}, found))

    def counter(
        self, name: str, rate: Callable[[float], float], since: float, **labels: str
    ) -> None:
        """A counter that grows by `rate` a second."""
        self.series.append(Series({"__name__": name, **labels}, Counter(rate, since)))

    def named(self, name: str) -> Iterable[Series]:
        return (one for one in self.series if one.labels["__name__"] == name)
