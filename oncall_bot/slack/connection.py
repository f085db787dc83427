"""The line to Slack: Socket Mode by default, signed HTTP for those who want it; one app behind both.

Knows tokens, the signing secret and reconnecting. Refuses to know what is said over the line. Serves app, which starts
and stops it. Slack being away never stops the start: paging by other roads must work meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import aiohttp
import structlog
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.errors import SlackApiError

from oncall_bot.core.errors import BadInput
from oncall_bot.flows.record_chat import remember_slack_id
from oncall_bot.ports import Assistant, Instruments
from oncall_bot.slack.album import SlackAlbum
from oncall_bot.slack.callers import Callers
from oncall_bot.slack.channels import Channels
from oncall_bot.slack.edge import Edge, FilePeople, message_link, now_utc
from oncall_bot.slack.listeners import register
from oncall_bot.slack.refusals import NETWORK, error_of
from oncall_bot.slack.sender import CALL_MAX, Observe, SlackChat, SlackDirectory, web_client
from oncall_bot.slack.shapes import readable
from oncall_bot.slack.signatures import signed_by
from oncall_bot.slack.turns import Turns
from oncall_bot.slack.user_groups import SlackUserGroups
from oncall_bot.store import db
from oncall_bot.store.db import Store

log = structlog.get_logger(__name__)

SLACK = "https://slack.com/api/"
BODY_MAX = 2 * 1024 * 1024
WATCH_EVERY, RETRY_MAX = 5.0, 60.0

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class SlackSettings:
    """What the settings say about Slack. `app_token` chooses Socket Mode, `signing_secret` alone HTTP mode."""

    bot_token: str
    app_token: str = ""
    signing_secret: str = ""
    api_url: str = SLACK
    command: str = "/oncall"
    guide: str | None = None
    public_url: str | None = None
    app_id: str | None = None

    @property
    def socket_mode(self) -> bool:
        return bool(self.app_token)

    def check(self) -> None:
        """Refuse to start with values that could not work or would not be safe."""
        if not self.bot_token:
            raise BadInput("ONCALL_SLACK_BOT_TOKEN is empty: Slack cannot be used without it.")
        if not self.app_token and not self.signing_secret.strip():
            raise BadInput(
                "Slack needs ONCALL_SLACK_APP_TOKEN (Socket Mode) or ONCALL_SLACK_SIGNING_SECRET (HTTP mode); "
                "both are empty."
            )
        if self.app_token and not self.app_token.startswith("xapp-"):
            raise BadInput(
                "ONCALL_SLACK_APP_TOKEN is not an app-level token: those start with xapp-."
            )
        if not self.api_url.endswith("/api/"):
            raise BadInput(f"ONCALL_SLACK_API_URL must end in /api/, it is {self.api_url}")


class SlackEdge:
    """Slack as one part of the process: `chat` and `directory` for the engine, listeners for people.

    `start()` returns once the listeners stand, whether Slack answers or not; `connected` says whether it does.
    """

    def __init__(
        self,
        settings: SlackSettings,
        store: Store,
        *,
        observe: Observe = lambda method, outcome: None,
        on_failure: Callable[[str], None] = lambda guard: None,
        clock: Callable[[], datetime] = now_utc,
        look_with: Instruments | None = None,
        assistant: Assistant | None = None,
    ) -> None:
        settings.check()
        self._turns = Turns(assistant) if assistant is not None else None
        self._settings = settings
        self._store = store
        self._on_failure = on_failure
        self._clock = clock
        self.client = web_client(settings.bot_token, settings.api_url, observe)
        self.channels = Channels(self.client)
        self.chat = SlackChat(self.client, self.channels)
        self.directory = SlackDirectory(self.client)
        album = SlackAlbum(self.client)
        self.look_with = replace(look_with, album=album) if look_with else None
        self.user_groups = SlackUserGroups(self.client)
        self.team_id = ""
        self.bot_user = ""
        self.workspace_url = ""
        self._edge: Edge | None = None
        self._app: AsyncApp | None = None
        self._socket: AsyncSocketModeHandler | None = None
        self._session: aiohttp.ClientSession | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()

    @property
    def connected(self) -> bool:
        """Whether Slack can reach us now, as far as this end can tell."""
        if not self._settings.socket_mode:
            return self._ready.is_set()
        client = self._socket.client if self._socket else None
        session = getattr(client, "current_session", None)
        return session is not None and not session.closed

    async def start(self) -> None:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=CALL_MAX))
        self.client.session = self._session
        self._keeper = asyncio.create_task(self._keep(), name="slack-connection")

    def chat_link(self, channel: str, ts: str) -> str | None:
        """The address of one of our messages; None until Slack has answered once."""
        return message_link(self.workspace_url, channel, ts)

    async def ready(self, within: float = 10.0) -> bool:
        """Whether the listeners stand within so many seconds."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ready.wait(), within)
        return self._ready.is_set()

    async def stop(self) -> None:
        """Hang up; presses already begun are awaited first."""
        if self._keeper:
            self._keeper.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeper
        if self._socket:
            await self._socket.client.close()  # type: ignore[no-untyped-call]
        if self._turns is not None:
            self._turns.stop()
        following = set(self._edge.following) if self._edge else set()
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)
        working = set(self._edge.working) if self._edge else set()
        if working:
            await asyncio.wait(working, timeout=5)
        if self._session:
            await self._session.close()
        self.client.session = None

    # --- connecting ---------------------------------------------------------------------------------------------

    async def _keep(self) -> None:
        """Introduce ourselves, then keep the socket up until cancelled; every failure waits longer, with jitter."""
        wait = 1.0
        while True:
            try:
                if not self._ready.is_set():
                    await self._introduce()
                if self._settings.socket_mode:
                    await self._watch_socket()
                wait = 1.0
                await asyncio.sleep(WATCH_EVERY)
            except NETWORK as error:
                said = error_of(error) if isinstance(error, SlackApiError) else str(error)
                log.warning("slack_not_connected", error=said[:200], again_in=round(wait, 1))
                await asyncio.sleep(wait * jitter())
                wait = min(wait * 2, RETRY_MAX)

    async def _introduce(self) -> None:
        me: Any = await asyncio.wait_for(self.client.auth_test(), 10)
        self.team_id, self.bot_user = str(me["team_id"]), str(me["user_id"])
        self.workspace_url = str(me.get("url") or "")
        self._app = await self._build()
        self._ready.set()
        log.info("slack_ready", workspace=str(me.get("team") or ""), user=str(me.get("user") or ""))

    async def _build(self) -> AsyncApp:
        people = FilePeople(self._store)
        await self._store.view(
            db.ping
        )  # so that the snapshot in force is loaded before the first press
        callers = Callers(self.client, people, self.team_id, remember=self._remember)
        self._edge = Edge(
            self._store,
            self.client,
            callers,
            self.chat,
            command=self._settings.command,
            guide=self._settings.guide,
            public_url=self._settings.public_url,
            clock=self._clock,
            bot_user=self.bot_user,
            workspace_url=self.workspace_url,
            on_failure=self._on_failure,
            look_with=self.look_with,
            turns=self._turns,
        )
        quiet = logging.getLogger("oncall_bot.slack.bolt")
        quiet.setLevel(logging.ERROR)
        app = AsyncApp(
            client=self.client,
            logger=quiet,
            signing_secret=self._settings.signing_secret or None,
            request_verification_enabled=False,  # done before Bolt reads the body: `asgi`
        )
        register(app, self._edge, app_id=self._settings.app_id)
        return app

    def _remember(self, person_key: str, slack_id: str) -> None:
        self._store.write(remember_slack_id, person_key, slack_id)

    async def _watch_socket(self) -> None:
        """Connect once; afterwards slack_sdk reconnects by itself, and a socket that stays down is made anew."""
        if self._socket is None:
            assert self._app is not None
            handler = AsyncSocketModeHandler(
                self._app, self._settings.app_token, logger=self._app.logger
            )
            handler.client.wss_uri = await handler.client.issue_new_wss_url()
            await handler.client.connect()  # type: ignore[no-untyped-call]
            self._socket = handler
            log.info("slack_connected")
        elif not await self._socket.client.is_connected():
            await self._socket.client.connect_to_new_endpoint()

    # --- HTTP mode ----------------------------------------------------------------------------------------------

    async def asgi(self, scope: Scope, receive: Receive, send: Send) -> None:
        """`POST /slack/events` in HTTP mode: the signature is verified before anything is read from the body."""
        if self._settings.socket_mode or scope["type"] != "http":
            await _answer(send, 404, {}, b"")
            return
        if scope["method"] != "POST":
            await _answer(send, 405, {"allow": ["POST"]}, b"")
            return
        body = await _body(receive)
        if body is None:
            await _answer(send, 413, {}, b"")
            return
        headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}
        if not signed_by(self._settings.signing_secret, body, headers, time.time()):
            await _answer(send, 401, {}, b"")
            return
        if self._app is None:  # Slack sends events again; a person sees that it did not work
            await _answer(send, 503, {"retry-after": ["5"]}, b"")
            return
        words = readable(body, headers.get("content-type", ""))
        if words is None:
            log.warning("slack_body_unreadable", bytes=len(body))
            await _answer(send, 400, {}, b"")
            return
        answer = await self._app.async_dispatch(AsyncBoltRequest(body=words, headers=headers))
        said = answer.body.encode() if isinstance(answer.body, str) else b""
        await _answer(send, answer.status, answer.headers, said)


def jitter() -> float:
    """0.8 to 1.2, so that replicas do not come back in step."""
    return 0.8 + secrets.randbelow(401) / 1000


async def _body(receive: Receive) -> bytes | None:
    """The whole body, None when it is larger than Slack ever sends."""
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part = message.get("body", b"")
        size += len(part)
        if size > BODY_MAX:
            return None
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)


async def _answer(send: Send, status: int, headers: Any, body: bytes) -> None:
    pairs = [
        (name.encode("latin-1"), value.encode("latin-1"))
        for name, values in headers.items()
        for value in (values if isinstance(values, list | tuple) else [values])
        if name.lower() != "content-length"
    ]
    pairs.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})
