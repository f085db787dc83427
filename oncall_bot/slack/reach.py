"""How a page reaches its reader, drawn: rules and preview of each urgency, quiet hours, holiday; and the forms of both.

Knows words and fields. Refuses to decide: what a page would do arrives in words (store.views.reach). Serves
`personal_rules` and App Home.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta

from oncall_bot.core.config import Urgency
from oncall_bot.core.hours import EVERY_DAY, Hours
from oncall_bot.core.personal_rules import named
from oncall_bot.core.quiet_hours import WEEKDAYS
from oncall_bot.slack.blocks import (
    Block,
    Drawn,
    actions,
    button,
    chooser,
    clock_input,
    confirm,
    context,
    modal,
    option,
    section,
)
from oncall_bot.slack.escape import code, escape, push, when
from oncall_bot.slack.modals import about
from oncall_bot.slack.phrases import duration
from oncall_bot.store.views import ReachShown, RulesShown

ROADS_SHOWN = 20
NEVER = "no"
DELAYS = tuple(timedelta(minutes=minutes) for minutes in (0, 1, 2, 3, 5, 10, 15, 30))
DAYS = (
    ("Every day", "every day"),
    ("Monday to Friday", "mon-fri"),
    ("Saturday and Sunday", "sat-sun"),
)
NIGHT = (time(22), time(7))
ROAD = "road:"
"""How the fields of roads begin."""


def rules(r: ReachShown, now: datetime, *, command: str) -> Drawn:
    """Everything that decides how this reader is woken, and what each page would do now."""
    own = r.high.own or r.low.own
    return Drawn(
        push("How a page reaches you. ", r.high.preview),
        [
            section(f"*High urgency*, {_whose(r.high)}\n{_urgency(r.high)}"),
            section(f"*Low urgency*, {_whose(r.low)}\n{_urgency(r.low)}"),
            section(f"*Quiet hours*  {_quiet(r, now)}\n*Holiday*  {_holiday(r, now)}"),
            actions(
                [
                    button("Change high…", "rules.change.high", "high"),
                    button("Change low…", "rules.change.low", "low"),
                    button("Quiet hours…", "quiet.open", "me"),
                    _reset() if own else None,
                    button("I’m back", "holiday.end", "me") if r.away else None,
                ],
                block_id="rules",
            ),
            context(
                f"Or type {code(f'{command} rules high {r.high.typed}', 200)}."
                " Times count from the page, as minutes and seconds."
            ),
        ],
    )


def _whose(r: RulesShown) -> str:
    return "your own rules" if r.own else "the rules of the file"


def _urgency(r: RulesShown) -> str:
    return "\n".join([escape(r.preview, 600), *(escape(note, 300) for note in r.notes[:10])])


def _quiet(r: ReachShown, now: datetime) -> str:
    if r.quiet is None:
        return "none: low urgency comes at once"
    lasts = f", now until {when(r.quiet_until, now)}" if r.quiet_until else ""
    return f"{escape(r.quiet, 120)}{lasts}. Low urgency waits for their end, high never."


def _holiday(r: ReachShown, now: datetime) -> str:
    if r.holiday is None:
        return "none"
    begins, ends = r.holiday
    return f"until {when(ends, now)}" if r.away else f"{when(begins, now)} to {when(ends, now)}"


def _reset() -> Block:
    ask = confirm(
        "Back to the file’s rules?",
        "Your own rules for high and low urgency are dropped. Quiet hours stay.",
        "Drop them",
        "Keep",
    )
    return button("Back to the file’s", "rules.reset", "me", confirm=ask)


def change(urgency: Urgency, known: Sequence[str], now_in_force: RulesShown) -> Block:
    """One row for each road: when it comes, or not at all."""
    first = dict(reversed(now_in_force.rules))
    rows = [_row(by, first.get(by)) for by in known[:ROADS_SHOWN]]
    note = (
        "At least one loud road (push, call, SMS, webhook) goes at once for high urgency, whatever stands here."
        if urgency is Urgency.HIGH
        else "Low urgency wakes nobody unless you say so here. Slack goes out in any case."
    )
    return modal(
        "rules.change",
        f"{urgency.capitalize()} urgency",
        [*rows, context(note)],
        submit="Save",
        metadata=about(urgency=str(urgency)),
    )


def _row(by: str, after: timedelta | None) -> Block:
    """The delay of a road; one that is not in the list is offered too, so that saving keeps it."""
    delays = sorted({*DELAYS, *([after] if after is not None else [])})
    options = [option("Not", NEVER)]
    options += [option(_delay(one), str(int(one.total_seconds()))) for one in delays]
    chosen = NEVER if after is None else str(int(after.total_seconds()))
    name = named(by)
    return chooser(f"{ROAD}{by}", name[:1].upper() + name[1:], options, initial=chosen)


def _delay(after: timedelta) -> str:
    return f"After {duration(after)}" if after else "At once"


def quiet_form(hours: Hours | None, zone: str) -> Block:
    """From, until, on which days; or none."""
    start, end = (hours.start, hours.end) if hours else NIGHT
    days = _days(hours)
    known = DAYS if days in dict(DAYS).values() else (*DAYS, (f"As now: {days.title()}", days))
    options = [option(text, value) for text, value in (*known, ("Never: no quiet hours", NEVER))]
    return modal(
        "quiet.set",
        "Quiet hours",
        [
            clock_input("from", "From", start),
            clock_input("until", "Until", end),
            chooser("days", "Beginning on", options, initial=days, kind="radio_buttons"),
            context(
                f"Clocks of {escape(zone, 60)}. Low urgency waits for their end; high urgency wakes you as ever."
            ),
        ],
        submit="Save",
    )


def _days(hours: Hours | None) -> str:
    """The days as they are typed: `mon-fri`, `mon,thu`."""
    if hours is None or hours.days == EVERY_DAY:
        return "every day"
    known = {(1, 2, 3, 4, 5): "mon-fri", (6, 7): "sat-sun"}
    listed = ",".join(WEEKDAYS[day - 1] for day in hours.days)
    return known.get(hours.days, listed)
