"""What Slack's errors mean for a message: try again, wait, give up, or send it plainer.

Knows the error words (reference: docs.slack.dev, method pages). Refuses to act on them. Serves sender and directory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError

from oncall_bot.ports import DeliveryError

PLAINER = frozenset(
    {
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_attachments",
        "invalid_arguments",
        "invalid_metadata_format",
        "metadata_too_large",
        "msg_too_long",
        "msg_blocks_too_long",
        "block_mismatch",
        "too_many_attachments",
        "view_too_large",
    }
)
POST_ANEW = frozenset(
    {"message_not_found", "cant_update_message", "edit_window_closed", "thread_not_found"}
)
TOKEN = frozenset(
    {
        "token_revoked",
        "token_expired",
        "account_inactive",
        "invalid_auth",
        "not_authed",
        "org_login_required",
        "ekm_access_denied",
        "team_access_not_granted",
    }
)
TEMPORARY = frozenset(
    {
        "internal_error",
        "fatal_error",
        "service_unavailable",
        "request_timeout",
        "team_added_to_org",
        "accesslimited",
        "rate_limited",
        "ratelimited",
        "message_limit_exceeded",
    }
)
_WHY = {
    "channel_not_found": "Slack has no such channel, or the bot is not in it",
    "not_in_channel": "the bot is not in that channel",
    "is_archived": "that channel is archived",
    "user_not_found": "Slack has no such user",
    "users_not_found": "Slack has no such user",
    "user_disabled": "that Slack user is deactivated",
    "cannot_dm_bot": "that Slack user is a bot",
    "messages_tab_disabled": "that person's messages tab is off",
    "restricted_action": "the workspace does not let the bot post there",
    "restricted_action_read_only_channel": "that channel is read-only",
    "missing_scope": "the Slack app lacks a permission; install it again from the manifest",
}


def error_of(error: SlackApiError) -> str:
    """Slack's word for what went wrong, `http_500` and the like when it said none."""
    response: Any = error.response
    try:
        said = response.get("error")
    except (AttributeError, ValueError, TypeError):
        said = None
    return str(said) if said else f"http_{_status(response)}"


def _status(response: Any) -> int:
    status = getattr(response, "status_code", 0)
    return status if isinstance(status, int) else 0


def delivery_error(error: Exception) -> DeliveryError:
    """The failure as the engine must treat it. Token and network troubles are never permanent: they pass."""
    if isinstance(error, DeliveryError):
        return error
    if isinstance(error, SlackApiError):
        return _of_api(error)
    if isinstance(error, TimeoutError | asyncio.TimeoutError):
        return DeliveryError("Slack gave no answer in time")
    if isinstance(error, aiohttp.ClientError | OSError | SlackClientError):
        return DeliveryError(f"Slack could not be reached ({type(error).__name__})")
    raise error


def _of_api(error: SlackApiError) -> DeliveryError:
    word, status = error_of(error), _status(error.response)
    if status == 429 or word in {"ratelimited", "rate_limited", "message_limit_exceeded"}:
        wait = _retry_after(getattr(error.response, "headers", None) or {})
        return DeliveryError("Slack asks to wait", retry_after=wait, rate_limited=True)
    if status >= 500 or word in TEMPORARY or word.startswith("http_"):
        return DeliveryError(f"Slack has trouble ({word})")
    if word in TOKEN:
        return DeliveryError(f"Slack refuses the bot's token ({word})")
    return DeliveryError(f"Slack refused: {_WHY.get(word, word)}", permanent=True)


def _retry_after(headers: Mapping[str, Any]) -> float:
    """Seconds from the header, in any spelling of its name; 1 to 300."""
    said: Any = next((value for name, value in headers.items() if name.lower() == "retry-after"), 1)
    first: Any = said[0] if isinstance(said, list | tuple) and said else said
    try:
        return min(max(float(first), 1.0), 300.0)
    except (TypeError, ValueError):
        return 1.0


NETWORK = (SlackClientError, aiohttp.ClientError, TimeoutError, OSError)
"""What a call of slack_sdk may raise."""
