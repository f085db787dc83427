"""As much of Slack as paging needs, on loopback: the Web API with history, metadata and limits, and Socket Mode.

Knows what a message is, where it lies, one message a second and channel with a short burst, and how Slack fails. It is
not strict about blocks: tools that are stand elsewhere. Serves the scenarios; the book is the ledger's.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

BURST = 3.0
TOKEN, APP_TOKEN = "xoxb-chaos", "xapp-1-chaos"
POSTS = frozenset({"chat.postMessage", "chat.update"})


@dataclass(slots=True)
class Posted:
    channel: str
    ts: str
    key: str
    text: str
    blocks: str
    thread_ts: str | None
    metadata: dict[str, Any]
    at: float
    edits: int = 0


@dataclass
class Slack:
    """`on_post` hears of every new message. `fault`: ok, 500, 429, silent, slow, lost_answer, or a word of Slack's
    (token_revoked, ...), which all calls then get. `closed` channels answer posts with the word that stands there.
    """

    channels: int
    on_post: Callable[[Posted], None]
    fault: str = "ok"
    closed: dict[str, str] = field(default_factory=dict)
    port: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    sockets: set[web.WebSocketResponse] = field(default_factory=set)
    connections: int = 0
    messages: dict[str, dict[str, Posted]] = field(default_factory=lambda: defaultdict(dict))
    _tokens: dict[str, tuple[float, float]] = field(default_factory=dict)
    _numbers: Any = field(default_factory=lambda: itertools.count(1))
    _runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application(client_max_size=8 * 1024**2)
        app.router.add_route("*", "/api/{method}", self._api)
        app.router.add_get("/socket", self._socket)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, backlog=512).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        await self.drop_sockets()
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/"

    async def drop_sockets(self) -> int:
        """Every connection of Socket Mode is cut, without a word."""
        cut = list(self.sockets)
        self.sockets.clear()
        for one in cut:
            if one._req is not None and one._req.transport is not None:
                one._req.transport.abort()
        return len(cut)

    # --- Web API ------------------------------------------------------------------------------------------------

    async def _api(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        given = await _arguments(request)
        self.calls[method] += 1
        failing = await self._failing(method)
        if failing is not None:
            self.refused[method] += 1
            return failing
        answer = self._answer(method, given)
        if isinstance(answer, web.Response):
            self.refused[method] += 1
            return answer
        if not answer.get("ok"):
            self.refused[method] += 1
        if self.fault == "lost_answer" and method in POSTS:
            return web.json_response({"ok": False}, status=504)
        return web.json_response(answer)

    async def _failing(self, method: str) -> web.Response | None:
        if self.fault in ("ok", "lost_answer"):
            return None
        if self.fault == "500":
            return web.Response(status=503, text="upstream connect error")
        if self.fault == "429":
            return _too_many(5)
        if self.fault == "silent":
            await asyncio.sleep(60)
            return web.Response(status=504)
        if self.fault == "slow":
            await asyncio.sleep(4)
            return None
        return web.json_response({"ok": False, "error": self.fault})

    def _answer(self, method: str, given: dict[str, Any]) -> dict[str, Any] | web.Response:
        handler = getattr(self, "_" + method.replace(".", "_"), None)
        return handler(given) if handler else {"ok": True}

    def _auth_test(self, given: dict[str, Any]) -> dict[str, Any]:
        return {
            "ok": True,
            "url": "https://chaos.slack.com/",
            "team": "Chaos",
            "team_id": "T00000001",
            "user": "oncall",
            "user_id": "U0000BOT0",
            "bot_id": "B00000001",
        }

    def _apps_connections_open(self, given: dict[str, Any]) -> dict[str, Any]:
        url = f"ws://127.0.0.1:{self.port}/socket?ticket={uuid.uuid4().hex}"
        return {"ok": True, "url": url}

    def _conversations_list(self, given: dict[str, Any]) -> dict[str, Any]:
        found = [
            {"id": f"C{n:08d}", "name": f"c{n}", "is_member": True} for n in range(self.channels)
        ]
        found.append({"id": "C99999999", "name": "alerts", "is_member": True})
        return {"ok": True, "channels": found, "response_metadata": {"next_cursor": ""}}

    def _conversations_open(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"ok": True, "channel": {"id": "D" + str(given["users"])[1:]}}

    def _conversations_join(self, given: dict[str, Any]) -> dict[str, Any]:
        word = self.closed.get(str(given["channel"]))
        if word in ("not_in_channel", "channel_not_found"):
            return {"ok": False, "error": "channel_not_found"}
        return {"ok": True, "channel": {"id": given["channel"]}}

    def _users_info(self, given: dict[str, Any]) -> dict[str, Any]:
        user = str(given["user"])
        return {
            "ok": True,
            "user": {
                "id": user,
                "team_id": "T00000001",
                "name": user.lower(),
                "profile": {"email": f"p{int(user[1:])}@example.com"},
            },
        }

    def _users_lookupByEmail(self, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - Slack's name
        return {"ok": False, "error": "users_not_found"}

    def _chat_postMessage(self, given: dict[str, Any]) -> dict[str, Any] | web.Response:  # noqa: N802
        channel = str(given["channel"])
        word = self.closed.get(channel)
        if word:
            return {"ok": False, "error": word}
        if not self._may(channel):
            return _too_many(1)
        now = time.time()
        ts = f"{int(now)}.{next(self._numbers) % 1_000_000:06d}"
        metadata = _object(given.get("metadata"))
        posted = Posted(
            channel,
            ts,
            str((metadata.get("event_payload") or {}).get("key", ts)),
            str(given.get("text", "")),
            _text(given.get("blocks")),
            given.get("thread_ts") or None,
            metadata,
            now,
        )
        self.messages[channel][ts] = posted
        self.on_post(posted)
        return {"ok": True, "ts": ts, "channel": channel, "message": {"text": posted.text}}

    def _chat_update(self, given: dict[str, Any]) -> dict[str, Any] | web.Response:
        channel, ts = str(given["channel"]), str(given["ts"])
        word = self.closed.get(channel)
        if word:
            return {"ok": False, "error": word}
        if not self._may(channel):
            return _too_many(1)
        posted = self.messages[channel].get(ts)
        if posted is None:
            return {"ok": False, "error": "message_not_found"}
        posted.text, posted.blocks = str(given.get("text", "")), _text(given.get("blocks"))
        posted.metadata = _object(given.get("metadata")) or posted.metadata
        posted.edits += 1
        return {"ok": True, "ts": ts, "channel": channel}

    def _conversations_history(self, given: dict[str, Any]) -> dict[str, Any]:
        return self._past(given, lambda one: one.thread_ts is None)

    def _conversations_replies(self, given: dict[str, Any]) -> dict[str, Any]:
        thread = str(given["ts"])
        return self._past(given, lambda one: one.thread_ts == thread or one.ts == thread)

    def _past(self, given: dict[str, Any], wanted: Callable[[Posted], bool]) -> dict[str, Any]:
        word = self.closed.get(str(given["channel"]))
        if word in ("channel_not_found", "not_in_channel"):
            return {"ok": False, "error": word}
        oldest, limit = float(given.get("oldest") or 0), int(given.get("limit") or 100)
        before = float(given.get("cursor") or "inf")
        kept = self.messages.get(str(given["channel"]), {}).values()
        found = [one for one in reversed(kept) if oldest <= float(one.ts) < before and wanted(one)]
        page = found[:limit]
        more = len(found) > limit
        return {
            "ok": True,
            "messages": [
                {"ts": one.ts, "text": one.text, "metadata": one.metadata} for one in page
            ],
            "has_more": more,
            "response_metadata": {"next_cursor": page[-1].ts if more else ""},
        }

    def _may(self, channel: str) -> bool:
        """One a second for each channel, and a short burst."""
        now = time.monotonic()
        left, at = self._tokens.get(channel, (BURST, now))
        left = min(BURST, left + now - at)
        if left < 1.0:
            self._tokens[channel] = (left, now)
            return False
        self._tokens[channel] = (left - 1.0, now)
        return True

    # --- Socket Mode --------------------------------------------------------------------------------------------

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=None)
        await socket.prepare(request)
        self.sockets.add(socket)
        self.connections += 1
        hello = {"type": "hello", "num_connections": 1, "connection_info": {"app_id": "A1"}}
        await socket.send_str(json.dumps(hello))
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT and "envelope_id" in message.data:
                    self.calls["ack of an envelope"] += 1
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self.sockets.discard(socket)
        return socket

    async def press(self, posted: Posted, action_id: str, value: str, user: str) -> bool:
        """A person presses a button under a message; False when nobody is connected."""
        if not self.sockets:
            return False
        payload = {
            "type": "block_actions",
            "team": {"id": "T00000001", "domain": "chaos"},
            "user": {"id": user, "name": user, "team_id": "T00000001"},
            "api_app_id": "A1",
            "token": "x",
            "trigger_id": f"1.{next(self._numbers)}",
            "container": {
                "type": "message",
                "message_ts": posted.ts,
                "channel_id": posted.channel,
                "is_ephemeral": False,
            },
            "channel": {"id": posted.channel, "name": "directmessage"},
            "message": {"ts": posted.ts, "text": posted.text},
            "response_url": f"http://127.0.0.1:{self.port}/api/respond",
            "actions": [
                {
                    "type": "button",
                    "action_id": action_id,
                    "block_id": "b",
                    "value": value,
                    "action_ts": f"{time.time():.6f}",
                }
            ],
        }
        envelope = {
            "type": "interactive",
            "envelope_id": uuid.uuid4().hex,
            "accepts_response_payload": False,
            "payload": payload,
        }
        try:
            await next(iter(self.sockets)).send_str(json.dumps(envelope))
        except (ConnectionError, RuntimeError):
            return False
        return True


async def _arguments(request: web.Request) -> dict[str, Any]:
    if request.content_type == "application/json":
        found = await request.json()
        return dict(found)
    given = dict(request.query)
    given.update({key: str(value) for key, value in (await request.post()).items()})
    return given


def _object(given: Any) -> dict[str, Any]:
    if isinstance(given, str):
        given = json.loads(given) if given else {}
    return dict(given or {})


def _text(given: Any) -> str:
    return given if isinstance(given, str) else json.dumps(given or [])


def _too_many(seconds: int) -> web.Response:
    body = {"ok": False, "error": "ratelimited"}
    return web.json_response(body, status=429, headers={"Retry-After": str(seconds)})
