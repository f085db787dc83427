"""Events: mentions, words in incident threads and direct messages, the pin reaction, App Home.

Knows which event means what. What must not be lost is committed before Slack is acknowledged, under the event's id, so
that a redelivery changes nothing; answers follow afterwards. Refuses to keep what is said outside incident threads.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

import structlog
from slack_sdk.errors import SlackApiError

from oncall_bot.flows.inbound import seen
from oncall_bot.flows.record_chat import pin_chat, record_chat
from oncall_bot.slack import reading, replies, talk
from oncall_bot.slack.callers import Caller
from oncall_bot.slack.edge import Edge
from oncall_bot.slack.home import home
from oncall_bot.slack.refusals import NETWORK, error_of
from oncall_bot.store import views

log = structlog.get_logger(__name__)

PIN = "pushpin"
SAID_BY_PEOPLE = frozenset({None, "file_share", "thread_broadcast", "me_message"})

Event = Mapping[str, Any]
Handler = Callable[[Edge, Event, str], Awaitable[None]]


# --- before the acknowledgement: what must be kept ----------------------------------------------------------------


async def keep(edge: Edge, event: Event, event_id: str) -> bool:
    """Commit what this event means for an incident. False when the event was taken before."""
    kind = event.get("type")
    if kind == "message":
        return await _keep_message(edge, event, event_id)
    if kind == "reaction_added":
        return await _keep_pin(edge, event, event_id)
    if kind == "app_mention":
        return not await edge.store.write(seen, "slack", event_id)
    return True


async def _keep_message(edge: Edge, event: Event, event_id: str) -> bool:
    """A person's word in an incident's thread goes on its timeline; everything else is not kept."""
    if not _is_said(event):
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


def _is_said(event: Event) -> bool:
    return (
        event.get("subtype") in SAID_BY_PEOPLE
        and bool(event.get("user"))
        and not event.get("bot_id")
    )


def _team(event: Event) -> str | None:
    found = event.get("user_team") or event.get("source_team") or event.get("team")
    return str(found) if found else None


async def _keep_pin(edge: Edge, event: Event, event_id: str) -> bool:
    """📌 on a person's message in an incident's thread pins its words to the work log."""
    item = event.get("item") or {}
    if event.get("reaction") != PIN or item.get("type") != "message":
        return True
    channel, ts = str(item["channel"]), str(item["ts"])
    caller = await edge.callers.who(str(event["user"]))
    if caller.refusal is not None:
        return True
    pinned = await edge.press(event_id, pin_chat, channel, ts, caller.actor)
    if pinned is None or pinned.done:
        return True
    await _pin_unheard(edge, channel, ts, caller)
    return True


async def _pin_unheard(edge: Edge, channel: str, ts: str, caller: Caller) -> None:
    """A message that was said before we listened: taken down first, then pinned."""
    found = await _message(edge, channel, ts)
    if found is None or not _is_said(found):
        return
    thread = str(found.get("thread_ts") or ts)
    if await edge.store.view(views.incident_of_thread, channel, thread) is None:
        return
    author = await edge.callers.who(str(found["user"]))
    words = spoken(edge, found)
    await edge.press("", record_chat, channel, thread, ts, author.actor, words)
    await edge.press("", pin_chat, channel, ts, caller.actor)


def spoken(edge: Edge, event: Event) -> str:
    """What was said, as its readers saw it."""
    return reading.said(str(event.get("text") or ""), edge.name_of)


async def _message(edge: Edge, channel: str, ts: str) -> Mapping[str, Any] | None:
    """One message, alone or in a thread; None when Slack does not show it."""
    try:
        answer: Any = await edge.client.conversations_replies(
            channel=channel, ts=ts, latest=ts, inclusive=True, limit=1
        )
    except SlackApiError as error:
        log.info("slack_pin_unread", channel=channel, error=error_of(error))
        return None
    return next((one for one in answer.get("messages") or () if one.get("ts") == ts), None)


# --- after it: answers --------------------------------------------------------------------------------------------


async def on_mention(edge: Edge, event: Event) -> None:
    """A mention is a question; it is answered in its thread."""
    if not event.get("user") or event.get("bot_id"):
        return
    thread = str(event.get("thread_ts") or event["ts"])
    await _hear(edge, event, thread=thread, alone=False)


async def on_message(edge: Edge, event: Event) -> None:
    """A direct message is a question too; other messages were kept already, if they were to be kept."""
    if event.get("channel_type") != "im" or not _is_said(event):
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
    view = home(
        me=key,
        slack_id=caller.slack_id,
        shifts=shifts,
        roads=[row.kind for row in rows if row.verified or row.from_file],
        open_ones=open_ones,
        last=last,
        now=at or edge.clock(),
    )
    try:
        await edge.client.views_publish(user_id=caller.slack_id, view=view)
    except NETWORK as error:
        log.warning("slack_home_not_published", error=str(error)[:200])
