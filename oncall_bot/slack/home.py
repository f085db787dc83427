"""App Home: am I on call, can I be reached, what is open. In this order.

Refuses to know how it is published. Serves events.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from oncall_bot.core.situation import OnCallNow, Situation
from oncall_bot.slack import phrases
from oncall_bot.slack.answers import incident_line
from oncall_bot.slack.blocks import Block, actions, button, context, divider, header, section
from oncall_bot.slack.escape import escape, when

OPEN_SHOWN, SHIFTS_SHOWN = 15, 10


def home(
    *,
    me: str | None,
    slack_id: str,
    shifts: Sequence[OnCallNow],
    roads: Sequence[str],
    open_ones: Sequence[Situation],
    last: Situation | None,
    now: datetime,
    schedules_url: str | None = None,
) -> Block:
    """The view for one person; `me` is their key in the file, None when they are not in it."""
    mine = [one for one in shifts if one.person_key is not None and one.person_key == me]
    blocks = [
        header("You are on call" if mine else "You are not on call"),
        *_mine(mine, shifts, now),
        _reach(me, roads),
        divider(),
        header("Open incidents"),
        *_open(open_ones, last, me or slack_id, now),
        divider(),
        actions(
            [
                button("Declare incident", "incident.declare", "new"),
                button("Contact methods…", "contact.list", "me") if me else None,
                button("Who is on call", "who.open", "all"),
                button("All commands", "help.open", "help"),
            ],
            block_id="home",
        ),
        context("All times in your zone."),
    ]
    return {"type": "home", "blocks": blocks}


def _mine(mine: Sequence[OnCallNow], shifts: Sequence[OnCallNow], now: datetime) -> list[Block]:
    if mine:
        return [section(_shift(one, now)) for one in mine[:SHIFTS_SHOWN]]
    if not shifts:
        return [section("No schedule is set up yet.")]
    others = ", ".join(
        f"*{escape(one.schedule, 60)}:* {escape(one.name or 'nobody', 60)}"
        for one in shifts[:SHIFTS_SHOWN]
    )
    return [section(f"On call now: {others}")]


def _shift(one: OnCallNow, now: datetime) -> str:
    until = f" until {when(one.until, now)}" if one.until else ""
    then = ", ".join(f"{escape(name, 60)} {escape(after, 40)}" for name, after in one.then[:4])
    behind = f"\nBehind you: {then}" if then else "\nNobody is behind you."
    return f"*{escape(one.schedule, 60)}*{until}{behind}"


def _reach(me: str | None, roads: Sequence[str]) -> Block:
    if me is None:
        return section(
            "You are not in oncall.yaml: you may acknowledge and resolve, but nobody pages you."
        )
    known = phrases.roads(["slack", *roads])
    wakes = any(road not in {"slack", "mail"} for road in roads)
    warning = "" if wakes else "\n*Nothing wakes you:* add a phone or push contact."
    return section(
        f"*Reachable:* {known}.{warning}",
        block_id="reach",
        accessory=button("Test now", "contact.test", "me"),
    )


def _open(
    open_ones: Sequence[Situation], last: Situation | None, me: str, now: datetime
) -> list[Block]:
    if not open_ones:
        before = ""
        if last is not None and last.resolved_at is not None:
            before = (
                f" The last one was {last.incident_id}, resolved {when(last.resolved_at, now)}."
            )
        return [section(f"No open incidents.{before}")]
    lines = [incident_line(s, now, me=me) for s in open_ones[:OPEN_SHOWN]]
    more = len(open_ones) - OPEN_SHOWN
    return [*lines, context(f"{more} more are open.")] if more > 0 else lines
