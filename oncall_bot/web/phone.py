"""Where telephone providers post to: `/phone/ROAD/text`, `/phone/ROAD/key/KEY`, `/phone/ROAD/receipt/NUMBER`.

Knows how such a form arrives and its bounds. Refuses to know brands, signatures and answers: who stands behind does.
Serves `web.app`.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from oncall_bot.ports import Posted, Telephone
from oncall_bot.store.queue import Busy
from oncall_bot.web.bodies import bounded_body

BODY_MAX: Final = 65_536
FIELDS_MAX: Final = 200
SIGNATURE: Final = "x-twilio-signature"


def add_phone(app: FastAPI, telephone: Telephone) -> None:
    """The three doors; each answers a post and nothing else."""

    @app.post("/phone/{road}/text")
    async def text(road: str, request: Request) -> Response:
        return await _take(telephone, request, road, "text", "")

    @app.post("/phone/{road}/key/{token}")
    async def key(road: str, token: str, request: Request) -> Response:
        return await _take(telephone, request, road, "key", token)

    @app.post("/phone/{road}/receipt/{number}")
    async def receipt(road: str, number: str, request: Request) -> Response:
        return await _take(telephone, request, road, "receipt", number)


async def _take(
    telephone: Telephone, request: Request, road: str, what: str, about: str
) -> Response:
    posted = Posted(
        address=_address(request),
        form=_form(await bounded_body(request, BODY_MAX)),
        signature=request.headers.get(SIGNATURE, "")[:200],
    )
    try:
        said = await telephone.take(road, what, about, posted)
    except Busy:
        raise HTTPException(503, "the database is busy", {"Retry-After": "1"}) from None
    return Response(said.body, said.status, media_type=said.media_type)


def _address(request: Request) -> str:
    """Path and query as they were asked for: what is signed."""
    raw = request.scope.get("raw_path") or request.url.path.encode()
    query = request.scope.get("query_string") or b""
    path = raw.partition(b"?")[0] + (b"?" + query if query else b"")
    return path.decode("latin-1")


def _form(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=FIELDS_MAX
        )
    except ValueError:
        raise HTTPException(400, "too many fields") from None
