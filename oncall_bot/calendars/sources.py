"""Where a calendar of the file lies: a file, or an address on a host that the file allows; fetched within bounds.

Knows size, time, and that an address comes from oncall.yaml or a file it names, never from an alert or a calendar. No
redirect is followed and no proxy used. Refuses to know what is inside. Blocking. Serves the reader of this room.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from http import HTTPStatus
from http.client import HTTPS_PORT, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from ssl import SSLContext, create_default_context
from urllib.parse import urlsplit

from oncall_bot.calendars.lines import BYTES_MAX
from oncall_bot.core.config import Calendar
from oncall_bot.core.errors import BadInput

ADDRESS_MAX = 4096
ANSWER_WITHIN_S, WHOLE_WITHIN_S = 10.0, 30.0
_PIECE = 65_536
_HEADERS = {"User-Agent": "oncall-bot", "Accept": "text/calendar", "Accept-Encoding": "identity"}


class SourceError(BadInput):
    """A calendar that could not be had; the message is a clause and names no address."""


def content_of(
    calendar: Calendar, base: Path, hosts: Sequence[str], context: SSLContext | None = None
) -> bytes:
    """The calendar's text, at most a byte more than is read of it. Paths are relative to `base`. Raises SourceError.

    `context`: which certificates are trusted, by default those of the system.
    """
    if calendar.file is not None:
        return _of_file(base / calendar.file, calendar.file, BYTES_MAX)
    if calendar.url is not None:
        return _of_address(calendar.url, hosts, context)
    name = calendar.url_file or ""
    address = _of_file(base / name, name, ADDRESS_MAX).decode("utf-8", "replace").strip()
    return _of_address(address, hosts, context)


def _of_file(path: Path, named: str, most: int) -> bytes:
    try:
        with path.open("rb") as opened:
            return opened.read(most + 1)
    except OSError as fault:
        raise SourceError(f"{named[:100]} cannot be read: {fault.strerror or fault}") from None


def _of_address(address: str, hosts: Sequence[str], context: SSLContext | None) -> bytes:
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        raise SourceError("its address cannot be read") from None
    if parts.scheme != "https" or not host or parts.username or not address.isprintable():
        raise SourceError("its address is no https address")
    if host not in hosts:
        raise SourceError(f"the host {host[:100]} is not in calendars.hosts")
    there = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    link = HTTPSConnection(
        host,
        parts.port or HTTPS_PORT,
        timeout=ANSWER_WITHIN_S,
        context=context or create_default_context(),
    )
    try:
        link.request("GET", there, headers=_HEADERS)
        with link.getresponse() as answer:
            if answer.status != HTTPStatus.OK:  # also where it leads elsewhere
                raise SourceError(f"{host} answered {answer.status}")
            return _whole(answer)
    except (HTTPException, OSError, ValueError) as fault:
        raise SourceError(f"{host} does not answer ({type(fault).__name__})") from None
    finally:
        link.close()


def _whole(answer: HTTPResponse) -> bytes:
    """The body in pieces, within a time that a slow sender cannot stretch."""
    end, body = time.monotonic() + WHOLE_WITHIN_S, b""
    while len(body) <= BYTES_MAX:
        piece = answer.read1(_PIECE)
        if not piece:
            return body
        body += piece
        if time.monotonic() > end:
            raise SourceError(f"it did not arrive in {WHOLE_WITHIN_S:g} s")
    return body
