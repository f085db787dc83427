"""What a picture of a metric shows: which lines, around which limit, over which span, and the same in words.

Knows what to ask Prometheus for and what to keep of its answer. Refuses to know pixels and HTTP.
Serves engine (which asks), pictures (which draw) and the surfaces (which say it).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from oncall_bot.core.promql import Measure
from oncall_bot.core.units import NONE, Unit, figure, unit_of

Labels = Mapping[str, str]
Points = Sequence[tuple[float, float]]

SERIES_MAX, POINTS_MAX = 20, 500
RANGE_MAX = timedelta(days=7)
POINTS_WANTED = 120
"""A phone shows a picture 330 points wide: more would not be seen."""
STEP_MIN = 5
BEFORE, AFTER = timedelta(minutes=30), timedelta(minutes=10)
DAY, WEEK = timedelta(days=1), timedelta(days=7)
NAME_LIMIT = 60
VALUE_MAX = 1e100
_STEPS = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)


def is_drawn(value: float) -> bool:
    """Whether the value is a number that a picture can show; beyond a googol it is a gap, like NaN and infinity."""
    return abs(value) < VALUE_MAX


@dataclass(frozen=True, slots=True)
class Series:
    """One series: its labels, and (unix seconds, value) in order of time. A missing point and a NaN are gaps."""

    labels: Labels
    points: Points

    @property
    def last(self) -> float | None:
        """The newest value that is a number."""
        return next((v for _, v in reversed(self.points) if is_drawn(v)), None)


@dataclass(frozen=True, slots=True)
class Window:
    """What is asked for: from, to, and the seconds between two points."""

    start: datetime
    end: datetime
    step: int

    def before(self, by: timedelta) -> Window:
        """The same window so much earlier."""
        return Window(self.start - by, self.end - by, self.step)


@dataclass(frozen=True, slots=True)
class Line:
    """A named line of the picture."""

    name: str
    points: Points


@dataclass(frozen=True, slots=True)
class Graph:
    """One picture. Its lines are the worst first; `others` are drawn faint and without a name."""

    title: str
    window: Window
    lines: Sequence[Line]
    unit: Unit = NONE
    others: Sequence[Points] = ()
    left_out: int = 0  # series beyond those that are drawn
    op: str | None = None
    limit: float | None = None
    yesterday: Points = ()
    last_week: Points = ()
    fired_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def now(self) -> float | None:
        """The headline's value: the newest of the first line."""
        return _last(self.lines[0].points) if self.lines else None

    @property
    def headline(self) -> str:
        """`8.4 %`; `no data` when nothing was measured."""
        return "no data" if self.now is None else figure(self.now, self.unit)

    @property
    def sentence(self) -> str:
        """The measured effect with its limit: `8.4 %, limit 2 %`. Empty when nothing was measured."""
        if self.now is None:
            return ""
        limit = f", limit {figure(self.limit, self.unit)}" if self.limit is not None else ""
        return f"{self.headline}{limit}"

    @property
    def is_over(self) -> bool:
        """Whether the newest value is on the good side of the limit."""
        now = self.now
        if now is None or self.limit is None or self.op is None:
            return self.ended_at is not None
        return not _holds(self.op, now, self.limit)


LINES_NAMED = 4


def window_of(
    fired_at: datetime | None,
    ended_at: datetime | None,
    now: datetime,
    span: timedelta | None = None,
) -> Window:
    """From half an hour before it fired (or a third of what followed) to now, or to a while after its end."""
    if fired_at is None:
        wanted = min(span or timedelta(hours=1), RANGE_MAX)
        return _stepped(now - wanted, now)
    end = now if ended_at is None else min(now, ended_at + AFTER)
    lasted = max(end - fired_at, timedelta(0))
    start = max(fired_at - max(BEFORE, lasted / 3), end - RANGE_MAX)
    return _stepped(start, end)


def _stepped(start: datetime, end: datetime) -> Window:
    """It ends now and begins whole steps before: yesterday's window has its points at the same times of day."""
    wanted = (end - start).total_seconds() / POINTS_WANTED
    step = next((one for one in _STEPS if one >= wanted), int(wanted) + 1)
    last = int(end.timestamp()) // STEP_MIN * STEP_MIN
    steps = max(1, int((end - start).total_seconds()) // step)
    first = last - steps * step
    return Window(datetime.fromtimestamp(first, UTC), datetime.fromtimestamp(last, UTC), step)


def graph_of(
    title: str,
    measure: Measure,
    found: Sequence[Series],
    window: Window,
    *,
    own: Sequence[Labels] = (),
    fired_at: datetime | None = None,
    ended_at: datetime | None = None,
) -> tuple[Graph, Labels | None]:
    """The picture of what was measured, and the labels of its first line (None when there is none).

    `own` are the labels of the alerts it is about: the series they name come first, then the worst.
    """
    unit = unit_of(measure.expr, measure.limit)
    ranked = sorted(found, key=lambda one: _rank(one, measure, own))
    kept = [one for one in ranked[:SERIES_MAX] if one.last is not None]
    names = _names([one.labels for one in kept])
    graph = Graph(
        title=title,
        window=window,
        lines=[
            Line(name, one.points) for name, one in zip(names, kept[:LINES_NAMED], strict=False)
        ],
        unit=unit,
        others=[one.points for one in kept[LINES_NAMED:]],
        left_out=max(0, len(found) - SERIES_MAX),
        op=measure.op,
        limit=measure.limit if is_drawn(measure.limit or 0.0) else None,
        fired_at=fired_at,
        ended_at=ended_at,
    )
    return graph, (kept[0].labels if kept else None)


def same_series(found: Sequence[Series], labels: Labels, later: timedelta) -> Points:
    """The points of the series with these labels, as if they were measured so much later."""
    by = later.total_seconds()
    one = next((one for one in found if one.labels == labels), None)
    return [(t + by, value) for t, value in one.points] if one else []


def _rank(one: Series, measure: Measure, own: Sequence[Labels]) -> tuple[bool, bool, float, str]:
    """Those the alerts are about, then those with a value, then the worst; the rest by name, so that it stays put."""
    last = one.last
    worst = -(last or 0.0) if measure.op not in ("<", "<=") else (last or 0.0)
    is_own = any(_is_of(one.labels, labels) for labels in own)
    return (not is_own, last is None, worst, str(sorted(one.labels.items())))


def _is_of(series: Labels, alert: Labels) -> bool:
    return all(alert.get(name) == value for name, value in series.items() if name != "__name__")


def _names(all_labels: Sequence[Labels]) -> list[str]:
    """What tells the series apart; one alone is `now`."""
    if len(all_labels) <= 1:
        return ["now"] * len(all_labels)
    told = {
        name
        for labels in all_labels
        for name in labels
        if any(other.get(name) != labels[name] for other in all_labels)
    } - {"__name__"}
    names = [", ".join(one[name] for name in sorted(told) if name in one) for one in all_labels]
    head, tail = _shared(names), _shared([name[::-1] for name in names])
    if tail >= 4:  # a port, a domain
        names = [name[:-tail] for name in names]
    if head >= 6:  # two letters of it stay
        names = [f"…{name[head - 2 :]}" for name in names]
    return [name[:NAME_LIMIT] or "the rest" for name in names]


def _shared(names: Sequence[str]) -> int:
    """How many letters all of them begin with: `10.0.0.27:9100` and `10.0.0.28:9100` differ in one alone."""
    first, last = min(names), max(names)
    pairs = enumerate(zip(first, last, strict=False))
    return next((n for n, (a, b) in pairs if a != b), min(len(first), len(last)))


def alt_text(graph: Graph, limit: int = 1900) -> str:
    """The picture in words, for who hears it: what, how much, where the limit stands, and what it was."""
    return " ".join(_said(graph))[:limit]


def _said(graph: Graph) -> Iterator[str]:
    if graph.now is None:
        yield f"{graph.title}: nothing was measured."
        return
    zone = graph.window.end
    yield f"{graph.title}: {graph.headline} at {zone:%H:%M} UTC."
    if graph.limit is not None:
        yield f"Limit {figure(graph.limit, graph.unit)}."
    low, high = extremes([graph.lines[0].points])
    yield f"Between {figure(low, graph.unit)} and {figure(high, graph.unit)} since {graph.window.start:%H:%M}."
    for name, points in (("Yesterday", graph.yesterday), ("Last week", graph.last_week)):
        if (last := _last(points)) is not None:
            yield f"{name} at this time {figure(last, graph.unit)}."
    if graph.fired_at:
        yield f"Fired {graph.fired_at:%H:%M}."
    if graph.ended_at:
        yield f"Ended {graph.ended_at:%H:%M}."
    shown = len(graph.lines) + len(graph.others)
    if shown > 1:
        others = ", ".join(
            f"{line.name} {figure(last, graph.unit)}"
            for line in graph.lines
            if (last := _last(line.points)) is not None
        )
        yield f"{shown + graph.left_out} series; the first: {others}."


def extremes(all_points: Sequence[Points]) -> tuple[float, float]:
    """The least and the most that was measured; two NaN when nothing was."""
    values = [value for points in all_points for _, value in points if is_drawn(value)]
    return (min(values), max(values)) if values else (math.nan, math.nan)


def _last(points: Points) -> float | None:
    return next((value for _, value in reversed(points) if is_drawn(value)), None)


def _holds(op: str, value: float, limit: float) -> bool:
    return {
        ">": value > limit,
        ">=": value >= limit,
        "<": value < limit,
        "<=": value <= limit,
        "==": value == limit,
        "!=": value != limit,
    }[op]
