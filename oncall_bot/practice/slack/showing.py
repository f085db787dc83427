"""What one person may see, as JSON for the practice page.

Knows the page's shapes and who may see what. Refuses to change anything. Serves the whole state and the feed's events.
"""

from __future__ import annotations

from typing import Any

from oncall_bot.practice.slack.answers import Json
from oncall_bot.practice.slack.app import BOT_USER, TEAM_NAME
from oncall_bot.practice.slack.files import for_page
from oncall_bot.practice.slack.views import View, Views
from oncall_bot.practice.slack.workspace import Channel, Workspace

SHOWN_MAX = 300
KINDS = {"channel": "channel", "group": "private", "mpim": "private", "im": "dm"}
_HIDDEN = {"metadata", "to", "team", "app_id", "bot_profile", "client_msg_id"}
_VIEW = ("id", "type", "callback_id", "title", "submit", "close", "blocks", "state", "hash")


def may_see(channel: Channel, viewer: str) -> bool:
    """Public channels are open to everybody, as in Slack; the rest to members."""
    return not channel.hidden or viewer in channel.members


def viewers(workspace: Workspace, channel: Channel) -> frozenset[str]:
    return frozenset(person for person in workspace.people if may_see(channel, person))


def message_of(channel: Channel, message: Json) -> Json:
    said = {key: value for key, value in message.items() if key not in _HIDDEN}
    said["channel"] = channel.id
    if "files" in said:
        said["files"] = [for_page(file) for file in said["files"]]
    if "to" in message:
        said["ephemeral"] = True
    return said


def gone(channel: Channel, message: Json) -> Json:
    """A message that is no longer there."""
    said = {"channel": channel.id, "ts": message["ts"], "user": message["user"], "text": ""}
    if "thread_ts" in message:
        said["thread_ts"] = message["thread_ts"]
    return {**said, "deleted": True}


def channel_of(workspace: Workspace, channel: Channel, viewer: str) -> Json:
    """A channel as this person's list shows it; a direct message names the other one in `with`."""
    said: Json = {
        "id": channel.id,
        "name": channel.name,
        "kind": KINDS[channel.kind],
        "topic": channel.topic,
        "member": viewer in channel.members,
        "members": len(channel.members),
        "bot": BOT_USER in channel.members,
        "archived": channel.archived,
        "unread": unread(channel, viewer),
    }
    if channel.kind == "im":
        others = [one for one in channel.members if one != viewer] or [viewer]
        said["with"] = others[0]
        said["name"] = workspace.name_of(others[0])
    return said


def unread(channel: Channel, viewer: str) -> int:
    """Messages since this person last looked, top level and replies alike; their own do not count."""
    if viewer not in channel.members:
        return 0
    last = channel.read.get(viewer, "")
    new = (m for m in channel.messages if m["ts"] > last and m.get("to", viewer) == viewer)
    return sum(message["user"] != viewer for message in new)


def view_of(view: View | None) -> Json | None:
    if view is None:
        return None
    said = {key: view.shown.get(key) for key in _VIEW}
    if view.errors:
        said["errors"] = dict(view.errors)
    return said


def home_of(view: View | None) -> Json | None:
    if view is None:
        return None
    return {"id": view.id, "blocks": view.shown["blocks"], "state": view.shown["state"]}


def state_of(workspace: Workspace, views: Views, viewer: str) -> Json:
    """Everything this person's page needs of Slack."""
    app = workspace.app
    seen = [c for c in workspace.channels.values() if may_see(c, viewer)]
    command = app.commands[0] if app.commands else None
    return {
        "me": viewer,
        "bot": BOT_USER,
        "team": TEAM_NAME,
        "command": {
            "name": command.name,
            "hint": command.hint,
            "description": command.description,
        }
        if command
        else None,
        "shortcuts": [
            {"callback_id": s.callback_id, "name": s.name, "description": s.description}
            for s in app.shortcuts
            if not s.on_message
        ],
        "people": people_of(workspace),
        "channels": [channel_of(workspace, channel, viewer) for channel in seen],
        "messages": {channel.id: messages_of(channel, viewer) for channel in seen},
        "view": view_of(views.top(viewer)),
        "home": home_of(views.homes.get(viewer)),
    }


def messages_of(channel: Channel, viewer: str) -> list[Json]:
    """The newest messages of a channel, oldest first, with what is whispered to this person."""
    mine = [m for m in channel.messages if m.get("to", viewer) == viewer]
    return [message_of(channel, message) for message in mine[-SHOWN_MAX:]]


def people_of(workspace: Workspace) -> list[Json]:
    people: list[dict[str, Any]] = [
        {
            "id": person.id,
            "name": person.name,
            "real_name": person.real_name,
            "title": person.title,
            "zone": person.zone,
            "bot": False,
        }
        for person in workspace.people.values()
    ]
    name = workspace.app.name
    bot = {"id": BOT_USER, "name": name, "real_name": name, "title": "", "zone": "UTC", "bot": True}
    return [*people, bot]
