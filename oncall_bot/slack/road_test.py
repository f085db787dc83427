"""`/oncall test`: a test page on every road of a person, and one direct message that says what became of each.

Knows how long to watch and that the message is edited in place as roads answer. Refuses to send by any road: the
engine does, from rows, whether or not this process lives to tell of it. Serves commands and actions.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence

import structlog

from oncall_bot.core.outcomes import Actor, Outcome
from oncall_bot.core.paging import is_loud
from oncall_bot.core.situation import RoadFate
from oncall_bot.flows.contacts import RoadsTried, Try, send_test_page
from oncall_bot.slack import dms
from oncall_bot.slack.blocks import Drawn
from oncall_bot.slack.edge import Edge
from oncall_bot.slack.refusals import NETWORK
from oncall_bot.store import tried
from oncall_bot.store.tried import Tried

WATCHED_FOR = 60.0
LOOK_EVERY = 0.25
EDIT_EVERY = 1.0
"""Seconds between two edits: Slack takes about one a second for a message."""

WAITING = Tried("waiting")

log = structlog.get_logger(__name__)


async def begin(
    edge: Edge, press_id: str, person_key: str, slack_id: str, actor: Actor
) -> Outcome | None:
    """Send the test and follow it in a direct message; None when this press was taken before."""
    done = await edge.press(press_id, send_test_page, person_key, actor)
    if done is not None and done.tries:
        edge.follow(_follow(edge, slack_id, done))
    return done


async def _follow(edge: Edge, slack_id: str, tested: RoadsTried) -> None:
    """Post the report, and edit it whenever a road has answered; after a minute it says what is still open."""
    keys = [one.key for one in tested.tries]
    loud = {kind for kind, channel in edge.config.channels.items() if is_loud(channel)}
    ends_at = time.monotonic() + WATCHED_FOR
    place: tuple[str, str] | None = None
    shown: Drawn | None = None
    while True:
        fates = await edge.store.view(tried.fates, keys)
        over = all(
            fates.get(one.key, WAITING).is_over(receipts=one.receipts) for one in tested.tries
        )
        late = time.monotonic() >= ends_at
        drawn = dms.road_report(
            _lines(tested.tries, fates),
            edge.clock(),
            wakes=any(one.road in loud for one in tested.tries),
            watching=not over and not late,
            command=edge.command,
        )
        if drawn != shown:
            if taken := await _put(edge, slack_id, drawn, place):
                place, shown = taken, drawn
            await asyncio.sleep(EDIT_EVERY)
        if over or late:
            return
        await asyncio.sleep(LOOK_EVERY)


def _lines(tries: Sequence[Try], fates: Mapping[str, Tried]) -> list[tuple[RoadFate, str]]:
    """Each road's fate, and the address it went to."""
    found = []
    for one in tries:
        fate = fates.get(one.key, WAITING)
        found.append((RoadFate(one.road, fate.state, fate.at, fate.why), one.address))
    return found


async def _put(
    edge: Edge, slack_id: str, drawn: Drawn, place: tuple[str, str] | None
) -> tuple[str, str] | None:
    """Post it, or edit it where it lies; where that is, or None when Slack did not take it: it is tried again."""
    text, blocks = drawn.text, list(drawn.blocks)
    try:
        if place is not None:
            await edge.client.chat_update(channel=place[0], ts=place[1], text=text, blocks=blocks)
            return place
        answer = await edge.client.chat_postMessage(channel=slack_id, text=text, blocks=blocks)
        return str(answer["channel"]), str(answer["ts"])
    except NETWORK as error:
        log.warning("slack_road_report_not_shown", error=str(error)[:200])
        return None
