"""Everything there is in the practice Slack, and who hears of each change: people by the feed, the bot by events.

Knows which event belongs to what. Refuses to judge whether somebody may do it; the API and the gestures have. Serves
both of them.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field

from oncall_bot.practice.feed import Feed
from oncall_bot.practice.slack import showing
from oncall_bot.practice.slack.answers import Json
from oncall_bot.practice.slack.app import BOT_USER, TEAM_ID, SlackApp
from oncall_bot.practice.slack.events import Events
from oncall_bot.practice.slack.files import Files
from oncall_bot.practice.slack.tickets import Tickets
from oncall_bot.practice.slack.views import Views
from oncall_bot.practice.slack.workspace import Channel, Workspace


@dataclass(slots=True)
class Scene:
    """`picked` holds what people chose in menus of messages: (channel, ts, person) -> state values."""

    app: SlackApp
    workspace: Workspace
    views: Views
    tickets: Tickets
    files: Files
    feed: Feed
    events: Events
    base_url: Callable[[], str]
    threads: dict[tuple[str, str], Json] = field(default_factory=dict)
    picked: dict[tuple[str, str, str], Json] = field(default_factory=dict)

    # --- messages -----------------------------------------------------------------------------------------------

    def posted(self, channel: Channel, message: Json) -> None:
        """A new message that everybody in the channel sees."""
        self._show(channel, message)
        parent = channel.find(message.get("thread_ts"))
        if parent is not None and parent is not message:
            self._show(channel, parent)
        for person in channel.members:
            if person != message["user"]:
                self.show_channel(channel, person)
        self._message_event(channel, message, copy.deepcopy(message), mentions=True)

    def whispered(self, channel: Channel, message: Json) -> None:
        """A message for one person only."""
        self._show(channel, message)

    def changed(self, channel: Channel, message: Json, before: Json) -> None:
        self._show(channel, message)
        if "to" not in message:
            event = {"subtype": "message_changed", "message": copy.deepcopy(message)}
            self._hidden_event(channel, {**event, "previous_message": before})

    def removed(self, channel: Channel, message: Json) -> None:
        """Already taken from the channel."""
        self.feed.publish(
            "message", showing.gone(channel, message), self._readers(channel, message)
        )
        parent = channel.find(message.get("thread_ts"))
        if parent is not None:
            self._show(channel, parent)
        if "to" not in message:
            event = {"subtype": "message_deleted", "deleted_ts": message["ts"]}
            self._hidden_event(channel, {**event, "previous_message": message})

    def reacted(self, channel: Channel, message: Json, user: str, name: str, *, on: bool) -> None:
        self._show(channel, message)
        if BOT_USER not in channel.members:
            return
        kind = "reaction_added" if on else "reaction_removed"
        item = {"type": "message", "channel": channel.id, "ts": message["ts"]}
        event = {"type": kind, "user": user, "reaction": name, "item": item}
        self.emit({**event, "item_user": message["user"]}, kind)

    def _show(self, channel: Channel, message: Json) -> None:
        shown = showing.message_of(channel, message)
        self.feed.publish("message", shown, self._readers(channel, message))

    def _readers(self, channel: Channel, message: Json) -> frozenset[str]:
        if "to" in message:
            return frozenset({message["to"]})
        return showing.viewers(self.workspace, channel)

    def _hidden_event(self, channel: Channel, what: Json) -> None:
        ts = self.workspace.new_ts()
        event = {"type": "message", "hidden": True, "ts": ts, "event_ts": ts, **what}
        self._message_event(channel, what.get("message") or what["previous_message"], event)

    def _message_event(
        self, channel: Channel, message: Json, event: Json, *, mentions: bool = False
    ) -> None:
        if BOT_USER not in channel.members:
            return
        event |= {"channel": channel.id, "channel_type": channel.kind}
        event.setdefault("event_ts", event["ts"])
        plural = channel.kind in {"channel", "group"}
        self.emit(event, f"message.{channel.kind}{'s' if plural else ''}")
        named = f"<@{BOT_USER}>" in message["text"] and message["user"] != BOT_USER
        if mentions and named and channel.kind != "im":
            mention = {key: value for key, value in event.items() if key != "channel_type"}
            self.emit({**mention, "type": "app_mention"}, "app_mention")

    def emit(self, event: Json, name: str) -> None:
        """An event to the bot, if it subscribes to such."""
        event.setdefault("event_ts", self.workspace.new_ts())
        self.events.send(event, name, self.workspace.seconds())

    # --- channels -----------------------------------------------------------------------------------------------

    def joined(self, channel: Channel, user: str, inviter: str | None = None) -> None:
        """Bring somebody in who was not there."""
        channel.members.append(user)
        if channel.messages:
            channel.read[user] = channel.messages[-1]["ts"]
        self.show_channel_to_all(channel)
        if channel.hidden and user in self.workspace.people:
            for shown in showing.messages_of(channel, user):
                self.feed.publish("message", shown, frozenset({user}))
        if BOT_USER in channel.members:
            kind = "G" if channel.kind == "group" else "C"
            event = {"type": "member_joined_channel", "user": user, "channel": channel.id}
            event |= {"team": TEAM_ID, "channel_type": kind}
            if inviter:
                event["inviter"] = inviter
            self.emit(event, "member_joined_channel")

    def show_channel_to_all(self, channel: Channel) -> None:
        for person in showing.viewers(self.workspace, channel):
            self.show_channel(channel, person)

    def show_channel(self, channel: Channel, person: str) -> None:
        if person in self.workspace.people:
            shown = showing.channel_of(self.workspace, channel, person)
            self.feed.publish("channel", shown, frozenset({person}))

    # --- views --------------------------------------------------------------------------------------------------

    def show_modal(self, owner: str) -> None:
        shown = showing.view_of(self.views.top(owner))
        self.feed.publish("view", {"view": shown}, frozenset({owner}))

    def show_home(self, owner: str) -> None:
        shown = showing.home_of(self.views.homes.get(owner)) or {"blocks": []}
        self.feed.publish("home", shown, frozenset({owner}))
