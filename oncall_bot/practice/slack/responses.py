"""What a response address, or the answer that came with an acknowledgement, makes Slack show.

Knows ephemeral answers, replacing and deleting. Refuses to count uses: tickets do. Serves the door and the gestures.
"""

from __future__ import annotations

import copy
from typing import Any

from oncall_bot.practice.slack import content
from oncall_bot.practice.slack.answers import Json, SlackError
from oncall_bot.practice.slack.api_chat import put_content, whisper
from oncall_bot.practice.slack.app import BOT_USER
from oncall_bot.practice.slack.scene import Scene
from oncall_bot.practice.slack.tickets import ResponseHook
from oncall_bot.practice.slack.workspace import Channel


def respond(scene: Scene, hook: ResponseHook, said: Json) -> None:
    """Show it where the press or command was made. SlackError when Slack would not take it."""
    channel = scene.workspace.channels[hook.channel]
    message = _pressed(channel, hook)
    if said.get("delete_original"):
        if message is not None:
            scene.workspace.remove(channel, message)
            scene.removed(channel, message)
        return
    content.check(said)
    if said.get("replace_original") and message is not None:
        before = copy.deepcopy(message)
        put_content(message, {"text": "", **said})
        scene.workspace.edit(message, BOT_USER)
        scene.changed(channel, message, before)
        return
    thread = said.get("thread_ts") or hook.thread_ts
    if said.get("response_type") == "in_channel":
        held = content.held(said)
        posted = scene.workspace.add_message(
            channel, BOT_USER, said.get("text") or "", thread_ts=thread, **held
        )
        scene.posted(channel, posted)
    else:
        whisper(scene, channel, hook.user, said, thread_ts=thread)


def _pressed(channel: Channel, hook: ResponseHook) -> Json | None:
    mine = (m for m in channel.messages if m["ts"] == hook.ts)
    return next((m for m in mine if m.get("to", hook.user) == hook.user), None)


def with_ack(scene: Scene, hook: ResponseHook, body: Any) -> str | None:
    """The answer that came with a command's acknowledgement; what was wrong with it, if anything."""
    if not body:
        return None
    said = {"text": body} if isinstance(body, str) else body
    if not isinstance(said, dict):
        return "The bot's answer is neither text nor a message."
    try:
        respond(scene, hook, said)
    except SlackError as error:
        return f"Slack could not show the bot's answer: {error.error}."
    return None
