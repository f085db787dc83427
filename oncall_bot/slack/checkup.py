"""Is Slack set up as the manifest asks? One look at both tokens, for doctor.

Knows auth.test, its header of granted scopes, the list of channels, and that an app-level token must open a socket.
Changes nothing in Slack.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from oncall_bot.ports import DeliveryError
from oncall_bot.slack.channels import Channels
from oncall_bot.slack.manifest import scopes
from oncall_bot.slack.refusals import NETWORK, error_of
from oncall_bot.slack.sender import web_client

WITHIN = 4.0


@dataclass(frozen=True, slots=True)
class SlackFound:
    """`missing` are scopes that the manifest asks for and Slack has not granted; None when it did not say.

    `unseen` are channels that Slack does not list for the bot; `said_at` is Slack's clock, as its answer told it.
    """

    workspace: str
    bot: str
    missing: tuple[str, ...] | None
    unseen: tuple[str, ...] = ()
    said_at: datetime | None = None


async def look(
    bot_token: str, api_url: str, app_token: str = "", channels: Sequence[str] = ()
) -> SlackFound:
    """Who the bot is there. DeliveryError says which token Slack refused, or that Slack did not answer."""
    try:
        async with asyncio.timeout(WITHIN):
            found = await _bot(bot_token, api_url)
            if app_token:
                await _socket(app_token, api_url)
            if channels and not found.missing:
                unseen = await _unseen(web_client(bot_token, api_url), channels)
                found = replace(found, unseen=unseen)
            return found
    except NETWORK as error:
        raise DeliveryError(f"Slack did not answer ({type(error).__name__})") from error


async def _bot(token: str, api_url: str) -> SlackFound:
    try:
        answer = await web_client(token, api_url).auth_test()
    except SlackApiError as error:
        raise DeliveryError(
            f"Slack refuses the bot token: {error_of(error)}", permanent=True
        ) from error
    given = {name.casefold(): value for name, value in dict(answer.headers).items()}
    granted = given.get("x-oauth-scopes")
    return SlackFound(
        workspace=str(answer.get("team") or ""),
        bot=str(answer.get("user") or ""),
        missing=None if granted is None else _missing(str(granted).split(",")),
        said_at=_instant(str(given.get("date") or "")),
    )


def _instant(date: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(date)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


async def _unseen(client: AsyncWebClient, channels: Sequence[str]) -> tuple[str, ...]:
    """Those of the channels that Slack does not know, or keeps from the bot."""
    directory = Channels(client)
    lost = []
    for channel in channels:
        try:
            await directory.id_of(channel, join=False)
        except DeliveryError:
            lost.append(channel)
    return tuple(lost)


def _missing(granted: Iterable[str]) -> tuple[str, ...]:
    have = {scope.strip() for scope in granted}
    return tuple(scope for scope in scopes() if scope not in have)


async def _socket(token: str, api_url: str) -> None:
    """An app-level token has no auth.test; whether it may open a socket is all there is to know."""
    web = web_client(token, api_url)
    try:
        await web.api_call("apps.connections.open")
    except SlackApiError as error:
        why = error_of(error)
        raise DeliveryError(f"Slack refuses the app token: {why}", permanent=True) from error
