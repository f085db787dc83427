"""A small HTTP server on loopback that writes down what it was sent and answers as it is told."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web


@dataclass
class Got:
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    at: float = field(default_factory=time.monotonic)

    @property
    def json(self) -> dict[str, object]:
        content = json.loads(self.body)
        assert isinstance(content, dict)
        return content


@dataclass
class Answer:
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"{}"
    never: bool = False  # keep the caller waiting


@dataclass
class FakeHttp:
    """`answer` is given to every request; `got` holds them in order."""

    port: int = 0
    got: list[Got] = field(default_factory=list)
    answer: Answer | Callable[[Got], Answer] = field(default_factory=Answer)

    @property
    def at(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        got = Got(
            request.method,
            request.path,
            request.query_string,
            dict(request.headers),
            await request.read(),
        )
        self.got.append(got)
        answer = self.answer(got) if callable(self.answer) else self.answer
        if answer.never:
            await asyncio.Event().wait()
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)


@asynccontextmanager
async def http_server() -> AsyncIterator[FakeHttp]:
    fake = FakeHttp()
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", fake.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    fake.port = runner.addresses[0][1]
    try:
        yield fake
    finally:
        await runner.cleanup()
