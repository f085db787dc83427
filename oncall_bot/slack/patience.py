"""One more try when Slack asks to wait: answers to people, which no outbox carries.

Knows `Retry-After` and how long an answer is still worth having. Refuses to wait in the way of anything: it is called
from tasks of their own. Serves the talk, the pane and cards.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from oncall_bot.slack.refusals import NETWORK, delivery_error

log = structlog.get_logger(__name__)

TRIES, WAIT_MAX = 4, 60.0
FIRST_WAIT = 1.0


async def patiently(call: Callable[[], Awaitable[Any]], what: str) -> Any:
    """Slack's answer, or None when it refused for good or the waiting would be too long; that is written down."""
    wait = FIRST_WAIT
    for attempt in range(TRIES):
        try:
            return await call()
        except NETWORK as error:
            failure = delivery_error(error)
            wait = failure.retry_after or wait * 2
            if failure.permanent or attempt == TRIES - 1 or wait > WAIT_MAX:
                log.warning("slack_answer_not_sent", what=what, error=str(failure)[:200])
                return None
        await asyncio.sleep(wait)
    return None
