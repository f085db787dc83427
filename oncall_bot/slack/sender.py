"""Messages into Slack, each exactly where it belongs and found again after a doubt.

Knows posting, editing, Slack's refusals, and metadata by which an earlier try is recognised (Slack has no idempotency
key). Refuses to queue, to retry blindly and to know incidents. Serves engine's delivery as `ports.Chat`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from oncall_bot.ports import ChatMessage, Sent
from oncall_bot.slack.blocks import flattened, without_images
from oncall_bot.slack.channels import Channels
from oncall_bot.slack.refusals import NETWORK, PLAINER, POST_ANEW, delivery_error, error_of

log = structlog.get_logger(__name__)

CALL_MAX = 10
"""Seconds for one call of the Web API."""

LOOKUP_EARLIER = timedelta(seconds=90)
"""How far before the first try a match is looked for: Slack's clock and ours need not agree."""

LOOKUP_PAGES, LOOKUP_PAGE_SIZE = 4, 200
Observe = Callable[[str, str], None]


class SlackClient(AsyncWebClient):
    """slack_sdk's client, counting every call; it retries nothing: the engine decides what is sent again, and when."""

    def __init__(self, token: str, api_url: str, observe: Observe) -> None:
        super().__init__(token, base_url=api_url, timeout=CALL_MAX, retry_handlers=[])
        self._observe = observe

    async def api_call(self, api_method: str, **given: Any) -> AsyncSlackResponse:
        try:
            answer = await super().api_call(api_method, **given)
        except SlackApiError as error:
            self._observe(api_method, error_of(error))
            raise
        except (asyncio.CancelledError, *NETWORK) as error:
            self._observe(api_method, type(error).__name__)
            raise
        self._observe(api_method, "ok")
        return answer


def web_client(
    token: str, api_url: str, observe: Observe = lambda method, outcome: None
) -> SlackClient:
    """The one client of the process; `observe(method, outcome)` hears of every call."""
    return SlackClient(token, api_url, observe)


class SlackChat:
    """Posts, edits and uploads by the Web API, each call bounded in time."""

    def __init__(self, client: AsyncWebClient, channels: Channels | None = None) -> None:
        self._client = client
        self._channels = channels or Channels(client)

    async def put(self, message: ChatMessage, *, first_tried_at: datetime | None) -> Sent:
        """Post the message, or edit it when `ts` is set; a text beside a file stays the file's companion.

        With `first_tried_at` the message's key is looked for first and a match adopted. When the look-up itself
        fails the message is sent: a doubled page beats none.
        """
        try:
            channel = await self._channels.id_of(message.channel)
            sent = await self._put(message, channel, first_tried_at)
            if message.file is not None:
                await self._attach(message, channel, sent, first_tried_at)
            return sent
        except NETWORK as error:
            raise delivery_error(error) from error

    async def _put(self, message: ChatMessage, channel: str, tried: datetime | None) -> Sent:
        if message.ts is not None:
            edited = await self._edit(message, channel, message.ts)
            if edited is not None:
                return edited
        if tried is not None and (found := await self._sent_before(message, channel, tried)):
            return Sent(found, channel, "adopted")
        return await self._post(message, channel)

    # --- posting and editing ----------------------------------------------------------------------------------

    async def _post(self, message: ChatMessage, channel: str) -> Sent:
        async def post(text: str, blocks: Sequence[Mapping[str, Any]]) -> Any:
            return await self._client.chat_postMessage(
                channel=channel,
                text=text,
                blocks=[dict(block) for block in blocks] or None,
                thread_ts=message.thread_ts,
                metadata=_metadata(message),
                unfurl_links=False,
                unfurl_media=False,
            )

        try:
            answer = await self._or_plainer(message, post)
        except SlackApiError as error:
            if error_of(error) != "not_in_channel" or not await self._channels.join(channel):
                if error_of(error) in {"channel_not_found", "is_archived"}:
                    self._channels.forget(channel)
                raise
            answer = await self._or_plainer(message, post)
        return Sent(str(answer["ts"]), str(answer["channel"]), "posted")

    async def _edit(self, message: ChatMessage, channel: str, ts: str) -> Sent | None:
        """The edited message, or None when it is gone and has to be posted anew."""

        async def edit(text: str, blocks: Sequence[Mapping[str, Any]]) -> Any:
            return await self._client.chat_update(
                channel=channel,
                ts=ts,
                text=text,
                blocks=[dict(block) for block in blocks] or None,
                metadata=_metadata(message),
            )

        try:
            answer = await self._or_plainer(message, edit)
        except SlackApiError as error:
            if error_of(error) in POST_ANEW:
                log.info("slack_message_gone", channel=channel, ts=ts, error=error_of(error))
                return None
            raise
        return Sent(str(answer["ts"]), str(answer["channel"]), "edited")

    async def _or_plainer(
        self,
        message: ChatMessage,
        send: Callable[[str, Sequence[Mapping[str, Any]]], Awaitable[Any]],
    ) -> Any:
        """With blocks; when Slack refuses them, without pictures, then as plain text: no page is lost for its looks."""
        bare = without_images(message.blocks)
        pictured = bare != list(message.blocks)
        for blocks in (message.blocks, bare) if pictured else (message.blocks,):
            try:
                return await send(message.text, blocks)
            except SlackApiError as error:
                self._look_into(error, message)
        return await send(plain_form(message), ())

    def _look_into(self, error: SlackApiError, message: ChatMessage) -> None:
        """A refusal of the blocks is written down; every other one goes on up."""
        if error_of(error) not in PLAINER or not message.blocks:
            raise error
        log.error(
            "slack_blocks_refused",
            key=message.key,
            error=error_of(error),
            why=_messages(error),
            blocks=len(message.blocks),
        )

    # --- what was sent before -----------------------------------------------------------------------------------

    async def _sent_before(self, message: ChatMessage, channel: str, tried: datetime) -> str | None:
        """The ts of the message that carries this key, when an earlier try went through."""
        try:
            async for posted in self._since(channel, message.thread_ts, tried):
                metadata = posted.get("metadata") or {}
                if (metadata.get("event_payload") or {}).get("key") == message.key:
                    return str(posted["ts"])
        except NETWORK as error:
            log.warning("slack_lookup_failed", key=message.key, error=str(error)[:200])
        return None

    async def _since(
        self, channel: str, thread_ts: str | None, tried: datetime
    ) -> AsyncIterator[Mapping[str, Any]]:
        oldest = f"{(tried - LOOKUP_EARLIER).astimezone(UTC).timestamp():.6f}"
        cursor = ""
        for _ in range(LOOKUP_PAGES):
            asked: dict[str, Any] = {
                "channel": channel,
                "oldest": oldest,
                "limit": LOOKUP_PAGE_SIZE,
                "include_all_metadata": True,
            }
            if cursor:
                asked["cursor"] = cursor
            if thread_ts:
                replies = self._client.conversations_replies(ts=thread_ts, **asked)
                answer: Any = await replies
            else:
                history = self._client.conversations_history(**asked)
                answer = await history
            for posted in answer.get("messages") or ():
                yield posted
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return

    # --- files --------------------------------------------------------------------------------------------------

    async def _attach(
        self, message: ChatMessage, channel: str, sent: Sent, tried: datetime | None
    ) -> None:
        """The file into the message's thread, once: on a retry its name is looked for first."""
        thread = message.thread_ts or sent.provider_id
        name = message.file_name or "file.md"
        if tried is not None and await self._has_file(channel, thread, name, tried):
            return
        await self.upload(channel, message.file or b"", name, thread_ts=thread)

    async def _has_file(self, channel: str, thread: str, name: str, tried: datetime) -> bool:
        try:
            async for posted in self._since(channel, thread, tried):
                if any(file.get("name") == name for file in posted.get("files") or ()):
                    return True
        except NETWORK as error:
            log.warning("slack_lookup_failed", file=name, error=str(error)[:200])
        return False

    async def upload(
        self, channel: str, content: bytes, name: str, *, thread_ts: str | None = None
    ) -> None:
        """A file into a conversation (or, for a user id, their direct message). Slack shares it a moment later."""
        try:
            where = await self._channels.id_of(channel)
            call = self._client.files_upload_v2(
                channel=where, content=content, filename=name, title=name, thread_ts=thread_ts
            )
            await call
        except NETWORK as error:
            raise delivery_error(error) from error


def plain_form(message: ChatMessage) -> str:
    """The words of the message without its blocks, and how to answer without buttons."""
    words = flattened(message.blocks)
    return f"{message.text}\n{words}" if words else message.text


def _metadata(message: ChatMessage) -> dict[str, Any]:
    kind = "oncall_page" if message.key.startswith("page:") else "oncall_card"
    return {"event_type": kind, "event_payload": {"key": message.key}}


def _messages(error: SlackApiError) -> str:
    try:
        said = (error.response.get("response_metadata") or {}).get("messages") or []
    except (AttributeError, ValueError):
        return ""
    return "; ".join(str(one) for one in said)[:500]


class SlackDirectory:
    """Slack users by e-mail address."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client

    async def slack_id(self, email: str) -> str | None:
        """The user with that address, or None when Slack has none or they are deactivated."""
        try:
            answer: Any = await self._client.users_lookupByEmail(email=email)
        except SlackApiError as error:
            if error_of(error) in {"users_not_found", "user_not_found"}:
                return None
            raise delivery_error(error) from error
        except NETWORK as error:
            raise delivery_error(error) from error
        user = answer["user"]
        return None if user.get("deleted") else str(user["id"])
