"""The listening socket: one uvicorn server on one address.

Knows how it is bound, started and ended, and that signals are not its business. Refuses to know routes and what the
application answers. Serves app.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from oncall_bot.core.errors import BadInput

STARTED_LOOK_S = 0.01
GRACE_S = 10


class WebServer:
    """Serves one application. `await start()`, then `await stop()`; `url` is where it listens once started."""

    def __init__(self, serves: ASGIApp, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._server = _Server(
            uvicorn.Config(
                serves,
                host=host,
                port=port,
                log_config=None,
                access_log=False,
                http="httptools",
                ws="none",
                proxy_headers=False,
                lifespan="off",
                server_header=False,
                timeout_graceful_shutdown=GRACE_S,
            )
        )
        self._serving: asyncio.Task[None] | None = None
        self.url = ""

    async def start(self) -> None:
        """Listen; raises BadInput when the address is not to be had."""
        listening = _bound(self._host, self._port)
        serving = asyncio.create_task(self._server.serve(sockets=[listening]), name="web")
        self._serving = serving
        while not self._server.started:
            if serving.done():
                raise BadInput(f"ONCALL_PORT: cannot listen on {self._host}:{self._port}")
            await asyncio.sleep(STARTED_LOOK_S)
        host, port = listening.getsockname()[:2]
        self.url = f"http://{host}:{port}"

    async def stop(self) -> None:
        """Take no new request, let those in flight end; nothing to do when it never listened."""
        self._server.should_exit = True
        if self._serving is not None:
            with suppress(asyncio.CancelledError):
                await self._serving


def behind_proxy(app: ASGIApp) -> ASGIApp:
    """The application, told who asks by a proxy in front of it.

    Trusted are the addresses in FORWARDED_ALLOW_IPS, as uvicorn names it; this machine without it.
    """
    inside: Any = app  # uvicorn's types of ASGI are its own
    outside: Any = ProxyHeadersMiddleware(
        inside, os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1")
    )
    return cast("ASGIApp", outside)


class _Server(uvicorn.Server):
    """Leaves signals to the process: uvicorn's own would close the door at SIGTERM, while the bot still drains."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        raise BadInput(
            f"ONCALL_PORT: cannot listen on {host}:{port} ({error.strerror}); choose another port"
        ) from None
    sock.set_inheritable(True)
    return sock
