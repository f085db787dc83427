"""A Prometheus that answers as a test says, in place of the port; what it was asked is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from oncall_bot.core.graphs import Graph, Series, Window
from oncall_bot.ports import Sample


@dataclass
class FakeMetrics:
    """`values` answers instant queries, `past` range queries; either may raise."""

    values: Callable[[str], Sequence[Sample]] = lambda promql: ()
    past: Callable[[str, Window], Sequence[Series]] = lambda promql, window: ()
    rules: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def instant(self, address: str, promql: str, *, at: float) -> Sequence[Sample]:
        self.asked.append(promql)
        return self.values(promql)

    async def over(self, address: str, promql: str, window: Window) -> Sequence[Series]:
        self.asked.append(promql)
        return self.past(promql, window)

    async def rule(self, address: str, alertname: str) -> str | None:
        return self.rules.get(alertname)


@dataclass
class FakePicture:
    drawn: list[Graph] = field(default_factory=list)

    def draw(self, graph: Graph) -> bytes:
        self.drawn.append(graph)
        return b"\x89PNG"


@dataclass
class FakeAlbum:
    kept: list[str] = field(default_factory=list)

    async def keep(self, png: bytes, name: str, alt: str) -> str:
        self.kept.append(alt)
        return f"F{len(self.kept)}"


def steady(value: float, window: Window, **labels: str) -> Series:
    """A series that has been the same all the time."""
    points, t = [], window.start.timestamp()
    while t <= window.end.timestamp():
        points.append((t, value))
        t += window.step
    return Series(labels, points)
