"""The picture of how a schedule's load is shared, as an SVG 1200 wide: a bar for each person, the heaviest first.

Knows pixels and colours; sizes are for a phone, where 1200 px become 330 pt, so no text is smaller than 26 px. Refuses
to count (core.fairness). Pure. Serves chat, through app, and the command `schedule fairness`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

from oncall_bot.core.fairness import Report, Share, told_kinds, told_weights
from oncall_bot.pictures.letters import FAMILY, fitted, safe, width

WIDTH, EDGE, TOP, ROW, BAR = 1200, 30, 150, 92, 34
LEFT, RIGHT = 300, 1010
TITLE, NAME, SMALL = 41, 30, 26
DRAWN = 12
INK, SOFT, FAINT, PAPER = "#F2F4F7", "#AEB6C2", "#3A424E", "#1B1F26"
HEAVY, OTHER = "#FFB454", "#5CC8FF"
_HOUR = timedelta(hours=1)

Name = Callable[[str], str]


def svg_of(found: Report, name: Name) -> str:
    """The whole picture; every name in it is bounded and escaped."""
    shown = found.shares[:DRAWN]
    height = TOP + max(1, len(shown)) * ROW + (50 if len(found.shares) > DRAWN else 20)
    most = max((share.points for share in shown), default=0.0) or 1.0
    parts = [
        f'<rect width="{WIDTH}" height="{height}" fill="{PAPER}"/>',
        _text(EDGE, 62, fitted(f"How {found.schedule} is shared", 1140, TITLE), TITLE, INK),
        _text(EDGE, 108, fitted(_below(found), 1140, SMALL), SMALL, SOFT),
    ]
    for n, share in enumerate(shown):
        parts += _row(share, name, TOP + n * ROW, most, HEAVY if n == 0 else OTHER)
    if not shown:
        parts.append(_text(EDGE, TOP + 40, "Nobody was on call in that time.", NAME, SOFT))
    if len(found.shares) > DRAWN:
        more = f"{len(found.shares) - DRAWN} more had less."
        parts.append(_text(EDGE, height - 20, more, SMALL, SOFT))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}"'
        f' viewBox="0 0 {WIDTH} {height}" font-family="{FAMILY}">{"".join(parts)}</svg>'
    )


def alt_text(found: Report, name: Name) -> str:
    """The same in words, for whoever does not see it."""
    if not found.shares:
        return f"Nobody was on call for {found.schedule}."
    said = [f"{name(share.person)} {share.points:.0f}" for share in found.shares[:DRAWN]]
    return f"{_unit(found).capitalize()} of {found.schedule}: {', '.join(said)}."


def _row(share: Share, name: Name, y: float, most: float, colour: str) -> Iterator[str]:
    long = max(3.0, share.points / most * (RIGHT - LEFT))
    yield _text(EDGE, y + 30, fitted(name(share.person), LEFT - EDGE - 20, NAME), NAME, INK)
    yield f'<rect x="{LEFT}" y="{y}" width="{RIGHT - LEFT}" height="{BAR}" rx="6" fill="{FAINT}" opacity="0.5"/>'
    yield f'<rect x="{LEFT}" y="{y}" width="{long:.1f}" height="{BAR}" rx="6" fill="{colour}"/>'
    points = f"{share.points:.0f}"
    yield _text(WIDTH - EDGE - width(points, TITLE), y + 33, points, TITLE, INK)
    yield _text(LEFT, y + 70, fitted(_words(share), WIDTH - EDGE - LEFT, SMALL), SMALL, SOFT)


def _words(share: Share) -> str:
    return ", ".join([f"{share.on_call / _HOUR:.0f} h", *told_kinds(share)])


def _below(found: Report) -> str:
    nobody = f", nobody for {found.nobody / _HOUR:.0f} h" if found.nobody else ""
    return f"{found.start:%-d %b} to {found.end:%-d %b %Y}{nobody}: {_unit(found)}"


def _unit(found: Report) -> str:
    told = told_weights(found.weights)
    return f"weighted hours ({told})" if told else "hours on call"


def _text(x: float, y: float, words: str, size: int, colour: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}">{safe(words)}</text>'
