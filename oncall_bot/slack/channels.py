"""Channel names as ids, and the bot inside them: asked once, remembered for a while.

Knows conversations.list, join and open. Refuses to know messages. Serves sender.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from oncall_bot.ports import DeliveryError
from oncall_bot.slack.refusals import NETWORK, error_of

log = structlog.get_logger(__name__)

PAGES_MAX, PAGE_SIZE = 50, 1000
AGAIN_AFTER = 60.0
"""Seconds before a name that was not found is looked for again: the list is a slow method (tier 2)."""


class Channels:
    """Where a message goes: `#name`, `C...` or `U...` made into the id of a conversation."""

    def __init__(self, client: AsyncWebClient, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._by_name: dict[str, str] = {}
        self._outside: set[str] = set()  # public channels the bot has not joined
        self._dms: dict[str, str] = {}
        self._listed_at: float | None = None
        self._asking = asyncio.Lock()

    async def id_of(self, channel: str, *, join: bool = True) -> str:
        """The conversation's id. A user id opens the direct message; a name is looked up and joined if public."""
        if is_user(channel):
            return await self._dm(channel)
        if is_conversation(channel):
            return channel
        name = channel.lstrip("#").casefold()
        found = self._by_name.get(name) or await self._listed(name)
        if found is None:
            raise DeliveryError(
                f"Slack has no channel #{name} that the bot can see; create it or invite the bot",
                permanent=True,
            )
        if join:
            await self._join(found)
        return found

    def forget(self, channel: str) -> None:
        """A conversation Slack no longer knows under this id."""
        self._by_name = {name: cid for name, cid in self._by_name.items() if cid != channel}
        self._dms = {user: cid for user, cid in self._dms.items() if cid != channel}

    async def join(self, channel: str) -> bool:
        """Whether the bot could step into that public channel."""
        self._outside.add(channel)
        await self._join(channel)
        return channel not in self._outside

    async def _dm(self, user: str) -> str:
        if user not in self._dms:
            answer = await self._client.conversations_open(users=user)
            self._dms[user] = str(answer["channel"]["id"])
        return self._dms[user]

    async def _listed(self, name: str) -> str | None:
        async with self._asking:
            if name in self._by_name:
                return self._by_name[name]
            now = self._clock()
            if self._listed_at is None or now - self._listed_at >= AGAIN_AFTER:
                await self._list()
                self._listed_at = now
            return self._by_name.get(name)

    async def _list(self) -> None:
        cursor = ""
        for _ in range(PAGES_MAX):
            answer = await self._client.conversations_list(
                types="public_channel,private_channel",
                exclude_archived=True,
                limit=PAGE_SIZE,
                cursor=cursor,
            )
            for channel in answer["channels"]:
                self._by_name[str(channel["name"]).casefold()] = channel["id"]
                if not channel.get("is_member") and not channel.get("is_private"):
                    self._outside.add(channel["id"])
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return

    async def _join(self, channel: str) -> None:
        if channel not in self._outside:
            return
        try:
            await self._client.conversations_join(channel=channel)
        except SlackApiError as error:
            log.warning("slack_join_refused", channel=channel, error=error_of(error))
            return
        except NETWORK:
            return
        self._outside.discard(channel)


def is_user(channel: str) -> bool:
    return _is_id(channel, "UW")


def is_conversation(channel: str) -> bool:
    return _is_id(channel, "CDG")


def _is_id(text: str, first: str) -> bool:
    return (
        len(text) >= 8 and text[0] in first and text.isascii() and text.isalnum() and text.isupper()
    )
