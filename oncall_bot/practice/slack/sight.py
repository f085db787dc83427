"""What a person sees and can reach, and the one line they are told when they cannot.

Knows channels, messages and views from one person's seat. Refuses to change anything. Serves gestures.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oncall_bot.practice.slack.answers import Json, Refused
from oncall_bot.practice.slack.scene import Scene
from oncall_bot.practice.slack.showing import may_see
from oncall_bot.practice.slack.views import View
from oncall_bot.practice.slack.workspace import Channel

Gesture = Mapping[str, Any]


def seen_channel(scene: Scene, user: str, gesture: Gesture) -> Channel:
    channel = scene.workspace.channels.get(str(gesture.get("channel")))
    if channel is None or not may_see(channel, user):
        raise Refused("There is no such channel.")
    return channel


def joined_channel(scene: Scene, user: str, gesture: Gesture) -> Channel:
    channel = seen_channel(scene, user, gesture)
    if user not in channel.members:
        raise Refused(f"Join #{channel.name} first.")
    if channel.archived:
        raise Refused(f"#{channel.name} is archived.")
    return channel


def seen_message(scene: Scene, user: str, gesture: Gesture) -> tuple[Channel, Json]:
    """A message of a channel one is in, whispers to this person included."""
    channel = joined_channel(scene, user, gesture)
    for message in channel.messages:
        if message["ts"] == gesture.get("ts") and message.get("to", user) == user:
            return channel, message
    raise Refused("The message is no longer there.")


def own_message(scene: Scene, user: str, gesture: Gesture) -> tuple[Channel, Json]:
    channel, message = seen_message(scene, user, gesture)
    if message["user"] != user:
        raise Refused("Only one's own messages can be changed.")
    return channel, message


def thread_of(channel: Channel, gesture: Gesture) -> str | None:
    """The parent's ts of the thread the gesture means, also when a reply was named; None at top level."""
    ts = gesture.get("thread_ts")
    if not ts:
        return None
    message = channel.find(ts)
    if message is None:
        raise Refused("The thread is no longer there.")
    return str(message.get("thread_ts") or message["ts"])


def open_view(scene: Scene, user: str, gesture: Gesture) -> View | None:
    """The modal or Home that the gesture means; None when it means a message."""
    if gesture.get("home"):
        found = scene.views.homes.get(user)
    elif gesture.get("view"):
        found = scene.views.find(gesture["view"])
    else:
        return None
    if found is None or found.owner != user or not found.open:
        raise Refused("That is no longer open.")
    return found


def text_in(gesture: Gesture, name: str, longest: int) -> str:
    """A text of the gesture, free of half characters."""
    text = gesture.get(name)
    if not isinstance(text, str):
        raise Refused(f"The gesture needs a text in {name!r}.")
    if len(text) > longest:
        raise Refused(f"That is too long: {len(text)} characters of at most {longest}.")
    return text.encode(errors="replace").decode()
