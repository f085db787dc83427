"""`chat.*`, `reactions.*` and `pins.*`: what the bot says, edits, takes back and marks.

Knows each method's promises and refusals. Serves api.
"""

from __future__ import annotations

import copy
import re
from typing import Any

from oncall_bot.practice.slack import content
from oncall_bot.practice.slack.answers import Json, SlackError
from oncall_bot.practice.slack.app import BOT_USER, DOMAIN
from oncall_bot.practice.slack.reach import inside, need, own_message, target, visible
from oncall_bot.practice.slack.scene import Scene
from oncall_bot.practice.slack.workspace import (
    Channel,
    add_reaction,
    name_blocks,
    take_reaction,
)

PINS_MAX = 100
_EMOJI = re.compile(r"[a-z0-9_+'-]{1,100}(::skin-tone-[2-6])?")


def post_message(scene: Scene, given: Json) -> Json:
    content.check(given)
    channel = target(scene, given["channel"])
    if any(given.get(key) for key in ("username", "icon_emoji", "icon_url")):
        need(scene.app, "chat:write.customize")
    thread = given.get("thread_ts")
    broadcast = bool(thread and given.get("reply_broadcast"))
    message = scene.workspace.add_message(
        channel,
        BOT_USER,
        (given.get("text") or "")[: content.TEXT_MAX],
        thread_ts=thread,
        subtype="thread_broadcast" if broadcast else None,
        **content.held(given),
    )
    scene.threads.get((channel.id, thread or ""), {}).pop("status", None)
    scene.posted(channel, message)
    return {"channel": channel.id, "ts": message["ts"], "message": message}


def post_ephemeral(scene: Scene, given: Json) -> Json:
    content.check(given)
    channel = target(scene, given["channel"])
    text = given.get("text") or ""
    if len(text) > content.TEXT_MAX:
        raise SlackError("msg_too_long")
    if given["user"] not in channel.members:
        raise SlackError("user_not_in_channel")
    message = whisper(scene, channel, given["user"], given, thread_ts=given.get("thread_ts"))
    return {"message_ts": message["ts"]}


def whisper(
    scene: Scene, channel: Channel, user: str, given: Json, thread_ts: str | None = None
) -> Json:
    """A message of the bot that one person sees."""
    kept = {key: value for key, value in content.held(given).items() if key != "metadata"}
    text = given.get("text") or ""
    message = scene.workspace.add_message(
        channel, BOT_USER, text, to=user, thread_ts=thread_ts, **kept
    )
    scene.whispered(channel, message)
    return message


def update(scene: Scene, given: Json) -> Json:
    content.check(given)
    if len(given.get("text") or "") > content.UPDATE_TEXT_MAX:
        raise SlackError("msg_too_long")
    channel, message = own_message(scene, given, "cant_update_message")
    before = copy.deepcopy(message)
    put_content(message, given)
    scene.workspace.edit(message, BOT_USER)
    scene.changed(channel, message, before)
    return {
        "channel": channel.id,
        "ts": message["ts"],
        "text": message["text"],
        "message": message,
    }


def put_content(message: Json, given: Json) -> None:
    """New content for a message; text without blocks drops the blocks."""
    if given.get("text") is not None:
        message["text"] = given["text"]
        if not given.get("blocks") and not given.get("attachments"):
            message.pop("blocks", None)
            message.pop("attachments", None)
    message.update(content.held(given))
    name_blocks(message.get("blocks"))


def delete(scene: Scene, given: Json) -> Json:
    channel, message = own_message(scene, given, "cant_delete_message")
    scene.workspace.remove(channel, message)
    scene.removed(channel, message)
    return {"channel": channel.id, "ts": message["ts"]}


def get_permalink(scene: Scene, given: Json) -> Json:
    channel = visible(scene, given["channel"])
    message = channel.find(given["message_ts"])
    if message is None:
        raise SlackError("message_not_found")
    digits = message["ts"].replace(".", "")
    link = f"https://{DOMAIN}.slack.com/archives/{channel.id}/p{digits}"
    if message.get("thread_ts") not in (None, message["ts"]):
        link += f"?thread_ts={message['thread_ts']}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


# --- reactions ----------------------------------------------------------------------------------------------------


def _reacted_to(scene: Scene, given: Json) -> tuple[Channel, Json]:
    channel = visible(scene, given["channel"])
    message = channel.find(given["timestamp"])
    if message is None:
        raise SlackError("message_not_found")
    return channel, message


def _emoji(given: Json) -> str:
    name = str(given.get("name") or "")
    if not _EMOJI.fullmatch(name):
        raise SlackError("invalid_name")
    return name


def add(scene: Scene, given: Json) -> Json:
    channel, message = _reacted_to(scene, given)
    name = _emoji(given)
    if not add_reaction(message, BOT_USER, name):
        raise SlackError("already_reacted")
    scene.reacted(channel, message, BOT_USER, name, on=True)
    return {}


def remove(scene: Scene, given: Json) -> Json:
    channel, message = _reacted_to(scene, given)
    name = _emoji(given)
    if not take_reaction(message, BOT_USER, name):
        raise SlackError("no_reaction")
    scene.reacted(channel, message, BOT_USER, name, on=False)
    return {}


def get(scene: Scene, given: Json) -> Json:
    channel, message = _reacted_to(scene, given)
    return {"type": "message", "channel": channel.id, "message": _public(message)}


def _public(message: Json) -> Json:
    return {key: value for key, value in message.items() if key != "metadata"}


# --- pins ---------------------------------------------------------------------------------------------------------


def _pinned(scene: Scene, given: Json) -> tuple[Channel, str]:
    channel = inside(scene, given["channel"])
    if not given.get("timestamp"):
        raise SlackError("no_item_specified")
    if channel.find(given["timestamp"]) is None:
        raise SlackError("message_not_found")
    return channel, given["timestamp"]


def pin(scene: Scene, given: Json) -> Json:
    channel, ts = _pinned(scene, given)
    if ts in channel.pins:
        raise SlackError("already_pinned")
    if len(channel.pins) >= PINS_MAX:
        raise SlackError("too_many_pins")
    channel.pins.append(ts)
    return {}


def unpin(scene: Scene, given: Json) -> Json:
    channel, ts = _pinned(scene, given)
    if ts not in channel.pins:
        raise SlackError("no_pin")
    channel.pins.remove(ts)
    return {}


def pins(scene: Scene, given: Json) -> Json:
    channel = inside(scene, given["channel"])
    found: list[Any] = [(ts, channel.find(ts)) for ts in channel.pins]
    items = [
        {"type": "message", "channel": channel.id, "message": _public(message)}
        for _, message in found
        if message is not None
    ]
    return {"items": items}


METHODS = {
    "chat.postMessage": post_message,
    "chat.postEphemeral": post_ephemeral,
    "chat.update": update,
    "chat.delete": delete,
    "chat.getPermalink": get_permalink,
    "reactions.add": add,
    "reactions.remove": remove,
    "reactions.get": get,
    "pins.add": pin,
    "pins.remove": unpin,
    "pins.list": pins,
}
