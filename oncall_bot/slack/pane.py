"""The assistant pane: suggested questions when it opens, a title, and the status while an answer is looked for.

Knows both ways in which Slack opens the pane (its own thread, and the messages tab of an agent). Refuses to know
answers. Serves listeners and replies; nothing here matters enough to be tried for long.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog

from oncall_bot.core.situation import Situation
from oncall_bot.slack.callers import Caller
from oncall_bot.slack.edge import Edge
from oncall_bot.slack.escape import plain
from oncall_bot.slack.refusals import NETWORK

log = structlog.get_logger(__name__)

TITLE, TITLE_MAX, PROMPTS_MAX, WITHIN_S = "Ask about on call", 60, 4, 3.0
LOOKING = "is looking…"
Event = Mapping[str, Any]


async def on_thread(edge: Edge, event: Event) -> None:
    """A new thread of the pane, or its reader looks at another channel now: the questions that fit."""
    thread = event.get("assistant_thread") or {}
    channel, ts = str(thread.get("channel_id") or ""), str(thread.get("thread_ts") or "")
    if not channel or not ts:
        return
    caller = await edge.callers.who(str(thread.get("user_id") or ""))
    near = str((thread.get("context") or {}).get("channel_id") or "")
    await _suggest(edge, channel, ts, await prompts(edge, caller, near))


async def on_messages_tab(edge: Edge, event: Event) -> None:
    """The messages tab of an agent is the pane: its questions stand on top."""
    channel = str(event.get("channel") or "")
    if channel:
        caller = await edge.callers.who(str(event["user"]))
        await _suggest(edge, channel, None, await prompts(edge, caller, ""))


async def prompts(edge: Edge, caller: Caller, channel: str) -> list[str]:
    """At most four questions by what is true now: what is open here, whether this person has a shift."""
    open_ones = await edge.open_incidents()
    here = [s for s in open_ones if channel and s.channel == channel]
    first = next(iter([*here, *open_ones]), None)
    asked = _about(first) if first is not None else ["What is open?"]
    service = first.service if first is not None else next(iter(edge.config.services), None)
    asked.append(f"Who is on call for {service} tonight?" if service else "Who is on call tonight?")
    if caller.person is not None:
        asked.append("When am I next on call?")
    return [*asked, "What can I ask?"][:PROMPTS_MAX]


def _about(s: Situation) -> list[str]:
    asked = [f"What is happening in incident {s.incident_id}?"]
    alert = s.first_alert or (s.alerts[0].name if s.alerts else None)
    return [*asked, f"Has {alert} fired before?"] if alert and len(alert) < 60 else asked


async def _suggest(edge: Edge, channel: str, ts: str | None, asked: list[str]) -> None:
    shown = [{"title": plain(one, 75), "message": plain(one, 200)} for one in asked]
    await _quietly(
        lambda: edge.client.assistant_threads_setSuggestedPrompts(
            channel_id=channel, thread_ts=ts, title=TITLE, prompts=shown
        ),
        "prompts",
    )


async def looking(edge: Edge, channel: str, thread: str) -> None:
    """`is looking…` beside the bot's name; the answer takes it away."""
    await _quietly(
        lambda: edge.client.assistant_threads_setStatus(
            channel_id=channel, thread_ts=thread, status=LOOKING
        ),
        "status",
    )


async def titled(edge: Edge, channel: str, thread: str, question: str) -> None:
    """The first question is the thread's title."""
    await _quietly(
        lambda: edge.client.assistant_threads_setTitle(
            channel_id=channel, thread_ts=thread, title=plain(question, TITLE_MAX)
        ),
        "title",
    )


async def _quietly(call: Callable[[], Awaitable[Any]], what: str) -> None:
    try:
        await asyncio.wait_for(call(), WITHIN_S)
    except NETWORK as error:
        log.info("slack_pane", what=what, error=str(error)[:200])
