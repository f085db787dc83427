"""`POST /webhook/alertmanager`: a plain ASGI callable in front of the framework. A 200 means stored.

Knows tokens, sizes, answers. Refuses to know what alerts mean. Serves Alertmanager, which retries a 5xx, forgets
after a 4xx, and never hears 429 from us. Everything else goes on to the web app behind it.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import json
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

import structlog

from oncall_bot.core.alerts import Delivery, Unreadable
from oncall_bot.core.errors import OncallError
from oncall_bot.core.fault_points import FaultPoint, ignore
from oncall_bot.flows import unreadable
from oncall_bot.flows.api_tokens import token_used
from oncall_bot.flows.receive_alerts import receive_alerts
from oncall_bot.prometheus.decode import NotJson, decode
from oncall_bot.store.db import Store
from oncall_bot.store.engines import is_away
from oncall_bot.store.queue import Busy
from oncall_bot.store.tokens import USE_WRITTEN_EVERY
from oncall_bot.telemetry.metrics import Telemetry

log = structlog.get_logger(__name__)

PATH = "/webhook/alertmanager"
BODY_MAX = 64 * 1024 * 1024
SMALL_MAX = 64 * 1024
"""Read on the writer's thread, beside the flow that takes it in; what is larger gets a thread of its own before."""
ALERT_BYTES = 800
RIGHT_REMEMBERED = 1000
COMMIT_WITHIN = 3.0
SLICE_WITHIN = 0.5
"""More time for each further slice of a large body."""

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

T = TypeVar("T")

_TITLES = {
    400: "Not JSON",
    401: "Unknown token",
    405: "Method not allowed",
    413: "Too large",
    503: "Not stored",
}


def _answer(
    status: int, text: str, kind: bytes, more: Sequence[tuple[bytes, bytes]] = ()
) -> tuple[Message, Message]:
    body = text.encode() + b"\n"
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode()), *more]
    return (
        {"type": "http.response.start", "status": status, "headers": headers},
        {"type": "http.response.body", "body": body},
    )


_STORED = _answer(200, '{"status":"stored"}', b"application/json")


def _now_utc() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class _Named:
    """What a token names. `made_here`: `tokens create` made it, so it may expire and its use is kept."""

    source: str
    sha256: str
    made_here: bool
    ends_at: datetime | None


class TooLarge(Exception):  # noqa: N818 - a size, told to the sender
    pass


class Intake:
    """The webhook, and what stands behind it."""

    def __init__(
        self,
        store: Store,
        telemetry: Telemetry,
        behind: App,
        *,
        at_fault_point: Callable[[FaultPoint], None] = ignore,
        now: Callable[[], datetime] = _now_utc,
    ) -> None:
        self._store = store
        self._telemetry = telemetry
        self._behind = behind
        self._at = at_fault_point
        self._now = now
        self._tokens: Mapping[str, str] = {}
        self._right: dict[bytes, _Named] = {}
        self._noted: dict[str, datetime] = {}
        self._deadline = _Deadline(COMMIT_WITHIN)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != PATH:
            await self._behind(scope, receive, send)
            return
        if scope["method"] != "POST":
            await _problem(send, 405, "Alertmanager posts here.", [(b"allow", b"POST")])
            return
        source = self._source(scope["headers"])
        if source is None:
            self._telemetry.alerts_rejected.labels("unauthorized").inc()
            challenge = [(b"www-authenticate", b'Bearer realm="oncall-bot"')]
            await _problem(
                send, 401, "Send the source's token as a bearer or a basic password.", challenge
            )
            return
        try:
            body = await _read(scope["headers"], receive)
        except TooLarge:
            await self._too_large(send, source)
            return
        await self._take(send, source, body)

    def _source(self, headers: Sequence[tuple[bytes, bytes]]) -> str | None:
        """The source whose token this is; what was right once is remembered while the same tokens are in force."""
        given = next((value for name, value in headers if name == b"authorization"), b"")
        tokens = self._store.snapshot.tokens
        if tokens is not self._tokens or len(self._right) > RIGHT_REMEMBERED:
            self._tokens, self._right = tokens, {}
        named = self._right.get(given)
        if named is None and (named := self._named(given)) is not None:
            self._right[given] = named
        if named is None or (named.made_here and not self._holds(named)):
            return None
        return named.source

    def _holds(self, named: _Named) -> bool:
        """Whether a token that `tokens create` made has not expired; when it was used is kept to the minute."""
        now = self._now()
        if named.ends_at is not None and now >= named.ends_at:
            return False
        noted = self._noted.get(named.sha256)
        if noted is None or now - noted >= USE_WRITTEN_EVERY:
            self._noted[named.sha256] = now
            with suppress(OncallError):
                self._store.write(token_used, named.sha256)
        return True

    def _named(self, given: bytes) -> _Named | None:
        """The source that this header names. Tokens are looked up by their hash: nothing to compare in time."""
        kind, _, value = given.partition(b" ")
        token = value.strip()
        if kind.lower() == b"basic":
            try:
                token = base64.b64decode(token, validate=True).partition(b":")[2]
            except (binascii.Error, ValueError):
                return None
        elif kind.lower() != b"bearer":
            return None
        sha256 = hashlib.sha256(token).hexdigest()
        source, ends = self._tokens.get(sha256), self._store.snapshot.token_ends
        if not token or source is None:
            return None
        return _Named(source, sha256, made_here=sha256 in ends, ends_at=ends.get(sha256))

    async def _take(self, send: Send, source: str, body: bytes) -> None:
        began = time.perf_counter()
        try:
            deliveries = await self._store_all(source, body)
        except NotJson as error:
            self._telemetry.alerts_rejected.labels("not_json").inc()
            await _problem(send, 400, str(error))
            return
        if deliveries is None:
            self._telemetry.alerts_rejected.labels("not_stored").inc()
            retry = [(b"retry-after", b"5")]
            await _problem(send, 503, "The database did not commit in time. Send it again.", retry)
            return
        self._at(FaultPoint.AFTER_STORE)
        for message in _STORED:
            await send(message)
        self._telemetry.intake_seconds.observe(time.perf_counter() - began)
        self._count(source, deliveries)

    async def _store_all(self, source: str, body: bytes) -> Sequence[Delivery] | None:
        """The deliveries, once everything is committed; None when it could not be. Raises NotJson.

        What the flow cannot take is kept raw: then there are none.
        """
        read = partial(decode, body, source, self._now())
        try:
            if len(body) <= SMALL_MAX:
                return await self._store_small(read, len(body))
            return await self._store_slices(await asyncio.to_thread(read))
        except NotJson:
            raise
        except (TimeoutError, Busy):
            return None
        except Exception as error:  # noqa: BLE001 - guard: one edge request
            self._telemetry.guarded("request")
            log.error("intake_failed", source=source, error=str(error)[:300])
            if is_away(
                error
            ):  # the body is in order: it is sent again, and then pages whom it should
                return None
        sha256 = hashlib.sha256(body).hexdigest()
        raw = Unreadable(body, sha256, "it could not be taken in")
        return [] if await self._keep_raw(source, raw) else None

    async def _store_small(
        self, read: Callable[[], Sequence[Delivery]], size: int
    ) -> Sequence[Delivery]:
        weight = max(1, size // ALERT_BYTES)
        taken = await self._deadline.set_for(self._store.share_made(receive_alerts, read, weight))
        return [delivery for delivery, _ in taken]

    async def _store_slices(self, deliveries: Sequence[Delivery]) -> Sequence[Delivery]:
        within = COMMIT_WITHIN + SLICE_WITHIN * (len(deliveries) - 1)
        puts = [
            self._store.share(receive_alerts, one, max(1, len(one.notices))) for one in deliveries
        ]
        async with asyncio.timeout(within):
            await asyncio.gather(*puts)
        return deliveries

    async def _keep_raw(self, source: str, one: Unreadable) -> bool:
        """The last resort for what was accepted: stored as it came, and people are told."""
        try:
            async with asyncio.timeout(COMMIT_WITHIN):
                await self._store.write(unreadable.keep, source, one)
                return True
        except Exception as error:  # noqa: BLE001 - guard: one edge request
            self._telemetry.guarded("request")
            log.error("keep_raw_failed", source=source, error=str(error)[:300])
            return False

    async def _too_large(self, send: Send, source: str) -> None:
        self._telemetry.alerts_rejected.labels("too_large").inc()
        marker = f"a body over {BODY_MAX} bytes"
        one = Unreadable(b"", hashlib.sha256(marker.encode()).hexdigest(), marker)
        await self._keep_raw(source, one)
        await _problem(
            send, 413, f"The body is over {BODY_MAX} bytes; set max_alerts on the receiver."
        )

    def _count(self, source: str, deliveries: Sequence[Delivery]) -> None:
        firing = resolved = unread = 0
        for delivery in deliveries:
            ended = sum(1 for notice in delivery.notices if notice.ended_at is not None)
            firing, resolved = firing + len(delivery.notices) - ended, resolved + ended
            unread += len(delivery.unreadable)
        for status, count in (("firing", firing), ("resolved", resolved), ("unreadable", unread)):
            if count:
                self._telemetry.received(source, status, count)


class _Deadline:
    """One timer for all that waits equally long: a timer for each of thousands of requests a second has its cost."""

    def __init__(self, within: float) -> None:
        self._within = within
        self._waiting: deque[tuple[float, asyncio.Future[Any]]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def set_for(self, work: asyncio.Future[T]) -> asyncio.Future[T]:
        """The work itself, which raises TimeoutError when it is not done in time."""
        loop = work.get_loop()
        self._drop_done()
        self._waiting.append((loop.time() + self._within, work))
        if self._timer is None:
            self._timer = loop.call_later(self._within, self._look, loop)
        return work

    def _drop_done(self) -> None:
        while self._waiting and self._waiting[0][1].done():
            self._waiting.popleft()

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self._drop_done()
        while self._waiting and self._waiting[0][0] <= loop.time():
            self._waiting.popleft()[1].set_exception(TimeoutError())
            self._drop_done()
        self._timer = None
        if self._waiting:
            self._timer = loop.call_at(self._waiting[0][0], self._look, loop)


async def _read(headers: Sequence[tuple[bytes, bytes]], receive: Receive) -> bytes:
    length = next((value for name, value in headers if name == b"content-length"), b"0")
    if length.isdigit() and int(length) > BODY_MAX:
        raise TooLarge
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return body
    parts, size = [body], len(body)
    while message.get("more_body"):
        message = await receive()
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > BODY_MAX:
            raise TooLarge
        parts.append(part)
    return b"".join(parts)


async def _problem(
    send: Send, status: int, detail: str, more: Sequence[tuple[bytes, bytes]] = ()
) -> None:
    text = {"type": "about:blank", "title": _TITLES[status], "status": status, "detail": detail}
    for message in _answer(status, json.dumps(text), b"application/problem+json", more):
        await send(message)
