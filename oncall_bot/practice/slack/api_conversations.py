"""`conversations.*`: channels and direct messages, who is in them, and what was said there.

Knows each method's promises and refusals. Serves api.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from oncall_bot.practice.slack.answers import Json, SlackError
from oncall_bot.practice.slack.app import BOT_USER
from oncall_bot.practice.slack.reach import (
    OF_KIND,
    conversation,
    inside,
    missing_scope,
    need,
    need_for,
    paged,
    visible,
)
from oncall_bot.practice.slack.scene import Scene
from oncall_bot.practice.slack.workspace import Channel

NAME_MAX, TOPIC_MAX, INVITE_MAX, GROUP_MAX = 80, 250, 100, 8
_KIND_OF = {"public_channel": "channel", "private_channel": "group", "im": "im", "mpim": "mpim"}
_TS = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?")


def list_(scene: Scene, given: Json) -> Json:
    found = [conversation(scene, c) for c in _listed(scene, given)]
    return paged(found, given, "channels")


def mine(scene: Scene, given: Json) -> Json:
    """users.conversations: those of the list that somebody (the bot, unless named) is in."""
    user = given.get("user") or BOT_USER
    if not scene.workspace.known(user):
        raise SlackError("user_not_found")
    found = [conversation(scene, c) for c in _listed(scene, given) if user in c.members]
    return paged(found, given, "channels")


def _listed(scene: Scene, given: Json) -> list[Channel]:
    types = (given.get("types") or "public_channel").split(",")
    kinds = {_KIND_OF.get(one.strip()) for one in types}
    if None in kinds:
        raise SlackError("invalid_types")
    lacking = [
        scope for k in kinds if k and (scope := f"{OF_KIND[k]}:read") not in scene.app.scopes
    ]
    if lacking:
        raise missing_scope(scene.app, lacking)
    return [
        channel
        for channel in scene.workspace.channels.values()
        if channel.kind in kinds
        and not (channel.hidden and BOT_USER not in channel.members)
        and not (given.get("exclude_archived") and channel.archived)
    ]


def info(scene: Scene, given: Json) -> Json:
    channel = visible(scene, given["channel"])
    need_for(scene.app, channel, "read")
    counted = bool(given.get("include_num_members"))
    return {"channel": conversation(scene, channel, counted=counted)}


def members(scene: Scene, given: Json) -> Json:
    channel = visible(scene, given["channel"])
    need_for(scene.app, channel, "read")
    return paged(channel.members, given, "members")


def join(scene: Scene, given: Json) -> Json:
    channel = visible(scene, given["channel"])
    if channel.hidden:
        raise SlackError("method_not_supported_for_channel_type")
    if channel.archived:
        raise SlackError("is_archived")
    if BOT_USER in channel.members:
        warned = {"warnings": ["already_in_channel"]}
        shown = conversation(scene, channel)
        return {"channel": shown, "warning": "already_in_channel", "response_metadata": warned}
    scene.joined(channel, BOT_USER)
    return {"channel": conversation(scene, channel)}


def open_(scene: Scene, given: Json) -> Json:
    wanted = given.get("channel")
    channel = visible(scene, wanted) if wanted else _direct(scene, given.get("users") or [])
    shown = conversation(scene, channel) if given.get("return_im") else {"id": channel.id}
    return {"channel": shown}


def _direct(scene: Scene, users: list[str]) -> Channel:
    if not users:
        raise SlackError("users_list_not_supplied")
    if len(users) > GROUP_MAX:
        raise SlackError("too_many_users")
    if not all(map(scene.workspace.known, users)):
        raise SlackError("user_not_found")
    need(scene.app, "im:write" if len(users) == 1 else "mpim:write")
    if len(users) == 1:
        return scene.workspace.direct(users[0], BOT_USER)
    channel = scene.workspace.group_direct(users)
    scene.show_channel_to_all(channel)
    return channel


def create(scene: Scene, given: Json) -> Json:
    name = given.get("name")
    if error := name_error(name):
        raise SlackError(error)
    assert isinstance(name, str)
    if scene.workspace.channel_named(name):
        raise SlackError("name_taken")
    private = bool(given.get("is_private"))
    need(scene.app, "groups:write" if private else "channels:manage")
    channel = scene.workspace.add_channel(
        name, "group" if private else "channel", [BOT_USER], creator=BOT_USER
    )
    scene.show_channel_to_all(channel)
    about = {"id": channel.id, "name": name, "created": channel.created, "creator": BOT_USER}
    scene.emit({"type": "channel_created", "channel": about}, "channel_created")
    return {"channel": conversation(scene, channel, counted=False)}


def name_error(name: object) -> str | None:
    """1 to 80 characters: lower case letters of any script, digits, hyphens and underscores."""
    if not isinstance(name, str) or not name:
        return "invalid_name_required"
    if len(name) > NAME_MAX:
        return "invalid_name_maxlength"
    if re.fullmatch(r"[-_.]+", name):
        return "invalid_name_punctuation"
    if name != name.lower() or re.search(r"[^\w-]", name):
        return "invalid_name_specials"
    return None


def invite(scene: Scene, given: Json) -> Json:
    channel = inside(scene, given["channel"])
    users = given["users"]
    if not users:
        raise SlackError("no_user")
    if len(users) > INVITE_MAX:
        raise SlackError.of("invalid_arguments", [("/users", "up to 100 users")])
    errors = [
        {"user": user, "ok": False, "error": why}
        for user in users
        if (why := _not_invited(scene, channel, user))
    ]
    if errors and not given.get("force"):
        raise SlackError(str(errors[0]["error"]), errors=errors)
    for user in users:
        if user in scene.workspace.people and user not in channel.members:
            scene.joined(channel, user, BOT_USER)
    shown = {"channel": conversation(scene, channel)}
    return {**shown, "errors": errors} if errors else shown


def _not_invited(scene: Scene, channel: Channel, user: str) -> str | None:
    if user == BOT_USER:
        return "cant_invite_self"
    if user not in scene.workspace.people:
        return "user_not_found"
    return "already_in_channel" if user in channel.members else None


def set_topic(scene: Scene, given: Json) -> Json:
    channel = inside(scene, given["channel"])
    channel.topic = _short(given["topic"])
    scene.show_channel_to_all(channel)
    return {"channel": conversation(scene, channel), "topic": channel.topic}


def set_purpose(scene: Scene, given: Json) -> Json:
    channel = inside(scene, given["channel"])
    channel.purpose = _short(given["purpose"])
    return {"channel": conversation(scene, channel), "purpose": channel.purpose}


def _short(text: str) -> str:
    if len(text) > TOPIC_MAX:
        raise SlackError("too_long")
    return text


def archive(scene: Scene, given: Json) -> Json:
    channel = visible(scene, given["channel"])
    if channel.archived:
        raise SlackError("already_archived")
    if channel.name == "general":
        raise SlackError("cant_archive_general")
    if BOT_USER not in channel.members:
        raise SlackError("not_in_channel")
    channel.archived = True
    scene.show_channel_to_all(channel)
    return {}


# --- what was said ------------------------------------------------------------------------------------------------


def history(scene: Scene, given: Json) -> Json:
    """Newest first; replies only when they were broadcast to the channel."""
    channel = visible(scene, given["channel"])
    need_for(scene.app, channel, "history")
    if BOT_USER not in channel.members:
        raise SlackError("not_in_channel")
    within = _span(given)
    found = [
        _told(message, given)
        for message in reversed(channel.said())
        if within(message["ts"]) and _stands_alone(message)
    ]
    page = paged(found, given, "messages")
    return {**page, "has_more": bool(page["response_metadata"]["next_cursor"]), "pin_count": 0}


def replies(scene: Scene, given: Json) -> Json:
    """The parent and its replies, oldest first."""
    channel = visible(scene, given["channel"])
    need_for(scene.app, channel, "history")
    thread = channel.thread(given["ts"])
    if not thread:
        raise SlackError("thread_not_found")
    within = _span(given)
    parent = thread[0]["ts"]
    found = [_told(m, given) for m in thread if m["ts"] == parent or within(m["ts"])]
    page = paged(found, given, "messages", 1000)
    return {**page, "has_more": bool(page["response_metadata"]["next_cursor"])}


def _stands_alone(message: Json) -> bool:
    reply = message.get("thread_ts", message["ts"]) != message["ts"]
    return not reply or message.get("subtype") == "thread_broadcast"


def _told(message: Json, given: Json) -> Json:
    """Metadata only for those who ask for it."""
    if given.get("include_all_metadata"):
        return message
    return {key: value for key, value in message.items() if key != "metadata"}


def _span(given: Json) -> Callable[[Any], bool]:
    """Whether a ts lies between `oldest` and `latest`; the edges count with `inclusive`."""
    low, high = (_instant(given, name) for name in ("oldest", "latest"))
    inclusive = bool(given.get("inclusive"))

    def within(ts: Any) -> bool:
        at = float(ts)
        if inclusive and at in (low, high):
            return True
        return (low is None or at > low) and (high is None or at < high)

    return within


def _instant(given: Json, name: str) -> float | None:
    text = given.get(name)
    if not text:
        return None
    if not _TS.fullmatch(text):
        raise SlackError(f"invalid_ts_{name}")
    return float(text)


METHODS = {
    "conversations.list": list_,
    "conversations.info": info,
    "conversations.members": members,
    "conversations.join": join,
    "conversations.open": open_,
    "conversations.create": create,
    "conversations.invite": invite,
    "conversations.setTopic": set_topic,
    "conversations.setPurpose": set_purpose,
    "conversations.archive": archive,
    "conversations.history": history,
    "conversations.replies": replies,
    "users.conversations": mine,
}
