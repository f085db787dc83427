"""Presses, choices, forms and shortcuts as Slack tells the bot of them, and what the bot's acknowledgement does.

Knows the payloads of interactivity. Refuses to judge whether the person may press: gestures has. Serves gestures.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from oncall_bot.practice.slack import elements
from oncall_bot.practice.slack.answers import Json, SlackError
from oncall_bot.practice.slack.app import APP_ID, BOT_ID, DOMAIN, TEAM_ID
from oncall_bot.practice.slack.element_shapes import OPTION
from oncall_bot.practice.slack.rules import list_of
from oncall_bot.practice.slack.scene import Scene
from oncall_bot.practice.slack.views import View, checked
from oncall_bot.practice.slack.wire import Ack, Wire
from oncall_bot.practice.slack.workspace import Channel

OPTIONS_MAX = 100
TROUBLE = "The bot's answer could not be shown: {}."


class Interactions:
    def __init__(self, scene: Scene, wire: Wire) -> None:
        self._scene = scene
        self._wire = wire

    # --- pressing -----------------------------------------------------------------------------------------------

    async def press_in_message(
        self, user: str, channel: Channel, message: Json, block: Json, element: Json, wanted: Any
    ) -> Ack:
        """A button or menu of a message. The message goes along as the person saw it."""
        state = elements.state_of(element, wanted)
        key = (channel.id, message["ts"], user)
        if element["type"] not in elements.PRESSED:
            values = self._scene.picked.setdefault(key, {})
            values.setdefault(block["block_id"], {})[element["action_id"]] = state
        values = self._scene.picked.get(key, {})
        container: Json = {
            "type": "message",
            "message_ts": message["ts"],
            "channel_id": channel.id,
            "is_ephemeral": "to" in message,
        }
        if "thread_ts" in message:
            container["thread_ts"] = message["thread_ts"]
        reply = message.get("thread_ts") not in (None, message["ts"])
        thread = message["thread_ts"] if reply else None
        hook = self._scene.tickets.hook(channel.id, user, message["ts"], thread)
        payload = {
            "type": "block_actions",
            "container": container,
            "channel": {"id": channel.id, "name": channel_name(channel)},
            "message": {key: value for key, value in message.items() if key != "to"},
            "state": {
                "values": _merged(elements.start_values(message.get("blocks") or []), values)
            },
            "response_url": f"{self._scene.base_url()}/response/{hook}",
            "actions": [self._action(block, element, state)],
        }
        return await self._send(user, payload)

    async def press_in_view(
        self, user: str, view: View, block: Json, element: Json, wanted: Any
    ) -> Ack:
        offered = view.offered.get((block["block_id"], element["action_id"]), ())
        state = elements.state_of(element, wanted, offered)
        if element["type"] not in elements.PRESSED:
            view.values.setdefault(block["block_id"], {})[element["action_id"]] = state
        payload = {
            "type": "block_actions",
            "container": {"type": "view", "view_id": view.id},
            "view": self._shown(view),
            "actions": [self._action(block, element, state)],
        }
        return await self._send(user, payload, view.id)

    def _action(self, block: Json, element: Json, state: Json) -> Json:
        action = {
            "action_id": element["action_id"],
            "block_id": block["block_id"],
            "action_ts": self._scene.workspace.new_ts(),
            **state,
        }
        if isinstance(element.get("text"), dict):
            action["text"] = element["text"]
        return action

    async def suggest(
        self, user: str, where: Json, view: View | None, block: Json, element: Json, typed: str
    ) -> tuple[Ack, list[Json]]:
        """The options an app offers for what was typed so far in an external select."""
        payload = {
            "type": "block_suggestion",
            "action_id": element["action_id"],
            "block_id": block["block_id"],
            "value": typed,
            **where,
        }
        if view is not None:
            payload |= {
                "container": {"type": "view", "view_id": view.id},
                "view": self._shown(view),
            }
        ack = await self._send(user, payload, trigger=False)
        offered = ack.json.get("options")
        groups = ack.json.get("option_groups")
        if offered is None and isinstance(groups, list):
            offered = [one for group in groups for one in group.get("options") or ()]
        if ack.error is None and [*list_of(OPTION, OPTIONS_MAX)(offered, "/options")]:
            return Ack(ack.ms, error="The bot offered no list that Slack could show."), []
        options = offered if isinstance(offered, list) else []
        if view is not None:
            view.offered[(block["block_id"], element["action_id"])] = options
        return ack, options

    # --- forms --------------------------------------------------------------------------------------------------

    async def submit(self, user: str, view: View) -> tuple[Ack, str | None]:
        """Send a filled form; the acknowledgement closes, changes or corrects it."""
        payload = {"type": "view_submission", "view": self._shown(view), "response_urls": []}
        ack = await self._send(user, payload, view.id)
        if ack.error is not None or not view.open:
            return ack, ack.error
        view.errors = {}
        try:
            self._obey(view, ack.json)
        except SlackError as error:
            why = "; ".join(error.messages) or error.error
            return ack, TROUBLE.format(why)
        finally:
            self._scene.show_modal(view.owner)
        return ack, None

    def _obey(self, view: View, said: Json) -> None:
        """What `response_action` asks for; without one the form closes."""
        action = said.get("response_action")
        views = self._scene.views
        match action:
            case None:
                views.close(view)
            case "clear":
                views.clear(view.owner)
            case "update":
                views.replace(view, checked(said.get("view"), "modal"))
            case "push":
                views.push(view.owner, checked(said.get("view"), "modal"), view)
            case "errors":
                view.errors = _errors(view, said.get("errors"))
            case _:
                raise SlackError("unknown response_action")

    async def closed(self, user: str, view: View) -> Ack | None:
        """Tell an app that asked to know; None when it did not."""
        if not view.shown.get("notify_on_close"):
            return None
        payload = {"type": "view_closed", "view": self._shown(view), "is_cleared": False}
        return await self._send(user, payload, trigger=False)

    # --- shortcuts ----------------------------------------------------------------------------------------------

    async def shortcut(
        self, user: str, callback_id: str, channel: Channel | None, message: Json | None
    ) -> Ack:
        payload: Json = {"type": "shortcut", "callback_id": callback_id}
        payload["action_ts"] = self._scene.workspace.new_ts()
        if channel is not None and message is not None:
            hook = self._scene.tickets.hook(channel.id, user)
            payload |= {
                "type": "message_action",
                "message": message,
                "message_ts": message["ts"],
                "channel": {"id": channel.id, "name": channel_name(channel)},
                "response_url": f"{self._scene.base_url()}/response/{hook}",
            }
        return await self._send(user, payload)

    # --- sending ------------------------------------------------------------------------------------------------

    async def _send(
        self, user: str, payload: Json, view_id: str | None = None, *, trigger: bool = True
    ) -> Ack:
        name = self._scene.workspace.name_of(user)
        whole = {
            "team": {"id": TEAM_ID, "domain": DOMAIN},
            "enterprise": None,
            "is_enterprise_install": False,
            "api_app_id": APP_ID,
            "token": "deprecated-verification-token",
            "user": {"id": user, "username": name, "name": name, "team_id": TEAM_ID},
            **payload,
        }
        if trigger:
            whole["trigger_id"] = self._scene.tickets.trigger(user, view_id)
        return await self._wire.deliver("interactive", whole)

    @staticmethod
    def _shown(view: View) -> Json:
        shown = copy.deepcopy(view.shown)
        shown["bot_id"] = BOT_ID
        shown["state"] = {"values": _merged(elements.start_values(shown["blocks"]), view.values)}
        return shown


def channel_name(channel: Channel) -> str:
    """The name that payloads carry; conversations without one have Slack's stand-in."""
    return {"im": "directmessage", "group": "privategroup"}.get(channel.kind, channel.name)


def _merged(start: Json, chosen: Mapping[str, Json]) -> Json:
    values = copy.deepcopy(start)
    for block_id, states in chosen.items():
        values.setdefault(block_id, {}).update(copy.deepcopy(states))
    return values


def _errors(view: View, errors: Any) -> dict[str, str]:
    inputs = {block["block_id"] for block in view.shown["blocks"] if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors or set(errors) - inputs:
        raise SlackError("errors must name input blocks of the form")
    return {str(block_id): str(text) for block_id, text in errors.items()}
