"""The sentences of a schedule's page and picture: title, gaps, clock changes, hours, and the picture in words.

Knows the product's words and that hours are named with their zone. Refuses to know pixels and HTML: names leave here
unescaped. Serves web, pictures and slack.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from oncall_bot.core.board import Bar, Board, ClockChange, Day, Gap, Kind

_DAY = timedelta(days=1)
_CAUSES = {
    "override": "An override leaves it empty.",
    "holiday": "A holiday leaves it empty.",
    "rota": "No layer covers it.",
}
PEOPLE_IN_WORDS = 8
GAPS_IN_WORDS = 3
NAME_IN_WORDS = 60


def span(board: Board, *, short: bool = False) -> str:
    """`19 to 25 October`, `28 September to 4 October`, with the year when it is not this one."""
    first, last = board.days[0].date, board.days[-1].date
    month = "%b" if short else "%B"
    year = "" if last.year == _local(board.now, board.zone).year else f" {last.year}"
    if first.year != last.year:
        return f"{first.strftime(f'%-d {month} %Y')} to {last.strftime(f'%-d {month} %Y')}"
    until = f"{last.strftime(f'%-d {month}')}{year}"
    begins = first.strftime("%-d" if first.month == last.month else f"%-d {month}")
    return f"{begins} to {until}"


def zone_name(zone: ZoneInfo) -> str:
    """`Berlin time`, `UTC`."""
    city = zone.key.rpartition("/")[2].replace("_", " ")
    return city if city.upper() in {"UTC", "GMT", "UCT", "ZULU"} else f"{city} time"


def clock(at: datetime, zone: ZoneInfo, *, end: bool = False) -> str:
    """`09:00`; the end of a day is `24:00` when `end` says that something ends there."""
    wall = _local(at, zone)
    return "24:00" if end and not (wall.hour or wall.minute) else f"{wall:%H:%M}"


def moment(at: datetime, zone: ZoneInfo) -> str:
    """`Sat 24, 09:00`."""
    return f"{_local(at, zone):%a %-d, %H:%M}"


def stretch(start: datetime, end: datetime, zone: ZoneInfo) -> str:
    """`Saturday 24, 09:00 to 18:00`, or with both days named."""
    first, last = _local(start, zone), _local(end, zone)
    if first.date() == (last - timedelta(microseconds=1)).date():
        return f"{first:%A %-d}, {first:%H:%M} to {clock(end, zone, end=True)}"
    return f"{first:%A %-d}, {first:%H:%M} to {last:%A %-d}, {last:%H:%M}"


def gap_sentence(gap: Gap, zone: ZoneInfo, now: datetime) -> str:
    """What stands behind the word Nobody."""
    when = stretch(gap.start, gap.end, zone)
    if gap.end <= now:
        return f"was on call {when}."
    return f"is on call {when}. {_CAUSES[gap.why]}"


def change_words(change: ClockChange) -> str:
    """`clocks go back 03:00 to 02:00`."""
    way = "forward" if change.forward else "back"
    return f"clocks go {way} {change.before:%H:%M} to {change.after:%H:%M}"


def day_note(day: Day) -> str | None:
    """`25 hours, clocks go back 03:00 to 02:00`; None for a day like others."""
    if day.change is None and day.length == _DAY:
        return None
    said = [hours(day.length), *([change_words(day.change)] if day.change else [])]
    return ", ".join(said)


def hours(length: timedelta) -> str:
    """`25 hours`, `23.5 hours`."""
    number = length / timedelta(hours=1)
    return f"{number:,.10g} hour{'' if number == 1 else 's'}" if number % 1 else _whole(number)


def _whole(number: float) -> str:
    return f"{number:,.0f} hour{'' if number == 1 else 's'}"


def hours_line(board: Board) -> str:
    """`Ana 101 · Chen 32`, the longest first."""
    shown = list(board.hours.items())[:PEOPLE_IN_WORDS]
    said = [f"{board.name(user)} {_number(length)}" for user, length in shown]
    more = len(board.hours) - len(shown)
    return " · ".join([*said, *([f"{more} more people"] if more else [])])


def _number(length: timedelta) -> str:
    return f"{length / timedelta(hours=1):,.1f}".removesuffix(".0")


def subtitle(board: Board) -> str:
    """`Berlin time · gap Sat 24, 09:00 to 18:00 · Sun 25 has 25 hours`."""
    said = [zone_name(board.zone), _gaps(board)]
    said += [f"{day.date:%a %-d} has {hours(day.length)}" for day in board.days if day_note(day)]
    return " · ".join(said)


def _gaps(board: Board) -> str:
    gaps = board.gaps_to_tell
    if not gaps:
        return "no gap"
    gap = gaps[0]
    if len(gaps) > 1:
        return f"{len(gaps)} gaps, the first {moment(gap.start, board.zone)}"
    same = _local(gap.start, board.zone).date() == _local(gap.end, board.zone).date()
    until = clock(gap.end, board.zone) if same else moment(gap.end, board.zone)
    return f"gap {moment(gap.start, board.zone)} to {until}"


def alt_text(board: Board, limit: int = 1900) -> str:
    """The whole picture in words, for those who do not see it: span, zone, shifts, gaps, clock changes."""
    shifts = "; ".join(_shift_words(bar, board) for bar in board.final[:40])
    more = f"; {len(board.final) - 40} more shifts" if len(board.final) > 40 else ""
    gaps = [
        f"Nobody {gap_sentence(gap, board.zone, board.now)}"
        for gap in board.gaps_to_tell[:GAPS_IN_WORDS]
    ]
    changes = [f"{change_words(one).capitalize()}." for one in board.changes]
    said = f"{board.schedule}, {span(board)}, {zone_name(board.zone)}. {shifts}{more}."
    whole = " ".join([said, *gaps, *changes])
    return whole if len(whole) <= limit else f"{whole[: limit - 1].rstrip()}…"


def _shift_words(bar: Bar, board: Board) -> str:
    name = "".join(c for c in board.name(bar.user)[:NAME_IN_WORDS] if c.isprintable())
    who = f"{name}{' by override' if bar.kind is Kind.OVERRIDE else ''}"
    return f"{who} from {moment(bar.start, board.zone)}"


# --- the list of a phone --------------------------------------------------------------------------------------------


def pieces_of(day: Day, bars: Sequence[Bar]) -> Iterator[Bar]:
    """The bars of one day, cut at its midnights."""
    for bar in bars:
        if bar.start < day.end and day.start < bar.end:
            yield Bar(max(bar.start, day.start), min(bar.end, day.end), bar.user, bar.kind)


def piece_words(piece: Bar, zone: ZoneInfo) -> str:
    """`09:00 to 24:00`."""
    return f"{clock(piece.start, zone)} to {clock(piece.end, zone, end=True)}"


def is_today(day: Day, now: datetime) -> bool:
    return day.start <= now < day.end


def day_title(day: date) -> str:
    return f"{day:%A %-d}"


def _local(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone)
