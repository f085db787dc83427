"""Events to the bot: only those its manifest subscribes to and its scopes let through, sent again when not taken.

Knows Slack's event envelope and its three redeliveries (at once, after 1 min, after 5 min of practice time). Refuses to
know what happened. Serves scene.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable

from oncall_bot.practice.slack.answers import Json
from oncall_bot.practice.slack.app import APP_ID, BOT_USER, TEAM_ID, SlackApp
from oncall_bot.practice.slack.calls import EVENT_SCOPES
from oncall_bot.practice.slack.wire import LATE, Ack, Wire

AGAIN_AFTER = (0.0, 60.0, 300.0)
Wait = Callable[[float], Awaitable[object]]


class Events:
    """`wait` sleeps so many seconds of practice time."""

    def __init__(self, app: SlackApp, wire: Wire, wait: Wait = asyncio.sleep) -> None:
        self._app = app
        self._wire = wire
        self._wait = wait
        self._sending: set[asyncio.Task[Ack]] = set()

    def send(self, event: Json, name: str, seconds: int) -> None:
        """Send it in the background, if this bot hears of such events. `name` as a manifest lists it."""
        scopes = EVENT_SCOPES.get(name, ())
        heard = name in self._app.events and (not scopes or self._app.scopes.intersection(scopes))
        if not heard or not self._wire.known:
            return
        task = asyncio.get_running_loop().create_task(self._deliver(self._callback(event, seconds)))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    @staticmethod
    def _callback(event: Json, seconds: int) -> Json:
        installed = {
            "enterprise_id": None,
            "team_id": TEAM_ID,
            "user_id": BOT_USER,
            "is_bot": True,
            "is_enterprise_install": False,
        }
        return {
            "token": "deprecated-verification-token",
            "team_id": TEAM_ID,
            "context_team_id": TEAM_ID,
            "api_app_id": APP_ID,
            "event": event,
            "type": "event_callback",
            "event_id": "Ev" + secrets.token_hex(5).upper(),
            "event_time": seconds,
            "authorizations": [installed],
            "is_ext_shared_channel": False,
            "event_context": "4-" + secrets.token_hex(8),
        }

    async def _deliver(self, callback: Json) -> Ack:
        ack = await self._wire.deliver("events_api", callback)
        for attempt, delay in enumerate(AGAIN_AFTER, start=1):
            if ack.error is None or not ack.retry:
                break
            await self._wait(delay)
            reason = "http_timeout" if ack.error == LATE else "http_error"
            ack = await self._wire.deliver("events_api", callback, attempt, reason)
        return ack

    def forget(self) -> None:
        """Stop sending what is under way."""
        for task in list(self._sending):
            task.cancel()

    async def settled(self) -> None:
        """Wait until nothing is under way."""
        while self._sending:
            await asyncio.wait(set(self._sending))

    async def close(self) -> None:
        tasks = list(self._sending)
        self.forget()
        await asyncio.gather(*tasks, return_exceptions=True)
