"""The practice workspace's people, channels, direct messages and user groups, and what is said in them.

Knows who is where, message timestamps, threads and reactions. Refuses to know who is told of a change, and what the
bot may do. Time comes from outside. Serves everything in this folder.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from oncall_bot.practice.slack.answers import Json
from oncall_bot.practice.slack.app import APP_ID, BOT_ID, BOT_USER, TEAM_ID, SlackApp
from oncall_bot.practice.slack.people import UPDATED, ChannelSeed, Person

MESSAGES_MAX = 2000
"""Messages kept for one channel; the oldest go first."""


@dataclass(slots=True)
class Channel:
    """`kind` as events name it: channel, group (private), im, mpim. `read` holds each member's last read ts."""

    id: str
    name: str
    kind: str
    members: list[str]
    created: int
    creator: str = ""
    topic: str = ""
    purpose: str = ""
    archived: bool = False
    messages: list[Json] = field(default_factory=list)
    pins: list[str] = field(default_factory=list)
    read: dict[str, str] = field(default_factory=dict)

    @property
    def hidden(self) -> bool:
        """Whether only its members know of it."""
        return self.kind != "channel"

    def find(self, ts: Any) -> Json | None:
        """A message everybody here can see."""
        return next((m for m in self.messages if m["ts"] == ts and "to" not in m), None)

    def said(self) -> list[Json]:
        """What everybody here can see, oldest first."""
        return [message for message in self.messages if "to" not in message]

    def thread(self, ts: Any) -> list[Json]:
        return [m for m in self.said() if m["ts"] == ts or m.get("thread_ts") == ts]


@dataclass(slots=True)
class Usergroup:
    id: str
    handle: str
    users: list[str]
    updated: int


class Workspace:
    """All of it, as it is now. Ids of the seed are the same after every start."""

    def __init__(
        self,
        app: SlackApp,
        people: Sequence[Person],
        channels: Sequence[ChannelSeed],
        now: Callable[[], datetime],
    ) -> None:
        self.app = app
        self.now = now
        self.people = {person.id: person for person in people}
        _check_ids(people)
        self.channels: dict[str, Channel] = {}
        self.usergroups: dict[str, Usergroup] = {}
        self._count = 0
        self._last_ts = 0
        for seed in channels:
            members = [self.named(handle).id for handle in seed.members]
            kind = "group" if seed.private else "channel"
            self.add_channel(seed.name, kind, members).topic = seed.topic
        for person in people:
            self.add_channel("", "im", [person.id, BOT_USER], channel_id="D" + person.id[1:])

    # --- ids and time -------------------------------------------------------------------------------------------

    def new_id(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}0PR{self._count:07d}"

    def new_ts(self) -> str:
        """A message's moment, which is its name as well: never the same twice."""
        self._last_ts = max(int(self.now().timestamp() * 1_000_000), self._last_ts + 1)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def seconds(self) -> int:
        return int(self.now().timestamp())

    def go_on_from(self, before: Workspace) -> None:
        """Use no timestamp that an earlier workspace used."""
        self._last_ts = before._last_ts

    # --- people and channels ------------------------------------------------------------------------------------

    def named(self, handle: str) -> Person:
        """Somebody by handle; KeyError when nobody has it."""
        for person in self.people.values():
            if person.name == handle:
                return person
        raise KeyError(handle)

    def known(self, user_id: str) -> bool:
        return user_id in self.people or user_id == BOT_USER

    def name_of(self, user_id: str) -> str:
        return self.people[user_id].name if user_id in self.people else self.app.name

    def channel_named(self, name: str) -> Channel | None:
        found = (c for c in self.channels.values() if c.name and c.name == name.removeprefix("#"))
        return next(found, None)

    def add_channel(
        self,
        name: str,
        kind: str,
        members: Iterable[str],
        *,
        creator: str = "",
        channel_id: str | None = None,
    ) -> Channel:
        channel_id = channel_id or self.new_id("D" if kind == "im" else "C")
        unique = list(dict.fromkeys(members))
        channel = Channel(channel_id, name, kind, unique, self.seconds(), creator)
        self.channels[channel_id] = channel
        return channel

    def direct(self, one: str, other: str) -> Channel:
        """The direct message between two, made when it does not exist."""
        for channel in self.channels.values():
            if channel.kind == "im" and set(channel.members) == {one, other}:
                return channel
        return self.add_channel("", "im", [one, other])

    def group_direct(self, members: Sequence[str]) -> Channel:
        """The direct message of several, the bot among them."""
        everybody = {*members, BOT_USER}
        for channel in self.channels.values():
            if channel.kind == "mpim" and set(channel.members) == everybody:
                return channel
        names = "--".join(sorted(map(self.name_of, members)))
        return self.add_channel(f"mpdm-{names}-1", "mpim", [*members, BOT_USER])

    def add_usergroup(self, handle: str, users: Iterable[str]) -> Usergroup:
        group = Usergroup(self.new_id("S"), handle, list(users), self.seconds())
        self.usergroups[group.id] = group
        return group

    # --- messages -----------------------------------------------------------------------------------------------

    def add_message(self, channel: Channel, user: str, text: str, **more: Any) -> Json:
        """Say something; fields given as None are left out. A reply is counted on its parent."""
        message: Json = {
            "type": "message",
            "user": user,
            "text": text,
            "ts": self.new_ts(),
            "team": TEAM_ID,
        }
        if user == BOT_USER:
            message |= self._as_bot()
        message |= {key: value for key, value in more.items() if value is not None}
        name_blocks(message.get("blocks"))
        for attached in message.get("attachments", ()):
            name_blocks(attached.get("blocks"))
        channel.messages.append(message)
        del channel.messages[:-MESSAGES_MAX]
        parent = channel.find(message.get("thread_ts"))
        if parent is not None and "to" not in message:
            _count_reply(parent, message)
        if user in self.people and "to" not in message:
            channel.read[user] = message["ts"]
        return message

    def _as_bot(self) -> Json:
        profile = {
            "id": BOT_ID,
            "app_id": APP_ID,
            "user_id": BOT_USER,
            "name": self.app.name,
            "icons": {},
            "deleted": False,
            "updated": UPDATED,
            "team_id": TEAM_ID,
        }
        return {"bot_id": BOT_ID, "app_id": APP_ID, "bot_profile": profile}

    def edit(self, message: Json, user: str) -> None:
        message["edited"] = {"user": user, "ts": self.new_ts()}

    def remove(self, channel: Channel, message: Json) -> None:
        """Take it away; a parent counts one reply less."""
        channel.messages.remove(message)
        if message["ts"] in channel.pins:
            channel.pins.remove(message["ts"])
        parent = channel.find(message.get("thread_ts"))
        if parent is not None and parent is not message:
            replies = [m for m in channel.thread(parent["ts"]) if m is not parent]
            _recount(parent, replies)


def _check_ids(people: Sequence[Person]) -> None:
    """Apps tell ids from names by their shape, so a seed's ids must look like Slack's."""
    if odd := [one.id for one in people if not re.fullmatch(r"[UW][A-Z0-9]{7,20}", one.id)]:
        raise ValueError(f"not the id of a Slack user: {odd[0]!r}")
    for what in ({one.id for one in people}, {one.name for one in people}):
        if len(what) < len(people):
            raise ValueError("two people have the same id or handle")


def name_blocks(blocks: Any) -> None:
    """Give every block without a `block_id`, and what can be pressed without an `action_id`, one, as Slack does."""
    for block in blocks or ():
        block.setdefault("block_id", secrets.token_urlsafe(4)[:5])
        held = (
            block.get("elements") or () if block["type"] in {"actions", "context_actions"} else ()
        )
        for element in (*held, block.get("accessory"), block.get("element")):
            if element and element["type"] != "image":
                element.setdefault("action_id", secrets.token_urlsafe(4)[:5])


def _count_reply(parent: Json, reply: Json) -> None:
    if parent is reply:
        return
    parent["thread_ts"] = parent["ts"]
    parent["reply_count"] = parent.get("reply_count", 0) + 1
    parent["reply_users"] = list(dict.fromkeys([*parent.get("reply_users", ()), reply["user"]]))
    parent["reply_users_count"] = len(parent["reply_users"])
    parent["latest_reply"] = reply["ts"]
    reply["parent_user_id"] = parent["user"]


def _recount(parent: Json, replies: Sequence[Json]) -> None:
    if not replies:
        for key in ("thread_ts", "reply_count", "reply_users", "reply_users_count", "latest_reply"):
            parent.pop(key, None)
        return
    parent["reply_count"] = len(replies)
    parent["reply_users"] = list(dict.fromkeys(reply["user"] for reply in replies))
    parent["reply_users_count"] = len(parent["reply_users"])
    parent["latest_reply"] = replies[-1]["ts"]


def add_reaction(message: Json, user: str, name: str) -> bool:
    """Whether it was new."""
    reactions: list[Json] = message.setdefault("reactions", [])
    entry = next((one for one in reactions if one["name"] == name), None)
    if entry is None:
        entry = {"name": name, "users": [], "count": 0}
        reactions.append(entry)
    if user in entry["users"]:
        return False
    entry["users"].append(user)
    entry["count"] += 1
    return True


def take_reaction(message: Json, user: str, name: str) -> bool:
    """Whether there was one to take back."""
    reactions: list[Json] = message.get("reactions", [])
    entry = next((one for one in reactions if one["name"] == name and user in one["users"]), None)
    if entry is None:
        return False
    entry["users"].remove(user)
    entry["count"] -= 1
    if not entry["users"]:
        reactions.remove(entry)
    return True
