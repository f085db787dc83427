"""The picture of a schedule as an SVG 1200 wide: layers pale, overrides outlined, who is on call tall and strong.

Knows pixels and colours; sizes are for a phone, where 1200 px become 330 pt, so no text is smaller than 26 px. Refuses
to know rotas (core.board) and words (core.board_words). Pure. Serves png.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from oncall_bot.core.board import Bar, Board, Day, Kind
from oncall_bot.core.board_words import change_words, clock, is_today, span, subtitle
from oncall_bot.pictures.letters import FAMILY, fitted, one_line, safe, width

WIDTH, EDGE, LEFT, RIGHT, TOP = 1200, 30, 198, 1170, 196
TITLE, SMALL, NAME, STRONG = 41, 28, 26, 29
ROW, BAR, FINAL_ROW, FINAL_BAR = 76, 56, 124, 90
FOOT = 62
ROWS_DRAWN = 8
BEGUN_MIN = 5
"""Letters with the dots: less of a name says no more than its initial."""
INK, SOFT, FAINT, PAPER, PANEL = "#F2F4F7", "#AEB6C2", "#3A424E", "#1B1F26", "#232932"
FIRING, CHANGE, GREY = "#F0645A", "#FFB454", "#9AA5B4"
PEOPLE = ("#5CC8FF", "#FFB454", "#B79CF7", "#6FCF97", "#F49AC1", "#D6C36A")
PALE = 0.42
_SPANS = {2: "two weeks", 4: "four weeks"}  # their dates stand over the bars
HATCH = (
    '<defs><pattern id="gap" width="11" height="11" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    f'<rect width="11" height="11" fill="{PAPER}"/><rect width="3.2" height="11" fill="{FIRING}"/></pattern></defs>'
)


def svg_of(board: Board) -> str:
    """The whole picture; every name in it is bounded and escaped."""
    frame = _Frame.of(board)
    parts = [
        f'<rect width="{WIDTH}" height="{frame.height}" fill="{PAPER}"/>',
        *_head(board),
        *_days(board, frame),
        *_rows(board, frame),
        *_final(board, frame),
        *_marks(board, frame),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{frame.height}"'
        f' viewBox="0 0 {WIDTH} {frame.height}" font-family="{FAMILY}">{HATCH}{"".join(parts)}</svg>'
    )


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where things stand, from top to bottom."""

    rows: int
    line: float
    final: float
    bottom: float
    height: int

    @classmethod
    def of(cls, board: Board) -> _Frame:
        rows = min(len(board.rows), ROWS_DRAWN)
        line = TOP + rows * ROW + 8
        final = line + 16
        bottom = final + FINAL_BAR + 14
        return cls(rows, line, final, bottom, round(bottom + FOOT))


def _x(board: Board, share: float) -> float:
    return LEFT + share * (RIGHT - LEFT)


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


# --- above the bars -------------------------------------------------------------------------------------------------


def _head(board: Board) -> Iterator[str]:
    """The title, the key of names right of it, and what is to be known below."""
    keys = list(_key(board))
    key_room = sum(width(name, NAME, bold=True) + 24 for name, _ in keys)
    room = WIDTH - 2 * EDGE - key_room - 20
    when = f", {_SPANS.get(board.weeks) or span(board, short=True)}"
    room -= width(when, TITLE, bold=True)
    title = fitted(board.schedule, room, TITLE, bold=True) + when
    yield _text(EDGE, 62, title, TITLE, INK, bold=True)
    x = float(WIDTH - EDGE)
    for name, colour in reversed(keys):
        yield _text(x, 60, name, NAME, colour, "end", bold=True)
        x -= width(name, NAME, bold=True) + 24
    yield _text(EDGE, 114, fitted(subtitle(board), WIDTH - 2 * EDGE, SMALL), SMALL, SOFT)


def _key(board: Board) -> Iterator[tuple[str, str]]:
    """Who has which colour, as far as there is room beside the title."""
    seen = {bar.user for bar in board.final} | {b.user for row in board.rows for b in row.bars}
    room = 520.0
    for user, n in sorted(board.tints.items(), key=lambda item: item[1]):
        name = fitted(_short(board, user), 150, NAME, bold=True)
        room -= width(name, NAME, bold=True) + 24
        if user in seen and room > 0:
            yield name, PEOPLE[n % len(PEOPLE)]


def _days(board: Board, frame: _Frame) -> Iterator[str]:
    """Columns as long as their days, weekends shaded, today's name strong."""
    for day in board.days:
        x, right = _x(board, board.at(day.start)), _x(board, board.at(day.end))
        if day.date.isoweekday() >= 6:
            yield (
                f'<rect x="{x:.1f}" y="{TOP}" width="{right - x:.1f}" height="{frame.bottom - TOP:.1f}"'
                f' fill="{PANEL}"/>'
            )
        yield _upright(x, TOP, frame.bottom, FAINT, 1)
        yield from _day_name(board, day, x, right)


def _day_name(board: Board, day: Day, x: float, right: float) -> Iterator[str]:
    today = is_today(day, board.now)
    if board.weeks == 1:
        colour = INK if today else SOFT
        yield _text((x + right) / 2, 168, f"{day.date:%a %-d}", SMALL, colour, "middle", bold=today)
    elif day.date.isoweekday() == 1:
        yield _text(x + 4, 168, f"{day.date:%-d %b}", SMALL, INK)


# --- bars -----------------------------------------------------------------------------------------------------------


def _rows(board: Board, frame: _Frame) -> Iterator[str]:
    hidden = len(board.rows) - frame.rows
    for n, row in enumerate(board.rows[hidden:]):
        y = TOP + 12 + n * ROW
        name = fitted(row.name, LEFT - EDGE - 14, SMALL)
        yield _text(LEFT - 13, y + BAR / 2 + 10, name, SMALL, SOFT, "end")
        for bar in row.bars:
            yield from _bar(board, bar, y, BAR, strong=bar.kind is Kind.OVERRIDE)
    yield f'<path d="M{LEFT} {frame.line:.1f}H{RIGHT}" stroke="{SOFT}" stroke-width="1.5"/>'


def _final(board: Board, frame: _Frame) -> Iterator[str]:
    y = frame.final
    yield _text(LEFT - 13, y + FINAL_BAR / 2 + 11, "On call", SMALL, INK, "end", bold=True)
    for bar in board.final:
        yield from _bar(board, bar, y, FINAL_BAR, strong=True, bold=True)


def _bar(
    board: Board, bar: Bar, y: float, tall: float, *, strong: bool, bold: bool = False
) -> Iterator[str]:
    x, right = _x(board, board.at(bar.start)) + 1.5, _x(board, board.at(bar.end)) - 1.5
    wide = max(right - x, 2.0)
    tint = board.tints.get(bar.user or "")
    colour = GREY if tint is None else PEOPLE[tint % len(PEOPLE)]
    look = f'fill="{colour}" fill-opacity="{1 if strong else PALE}"'
    if bar.kind is Kind.GAP:
        look = f'fill="url(#gap)" stroke="{FIRING}" stroke-width="3"'
    elif bar.kind is Kind.OVERRIDE:
        look += f' stroke="{INK}" stroke-width="3"'
    yield f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{tall}" rx="4" {look}/>'
    yield from _label(board, bar, (x + right) / 2, y + tall / 2, wide, strong=strong, bold=bold)


def _label(
    board: Board, bar: Bar, x: float, y: float, wide: float, *, strong: bool, bold: bool
) -> Iterator[str]:
    """The bar's word in its middle, as far as there is room for one."""
    if bar.user is None:
        said = next((w for w in ("nobody", "gap", "!") if _fits(w, wide - 16, NAME)), "")
        if said:
            yield _plate(x, y, width(said, NAME, bold=True))
            yield _text(x, y + 10, said, NAME, FIRING, "middle", bold=True)
        return
    size = STRONG if bold else NAME
    said = _name_for(board, bar.user, wide - 6, size)
    if said:
        yield _text(x, y + 10, said, size, PAPER if strong else INK, "middle", bold=bold)


def _fits(word: str, room: float, size: int) -> bool:
    return width(word, size, bold=True) <= room


def _plate(x: float, y: float, wide: float) -> str:
    """A bare place in the hatching, so that the word on it can be read."""
    return (
        f'<rect x="{x - wide / 2 - 5:.1f}" y="{y - 19:.1f}" width="{wide + 10:.1f}" height="38" rx="4"'
        f' fill="{PAPER}"/>'
    )


def _name_for(board: Board, user: str, room: float, size: int) -> str:
    """The name as far as it fits: whole, its first word, the beginning of that, an initial, nothing."""
    name, first = one_line(board.name(user)), _short(board, user)
    begun = fitted(first, room, size, bold=True)
    words = (name, first, *([begun] if len(begun) >= BEGUN_MIN else []), first[:1])
    return next((word for word in words if _fits(word, room, size)), "")


def _short(board: Board, user: str) -> str:
    """The first name, or whatever stands first."""
    return (one_line(board.name(user)).split() or ["?"])[0]


# --- lines over the bars --------------------------------------------------------------------------------------------


def _marks(board: Board, frame: _Frame) -> Iterator[str]:
    """Now, and where clocks change; their words below, kept apart."""
    y = frame.bottom + 34
    now_words = f"now {clock(board.now, board.zone)}"
    taken = None
    if board.start <= board.now < board.end:
        x = _x(board, board.at(board.now))
        yield _upright(x, TOP, frame.bottom, INK, 3)
        middle = _kept_in(x, width(now_words, SMALL, bold=True))
        yield _text(middle, y, now_words, SMALL, INK, "middle", bold=True)
        half = width(now_words, SMALL, bold=True) / 2
        taken = (middle - half - 20, middle + half + 20)
    for change in board.changes[:1]:
        x = _x(board, board.at(change.at))
        yield _upright(x, TOP, frame.bottom, CHANGE, 3, dashed=True)
        words = change_words(change)
        middle = _beside(_kept_in(x, width(words, SMALL, bold=True)), words, taken)
        yield _text(middle, y, words, SMALL, CHANGE, "middle", bold=True)


def _kept_in(x: float, wide: float) -> float:
    return min(max(x, EDGE + wide / 2), WIDTH - EDGE - wide / 2)


def _beside(middle: float, words: str, taken: tuple[float, float] | None) -> float:
    """Moved away from what stands there already."""
    half = width(words, SMALL, bold=True) / 2
    if taken is None or middle + half < taken[0] or middle - half > taken[1]:
        return middle
    right = taken[1] + half
    return right if right + half <= WIDTH - EDGE else taken[0] - half


def _upright(
    x: float, top: float, bottom: float, colour: str, thick: float, *, dashed: bool = False
) -> str:
    dash = ' stroke-dasharray="9 6"' if dashed else ""
    return f'<path d="M{x:.1f} {top:.1f}V{bottom:.1f}" stroke="{colour}" stroke-width="{thick}"{dash}/>'
