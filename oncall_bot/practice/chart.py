"""A chart of what a query was over the last while, drawn as SVG by hand.

Knows axes, ticks, lines and a legend; colours come from CSS, so that it is right in dark and in light. Refuses to know
PromQL. Serves the practice Prometheus's graph page.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

WIDTH, HEIGHT = 760, 320
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 16, 36
LINES_MAX = 8
STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its labels, and (unix seconds, value) in order."""

    labels: Mapping[str, str]
    points: Sequence[tuple[float, float]]

    @property
    def name(self) -> str:
        name = self.labels.get("__name__", "")
        rest = ", ".join(f'{k}="{v}"' for k, v in sorted(self.labels.items()) if k != "__name__")
        return f"{name}{{{rest}}}" if rest else name or "value"


def draw(lines: Sequence[Line], start: float, end: float, *, title: str) -> str:
    """The chart as an <svg>; `title` is what a screen reader says."""
    shown = [line for line in lines if line.points][:LINES_MAX]
    values = [v for line in shown for _, v in line.points if math.isfinite(v)]
    low, high, ticks = _scale(min(values, default=0.0), max(values, default=1.0))
    plot = _Plot(start, end, low, high)
    parts = [_tick(plot, value) for value in ticks]
    parts += [_moment(plot, t) for t in _moments(start, end)]
    parts += [_path(plot, line, n) for n, line in enumerate(shown)]
    if not values:
        middle = (WIDTH - LEFT - RIGHT) / 2 + LEFT
        parts.append(
            f'<text x="{middle:.0f}" y="{HEIGHT / 2:.0f}" text-anchor="middle">No data</text>'
        )
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}"'
        f' xmlns="http://www.w3.org/2000/svg">{"".join(parts)}</svg>'
    )


@dataclass(frozen=True, slots=True)
class _Plot:
    start: float
    end: float
    low: float
    high: float

    def x(self, t: float) -> float:
        share = (t - self.start) / max(self.end - self.start, 1e-9)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        share = (value - self.low) / max(self.high - self.low, 1e-9)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def _scale(low: float, high: float) -> tuple[float, float, list[float]]:
    """Round bounds around the values, zero included where it is near, and some four ticks."""
    if low > 0 and low < 0.5 * high:
        low = 0.0
    if high - low < 1e-12:
        high = low + (abs(low) or 1.0)
    rough = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(s * power for s in STEPS if s * power >= rough * 0.999)
    first, last = math.floor(low / step), math.ceil(high / step)
    return first * step, last * step, [n * step for n in range(first, last + 1)]


def _moments(start: float, end: float) -> list[float]:
    every = next(
        s for s in (60, 300, 600, 900, 1800, 3600, 7200, 14400, 86400) if (end - start) / s <= 7
    )
    first = math.ceil(start / every)
    return [n * every for n in range(first, math.floor(end / every) + 1)]


def _tick(plot: _Plot, value: float) -> str:
    y = plot.y(value)
    return (
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:.6g}</text>'
    )


def _moment(plot: _Plot, t: float) -> str:
    shown = datetime.fromtimestamp(t, UTC).strftime("%H:%M")
    return (
        f'<text x="{plot.x(t):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{shown}</text>'
    )


def _path(plot: _Plot, line: Line, n: int) -> str:
    """The line, broken where there is no number."""
    drawn, pen = [], "M"
    for t, value in line.points:
        if math.isfinite(value):
            drawn.append(f"{pen}{plot.x(t):.1f} {plot.y(value):.1f}")
            pen = "L"
        else:
            pen = "M"
    return f'<path class="line line-{n % LINES_MAX}" d="{" ".join(drawn)}"/>'


PAGE_CSS = """
:root { color-scheme: light dark; --ground: #fff; --ink: #1d1c1d; --faint: #616061; --rule: #e3e3e3;
  --field: #f6f6f6;  --c0: #1264a3; --c1: #b4560e; --c2: #007a5a; --c3: #8f3f97; --c4: #a5243d; --c5: #50661f;
  --c6: #20686b; --c7: #6d5a00 }
@media (prefers-color-scheme: dark) { :root { --ground: #1a1d21; --ink: #e8e8e8; --faint: #a5a8ab; --rule: #35393d;
  --field: #222529; --c0: #6bb3ea; --c1: #f0a868; --c2: #58c99c; --c3: #d39ad9; --c4: #f08a9b; --c5: #b4cc74;
  --c6: #7cced1; --c7: #e0c95a } }
* { box-sizing: border-box }
body { margin: 0; padding: 16px; background: var(--ground); color: var(--ink);
  font: 15px/1.46 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif }
main { max-width: 860px; margin: 0 auto }
h1 { font-size: 18px; margin: 0 0 12px }
form { display: flex; flex-wrap: wrap; gap: 8px; margin: 0 0 16px }
input, select, button { font: inherit; color: inherit; background: var(--field); border: 1px solid var(--rule);
  border-radius: 6px; padding: 10px 12px; min-height: 44px }
input { flex: 1 1 260px; min-width: 0; font-family: ui-monospace, Menlo, Consolas, monospace; font-size: 14px }
button { font-weight: 600; cursor: pointer }
:focus-visible { outline: 3px solid var(--c0); outline-offset: 1px }
svg { width: 100%; height: auto; display: block }
svg text { fill: var(--faint); font-size: 12px; font-variant-numeric: tabular-nums }
.grid { stroke: var(--rule) } .line { fill: none; stroke-width: 2; stroke-linejoin: round }
.fault { border-left: 3px solid var(--c4); padding: 8px 12px; background: var(--field); overflow-wrap: anywhere }
ul { list-style: none; padding: 0; margin: 12px 0 } li { padding: 4px 0; overflow-wrap: anywhere }
li code { font: 13px ui-monospace, Menlo, Consolas, monospace } li b { font-variant-numeric: tabular-nums }
.key { display: inline-block; width: 14px; height: 3px; vertical-align: middle; margin-right: 8px }
.hint { color: var(--faint) } a { color: var(--c0) }
@media (max-width: 600px) { svg text { font-size: 22px } .line { stroke-width: 4 } }
""" + "".join(
    f".line-{n} {{ stroke: var(--c{n}) }} .key-{n} {{ background: var(--c{n}) }}\n"
    for n in range(8)
)


def legend(lines: Sequence[Line]) -> str:
    """The lines by name with their newest value."""
    items = []
    for n, line in enumerate([one for one in lines if one.points][:LINES_MAX]):
        newest = line.points[-1][1]
        items.append(
            f'<li><span class="key key-{n}"></span><code>{escape(line.name)}</code>'
            f" <b>{newest:.6g}</b></li>"
        )
    return f"<ul>{''.join(items)}</ul>"
