"""Events: mentions, words in incident threads and direct messages, reactions that pin, App Home.

Knows which event means what. What must not be lost is committed before Slack is acknowledged, under the event's id, so
that a redelivery changes nothing; answers follow afterwards. Refuses to keep what is said outside incident threads.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

import structlog

from oncall_bot.flows.inbound import seen
from oncall_bot.flows.record_chat import record_chat
from oncall_bot.slack import replies, talk
from oncall_bot.slack.callers import Caller
from oncall_bot.slack.edge import Edge
from oncall_bot.slack.home import home
from oncall_bot.slack.pins import is_said, keep_reaction, spoken
from oncall_bot.slack.refusals import NETWORK
from oncall_bot.store import views

log = structlog.get_logger(__name__)


Event = Mapping[str, Any]
Handler = Callable[[Edge, Event, str], Awaitable[None]]


# --- before the acknowledgement: what must be kept ----------------------------------------------------------------


async def keep(edge: Edge, event: Event, event_id: str) -> bool:
    """Commit what this event means for an incident. False when the event was taken before."""
    kind = event.get("type")
    if kind == "message":
        return await _keep_message(edge, event, event_id)
    if kind in ("reaction_added", "reaction_removed"):
        return await keep_reaction(edge, event, event_id)
    if kind == "app_mention":
        return not await edge.store.write(seen, "slack", event_id)
    return True


async def _keep_message(edge: Edge, event: Event, event_id: str) -> bool:
    """A person's word in an incident's thread goes on its timeline; everything else is not kept."""
    if not is_said(event):
        return True
    if event.get("channel_type") == "im":
        return not await edge.store.write(seen, "slack", event_id)
    thread, channel, ts = event.get("thread_ts"), str(event["channel"]), str(event["ts"])
    if not thread or await edge.store.view(views.incident_of_thread, channel, str(thread)) is None:
        return True
    caller = await edge.callers.who(str(event["user"]), team_id=_team(event))
    words = spoken(edge, event)
    await edge.press(event_id, record_chat, channel, str(thread), ts, caller.actor, words)
    return True


def _team(event: Event) -> str | None:
    found = event.get("user_team") or event.get("source_team") or event.get("team")
    return str(found) if found else None


# --- after it: answers --------------------------------------------------------------------------------------------


async def on_mention(edge: Edge, event: Event) -> None:
    """A mention is a question; it is answered in its thread."""
    if not event.get("user") or event.get("bot_id"):
        return
    thread = str(event.get("thread_ts") or event["ts"])
    await _hear(edge, event, thread=thread, alone=False)


async def on_message(edge: Edge, event: Event) -> None:
    """A direct message is a question too; other messages were kept already, if they were to be kept."""
    if event.get("channel_type") != "im" or not is_said(event):
        return
    await _hear(edge, event, thread=event.get("thread_ts"), alone=True)


async def _hear(edge: Edge, event: Event, *, thread: str | None, alone: bool) -> None:
    caller = await edge.callers.who(str(event["user"]), team_id=_team(event))
    text = talk.plain(edge, str(event.get("text") or ""))
    heard = talk.Heard(caller, text, str(event["channel"]), thread, alone)
    await replies.reply(edge, heard)


async def on_home(edge: Edge, event: Event) -> None:
    if event.get("tab") not in (None, "home"):
        return
    await publish_home(edge, await edge.callers.who(str(event["user"])))


async def publish_home(edge: Edge, caller: Caller, at: datetime | None = None) -> None:
    """App Home for one person, drawn anew."""
    key = caller.person.key if caller.person else None
    shifts = await edge.store.view(views.who)
    open_ones = await edge.open_incidents()
    last = None if open_ones else await edge.store.view(views.last_resolved)
    rows = await edge.store.view(views.contacts, key) if key else ()
    ahead = await edge.store.view(views.next_shifts, key) if key else ()
    waiting = await edge.store.view(views.waits_for, key) if key else ()
    reach = await edge.store.view(views.reach, key, who="you") if key else None
    view = home(
        me=key,
        slack_id=caller.slack_id,
        shifts=shifts,
        roads=[row.kind for row in rows if row.verified or row.from_file],
        open_ones=open_ones,
        last=last,
        now=at or edge.clock(),
        ahead=ahead,
        waiting=waiting,
        reach=reach,
    )
    try:
        await edge.client.views_publish(user_id=caller.slack_id, view=view)
    except NETWORK as error:
        log.warning("slack_home_not_published", error=str(error)[:200])
