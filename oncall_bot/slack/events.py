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
from oncall_bot.slack import answers, commands, reading
from oncall_bot.slack.blocks import Drawn
from oncall_bot.slack.callers import Caller
from oncall_bot.slack.commands import Asked
from oncall_bot.slack.edge import Edge
from oncall_bot.slack.home import home
from oncall_bot.slack.refusals import NETWORK, error_of
from oncall_bot.store import views

log = structlog.get_logger(__name__)

PIN = "pushpin"
SAID_BY_PEOPLE = frozenset({None, "file_share", "thread_broadcast", "me_message"})
OBVIOUS = {
    "who": ("who", "on call", "oncall", "on-call"),
    "incidents": ("incident", "open", "happening", "going on", "firing", "broken"),
    "help": ("help", "commands", "what can you"),
}

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
    """Obvious questions are answered in the thread of the question."""
    if not event.get("user") or event.get("bot_id"):
        return
    caller = await edge.callers.who(str(event["user"]), team_id=_team(event))
    said = await _answer(edge, event, caller)
    await _reply(edge, event, said, thread=str(event.get("thread_ts") or event["ts"]))


async def on_message(edge: Edge, event: Event) -> None:
    """A direct message is a question too; other messages were kept already, if they were to be kept."""
    if event.get("channel_type") != "im" or not _is_said(event):
        return
    caller = await edge.callers.who(str(event["user"]), team_id=_team(event))
    said = await _answer(edge, event, caller)
    await _reply(edge, event, said, thread=event.get("thread_ts"))


async def on_home(edge: Edge, event: Event) -> None:
    if event.get("tab") not in (None, "home"):
        return
    await publish_home(edge, await edge.callers.who(str(event["user"])))


async def _answer(edge: Edge, event: Event, caller: Caller) -> Drawn:
    """The words that need no model: who, incidents, help, and any command word that only looks."""
    text = str(event.get("text") or "")[: commands.TEXT_MAX]
    if edge.bot_user:
        text = text.replace(f"<@{edge.bot_user}>", " ")
    word, rest = _asked(edge, text.split())
    if word is None:
        return answers.said(
            f"I answer “who is on call?”, “what is open?” and “help” here; `{edge.command} help` lists the rest."
        )
    asked = Asked(caller, str(event["channel"]), rest, {}, "")
    return await commands.obey(edge, word, asked) or answers.help_(edge.command, edge.guide)


def _asked(edge: Edge, words: list[str]) -> tuple[str | None, str]:
    """(command word, its rest): as typed for `why 42` and `runbook lag`, by its sense for a plain question."""
    first = words[0].casefold() if words else ""
    if first in {"why", "runbook"} and len(words) > 1:
        return first, " ".join(words[1:])
    word = obvious(" ".join(words))
    return word, _subject(edge, words) if word == "who" else ""


def obvious(text: str) -> str | None:
    """The command word behind a plain question, None when it is not plain."""
    asked = text.casefold()
    if not asked.strip():
        return "help"
    for word, signs in OBVIOUS.items():
        if any(sign in asked for sign in signs):
            return word
    return None


def _subject(edge: Edge, words: list[str]) -> str:
    """A schedule or service that the question names."""
    known = {*edge.config.schedules, *edge.config.services}
    return next((word for raw in words if (word := raw.casefold().strip("?.,!")) in known), "")


async def _reply(edge: Edge, event: Event, said: Drawn, *, thread: str | None) -> None:
    try:
        await edge.client.chat_postMessage(
            channel=str(event["channel"]),
            text=said.text,
            blocks=list(said.blocks),
            thread_ts=thread,
            unfurl_links=False,
            unfurl_media=False,
        )
    except NETWORK as error:
        log.warning("slack_answer_not_sent", error=str(error)[:200])


async def publish_home(edge: Edge, caller: Caller, at: datetime | None = None) -> None:
    """App Home for one person, drawn anew."""
    key = caller.person.key if caller.person else None
    shifts = await edge.store.view(views.who)
    open_ones = await edge.open_incidents()
    last = None if open_ones else await edge.store.view(views.last_resolved)
    rows = await edge.store.view(views.contacts, key) if key else ()
    ahead = await edge.store.view(views.next_shifts, key) if key else ()
    waiting = await edge.store.view(views.waits_for, key) if key else ()
    rules = await edge.store.view(views.rules, key) if key else ()
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
        rules=rules,
    )
    try:
        await edge.client.views_publish(user_id=caller.slack_id, view=view)
    except NETWORK as error:
        log.warning("slack_home_not_published", error=str(error)[:200])
