"""A mail server on loopback: takes what it is given, or refuses the recipient as it is told."""

from __future__ import annotations

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage


@dataclass
class FakeSmtp:
    port: int = 0
    letters: list[tuple[str, list[str], EmailMessage]] = field(default_factory=list)
    refuse: bytes | None = None  # the answer to RCPT TO, such as b"550 no such user"
    silent: bool = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.silent:
            await reader.read()
            return
        sender, recipients = "", []
        writer.write(b"220 fake\r\n")
        while line := await reader.readline():
            word = line[:4].upper()
            if word in (b"EHLO", b"HELO"):
                answer = b"250 fake"
            elif word == b"MAIL":
                sender, recipients, answer = line.decode(), [], b"250 ok"
            elif word == b"RCPT":
                answer = self.refuse or b"250 ok"
                recipients.append(line.decode().split("<")[1].split(">")[0])
            elif word == b"DATA":
                writer.write(b"354 go on\r\n")
                data = await reader.readuntil(b"\r\n.\r\n")
                letter = email.message_from_bytes(data[:-5], policy=email.policy.default)
                assert isinstance(letter, EmailMessage)
                self.letters.append((sender, recipients, letter))
                answer = b"250 queued"
            elif word == b"QUIT":
                writer.write(b"221 bye\r\n")
                await writer.drain()
                return
            else:
                answer = b"250 ok"
            writer.write(answer + b"\r\n")
            await writer.drain()


@asynccontextmanager
async def smtp_server() -> AsyncIterator[FakeSmtp]:
    fake = FakeSmtp()
    server = await asyncio.start_server(fake.serve, "127.0.0.1", 0)
    fake.port = server.sockets[0].getsockname()[1]
    try:
        yield fake
    finally:
        server.close()
