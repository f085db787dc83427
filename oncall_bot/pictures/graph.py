"""The picture of a metric as an SVG of 1200 x 500: what it was, its limit, yesterday, and since when it fires.

Knows pixels, colours and where names go; sizes are for a phone, where 1200 px become 330 pt, so no text is smaller than
26 px. Refuses to know what is worth drawing (core.graphs) and fonts' files. Pure. Serves png.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from oncall_bot.core.graphs import VALUE_MAX, Graph, Points, extremes, is_drawn
from oncall_bot.core.units import Unit, figure
from oncall_bot.pictures.letters import FAMILY, fitted, safe, width

WIDTH, HEIGHT = 1200, 500
LEFT, RIGHT, TOP, BOTTOM = 146, 934, 142, 432
EDGE = 30
TITLE, SMALL = 43, 28
INK, SOFT, FAINT, PAPER = "#F2F4F7", "#AEB6C2", "#3A424E", "#1B1F26"
FIRING, LIMIT, OVER, EARLIER, OTHER = "#F0645A", "#FFB454", "#6FCF97", "#8A94A3", "#5B6675"
LINES = ("#5CC8FF", "#B79CF7", "#F49AC1", "#D6C36A")
NAME_GAP = 37
HEADROOM = 1.12
_STEPS_S = (60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800)


@dataclass(frozen=True, slots=True)
class _Plot:
    """From times and values to pixels."""

    start: float
    end: float
    low: float
    high: float

    def x(self, t: float) -> float:
        share = (t - self.start) / max(self.end - self.start, 1e-9)
        return LEFT + min(1.0, max(0.0, share)) * (RIGHT - LEFT)

    def y(self, value: float) -> float:
        share = (value - self.low) / ((self.high - self.low) or 1.0)
        return BOTTOM - min(1.0, max(0.0, share)) * (BOTTOM - TOP)


@dataclass(frozen=True, slots=True)
class _Name:
    """What stands right of the plot, at the height of its line."""

    y: float
    text: str
    colour: str


def svg_of(graph: Graph) -> str:
    """The whole picture; every outside word in it is bounded and escaped."""
    plot = _plot(graph)
    parts = [
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{PAPER}"/>',
        *_head(graph),
        *_firing(graph, plot),
        *_grid(graph, plot),
        *_series(graph, plot),
        *_names(graph, plot),
        *_moments(plot),
    ]
    if graph.now is None:
        middle = (LEFT + RIGHT) / 2
        parts.append(
            _text(middle, (TOP + BOTTOM) / 2, "Nothing was measured", SMALL, SOFT, "middle")
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}"'
        f' viewBox="0 0 {WIDTH} {HEIGHT}" font-family="{FAMILY}">{"".join(parts)}</svg>'
    )


def _text(
    x: float,
    y: float,
    words: str,
    size: int,
    colour: str,
    anchor: str = "start",
    *,
    bold: bool = False,
) -> str:
    weight = ' font-weight="700"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}" text-anchor="{anchor}"{weight}>'
        f"{safe(words)}</text>"
    )


def _head(graph: Graph) -> Iterator[str]:
    """The title, and right of it the one number a person needs, in the colour of its state."""
    colour = OVER if graph.is_over else FIRING if graph.fired_at else LINES[0]
    said = fitted(
        "back to normal" if graph.ended_at and graph.is_over else graph.headline,
        460,
        TITLE,
        bold=True,
    )
    room = WIDTH - 2 * EDGE - width(said, TITLE, bold=True) - 40
    yield _text(EDGE, 64, fitted(graph.title, room, TITLE, bold=True), TITLE, INK, bold=True)
    yield _text(
        WIDTH - EDGE, 64, said, TITLE, SOFT if graph.now is None else colour, "end", bold=True
    )
    yield _text(EDGE, 112, fitted(_below(graph), WIDTH - 2 * EDGE, SMALL), SMALL, SOFT)


def _below(graph: Graph) -> str:
    """The small line: which span, in which zone, and what is not shown."""
    window = graph.window
    lasted = (window.end - window.start).total_seconds()
    day = f"{window.start:%-d %b} to {window.end:%-d %b}, " if lasted > 86_400 else ""
    more = f", {graph.left_out} more series not drawn" if graph.left_out else ""
    return f"{day}{_span(lasted)}, UTC{more}"


def _span(seconds: float) -> str:
    if seconds < 7200:
        return f"{max(1, round(seconds / 60))} min"
    return f"{seconds / 3600:.3g} h" if seconds < 172_800 else f"{seconds / 86_400:.3g} days"


# --- the plot -------------------------------------------------------------------------------------------------------


def _plot(graph: Graph) -> _Plot:
    """Zero is always there; the limit too, unless the values are so small beside it that nothing would be seen."""
    drawn = [line.points for line in graph.lines] + list(graph.others)
    low, high = extremes([*drawn, graph.yesterday, graph.last_week])
    if math.isnan(low):
        low, high = 0.0, 1.0
    if graph.limit is not None:
        low, high = min(low, graph.limit), max(high, graph.limit * HEADROOM)
    low, high = min(low, 0.0), max(high, 0.0)
    if high - low < 1 / VALUE_MAX:
        high = low + 1.0
    step = _round_step((high - low) / 2)
    bottom = math.floor(low / step + 1e-9) * step if low < 0 else 0.0
    return _Plot(
        graph.window.start.timestamp(),
        max(graph.window.end.timestamp(), graph.window.start.timestamp() + 1),
        bottom,
        high + (high - low) * (HEADROOM - 1) if high > 0 else 0.0,
    )


def _round_step(rough: float) -> float:
    """The largest round number not above it: 1, 2, 2.5, 4 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(rough)) if rough > 0 else 1.0
    return max((m * power for m in (1, 2, 2.5, 4, 5) if m * power <= rough * 1.0001), default=power)


def _grid(graph: Graph, plot: _Plot) -> Iterator[str]:
    """Three lines, zero among them."""
    scale = 100.0 if graph.unit.kind == "ratio" else _binary(graph.unit, plot)
    step = _round_step((plot.high - plot.low) * scale / 2.2) / scale
    first = math.ceil(plot.low / step - 1e-6)
    for n in range(first, first + 4):
        value = n * step
        if value > plot.high * 1.0001:
            break
        y = plot.y(value)
        yield _line(LEFT, y, RIGHT, y, FAINT, 1.5 if n else 2.5)
        words = fitted(_tick(value, graph.unit, scale, step), LEFT - 24, SMALL)
        yield _text(LEFT - 14, y + 10, words, SMALL, SOFT, "end")


def _binary(unit: Unit, plot: _Plot) -> float:
    """Bytes are round in powers of 1024."""
    if not unit.kind.startswith("bytes"):
        return 1.0
    most = max(abs(plot.high), abs(plot.low), 1.0)
    return 1.0 / 1024.0 ** int(math.log(most, 1024))


def _tick(value: float, unit: Unit, scale: float, step: float) -> str:
    return "0" if abs(value) < step / 1000 else figure(value, unit)


def _line(
    x1: float, y1: float, x2: float, y2: float, colour: str, thick: float, dash: str = ""
) -> str:
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"'
        f' stroke-width="{thick}"{dashes}/>'
    )


def _firing(graph: Graph, plot: _Plot) -> Iterator[str]:
    """The span in which it fired, shaded, and since when in words."""
    if graph.fired_at is None:
        return
    left = plot.x(graph.fired_at.timestamp())
    right = plot.x((graph.ended_at or graph.window.end).timestamp())
    yield (
        f'<rect x="{left:.1f}" y="{TOP}" width="{max(0.0, right - left):.1f}" height="{BOTTOM - TOP}"'
        f' fill="{FIRING}" fill-opacity="0.17"/>'
    )
    yield _line(left, TOP, left, BOTTOM, FIRING, 2)
    shape = "%-d %b %H:%M" if plot.end - plot.start > 86_400 else "%H:%M"
    words = f"fired {graph.fired_at.astimezone(UTC).strftime(shape)}"
    is_left = left - LEFT > width(words, SMALL, bold=True) + 20
    x, anchor = (left - 12, "end") if is_left else (left + 12, "start")
    yield _text(x, TOP + 26, words, SMALL, FIRING, anchor, bold=True)


def _series(graph: Graph, plot: _Plot) -> Iterator[str]:
    """The faint ones first, so that what matters lies on top."""
    reach = max(graph.window.step * 2.5, 1)
    for points in graph.others:
        yield _path(points, plot, reach, OTHER, 3, 0.55)
    yield _path(graph.last_week, plot, reach, EARLIER, 4, 1, "3 10")
    yield _path(graph.yesterday, plot, reach, EARLIER, 4, 1, "16 11")
    if graph.limit is not None:
        y = plot.y(graph.limit)
        yield _line(LEFT, y, RIGHT, y, LIMIT, 4)
    for n, line in reversed(list(enumerate(graph.lines))):
        yield _path(line.points, plot, reach, LINES[n], 6 if n == 0 else 4, 1)
    if graph.lines and (last := _end(graph.lines[0].points)):
        yield (
            f'<circle cx="{plot.x(last[0]):.1f}" cy="{plot.y(last[1]):.1f}" r="9" fill="{LINES[0]}"'
            f' stroke="{PAPER}" stroke-width="4"/>'
        )


def _path(
    points: Points,
    plot: _Plot,
    reach: float,
    colour: str,
    thick: int,
    opacity: float,
    dash: str = "",
) -> str:
    """Broken where nothing was measured for longer than `reach` seconds; a point alone is a dot."""
    runs = list(_runs(points, plot, reach))
    path = " ".join(
        "M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in (run if len(run) > 1 else [run[0], run[0]]))
        for run in runs
    )
    if not path:
        return ""
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{thick}" stroke-opacity="{opacity}"'
        f' stroke-linecap="{"butt" if dash else "round"}" stroke-linejoin="round"{dashes}/>'
    )


def _runs(points: Points, plot: _Plot, reach: float) -> Iterator[list[tuple[float, float]]]:
    run: list[tuple[float, float]] = []
    before = -math.inf
    for t, value in points:
        if not plot.start - 1 <= t <= plot.end + 1 or not is_drawn(value):
            continue
        if run and t - before > reach:
            yield run
            run = []
        run.append((plot.x(t), plot.y(value)))
        before = t
    if run:
        yield run


# --- names and times ------------------------------------------------------------------------------------------------


def _names(graph: Graph, plot: _Plot) -> Iterator[str]:
    """Each at the height of its line, pushed apart where two would overlap."""
    names = sorted(_named(graph, plot), key=lambda one: one.y)
    heights = _apart([one.y for one in names])
    x = RIGHT + 22
    for one, y in zip(names, heights, strict=True):
        words = fitted(one.text, WIDTH - x - 12, SMALL, bold=True)
        yield _text(x, y + 10, words, SMALL, one.colour, bold=True)


def _named(graph: Graph, plot: _Plot) -> Iterator[_Name]:
    for n, line in enumerate(graph.lines):
        if last := _end(line.points):
            value = figure(last[1], graph.unit)
            several = (
                len(graph.lines) > 1
            )  # then the value comes first: a long name is cut, never it
            words = f"{value} {line.name}" if several else f"{line.name} {value}"
            yield _Name(plot.y(last[1]), words, LINES[n])
    if graph.limit is not None:
        yield _Name(plot.y(graph.limit), f"limit {figure(graph.limit, graph.unit)}", LIMIT)
    for words, points in (("yesterday", graph.yesterday), ("last week", graph.last_week)):
        if last := _end(points):
            yield _Name(plot.y(last[1]), words, EARLIER)


def _apart(heights: Sequence[float]) -> list[float]:
    """The same heights, lowest gap kept, all of them inside the picture."""
    placed: list[float] = []
    for y in heights:
        placed.append(max(y, placed[-1] + NAME_GAP) if placed else max(y, TOP - 10))
    below = BOTTOM + 10.0
    for n in range(len(placed) - 1, -1, -1):
        placed[n] = min(placed[n], below)
        below = placed[n] - NAME_GAP
    return placed


def _end(points: Points) -> tuple[float, float] | None:
    return next((one for one in reversed(points) if is_drawn(one[1])), None)


def _moments(plot: _Plot) -> Iterator[str]:
    """Round times below, three to six of them."""
    span = plot.end - plot.start
    step = next((one for one in _STEPS_S if span / one <= 5.5), _STEPS_S[-1])
    shape = "%-d %b" if step >= 86_400 else "%H:%M"
    t = math.ceil((plot.start + span * 0.04) / step) * float(step)
    while t <= plot.end - span * 0.02:
        words = datetime.fromtimestamp(t, UTC).strftime(shape)
        yield _text(plot.x(t), BOTTOM + 44, words, SMALL, SOFT, "middle")
        t += step
