"""`GET /ical/<token>.ics`: a calendar for programs that ask again and again.

Knows HTTP's conditions and caches. Refuses to know calendars: whoever wires hands the door that opens by token.
A token that opens nothing is a 404, whatever the reason.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Protocol

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

CACHE = "private, no-cache"
"""A program keeps its own copy and asks whether it still holds; nobody in between keeps one."""


class Calendar(Protocol):
    @property
    def text(self) -> str: ...
    @property
    def tag(self) -> str: ...
    @property
    def modified_at(self) -> datetime | None: ...


Behind = Callable[[str], Awaitable[Calendar | None]]


async def calendar(behind: Behind | None, token: str, request: Request) -> Response:
    """The calendar behind the token; 304 when the program has it already."""
    found = await behind(token) if behind is not None else None
    if found is None:
        raise HTTPException(404, "There is no calendar at this address; it may be revoked.")
    headers = {"ETag": f'"{found.tag}"', "Cache-Control": CACHE}
    if found.modified_at is not None:
        headers["Last-Modified"] = format_datetime(found.modified_at.astimezone(UTC), usegmt=True)
    if _has_it(request, found):
        return Response(status_code=304, headers=headers)
    headers["Content-Disposition"] = 'inline; filename="on-call.ics"'
    return Response(found.text, media_type="text/calendar; charset=utf-8", headers=headers)


def _has_it(request: Request, found: Calendar) -> bool:
    """By the tag alone: with days that pass, shifts leave a feed in which nothing was modified."""
    tags = request.headers.get("if-none-match", "")
    given = {one.strip().removeprefix("W/") for one in tags[:2000].split(",")}
    return "*" in given or f'"{found.tag}"' in given
