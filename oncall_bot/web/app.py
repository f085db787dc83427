"""The HTTP surface in one place:

health, metrics, the page behind an acknowledge link, the signed-in pages, Slack's events.

Knows routes, headers and how a fault is told (a small page to people, `application/problem+json` to
programs). Refuses to know incidents, Slack and the Alertmanager webhook, which stands in front of
this app. Serves app, which runs it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from oncall_bot.core.ack_links import MIN_SECRET_BYTES
from oncall_bot.core.errors import OncallError
from oncall_bot.ports import Telephone
from oncall_bot.store.db import Store
from oncall_bot.telemetry.logs import get_logger
from oncall_bot.telemetry.metrics import CONTENT_TYPE, Telemetry
from oncall_bot.web.ack import AckDoor
from oncall_bot.web.bodies import bounded_body
from oncall_bot.web.html import COMMON_HEADERS, Pages
from oncall_bot.web.ical import Behind, calendar
from oncall_bot.web.phone import add_phone
from oncall_bot.web.sessions import SessionDoor
from oncall_bot.web.site import add_site

Ready = Callable[[], Awaitable[Sequence[str]]]
SlackHandler = Callable[[Request], Awaitable[Response]]

READY_WITHIN_SECONDS: Final = 3.0
SLACK_BODY_MAX: Final = 1_048_576
_LOOK: Final = ["GET", "HEAD"]


def build_web(
    *,
    store: Store,
    telemetry: Telemetry,
    secret: bytes,
    ready: Ready,
    slack_handler: SlackHandler | None = None,
    calendars: Behind | None = None,
    telephone: Telephone | None = None,
    public_url: str | None = None,
    command: str = "/oncall",
    open_here: bool = False,
) -> FastAPI:
    """The app.

    `ready` answers with the reasons why not, none when all is well; `secret` signs links and forms; `calendars` opens a
    calendar by its token; `telephone` takes what telephone providers post. `public_url` is where people reach it;
    `open_here` spares everybody on this machine the sign-in, for a demo.
    """
    if len(secret) < MIN_SECRET_BYTES:
        raise ValueError(f"the signing secret needs {MIN_SECRET_BYTES} bytes")
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    pages = Pages(urlsplit(public_url or "").path.rstrip("/"))
    door = SessionDoor(
        store, secret, pages, public_url=public_url, command=command, open_here=open_here
    )
    _add_health(app, telemetry, ready)
    _add_pages(app, pages, AckDoor(store, secret, pages), command)
    add_site(app, store, pages, door)
    _add_calendars(app, calendars)
    if telephone is not None:
        add_phone(app, telephone)
    if slack_handler is not None:
        _add_slack(app, slack_handler)
    _add_faults(app, pages, telemetry)
    app.add_middleware(SafeHeaders)
    return app


def _add_health(app: FastAPI, telemetry: Telemetry, ready: Ready) -> None:
    @app.api_route("/-/healthy", methods=_LOOK)
    async def healthy() -> Response:
        return PlainTextResponse("healthy\n")

    @app.api_route("/-/ready", methods=_LOOK)
    async def is_ready() -> Response:
        reasons = await _reasons(ready)
        if not reasons:
            return PlainTextResponse("ready\n")
        return problem(503, "; ".join(reasons), reasons=list(reasons))

    @app.api_route("/metrics", methods=_LOOK)
    async def metrics() -> Response:
        return Response(telemetry.render(), headers={"Content-Type": CONTENT_TYPE})


async def _reasons(ready: Ready) -> Sequence[str]:
    try:
        async with asyncio.timeout(READY_WITHIN_SECONDS):
            return await ready()
    except TimeoutError:
        return (f"the checks did not end in {READY_WITHIN_SECONDS:g} s",)
    except OncallError as fault:
        return (str(fault),)


def _add_pages(app: FastAPI, pages: Pages, door: AckDoor, command: str) -> None:
    @app.api_route("/", methods=_LOOK)
    async def root() -> Response:
        return pages.message(
            200,
            "oncall-bot",
            [
                "This server pages the people on call and keeps their incidents in Slack.",
                f"Work happens in Slack. To see schedules and incidents here, type {command} web there.",
            ],
        )

    @app.api_route("/ack/{token}", methods=_LOOK)
    async def show(token: str) -> Response:
        return await door.show(token)

    @app.post("/ack/{token}")
    async def press(token: str, request: Request) -> Response:
        return await door.press(token, request)


def _add_calendars(app: FastAPI, behind: Behind | None) -> None:
    @app.api_route("/ical/{token}.ics", methods=_LOOK)
    async def ical(token: str, request: Request) -> Response:
        return await calendar(behind, token, request)


def _add_slack(app: FastAPI, handler: SlackHandler) -> None:
    @app.post("/slack/events")
    async def slack_events(request: Request) -> Response:
        body = await bounded_body(request, SLACK_BODY_MAX)
        return await handler(Request(request.scope, _replay(body)))


def _replay(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _add_faults(app: FastAPI, pages: Pages, telemetry: Telemetry) -> None:
    log = get_logger("web")

    @app.exception_handler(HTTPException)
    async def refused(request: Request, fault: HTTPException) -> Response:
        if not _for_people(request):
            answer: Response = problem(fault.status_code, str(fault.detail))
        elif fault.status_code == 404:
            answer = pages.message(404, "There is nothing at this address.", [])
        else:
            answer = pages.message(fault.status_code, _phrase(fault.status_code) + ".", [])
        if fault.headers:
            answer.headers.update(fault.headers)
        return answer

    @app.exception_handler(OncallError)
    async def told(request: Request, fault: OncallError) -> Response:
        if not _for_people(request):
            return problem(503, str(fault))
        return pages.message(503, "That did not work.", [str(fault)])

    @app.exception_handler(Exception)  # the guard of one edge request
    async def broke(request: Request, fault: Exception) -> Response:
        telemetry.guarded("request")
        # the server logs the traceback: this handler's exception is raised on to it
        log.error("request failed", method=request.method, path=request.url.path, fault=repr(fault))
        if not _for_people(request):
            return problem(500, "A fault of ours; it is in the log.")
        return pages.message(
            500,
            "This did not work, and it is our fault.",
            [
                "Press again, or acknowledge in Slack.",
                "Paging goes on until somebody has it.",
            ],
        )


def problem(status: int, detail: str, **more: object) -> JSONResponse:
    """An answer in the form of RFC 9457."""
    content = {"type": "about:blank", "title": _phrase(status), "status": status, "detail": detail}
    return JSONResponse(
        {**content, **more},
        status_code=status,
        headers=dict(COMMON_HEADERS),
        media_type="application/problem+json",
    )


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def _for_people(request: Request) -> bool:
    path = request.url.path
    if path.startswith(("/-/", "/metrics", "/slack/", "/webhook/", "/api/", "/ical/", "/phone/")):
        return False
    return path.startswith(("/ack/", "/sign-")) or "text/html" in request.headers.get("accept", "")


class SafeHeaders:
    """Every answer carries the common security headers unless it has its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in COMMON_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_safely)
