"""Shares that change with a threshold, as an SVG of 1200 x 600: what every line of the matcher would give.

Knows pixels and colours; all values are shares from 0 to 1. Refuses to know what is measured. Pure. Serves
`runbooks eval --curve`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from oncall_bot.pictures.letters import FAMILY, fitted, safe

WIDTH, HEIGHT = 1200, 600
LEFT, RIGHT, TOP, BOTTOM = 130, 860, 150, 510
TITLE, SMALL, GAP = 40, 28, 36
INK, SOFT, FAINT, PAPER, MARK = "#F2F4F7", "#AEB6C2", "#3A424E", "#1B1F26", "#FFB454"
COLOURS = ("#6FCF97", "#F0645A", "#5CC8FF", "#B79CF7")


@dataclass(frozen=True, slots=True)
class Curve:
    """One line: its name, and (threshold, share) in rising order."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Curves:
    """`mark` is the threshold in force."""

    title: str
    below: str
    curves: Sequence[Curve]
    mark: float


def svg_of(drawn: Curves) -> str:
    """The whole picture; outside words in it are bounded and escaped."""
    first = min(points[0][0] for points in _points(drawn))
    last = max(points[-1][0] for points in _points(drawn))
    parts = [
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{PAPER}"/>',
        _text(30, 62, fitted(drawn.title, WIDTH - 60, TITLE, bold=True), TITLE, INK, bold=True),
        _text(30, 108, fitted(drawn.below, WIDTH - 60, SMALL), SMALL, SOFT),
        *_grid(first, last),
        *_marked(drawn.mark, first, last),
        *_lines(drawn, first, last),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}"'
        f' viewBox="0 0 {WIDTH} {HEIGHT}" font-family="{FAMILY}">{"".join(parts)}</svg>'
    )


def _points(drawn: Curves) -> list[Sequence[tuple[float, float]]]:
    return [one.points for one in drawn.curves if one.points] or [((0.0, 0.0), (1.0, 0.0))]


def _x(threshold: float, first: float, last: float) -> float:
    return LEFT + (threshold - first) / ((last - first) or 1.0) * (RIGHT - LEFT)


def _y(share: float) -> float:
    return BOTTOM - min(1.0, max(0.0, share)) * (BOTTOM - TOP)


def _grid(first: float, last: float) -> Iterator[str]:
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = _y(share)
        yield f'<line x1="{LEFT}" y1="{y:.1f}" x2="{RIGHT}" y2="{y:.1f}" stroke="{FAINT}" stroke-width="2"/>'
        yield _text(LEFT - 16, y + 10, f"{share:.0%}", SMALL, SOFT, "end")
    for n in range(5):
        threshold = first + n * (last - first) / 4
        x = _x(threshold, first, last)
        yield _text(x, BOTTOM + 46, f"{threshold:.2f}", SMALL, SOFT, "middle")


def _marked(mark: float, first: float, last: float) -> Iterator[str]:
    if not first <= mark <= last:
        return
    x = _x(mark, first, last)
    yield (
        f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{BOTTOM}" stroke="{MARK}" stroke-width="4"'
        ' stroke-dasharray="14 10"/>'
    )
    yield _text(x + 12, TOP + 26, f"in force {mark:.2f}", SMALL, MARK, bold=True)


def _lines(drawn: Curves, first: float, last: float) -> Iterator[str]:
    """Each line, and its name in its colour at the right."""
    for n, one in enumerate(drawn.curves[: len(COLOURS)]):
        path = " L".join(f"{_x(t, first, last):.1f} {_y(share):.1f}" for t, share in one.points)
        if path:
            yield (
                f'<path d="M{path}" fill="none" stroke="{COLOURS[n]}" stroke-width="6"'
                ' stroke-linejoin="round" stroke-linecap="round"/>'
            )
        y = TOP + 30 + n * GAP * 2.2
        yield _text(
            RIGHT + 30,
            y,
            fitted(one.name, WIDTH - RIGHT - 50, SMALL, bold=True),
            SMALL,
            COLOURS[n],
            bold=True,
        )
        at = min(one.points, key=lambda point: abs(point[0] - drawn.mark), default=None)
        if at is not None:
            yield _text(RIGHT + 30, y + GAP, f"{at[1]:.1%} there", SMALL, SOFT)


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
