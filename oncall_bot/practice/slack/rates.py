"""How often a method may be called: a bucket for each method, for chat.postMessage one for each channel.

Figures: reference of Slack's rate limits and its Java SDK; bursts are tolerated, as Slack does without promising it.
Measured in practice time, so that a sped-up clock does not throttle the bot. Pure; serves the API's door.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta

from oncall_bot.practice.slack.answers import Json
from oncall_bot.practice.slack.calls import Call, Tier

PER_MINUTE: Mapping[str, int] = {
    "chat.postMessage": 60,
    "auth.test": 600,
    "chat.getPermalink": 600,
    "assistant.threads.setStatus": 60,
}
BUCKET_OF: Mapping[str, str] = {
    "chat.postMessage": "channel",
    "assistant.threads.setStatus": "channel_id",
}
BURST: Mapping[str, int] = {"chat.postMessage": 3}
BURST_MIN = 5

Key = tuple[str, str]


class Rates:
    """Counts calls; after a refusal everything of that key is refused until its time is over."""

    def __init__(self) -> None:
        self._left: dict[Key, tuple[float, datetime]] = {}
        self._closed_until: dict[Key, datetime] = {}

    def wait(self, call: Call, arguments: Json, now: datetime) -> int:
        """Seconds the caller has to wait; 0 when the call may go on, which is then counted."""
        key = (call.name, str(arguments.get(BUCKET_OF.get(call.name, ""), "")))
        closed = self._closed_until.get(key)
        if closed and now < closed:
            return max(1, math.ceil((closed - now).total_seconds()))
        per_minute = PER_MINUTE[call.name] if call.tier is Tier.OWN else int(call.tier)
        burst = BURST.get(call.name, max(BURST_MIN, per_minute))
        left, at = self._left.get(key, (float(burst), now))
        left = min(burst, left + max(0.0, (now - at).total_seconds()) * per_minute / 60)
        if left < 1:
            wait = max(1, math.ceil((1 - left) * 60 / per_minute))
            self._left[key] = (left, now)
            self._closed_until[key] = now + timedelta(seconds=wait)
            return wait
        self._left[key] = (left - 1, now)
        return 0
