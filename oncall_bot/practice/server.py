"""The page's server: one port for the page, its state and feed, people's gestures, the clock, charts, and Slack.

Knows routes, and that a page of another origin, or a name that points at loopback, gets nothing. Refuses to know
stories and the bot. Serves the browser.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from aiohttp import web

from oncall_bot.core.errors import OncallError
from oncall_bot.practice.clock import SKIP_MAX, SPEEDS
from oncall_bot.practice.director import Director
from oncall_bot.practice.phone import NotPressed
from oncall_bot.practice.prometheus import graph_css
from oncall_bot.practice.slack import Refused
from oncall_bot.practice.stage import HOST, Stage

PAGE = Path(__file__).parent / "page"
KINDS = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".json": "application/json",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
BODY_MAX = 16 * 1024 * 1024
BEAT_EVERY_S = 10.0
CLOCK_EVERY_S = 0.5
NEXT_MAX = timedelta(minutes=20)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class PageServer:
    """`start(port)` opens it; 0 takes any free port. OSError when the port is taken."""

    def __init__(self, stage: Stage, director: Director) -> None:
        self._stage = stage
        self._director = director
        self._port = 0
        self._told_clock_at = 0.0
        self._skipping = asyncio.Lock()
        self._runner: web.AppRunner | None = None
        self._files = {path.name: path for path in PAGE.iterdir() if path.suffix in KINDS}

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._port}"

    async def start(self, port: int) -> None:
        app = web.Application(client_max_size=BODY_MAX, middlewares=[self._guarded])
        await self._stage.start(app, lambda: self.url)
        self._stage.prometheus.add_routes(app, "/prometheus")
        app.router.add_get("/prometheus/graph.css", graph_css)
        app.router.add_get("/practice/state", self._state)
        app.router.add_get("/practice/feed", self._feed)
        for name, handler in (
            ("act", self._act),
            ("phone", self._phone),
            ("story", self._story),
            ("clock", self._clock),
        ):
            app.router.add_post(f"/practice/{name}", handler)
        app.router.add_get("/", self._index)
        app.router.add_get("/favicon.ico", _no_icon)
        app.router.add_get("/{name}", self._file)
        app.router.add_get("/page/{name}", self._file)
        self._stage.clock.follow(self._leapt)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, port)
        await site.start()
        self._port = int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """The bot hangs up first, then every open page is let go."""
        await self._stage.stop_bot()
        self._stage.feed.close()
        self._stage.clock.unfollow(self._leapt)
        if self._runner is not None:
            await self._runner.cleanup()

    # --- who may ask ----------------------------------------------------------------------------------------------

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Only this address under its own name, and only pages of it: no DNS rebinding, no forged requests."""
        ours = {f"{host}:{self._port}" for host in (HOST, "localhost")}
        if request.headers.get("Host", "") not in ours:
            return web.Response(status=421, text="This server answers to 127.0.0.1 only.\n")
        origin = request.headers.get("Origin")
        foreign = origin is not None and origin.removeprefix("http://") not in ours
        foreign = foreign or request.headers.get("Sec-Fetch-Site") == "cross-site"
        if foreign and (request.method != "GET" or request.path != "/"):
            return web.Response(status=403, text="Pages of other origins get nothing here.\n")
        try:
            answer = await handler(request)
        except web.HTTPException as error:
            _headers(error)
            raise
        if not answer.prepared:
            _headers(answer)
        return answer

    # --- the page -------------------------------------------------------------------------------------------------

    async def _index(self, request: web.Request) -> web.StreamResponse:
        return self._sent("index.html")

    async def _file(self, request: web.Request) -> web.StreamResponse:
        return self._sent(request.match_info["name"])

    def _sent(self, name: str) -> web.StreamResponse:
        path = self._files.get(name)
        if path is None:
            raise web.HTTPNotFound(text="There is no such page.\n")
        kind = KINDS[path.suffix]
        charset = "utf-8" if kind.startswith("text/") or path.suffix == ".json" else None
        return web.Response(body=path.read_bytes(), content_type=kind, charset=charset)

    # --- what the page sees ---------------------------------------------------------------------------------------

    async def _state(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(self._whole(self._viewer(request)))

    def _viewer(self, request: web.Request) -> str:
        people = self._stage.setting.people
        asked = request.query.get("as") or people[0].id
        if asked not in {person.id for person in people}:
            raise web.HTTPNotFound(text="Nobody of that name is here.\n")
        return asked

    def _whole(self, viewer: str) -> dict[str, Any]:
        stage = self._stage
        return {
            "clock": self._now(),
            **stage.slack.state(viewer),
            "phones": stage.phones.shown(),
            "stories": [story.plain() for story in self._director.stories.values()],
            "story": self._director.running,
            "bot_state": stage.bot_state,
            "notes": stage.notes,
        }

    def _now(self) -> dict[str, Any]:
        clock = self._stage.clock
        return {"now": clock.now().timestamp(), "speed": clock.speed}

    async def _feed(self, request: web.Request) -> web.StreamResponse:
        viewer = self._viewer(request)
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        _headers(answer)
        heard = self._stage.feed.subscribe(viewer)
        try:
            await answer.prepare(request)
            await answer.write(_event("state", self._whole(viewer)))
            coming: asyncio.Task[Any] = asyncio.ensure_future(heard.__anext__())
            try:
                while True:
                    done, _ = await asyncio.wait({coming}, timeout=BEAT_EVERY_S)
                    if not done:
                        await answer.write(b": beat\n\n")
                        continue
                    event = coming.result()
                    await answer.write(_event(event["kind"], event["data"]))
                    coming = asyncio.ensure_future(heard.__anext__())
            except (StopAsyncIteration, ConnectionError):
                pass  # the server ends, or the page went away
            finally:
                coming.cancel()
                with suppress(asyncio.CancelledError, StopAsyncIteration):
                    await coming
        finally:
            heard.close()
        return answer

    # --- what the page does ---------------------------------------------------------------------------------------

    async def _act(self, request: web.Request) -> web.StreamResponse:
        gesture = await _given(request)
        try:
            return web.json_response(await self._stage.slack.act(gesture))
        except Refused as error:
            return _no(str(error))

    async def _phone(self, request: web.Request) -> web.StreamResponse:
        given = await _given(request)
        try:
            done = await self._stage.phones.press(str(given.get("id")), given.get("action", 0))
        except NotPressed as error:
            return _no(str(error))
        return web.json_response(done)

    async def _story(self, request: web.Request) -> web.StreamResponse:
        given = await _given(request)
        try:
            if given.get("stop"):
                await self._director.stop()
            elif "do" in given:
                self._director.do(str(given["do"]))
            else:
                await self._director.start(str(given.get("name")))
        except KeyError:
            return _no("There is no such story.")
        except (OncallError, ConnectionError) as error:
            return _no(f"The bot did not start: {str(error).splitlines()[0]}")
        return web.json_response({"ok": True})

    async def _clock(self, request: web.Request) -> web.StreamResponse:
        given = await _given(request)
        clock = self._stage.clock
        if "speed" in given:
            if given["speed"] not in SPEEDS:
                return _no(f"The speeds are {', '.join(map(str, SPEEDS))}.")
            clock.set_speed(given["speed"])
            self._tell_clock()
        elif "skip" in given:
            problem = await self._skip(given["skip"])
            if problem:
                return _no(problem)
        else:
            return _no("Say speed or skip.")
        return web.json_response({"ok": True, **self._now()})

    async def _skip(self, asked: Any) -> str | None:
        """Skip so many seconds, or to what happens `next`: something said, a ring, a step of the story."""
        is_number = isinstance(asked, int | float) and not isinstance(asked, bool)
        if asked != "next" and not (is_number and 0 < asked <= SKIP_MAX.total_seconds()):
            return f"Skip at most {SKIP_MAX.total_seconds():.0f} seconds."
        if self._skipping.locked():
            return "The clock is skipping already."
        async with self._skipping:
            clock = self._stage.clock
            if asked != "next":
                await clock.skip(timedelta(seconds=asked))
            else:
                before = self._stage.happened()
                await clock.skip(NEXT_MAX, until=lambda: self._stage.happened() != before)
        self._tell_clock()
        return None

    async def _leapt(self) -> None:
        if time.monotonic() - self._told_clock_at >= CLOCK_EVERY_S:
            self._tell_clock()

    def _tell_clock(self) -> None:
        self._told_clock_at = time.monotonic()
        self._stage.feed.publish("clock", self._now())


def _headers(answer: web.StreamResponse) -> None:
    answer.headers.setdefault("Content-Security-Policy", POLICY)
    answer.headers.setdefault("Cache-Control", "no-store")
    answer.headers.setdefault("X-Content-Type-Options", "nosniff")
    answer.headers.setdefault("Referrer-Policy", "no-referrer")
    answer.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")


def _event(kind: str, data: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


async def _given(request: web.Request) -> dict[str, Any]:
    """The JSON object of a request; anything else is answered with 400."""
    problem = "Send a JSON object."
    if request.content_type != "application/json":
        raise web.HTTPBadRequest(
            text=json.dumps({"ok": False, "error": problem}), content_type="application/json"
        )
    try:
        given = await request.json()
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise web.HTTPBadRequest(
            text=json.dumps({"ok": False, "error": problem}), content_type="application/json"
        )
    return given


async def _no_icon(request: web.Request) -> web.Response:
    return web.Response(status=204)


def _no(error: str) -> web.Response:
    return web.json_response({"ok": False, "error": error}, status=400)
