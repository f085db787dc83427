"""A board as bars of an inline SVG: where each stands, how tall, which word it carries.

Knows that the drawing is as wide as the page, so that places are percent and only heights are pixels. Refuses to know
rotas; outside words leave here unescaped for the template. Serves web.schedules.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from oncall_bot.core.board import Bar, Board, Kind
from oncall_bot.core.board_words import change_words, clock, is_today, stretch

HEAD, ROW, LANE, FINAL, FINAL_LANE, FOOT, LINE = 30, 46, 34, 70, 50, 28, 20
LETTER = 8.4  # pixels, at most, of a letter of the bars
NARROWEST = 640  # pixels of the drawing on the narrowest page that shows it
PADDING, INITIAL, BEGUN_MIN = 6, 12, 4
WORDS_APART = 240


@dataclass(frozen=True, slots=True)
class Piece:
    """One bar: `x` and `wide` in percent, `y` and `tall` in pixels, the class of its colour."""

    x: float
    wide: float
    y: int
    tall: int
    look: str
    word: str
    title: str
    strong: bool


@dataclass(frozen=True, slots=True)
class Column:
    """One day, or one week where days are too many to name."""

    x: float
    wide: float
    words: str
    look: str


@dataclass(frozen=True, slots=True)
class Mark:
    x: float
    words: str
    anchor: str
    look: str
    line: int


@dataclass(frozen=True, slots=True)
class Plot:
    columns: Sequence[Column]
    names: Sequence[str]
    pieces: Sequence[Piece]
    marks: Sequence[Mark]
    final_y: int
    height: int


def plot_of(board: Board) -> Plot:
    """Everything that is drawn, in the order it is drawn."""
    final_y = HEAD + len(board.rows) * ROW + 6
    pieces = [
        _piece(board, bar, HEAD + n * ROW + (ROW - LANE) // 2, LANE)
        for n, row in enumerate(board.rows)
        for bar in row.bars
    ]
    at = final_y + (FINAL - FINAL_LANE) // 2
    pieces += [_piece(board, bar, at, FINAL_LANE, strong=True) for bar in board.final]
    marks = tuple(_marks(board))
    return Plot(
        columns=tuple(_columns(board)),
        names=tuple(row.name for row in board.rows),
        pieces=tuple(pieces),
        marks=marks,
        final_y=final_y,
        height=final_y + FINAL + FOOT + LINE * max((one.line for one in marks), default=0),
    )


def _percent(share: float) -> float:
    return round(share * 100, 3)


def _piece(board: Board, bar: Bar, y: int, tall: int, *, strong: bool = False) -> Piece:
    share = board.at(bar.end) - board.at(bar.start)
    when = stretch(bar.start, bar.end, board.zone)
    return Piece(
        x=_percent(board.at(bar.start)),
        wide=_percent(share),
        y=y,
        tall=tall,
        look=look_of(board, bar),
        word=_word(board, bar, share * NARROWEST),
        title=f"{board.name(bar.user)}, {when}",
        strong=strong,
    )


def look_of(board: Board, bar: Bar) -> str:
    """The class of a bar's colour, and of its outline."""
    if bar.user is None:
        return "nobody"
    tint = board.tints.get(bar.user)
    colour = "grey" if tint is None else f"tint{tint}"
    return f"{colour} override" if bar.kind is Kind.OVERRIDE else colour


def _word(board: Board, bar: Bar, room: float) -> str:
    """As much of the name as fits: whole, its first word, the beginning of that, an initial, nothing."""
    if bar.user is None:
        return next((one for one in ("nobody", "gap", "!") if _fits(one, room)), "")
    name = " ".join(board.name(bar.user)[:60].split())
    first = (name.split() or [""])[0]
    letters = int((room - PADDING) / LETTER) - 1
    begun = f"{first[:letters]}…" if letters >= BEGUN_MIN else ""
    fitting = next((one for one in (name, first, begun) if one and _fits(one, room)), "")
    return fitting or (name[:1] if room >= INITIAL else "")


def _fits(word: str, room: float) -> bool:
    return len(word) * LETTER + PADDING <= room


def _columns(board: Board) -> Iterator[Column]:
    for day in board.days:
        x, share = board.at(day.start), board.at(day.end) - board.at(day.start)
        monday = day.date.isoweekday() == 1
        words = f"{day.date:%a %-d}" if board.weeks == 1 else f"{day.date:%-d %b}" if monday else ""
        looks = [
            *(["today"] if is_today(day, board.now) else []),
            *(["weekend"] if day.date.isoweekday() >= 6 else []),
        ]
        yield Column(_percent(x), _percent(share), words, " ".join(looks))


def _marks(board: Board) -> Iterator[Mark]:
    """Now, and each clock change; a word near an edge is kept inside, one near another goes a line below."""
    taken: float | None = None
    if board.start <= board.now < board.end:
        taken = board.at(board.now)
        yield _mark(taken, f"now {clock(board.now, board.zone)}", "now", 0)
    for change in board.changes:
        at = board.at(change.at)
        near = taken is not None and abs(at - taken) * NARROWEST < WORDS_APART
        yield _mark(at, change_words(change), "dst", 1 if near else 0)


def _mark(x: float, words: str, look: str, line: int) -> Mark:
    half = len(words) * LETTER / 2 / NARROWEST
    anchor = "start" if x < half else "end" if x > 1 - half else "middle"
    return Mark(_percent(x), words, anchor, look, line)
