"""Each of Slack's errors leads to the right next step: wait, retry, give up, or send it plainer."""

from __future__ import annotations

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from oncall_bot.slack.refusals import delivery_error


class Answer(dict):  # type: ignore[type-arg]
    """The parts of slack_sdk's response that matter."""

    def __init__(self, status: int, headers: dict[str, str], **body: object) -> None:
        super().__init__(body)
        self.status_code, self.headers = status, headers


def refused(word: str | None, status: int = 200, **headers: str) -> SlackApiError:
    body = {"ok": False} | ({"error": word} if word else {})
    return SlackApiError("refused", Answer(status, headers, **body))  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    "word",
    [
        "channel_not_found",
        "is_archived",
        "user_disabled",
        "restricted_action",
        "missing_scope",
        "invalid_blocks",
    ],
)
def test_what_cannot_change_by_itself_is_permanent(word: str) -> None:
    assert delivery_error(refused(word)).permanent


@pytest.mark.parametrize(
    "error",
    [
        refused("internal_error"),
        refused("fatal_error"),
        refused("token_revoked"),
        refused("invalid_auth"),
        refused(None, 500),
        refused(None, 503),
        refused("something_new", 502),
        TimeoutError(),
        aiohttp.ClientConnectionError("reset"),
        ConnectionResetError(),
    ],
)
def test_what_passes_is_tried_again(error: Exception) -> None:
    found = delivery_error(error)
    assert not found.permanent
    assert not found.rate_limited


@pytest.mark.parametrize(
    ("header", "wait"), [("7", 7.0), ("0", 1.0), ("99999", 300.0), ("soon", 1.0)]
)
def test_slack_is_given_the_time_it_asks_for(header: str, wait: float) -> None:
    found = delivery_error(refused("ratelimited", 429, **{"Retry-After": header}))
    assert found.rate_limited
    assert not found.permanent
    assert found.retry_after == wait


def test_our_own_mistakes_are_not_hidden() -> None:
    with pytest.raises(ValueError, match="bug"):
        delivery_error(ValueError("bug"))
