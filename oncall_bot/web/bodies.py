"""A request's body as a whole, within bounds of size and time. Serves doors that need the bytes as they were sent."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

WITHIN_SECONDS: Final = 10.0


async def bounded_body(request: Request, most: int) -> bytes:
    """All of it; 413 above `most` bytes, 408 when it takes more than ten seconds, 400 when it breaks off."""
    body = b""
    try:
        async with asyncio.timeout(WITHIN_SECONDS):
            async for piece in request.stream():
                body += piece
                if len(body) > most:
                    raise HTTPException(413, f"a body of more than {most} bytes")
    except TimeoutError:
        raise HTTPException(408, "the body did not arrive in time") from None
    except ClientDisconnect:
        raise HTTPException(400, "the body broke off") from None
    return body
