"""What people do in the practice Slack: post, press, fill in, react, look. One method a gesture.

Knows what Slack's own client lets a person do, and says in one line what it does not. Refuses to know the bot's side
of a press: interactions does. Serves the page and the stories.
"""

from __future__ import annotations

import base64
import binascii
import copy
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from oncall_bot.practice.slack import elements, responses
from oncall_bot.practice.slack.answers import Json, Refused
from oncall_bot.practice.slack.app import APP_ID, BOT_USER, DOMAIN, TEAM_ID
from oncall_bot.practice.slack.files import FILE_MAX, shown
from oncall_bot.practice.slack.interactions import Interactions, channel_name
from oncall_bot.practice.slack.scene import Scene
from oncall_bot.practice.slack.sight import (
    joined_channel,
    open_view,
    own_message,
    seen_channel,
    seen_message,
    text_in,
    thread_of,
)
from oncall_bot.practice.slack.typed import wire_form
from oncall_bot.practice.slack.views import View
from oncall_bot.practice.slack.wire import Ack, Wire
from oncall_bot.practice.slack.workspace import Channel, add_reaction, take_reaction

TEXT_MAX, COMMAND_MAX = 12_000, 8_000
Gesture = Callable[[str, Mapping[str, Any]], Awaitable[Json]]


class Gestures:
    """Every gesture takes the person's id and the gesture's fields, and returns what became of it."""

    def __init__(self, scene: Scene, wire: Wire) -> None:
        self._scene = scene
        self._wire = wire
        self._interactions = Interactions(scene, wire)
        self._gestures: Mapping[str, Gesture] = {
            "post": self._post,
            "mention": self._mention,
            "slash": self._slash,
            "click": self._click,
            "suggest": self._suggest,
            "submit": self._submit,
            "close_view": self._close_view,
            "shortcut": self._shortcut,
            "react": self._react,
            "edit": self._edit,
            "delete": self._delete,
            "upload": self._upload,
            "open_home": self._open_home,
            "open_dm": self._open_dm,
            "read": self._read,
            "join": self._join,
            "leave": self._leave,
            "invite": self._invite,
        }

    async def act(self, gesture: Mapping[str, Any]) -> Json:
        """Do it. `{"ok": true}` with what came of it; `error` when the bot did not do its part."""
        user, do = str(gesture.get("as")), str(gesture.get("do"))
        if user not in self._scene.workspace.people:
            raise Refused("Nobody of that name is in this workspace.")
        found = self._gestures.get(do)
        if found is None:
            raise Refused("Nobody can do that here.")
        return {"ok": True, **await found(user, gesture)}

    # --- talking ------------------------------------------------------------------------------------------------

    async def _post(self, user: str, gesture: Mapping[str, Any]) -> Json:
        channel = joined_channel(self._scene, user, gesture)
        text = text_in(gesture, "text", TEXT_MAX).strip()
        if not text:
            raise Refused("An empty message cannot be sent.")
        said = wire_form(self._scene.workspace, text)
        message = self._scene.workspace.add_message(
            channel,
            user,
            said,
            thread_ts=thread_of(channel, gesture),
            client_msg_id=self._scene.workspace.new_id("m"),
        )
        self._scene.posted(channel, message)
        return {"ts": message["ts"], "channel": channel.id}

    async def _mention(self, user: str, gesture: Mapping[str, Any]) -> Json:
        text = f"<@{BOT_USER}> {text_in(gesture, 'text', TEXT_MAX)}"
        return await self._post(user, {**gesture, "text": text})

    async def _slash(self, user: str, gesture: Mapping[str, Any]) -> Json:
        channel = joined_channel(self._scene, user, gesture)
        name, _, rest = text_in(gesture, "text", COMMAND_MAX).strip().partition(" ")
        command = self._scene.app.command(name)
        if command is None or "commands" not in self._scene.app.scopes:
            raise Refused(f"{name[:60] or '/'} is not a command here.")
        rest = rest.strip()
        if command.should_escape:
            rest = wire_form(self._scene.workspace, rest, named=True)
        key = self._scene.tickets.hook(channel.id, user)
        payload = {
            "token": "deprecated-verification-token",
            "team_id": TEAM_ID,
            "team_domain": DOMAIN,
            "channel_id": channel.id,
            "channel_name": channel_name(channel),
            "user_id": user,
            "user_name": self._scene.workspace.name_of(user),
            "command": command.name,
            "text": rest,
            "api_app_id": APP_ID,
            "is_enterprise_install": "false",
            "response_url": f"{self._scene.base_url()}/response/{key}",
            "trigger_id": self._scene.tickets.trigger(user),
        }
        ack = await self._wire.deliver("slash_commands", payload)
        if ack.error is not None:
            return _outcome(ack)
        hook = self._scene.tickets.hook_of(key)
        return _outcome(ack, responses.with_ack(self._scene, hook, ack.body))

    # --- pressing -----------------------------------------------------------------------------------------------

    async def _click(self, user: str, gesture: Mapping[str, Any]) -> Json:
        self._needs_interactivity()
        wanted = gesture.get("selected")
        block_id, action_id = gesture.get("block_id"), gesture.get("action_id")
        view = open_view(self._scene, user, gesture)
        if view is not None:
            block, element = elements.find(view.shown["blocks"], block_id, action_id)
            ack = await self._interactions.press_in_view(user, view, block, element, wanted)
            return _outcome(ack)
        channel, message = seen_message(self._scene, user, gesture)
        block, element = elements.find(_blocks(message), block_id, action_id)
        ack = await self._interactions.press_in_message(
            user, channel, message, block, element, wanted
        )
        return _outcome(ack)

    async def _suggest(self, user: str, gesture: Mapping[str, Any]) -> Json:
        """What an external select offers for `query`."""
        self._needs_interactivity()
        view = open_view(self._scene, user, gesture)
        where: Json = {}
        blocks = view.shown["blocks"] if view else []
        if view is None:
            channel, message = seen_message(self._scene, user, gesture)
            blocks = _blocks(message)
            container = {"type": "message", "message_ts": message["ts"], "channel_id": channel.id}
            named = {"id": channel.id, "name": channel_name(channel)}
            where = {"container": container, "channel": named, "message": message}
        block, element = elements.find(blocks, gesture.get("block_id"), gesture.get("action_id"))
        if "external_select" not in element["type"]:
            raise Refused("That list has its choices already.")
        typed = text_in(gesture, "query", 200) if gesture.get("query") else ""
        ack, options = await self._interactions.suggest(user, where, view, block, element, typed)
        return {**_outcome(ack), "options": options}

    def _needs_interactivity(self) -> None:
        if not self._scene.app.interactive:
            raise Refused("This app has no interactivity in its manifest.")

    # --- forms --------------------------------------------------------------------------------------------------

    async def _submit(self, user: str, gesture: Mapping[str, Any]) -> Json:
        view = open_view(self._scene, user, gesture)
        if view is None or view.shown["type"] != "modal":
            raise Refused("No form is open.")
        self._fill(view, gesture.get("values") or {})
        ack, problem = await self._interactions.submit(user, view)
        outcome = _outcome(ack, problem)
        return {**outcome, "errors": dict(view.errors)} if view.errors else outcome

    def _fill(self, view: View, values: Any) -> None:
        """Type into the form, and refuse what Slack's client refuses, before anything is sent."""
        if not isinstance(values, Mapping):
            raise Refused("The values of a form are given by block and action.")
        filled = copy.deepcopy(view.values)
        inputs = {b["block_id"]: (b, e) for b, e in elements.interactive(view.shown["blocks"])}
        unknown = sorted(set(values) - set(inputs))
        if unknown:
            raise Refused(f"The form has no field {unknown[0][:60]!r}.")
        for block_id, (block, element) in inputs.items():
            if block["type"] != "input":
                continue
            action_id = element["action_id"]
            given = values.get(block_id)
            offered = view.offered.get((block_id, action_id), ())
            if isinstance(given, Mapping) and action_id in given:
                wanted = "" if given[action_id] is None else given[action_id]
                state = _emptied(element) if wanted in ("", []) else None
                state = state or elements.state_of(element, wanted, offered)
            else:
                kept = filled.get(block_id, {}).get(action_id)
                state = kept or elements.state_of(element, None)
            elements.check_input(block, element, state)
            filled.setdefault(block_id, {})[action_id] = state
        view.shown["state"] = {"values": filled}

    async def _close_view(self, user: str, gesture: Mapping[str, Any]) -> Json:
        view = open_view(self._scene, user, gesture)
        if view is None or view.shown["type"] != "modal":
            raise Refused("No form is open.")
        self._scene.views.close(view)
        self._scene.show_modal(user)
        ack = await self._interactions.closed(user, view)
        return _outcome(ack) if ack else {}

    async def _shortcut(self, user: str, gesture: Mapping[str, Any]) -> Json:
        shortcut = self._scene.app.shortcut(str(gesture.get("callback_id")))
        if shortcut is None:
            raise Refused("This app has no such shortcut.")
        channel: Channel | None = None
        message: Json | None = None
        if shortcut.on_message:
            channel, message = seen_message(self._scene, user, gesture)
        ack = await self._interactions.shortcut(user, shortcut.callback_id, channel, message)
        return _outcome(ack)

    # --- messages -----------------------------------------------------------------------------------------------

    async def _react(self, user: str, gesture: Mapping[str, Any]) -> Json:
        channel, message = seen_message(self._scene, user, gesture)
        if "to" in message:
            raise Refused("A message only you can see takes no reactions.")
        name = str(gesture.get("name") or "").strip(":")
        if not name or len(name) > 100:
            raise Refused("Which emoji?")
        on = not gesture.get("off")
        change = add_reaction if on else take_reaction
        if change(message, user, name):
            self._scene.reacted(channel, message, user, name, on=on)
        return {}

    async def _edit(self, user: str, gesture: Mapping[str, Any]) -> Json:
        channel, message = own_message(self._scene, user, gesture)
        text = text_in(gesture, "text", TEXT_MAX).strip()
        if not text:
            raise Refused("An empty message cannot be sent.")
        before = copy.deepcopy(message)
        message["text"] = wire_form(self._scene.workspace, text)
        self._scene.workspace.edit(message, user)
        self._scene.changed(channel, message, before)
        return {}

    async def _delete(self, user: str, gesture: Mapping[str, Any]) -> Json:
        channel, message = own_message(self._scene, user, gesture)
        self._scene.workspace.remove(channel, message)
        self._scene.removed(channel, message)
        return {}

    async def _upload(self, user: str, gesture: Mapping[str, Any]) -> Json:
        """`content` is text, or base64 with `encoding: "base64"`."""
        channel = joined_channel(self._scene, user, gesture)
        name = text_in(gesture, "name", 255).strip()
        data = _content(gesture)
        if not name or not data:
            raise Refused("A file needs a name and something in it.")
        workspace = self._scene.workspace
        file = self._scene.files.announce(
            workspace.new_id("F"), name, len(data), user, workspace.seconds()
        )
        file.content, file.shared = data, True
        message = workspace.add_message(
            channel,
            user,
            wire_form(workspace, str(gesture.get("text") or "")),
            subtype="file_share",
            upload=True,
            files=[shown(file, self._scene.base_url())],
            thread_ts=thread_of(channel, gesture),
        )
        self._scene.posted(channel, message)
        return {"ts": message["ts"], "channel": channel.id, "file": file.id}

    # --- places -------------------------------------------------------------------------------------------------

    async def _open_home(self, user: str, gesture: Mapping[str, Any]) -> Json:
        if not self._scene.app.home_tab:
            raise Refused("This app has no Home.")
        channel = self._scene.workspace.direct(user, BOT_USER)
        event: Json = {"type": "app_home_opened", "user": user, "channel": channel.id}
        event["tab"] = "home"
        home = self._scene.views.homes.get(user)
        if home is not None:
            event["view"] = copy.deepcopy(home.shown)
        self._scene.emit(event, "app_home_opened")
        return {}

    async def _open_dm(self, user: str, gesture: Mapping[str, Any]) -> Json:
        other = str(gesture.get("with"))
        if not self._scene.workspace.known(other):
            raise Refused("Nobody of that name is in this workspace.")
        channel = self._scene.workspace.direct(user, other)
        self._scene.show_channel_to_all(channel)
        if other == BOT_USER:
            event = {"type": "app_home_opened", "user": user, "channel": channel.id}
            self._scene.emit({**event, "tab": "messages"}, "app_home_opened")
        return {"channel": channel.id}

    async def _read(self, user: str, gesture: Mapping[str, Any]) -> Json:
        channel = seen_channel(self._scene, user, gesture)
        if channel.messages and user in channel.members:
            channel.read[user] = channel.messages[-1]["ts"]
            self._scene.show_channel(channel, user)
        return {}

    async def _join(self, user: str, gesture: Mapping[str, Any]) -> Json:
        channel = seen_channel(self._scene, user, gesture)
        if user not in channel.members:
            self._scene.joined(channel, user)
        return {}

    async def _leave(self, user: str, gesture: Mapping[str, Any]) -> Json:
        channel = joined_channel(self._scene, user, gesture)
        if channel.kind in {"im", "mpim"}:
            raise Refused("A direct message cannot be left.")
        channel.members.remove(user)
        self._scene.show_channel_to_all(channel)
        return {}

    async def _invite(self, user: str, gesture: Mapping[str, Any]) -> Json:
        """Bring a person, or the bot, into a channel one is in."""
        channel = joined_channel(self._scene, user, gesture)
        other = str(gesture.get("with"))
        if not self._scene.workspace.known(other):
            raise Refused("Nobody of that name is in this workspace.")
        if channel.kind in {"im", "mpim"}:
            raise Refused("Nobody can be added to a direct message.")
        if other in channel.members:
            raise Refused(f"{self._scene.workspace.name_of(other)} is in the channel already.")
        self._scene.joined(channel, other, inviter=user)
        return {}


def _outcome(ack: Ack, problem: str | None = None) -> Json:
    error = ack.error or problem
    return {"ack_ms": round(ack.ms)} | ({"error": error} if error else {})


def _blocks(message: Json) -> list[Json]:
    attached = [b for one in message.get("attachments") or () for b in one.get("blocks") or ()]
    return [*(message.get("blocks") or ()), *attached]


def _emptied(element: Json) -> Json:
    """The state of an input that a person cleared."""
    bare = {key: value for key, value in element.items() if not key.startswith("initial_")}
    return elements.state_of(bare, None)


def _content(gesture: Mapping[str, Any]) -> bytes:
    text = gesture.get("content")
    if not isinstance(text, str):
        raise Refused("A file needs a name and something in it.")
    if len(text) > FILE_MAX:
        raise Refused("The file is too large.")
    if gesture.get("encoding") != "base64":
        return text.encode(errors="replace")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Refused("The file did not arrive whole.") from None
