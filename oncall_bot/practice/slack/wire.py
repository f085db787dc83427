"""The line from Slack to the bot: Socket Mode envelopes or signed HTTP requests, each to be acknowledged in 3 s.

Knows sockets, signatures and acknowledgements. Refuses to know what the payloads mean, and any web framework: sockets
and the posting of requests are handed in. Serves events and people's gestures.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import random
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode

from oncall_bot.practice.slack.answers import Json
from oncall_bot.practice.slack.app import APP_ID

ACK_WITHIN, CLOSE_AFTER, SOCKETS_MAX = 3.0, 0.5, 10
NOT_CONNECTED = "The bot is not connected."
LATE = "The bot did not answer within 3 seconds."
AGENT = "Slackbot 1.0 (+https://api.slack.com/robots)"

Post = Callable[[str, bytes, dict[str, str]], Awaitable[tuple[int, str, str]]]
"""(address, body, headers) -> (status, body, X-Slack-No-Retry). OSError or TimeoutError when nobody answers."""


class Socket(Protocol):
    """One WebSocket, as far as it is needed here."""

    async def send_str(self, data: str) -> None: ...

    async def close(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class Ack:
    """What became of a delivery. `error` is None when it was acknowledged in time; `body` is what came with it."""

    ms: float
    body: Any = None
    error: str | None = None
    retry: bool = True

    @property
    def json(self) -> Json:
        return self.body if isinstance(self.body, dict) else {}


class Wire:
    """`request_url` chooses HTTP mode; without one the bot's sockets are used."""

    def __init__(
        self,
        *,
        signing_secret: str,
        request_url: str | None,
        post: Post,
        ack_within: float = ACK_WITHIN,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self.request_url = request_url
        self.sockets: list[Socket] = []
        self.connected_once = False
        self._signing_secret = signing_secret
        self._post = post
        self._ack_within = ack_within
        self._on_change = on_change
        self._came = asyncio.Event()
        self._closing: set[asyncio.Task[None]] = set()
        self._waiting: dict[str, asyncio.Future[Any]] = {}

    @property
    def known(self) -> bool:
        """Whether there was ever a bot to send events to."""
        return self.connected_once or self.request_url is not None

    # --- sockets ------------------------------------------------------------------------------------------------

    async def join(self, socket: Socket) -> bool:
        """Greet a new socket; False when there are too many, which it is told."""
        if len(self.sockets) >= SOCKETS_MAX:
            await socket.send_str(_goodbye("too_many_websockets"))
            return False
        self.sockets.append(socket)
        hello = {
            "type": "hello",
            "num_connections": len(self.sockets),
            "connection_info": {"app_id": APP_ID},
            "debug_info": {"host": "practice", "approximate_connection_time": 18060},
        }
        await socket.send_str(json.dumps(hello))
        self.connected_once = True
        self._came.set()
        self._on_change()
        return True

    def leave(self, socket: Socket) -> None:
        if socket in self.sockets:
            self.sockets.remove(socket)
            if not self.sockets:
                self._came.clear()
            self._on_change()

    def heard(self, frame: str) -> None:
        """A frame from the bot: an acknowledgement, or nothing that Slack knows."""
        try:
            said = json.loads(frame)
        except ValueError:
            return
        if isinstance(said, dict):
            waiting = self._waiting.pop(str(said.get("envelope_id")), None)
            if waiting is not None and not waiting.done():
                waiting.set_result(said.get("payload"))

    async def refresh(self, reason: str = "refresh_requested") -> None:
        """Ask every socket to come anew, as Slack does every few hours. They get nothing more; a little later they are
        closed, so that acknowledgements under way still arrive.
        """
        for socket in list(self.sockets):
            self.leave(socket)
            await socket.send_str(_goodbye(reason))
            later = asyncio.get_running_loop().create_task(_close_later(socket))
            self._closing.add(later)
            later.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """Wait for nothing more."""
        for task in list(self._closing):
            task.cancel()
        await asyncio.gather(*self._closing, return_exceptions=True)

    async def connected(self, within: float) -> bool:
        """Whether the bot can be reached within so many seconds; in HTTP mode it must answer a signed challenge."""
        try:
            async with asyncio.timeout(within):
                if self.request_url is None:
                    await self._came.wait()
                    return True
                while not await self._challenged():  # noqa: ASYNC110 - the bot tells nobody that it is up
                    await asyncio.sleep(0.1)
                return True
        except TimeoutError:
            return False

    async def _challenged(self) -> bool:
        challenge = secrets.token_hex(16)
        asked = {"type": "url_verification", "challenge": challenge, "token": "deprecated"}
        ack = await self.deliver("events_api", asked)
        if ack.error is None and challenge in str(ack.body):
            self.connected_once = True
            self._on_change()
            return True
        return False

    # --- delivering ---------------------------------------------------------------------------------------------

    async def deliver(self, kind: str, payload: Json, attempt: int = 0, reason: str = "") -> Ack:
        """Send it once. `kind`: events_api, interactive or slash_commands. Never raises for what the bot does."""
        started = time.monotonic()
        try:
            async with asyncio.timeout(self._ack_within):
                if self.request_url is None:
                    said = await self._by_socket(kind, payload, attempt, reason)
                    return Ack(_ms(started), said)
                status, text, no_retry = await self._by_http(kind, payload, attempt, reason)
        except TimeoutError:
            here = self.request_url is not None or self.sockets
            return Ack(_ms(started), error=LATE if here else NOT_CONNECTED)
        except OSError:
            return Ack(_ms(started), error=NOT_CONNECTED)
        if not 200 <= status < 300:
            said = f"The bot answered with status {status}."
            return Ack(_ms(started), error=said, retry=no_retry != "1")
        return Ack(_ms(started), _read(text))

    async def _by_socket(self, kind: str, payload: Json, attempt: int, reason: str) -> Any:
        while not self.sockets:
            await self._came.wait()
        envelope_id = secrets.token_hex(16)
        envelope: Json = {
            "envelope_id": envelope_id,
            "type": kind,
            "payload": payload,
            "accepts_response_payload": kind != "events_api",
        }
        if kind == "events_api":
            envelope |= {"retry_attempt": attempt, "retry_reason": reason}
        acked = asyncio.get_running_loop().create_future()
        self._waiting[envelope_id] = acked
        try:
            socket = random.choice(self.sockets)  # noqa: S311 - any of them may get it
            await socket.send_str(json.dumps(envelope))
            said = await acked
        finally:
            self._waiting.pop(envelope_id, None)
        return said if kind != "events_api" else None

    async def _by_http(
        self, kind: str, payload: Json, attempt: int, reason: str
    ) -> tuple[int, str, str]:
        assert self.request_url is not None
        headers = {"User-Agent": AGENT}
        if kind == "events_api":
            body = json.dumps(payload).encode()
            headers["Content-Type"] = "application/json"
            if attempt:
                headers |= {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": reason}
        else:
            form = payload if kind == "slash_commands" else {"payload": json.dumps(payload)}
            body = urlencode(form).encode()
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        return await self._post(self.request_url, body, headers | self.signature(body))

    def signature(self, body: bytes, at: float | None = None) -> dict[str, str]:
        """Slack's signing headers. The stamp is real time: the bot compares it with its own clock."""
        stamp = str(int(time.time() if at is None else at))
        base = b"v0:" + stamp.encode() + b":" + body
        digest = hmac.new(self._signing_secret.encode(), base, hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}


async def _close_later(socket: Socket) -> None:
    await asyncio.sleep(CLOSE_AFTER)
    await socket.close()


def _goodbye(reason: str) -> str:
    said = {"type": "disconnect", "reason": reason, "debug_info": {"host": "practice"}}
    return json.dumps(said)


def _ms(started: float) -> float:
    return round((time.monotonic() - started) * 1000, 1)


def _read(text: str) -> Any:
    if text[:1] in {"{", "["}:
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text or None
