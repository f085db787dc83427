"""A schedule in Slack: who now, who next, the days to come, and the card of an override.

Knows words and lengths. Refuses rota arithmetic and rows. Serves the words of `rota`. Hours are the rota's own, since
it is planned there; instants that are said alone stand in the reader's zone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from oncall_bot.core.rota_days import Day, Piece, clocks_change
from oncall_bot.core.rota_words import clock, stretch
from oncall_bot.core.situation import OverrideShown, RotaWeek, Stretch
from oncall_bot.slack.answers import said
from oncall_bot.slack.blocks import Block, Drawn, actions, button, confirm, context, section
from oncall_bot.slack.escape import escape, mention, push, when
from oncall_bot.slack.phrases import count, duration, names

GAPS_SHOWN, PIECES_SHOWN, OVERRIDES_SHOWN = 3, 6, 5
WHOLE_DAY = timedelta(hours=24)


def week(w: RotaWeek, now: datetime, *, picture: Block | None = None) -> Drawn:
    """Who has it, who follows, each day on a line; `picture`: the same week drawn, where there is one."""
    zone = ZoneInfo(w.zone)
    first, last = w.days[0].date, w.days[-1].date
    key = w.on_call.schedule
    month = "" if (first.year, first.month) == (last.year, last.month) else f" {first:%B}"
    span = f"{first.day}{month} to {last.day} {last:%B}"
    gaps = _gaps(w.gaps, zone)
    text = push("", key, f", {span}: {w.on_call.name or 'nobody'} now. {_count(w.gaps)}"[:80])
    return Drawn(
        text,
        [
            section(f"*{escape(key, 60)}*, {span}, {w.zone}\n{gaps}"),
            section(_now(w, now)),
            *([picture] if picture else []),
            section("\n".join(_day(day, w, zone) for day in w.days)),
            *[_override(one, key, now) for one in w.overrides[:OVERRIDES_SHOWN]],
            context(
                f"{_clocks(w.days, zone)}Hours are those of {w.zone}, where the rota is planned."
            ),
            actions(_buttons(w), block_id="nav"),
        ],
    )


def _count(gaps: Sequence[Stretch]) -> str:
    return "No gap." if not gaps else f"{count(len(gaps), 'gap')}."


def _gaps(gaps: Sequence[Stretch], zone: ZoneInfo) -> str:
    if not gaps:
        return "No gap."
    shown = [stretch(one.starts_at, one.ends_at, zone) for one in gaps[:GAPS_SHOWN]]
    more = f" and {len(gaps) - GAPS_SHOWN} more" if len(gaps) > GAPS_SHOWN else ""
    return f"*{count(len(gaps), 'gap')}:* {'; '.join(shown)}{more}"


def _now(w: RotaWeek, now: datetime) -> str:
    one = w.on_call
    who = mention(one.slack_id, one.name) if one.name else "*nobody*"
    until = f" until {when(one.until, now)}" if one.until else ", with no end planned"
    if not one.until:
        return f"Now: {who}{until}."
    then = mention(w.next_slack, w.next_name) if w.next_name else "*nobody*"
    return f"Now: {who}{until}. Next: {then}."


def _day(day: Day, w: RotaWeek, zone: ZoneInfo) -> str:
    length = "" if day.length == WHOLE_DAY else f", {duration(day.length)}"
    shown = [_piece(one, day, w, zone) for one in day.pieces[:PIECES_SHOWN]]
    more = len(day.pieces) - PIECES_SHOWN
    rest = [f"{more} more changes"] if more > 0 else []
    return f"*{day.date:%a} {day.date.day}{length}*  {', '.join([*shown, *rest]) or 'no such day'}"


def _piece(one: Piece, day: Day, w: RotaWeek, zone: ZoneInfo) -> str:
    who = escape(w.names.get(one.user, one.user), 40) if one.user else "*nobody*"
    cover = " (cover)" if one.covered and one.user else ""
    until = "" if one.ends_at == day.ends_at else f" to {clock(one.ends_at, zone)}"
    return f"{who}{cover}{until}"


def _clocks(days: Sequence[Day], zone: ZoneInfo) -> str:
    for day in days:
        if day.length != WHOLE_DAY and (change := clocks_change(day, zone)):
            at, forward = change
            way = "forward" if forward else "back"
            return f"Clocks go {way} on {day.date:%a} {day.date.day} at {at:%H:%M}. "
    return ""


def _override(one: OverrideShown, schedule: str, now: datetime) -> Block:
    who = escape(one.who, 60) if one.who else "nobody"
    instead = f" for {escape(one.replaces, 60)}" if one.replaces else ""
    kind = "Cover" if one.by_request else "Override"
    text = f"{kind}: {who}{instead}, {when(one.starts_at, now)} to {when(one.ends_at, now)}"
    if one.by_request:
        return context(text)
    return section(text, accessory=_cancel(one.override_id, schedule))


def _cancel(override_id: int, schedule: str) -> Block:
    ask = confirm(
        "Cancel the override?",
        f"From now on {escape(schedule, 60)} is as planned. Whoever is touched is told.",
        "Cancel it",
        "Keep",
    )
    return button("Cancel override", "override.cancel", override_id, confirm=ask)


def _buttons(w: RotaWeek) -> list[Block]:
    key, first = w.on_call.schedule, w.days[0].date
    days = timedelta(days=len(w.days))
    return [
        button("Earlier", "schedule.earlier", f"{first - days:%Y-%m-%d}:{key}"),
        button("Later", "schedule.later", f"{first + days:%Y-%m-%d}:{key}"),
        button("Fill the gap…" if w.gaps else "Ask for cover…", "cover.open", key),
    ]


def overridden(text: str, override_id: int, schedule: str) -> Drawn:
    """The card after an override was set: what is so now, and how to take it back."""
    return Drawn(
        push("", text),
        [
            section(escape(text, 1000)),
            actions([_cancel(override_id, schedule)], block_id="override"),
            context("Everybody it touches is told."),
        ],
    )


def which(schedules: Sequence[str], form: str, *, command: str) -> Drawn:
    """Several could be meant, or none is called so."""
    known = ", ".join(escape(key, 60) for key in schedules[:20]) or "none is set up yet"
    return said(f"Which schedule? Write `{escape(command, 40)} {form}`. Schedules: {known}.")


def ahead(shifts: Sequence[Stretch], now: datetime) -> str:
    """Somebody's next shifts, one on a line, in their own zone."""
    lines = []
    for one in shifts:
        running = one.starts_at <= now
        begins = "now" if running else when(one.starts_at, now)
        lines.append(
            f"{begins} to {when(one.ends_at, now)}, {duration(one.ends_at - max(one.starts_at, now))}"
            f"{' left' if running else ''}, *{escape(one.schedule, 60)}*"
        )
    return "\n".join(lines)


def away(
    text: str,
    rows: Sequence[tuple[Stretch, Sequence[str], str]],
    now: datetime,
    holiday: tuple[datetime, datetime] | None = None,
) -> Drawn:
    """What became of "I'm out": the holiday, and per shift who was asked, or why nobody could be."""
    lines = [
        f"*{escape(one.schedule, 60)}*  {when(one.starts_at, now)} to {when(one.ends_at, now)}\n"
        + (
            f"*Not covered yet.* Asked: {names(asked)}."
            if asked
            else f"*Not covered.* {escape(why, 300)}"
        )
        for one, asked, why in rows[:20]
    ]
    return Drawn(
        push("", text),
        [
            section(f"{_holiday(holiday, now)}{escape(text, 500)}"),
            *[section(line) for line in lines],
            *([actions([_back(holiday[0], now)], block_id="holiday")] if holiday else []),
            *([context("You stay on call for each until somebody says yes.")] if lines else []),
        ],
    )


def _back(begins: datetime, now: datetime) -> Block:
    """Ends this holiday and no other: its value says which."""
    label = "I’m back" if begins <= now else "Cancel it"
    return button(label, "holiday.end", int(begins.timestamp()))


def _holiday(holiday: tuple[datetime, datetime] | None, now: datetime) -> str:
    """`On holiday until Friday 18:00.`, and what that means for pages."""
    if holiday is None:
        return ""
    begins, ends = holiday
    since = "until" if begins <= now else f"from {when(begins, now)} to"
    return f"*On holiday {since} {when(ends, now)}.* Pages to a whole team and to the fallback leave you out.\n"
