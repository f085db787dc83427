"""Everything that rings, on loopback: an ntfy server, a webhook receiver, a mail server.

Knows the three protocols as far as a page needs them, and how each may fail. Every message is counted under its key as
it lies at the receiver: what is handed over twice under one key lies there twice, except at the webhook, whose
receivers know the Idempotency-Key. Serves the scenarios; the book is the ledger's.
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import itertools
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

REF = re.compile(r"Ref (\S+)")
CACHED = 2000


@dataclass(frozen=True)
class Ring:
    """One message at its receiver."""

    road: str
    person: str
    key: str
    text: str
    at: float
    ack_url: str | None = None


@dataclass
class Phones:
    """`on_ring` hears of every message. `fault` is how the roads behave: ok, 500, silent (never answers) or slow.
    What goes to somebody in `deaf` is accepted and never delivered.
    """

    on_ring: Callable[[Ring], None]
    fault: str = "ok"
    port: int = 0
    smtp_port: int = 0
    deaf: set[str] = field(default_factory=set)
    heard: set[str] = field(default_factory=set)  # who got anything
    rings: int = 0
    swallowed: int = 0
    _numbers: Any = field(default_factory=lambda: itertools.count(1))
    _cache: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _keys: set[str] = field(default_factory=set)
    _closing: list[Any] = field(default_factory=list)

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/", self._ntfy)
        app.router.add_get("/{topic}/json", self._ntfy_history)
        app.router.add_post("/hook/{person}", self._hook)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=512).start()
        self.port = runner.addresses[0][1]
        mail = await asyncio.start_server(self._mail, "127.0.0.1", 0)
        self.smtp_port = mail.sockets[0].getsockname()[1]
        self._closing = [runner.cleanup, mail.close]

    async def stop(self) -> None:
        runner, mail = self._closing
        mail()
        await runner()

    async def _failing(self) -> web.Response | None:
        if self.fault == "500":
            return web.json_response({"error": "fault"}, status=500)
        if self.fault == "silent":
            await asyncio.sleep(60)
        if self.fault == "slow":
            await asyncio.sleep(3)
        return None

    # --- ntfy ---------------------------------------------------------------------------------------------------

    async def _ntfy(self, request: web.Request) -> web.Response:
        said = json.loads(await request.read())
        failing = await self._failing()
        if failing is not None:
            return failing
        number, topic = next(self._numbers), str(said["topic"])
        answer = {"id": f"n{number}", "time": int(time.time()), "event": "message", **said}
        if topic in self.deaf:
            self.swallowed += 1
        else:
            kept = self._cache.setdefault(topic, [])
            kept.append(answer)
            del kept[:-CACHED]
            found = REF.search(said["message"])
            key = request.headers.get("Idempotency-Key") or (found[1] if found else f"n{number}")
            text = f"{said.get('title')} {said['message']}"
            self._ring(Ring("push", topic, key, text, time.time(), said.get("click")))
        return web.json_response(answer)

    async def _ntfy_history(self, request: web.Request) -> web.Response:
        """What the server still holds of a topic, as ntfy's `poll=1` answers."""
        failing = await self._failing()
        if failing is not None:
            return failing
        since = int(request.query.get("since", "0"))
        lines = [
            json.dumps(one)
            for one in self._cache.get(request.match_info["topic"], ())
            if one["time"] >= since
        ]
        return web.Response(text="\n".join(lines) + "\n" if lines else "")

    # --- webhook ------------------------------------------------------------------------------------------------

    async def _hook(self, request: web.Request) -> web.Response:
        said = json.loads(await request.read())
        failing = await self._failing()
        if failing is not None:
            return failing
        key = request.headers.get("Idempotency-Key") or str(said.get("key"))
        if key not in self._keys:
            self._keys.add(key)
            person = request.match_info["person"]
            url = said.get("ack_url")
            self._ring(Ring("hook", person, key, json.dumps(said), time.time(), url))
        return web.json_response({"ok": True})

    # --- mail ---------------------------------------------------------------------------------------------------

    async def _mail(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._letters(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _letters(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to = ""
        writer.write(b"220 fake\r\n")
        while line := await reader.readline():
            word, answer = line[:4].upper(), b"250 ok"
            if word == b"RCPT":
                to = line.decode().split("<")[1].split(">")[0]
                answer = b"451 try later" if self.fault == "500" else b"250 ok"
            elif word == b"DATA":
                writer.write(b"354 go on\r\n")
                letter = email.message_from_bytes(
                    (await reader.readuntil(b"\r\n.\r\n"))[:-5], policy=email.policy.default
                )
                self._letter(to, letter)
                answer = b"250 queued"
            elif word == b"QUIT":
                writer.write(b"221 bye\r\n")
                await writer.drain()
                return
            writer.write(answer + b"\r\n")
            await writer.drain()

    def _letter(self, to: str, letter: Any) -> None:
        body = letter.get_body(("plain", "html"))
        text = f"{letter['subject']} {body.get_content() if body else ''}"
        found = REF.search(text)
        key = found[1] if found else str(letter["message-id"])
        self._ring(Ring("mail", to.partition("@")[0], key, text, time.time()))

    def _ring(self, ring: Ring) -> None:
        self.rings += 1
        self.heard.add(ring.person)
        self.on_ring(ring)
