"""App Home: am I on call, can I be reached, what waits for me, what is open, my shifts. In this order.

Refuses to know how it is published. Serves events.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from oncall_bot.core.situation import CoverNotice, OnCallNow, Situation, Stretch
from oncall_bot.slack import covers, phrases, schedules
from oncall_bot.slack.answers import incident_line
from oncall_bot.slack.blocks import Block, actions, button, context, divider, header, section
from oncall_bot.slack.escape import escape, when
from oncall_bot.store.views import ReachShown

OPEN_SHOWN, SHIFTS_SHOWN, WAITING_SHOWN = 15, 10, 5


def home(
    *,
    me: str | None,
    slack_id: str,
    shifts: Sequence[OnCallNow],
    roads: Sequence[str],
    open_ones: Sequence[Situation],
    last: Situation | None,
    now: datetime,
    ahead: Sequence[Stretch] = (),
    waiting: Sequence[CoverNotice] = (),
    reach: ReachShown | None = None,
) -> Block:
    """The view for one person; `me` is their key in the file, None when they are not in it."""
    mine = [one for one in shifts if one.person_key is not None and one.person_key == me]
    blocks = [
        header("You are on call" if mine else "You are not on call"),
        *_holiday(reach, now),
        *_mine(mine, shifts, now),
        _reach(me, roads, reach),
        *_waiting(waiting, now),
        divider(),
        header("Open incidents"),
        *_open(open_ones, last, me or slack_id, now),
        divider(),
        *_ahead(me, ahead, now),
        actions(
            [
                button("Declare incident", "incident.declare", "new"),
                button("Contact methods…", "contact.list", "me") if me else None,
                button("How you are woken…", "rules.open", "me") if reach else None,
                button("Ask for cover…", "cover.open", "") if me and ahead else None,
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


def _holiday(reach: ReachShown | None, now: datetime) -> list[Block]:
    """Only while it runs: a shift that nobody took is still theirs."""
    if reach is None or not reach.away or reach.holiday is None:
        return []
    text = f"*You are on holiday until {when(reach.holiday[1], now)}.* Shifts that nobody took still page you."
    return [section(text, accessory=button("I’m back", "holiday.end", "me"))]


def _reach(me: str | None, roads: Sequence[str], reach: ReachShown | None) -> Block:
    if me is None:
        return section(
            "You are not in oncall.yaml: you may acknowledge and resolve, but nobody pages you."
        )
    known = phrases.roads(["slack", *roads])
    wakes = any(road not in {"slack", "mail"} for road in roads)
    warning = "" if wakes else "\n*Nothing wakes you:* add a phone or push contact."
    return section(
        f"*Reachable:* {known}.{warning}{_preview(reach)}",
        block_id="reach",
        accessory=button("Test now", "contact.test", "me"),
    )


def _preview(reach: ReachShown | None) -> str:
    """What a page of high urgency would do now, and when low urgency waits."""
    if reach is None:
        return ""
    quiet = f"\n*Quiet hours:* {escape(reach.quiet, 120)}, for low urgency." if reach.quiet else ""
    return f"\n{escape(reach.high.preview, 600)}{quiet}"


def _waiting(waiting: Sequence[CoverNotice], now: datetime) -> list[Block]:
    """Requests that wait for this person's answer, each with its two buttons."""
    if not waiting:
        return []
    blocks: list[Block] = [divider(), header("Waiting for you")]
    for one in waiting[:WAITING_SHOWN]:
        what = "swap" if one.take else "cover"
        asks = f"{escape(one.asker, 60)} asks you to {what} *{escape(one.give.schedule, 60)}*"
        back = f"\nfor your {covers.spoken(one.take, now)}" if one.take else ""
        blocks.append(section(f"{asks}\n{covers.spoken(one.give, now)}{back}"))
        blocks.append(actions(covers.answer_buttons(one), block_id=f"cover-{one.request_id}"))
    more = len(waiting) - WAITING_SHOWN
    return [*blocks, context(f"{more} more wait for you.")] if more > 0 else blocks


def _ahead(me: str | None, ahead: Sequence[Stretch], now: datetime) -> list[Block]:
    if me is None:
        return []
    shown = schedules.ahead(ahead, now) or "You have no shift in the coming half year."
    return [header("Your next shifts"), section(shown)]


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
