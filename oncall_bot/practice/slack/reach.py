"""What the bot can reach: the channels it may know of, those it is in, and the scopes each kind needs.

Knows Slack's codes for everything out of reach. Refuses to change anything. Serves the API's methods.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from oncall_bot.practice.slack.answers import Json, SlackError
from oncall_bot.practice.slack.app import BOT_USER, SlackApp
from oncall_bot.practice.slack.scene import Scene
from oncall_bot.practice.slack.workspace import Channel

OF_KIND: Mapping[str, str] = {"channel": "channels", "group": "groups", "im": "im", "mpim": "mpim"}
PAGE_MAX = 1000


def visible(scene: Scene, channel_id: Any) -> Channel:
    """A channel the bot may know of: hidden ones only when it is in them. By id, never by name."""
    channel = scene.workspace.channels.get(channel_id)
    if channel is None or (channel.hidden and BOT_USER not in channel.members):
        raise SlackError("channel_not_found")
    return channel


def inside(scene: Scene, channel_id: Any) -> Channel:
    """A channel the bot is in and may change."""
    channel = visible(scene, channel_id)
    if BOT_USER not in channel.members:
        raise SlackError("not_in_channel")
    if channel.archived:
        raise SlackError("is_archived")
    return channel


def need(app: SlackApp, scope: str) -> None:
    """A scope that this use of a method needs beyond the method's own."""
    if scope not in app.scopes:
        raise missing_scope(app, [scope])


def need_for(app: SlackApp, channel: Channel, right: str) -> None:
    """`right` is read or history: each kind of conversation has its own scope for it."""
    need(app, f"{OF_KIND[channel.kind]}:{right}")


def missing_scope(app: SlackApp, wanted: Sequence[str]) -> SlackError:
    return SlackError(
        "missing_scope", needed=",".join(wanted), provided=",".join(sorted(app.scopes))
    )


def target(scene: Scene, wanted: str) -> Channel:
    """Where chat.postMessage goes: a channel's id or name, or a user's id for their direct message."""
    if wanted in scene.workspace.people:
        return scene.workspace.direct(wanted, BOT_USER)
    if wanted not in scene.workspace.channels:
        named = scene.workspace.channel_named(wanted)
        wanted = named.id if named else wanted
    channel = visible(scene, wanted)
    if channel.archived:
        raise SlackError("is_archived")
    if BOT_USER not in channel.members and "chat:write.public" not in scene.app.scopes:
        raise SlackError("not_in_channel")
    return channel


def own_message(scene: Scene, given: Json, denied: str) -> tuple[Channel, Json]:
    """One of the bot's own messages by channel and ts."""
    channel = visible(scene, given["channel"])
    message = channel.find(given["ts"])
    if message is None:
        raise SlackError("message_not_found")
    if message["user"] != BOT_USER:
        raise SlackError(denied)
    return channel, message


def paged(items: Sequence[Any], given: Json, key: str, default: int = 100) -> Json:
    """One page under `key`, with the cursor of the next."""
    cursor = str(given.get("cursor") or "c0")
    if not (cursor[:1] == "c" and cursor[1:].isdigit() and len(cursor) < 10):
        raise SlackError("invalid_cursor")
    start, size = int(cursor[1:]), min(int(given.get("limit") or default), PAGE_MAX)
    if size < 1:
        raise SlackError("invalid_limit")
    more = start + size < len(items)
    after = {"next_cursor": f"c{start + size}" if more else ""}
    return {key: list(items[start : start + size]), "response_metadata": after}


def conversation(scene: Scene, channel: Channel, *, counted: bool = True) -> Json:
    """The conversation object as the bot sees it."""
    text = {"creator": channel.creator, "last_set": channel.created if channel.topic else 0}
    said: Json = {
        "id": channel.id,
        "name": channel.name,
        "name_normalized": channel.name,
        "created": channel.created,
        "creator": channel.creator,
        "is_channel": channel.kind == "channel",
        "is_group": channel.kind == "group",
        "is_im": channel.kind == "im",
        "is_mpim": channel.kind == "mpim",
        "is_private": channel.hidden,
        "is_archived": channel.archived,
        "is_general": channel.name == "general",
        "is_shared": False,
        "is_ext_shared": False,
        "is_org_shared": False,
        "is_member": BOT_USER in channel.members,
        "topic": {"value": channel.topic, **text},
        "purpose": {"value": channel.purpose, **text},
        "previous_names": [],
    }
    if channel.kind == "im":
        said["user"] = next((one for one in channel.members if one != BOT_USER), BOT_USER)
    if counted:
        said["num_members"] = len(channel.members)
    return said
