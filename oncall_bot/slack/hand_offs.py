"""The hand-off in direct messages: what the arriving person inherits, and that the leaving one may rest.

Knows the words. Refuses to know when shifts change. Serves engine's delivery by way of rendering.
"""

from __future__ import annotations

from datetime import datetime

from oncall_bot.core.situation import HandOff
from oncall_bot.slack import phrases
from oncall_bot.slack.blocks import Block, Drawn, actions, button, context, section
from oncall_bot.slack.escape import code, escape, push, utc, when
from oncall_bot.slack.phrases import count, duration

OPEN_SHOWN = 5


def arriving(h: HandOff, now: datetime) -> Drawn:
    """What they inherit, how long, who is behind them, whether they can be reached."""
    until = f" until {utc(h.until, now)}" if h.until else ""
    text = push("You are on call for ", h.schedule, f" from now{until}.")
    ends = f"until {when(h.until, now)}" if h.until else "with no end planned"
    leaves = f" {escape(h.leaving, 60)} hands over to you." if h.leaving else ""
    reached = phrases.roads(h.roads) or "nothing yet"
    quiet = [road for road in h.roads if road not in {"slack", "mail"}]
    warning = "" if quiet else "\nNo road of yours wakes you: add a phone or push contact below."
    behind = ", ".join(f"{escape(name, 60)} {escape(after, 40)}" for name, after in h.then[:4])
    return Drawn(
        text,
        [
            section(f"*You are on call: {escape(h.schedule, 60)}*\n{ends}.{leaves}"),
            *_late(h, now),
            section(f"*Open now*\n{_open_list(h)}{_silences(h, now)}\n{_week(h)}"),
            section(
                f"*You are reachable by*  {reached}.{warning}\n*Behind you*  {behind or 'nobody'}"
            ),
            actions(
                [
                    button("Send me a test page", "contact.test", "me"),
                    button("Contact methods…", "contact.list", "me"),
                    button("Ask for cover…", "cover.open", h.schedule),
                    button("See the schedule", "schedule.open", h.schedule),
                ]
            ),
        ],
    )


def leaving(h: HandOff, now: datetime) -> Drawn:
    """That it is over, who has it now, and what goes with it."""
    to = escape(h.arriving, 60) if h.arriving else "nobody"
    span = f" until {when(h.until, now)}" if h.until else ""
    gap = "" if h.arriving else "\nPages go to the fallback."
    return Drawn(
        push("Your shift is over: ", h.schedule, f" is with {to}."),
        [
            section(
                f"*Your shift is over: {escape(h.schedule, 60)}*\n{to} is on call now{span}.{gap}"
            ),
            *_late(h, now),
            section(f"*Open now*\n{_open_list(h)}{_silences(h, now)}\n{_week(h)}"),
        ],
    )


def _late(h: HandOff, now: datetime) -> list[Block]:
    if h.late is None:
        return []
    return [context(f"Told {duration(h.late)} late: the shift changed {when(h.at, now)}.")]


def _open_list(h: HandOff) -> str:
    if not h.open_incidents:
        return "No open incidents."
    lines = [
        f"{number}  {escape(title, 90)}: {state.value}"
        for number, title, state in h.open_incidents[:OPEN_SHOWN]
    ]
    more = len(h.open_incidents) - OPEN_SHOWN
    return "\n".join([*lines, f"{more} more"] if more > 0 else lines)


def _silences(h: HandOff, now: datetime) -> str:
    """What is held back until soon pages then, if it still fires."""
    if not h.silences:
        return ""
    lines = [
        f"{when(until, now)}  by {escape(by, 60)}{f': {escape(why, 120)}' if why else ''}"
        for by, until, why in h.silences
    ]
    return "\n*Silences that end within a day*\n" + "\n".join(lines)


def _week(h: HandOff) -> str:
    """Pages and alerts of the team, the loudest by name."""
    pages = f"*Last 7 days*  {count(h.pages_last_week, 'page')}"
    loudest = ", ".join(
        f"{code(one.alert, 60)} {count(one.pages, 'page')} of {count(one.alerts, 'alert')}"
        for one in h.noise
    )
    return f"{pages}  ·  most: {loudest}" if loudest else pages
