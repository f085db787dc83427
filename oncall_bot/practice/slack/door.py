"""The practice Slack's HTTP and WebSocket door: requests become calls, sockets join the wire, files come and go.

Knows aiohttp, bodies and headers. Refuses to decide anything. Serves the bot and the page's pictures.
"""

from __future__ import annotations

from typing import Any

import aiohttp
from aiohttp import web

from oncall_bot.practice.slack.answers import Json, SlackError
from oncall_bot.practice.slack.api import Api
from oncall_bot.practice.slack.calls import CALLS
from oncall_bot.practice.slack.files import FILE_MAX, File
from oncall_bot.practice.slack.responses import respond
from oncall_bot.practice.slack.scene import Scene
from oncall_bot.practice.slack.wire import Wire

FORMS = {"application/x-www-form-urlencoded", "multipart/form-data"}
_SANDBOX = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"
_AS_IS = ("image/", "text/plain", "application/pdf")


class Poster:
    """Posts signed requests to the bot; the session is made when it is first needed."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> tuple[int, str, str]:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))
        try:
            async with self._session.post(
                url, data=body, headers=headers, allow_redirects=False
            ) as answer:
                no_retry = answer.headers.get("X-Slack-No-Retry", "")
                return answer.status, await answer.text(errors="replace"), no_retry
        except aiohttp.ClientError as error:
            raise OSError(str(error)) from error

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None


class Door:
    """Routes for one practice Slack. `scene` and `api` may be exchanged: a reset keeps the sockets."""

    def __init__(self, scene: Scene, api: Api, wire: Wire) -> None:
        self.scene = scene
        self.api = api
        self._wire = wire
        self._open: set[web.WebSocketResponse] = set()

    def add_routes(self, app: web.Application) -> None:
        app.router.add_route("*", "/api/{method}", self._call)
        app.router.add_get("/socket/{ticket}", self._socket)
        app.router.add_post("/response/{key}", self._respond)
        app.router.add_route("*", "/upload/{file}/{secret}", self._upload)
        app.router.add_get("/files/{file}/{secret}", self._file)
        app.router.add_get("/files/{file}", self._picture)

    # --- the Web API --------------------------------------------------------------------------------------------

    async def _call(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        try:
            given, token = await _arguments(request, method)
        except SlackError as error:
            return web.json_response(error.body())
        answer = self.api.answer(method, token, given)
        return web.json_response(answer.body, status=answer.status, headers=answer.headers)

    async def _respond(self, request: web.Request) -> web.Response:
        try:
            said = await request.json()
        except ValueError:
            return web.Response(status=400, text="invalid_payload")
        if not isinstance(said, dict):
            return web.Response(status=400, text="invalid_payload")
        try:
            hook = self.scene.tickets.use_hook(request.match_info["key"])
        except SlackError as error:
            return web.Response(status=404, text=error.error)
        try:
            respond(self.scene, hook, said)
        except SlackError as error:
            status = 500 if error.error == "no_text" else 400
            return web.Response(status=status, text=error.error)
        return web.Response(text="ok")

    # --- sockets ------------------------------------------------------------------------------------------------

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        if not self.scene.tickets.take_socket(request.match_info["ticket"]):
            return web.Response(status=404)
        socket = web.WebSocketResponse(heartbeat=15)
        await socket.prepare(request)
        self._open.add(socket)
        try:
            if await self._wire.join(socket):
                async for frame in socket:
                    if frame.type == aiohttp.WSMsgType.TEXT:
                        self._wire.heard(frame.data)
        finally:
            self._wire.leave(socket)
            self._open.discard(socket)
            await socket.close()
        return socket

    async def close(self) -> None:
        for socket in list(self._open):
            await socket.close()

    # --- files --------------------------------------------------------------------------------------------------

    async def _upload(self, request: web.Request) -> web.Response:
        file = self.scene.files.find(request.match_info["file"])
        if file is None or file.secret != request.match_info["secret"]:
            return web.Response(status=404)
        content = await _body(request)
        if len(content) != file.size:
            said = f"{file.size} bytes were announced, {len(content)} came"
            return web.Response(status=400, text=said)
        file.content = content
        return web.Response(text=f"OK - {len(content)}")

    async def _picture(self, request: web.Request) -> web.Response:
        """What an image block names by its id (`slack_file`): a picture whose upload was completed."""
        file = self.scene.files.find(request.match_info["file"])
        if file is None or not file.shared or not file.mimetype.startswith("image/"):
            return web.Response(status=404)
        return self._content(file)

    async def _file(self, request: web.Request) -> web.Response:
        file = self.scene.files.find(request.match_info["file"])
        if file is None or file.secret != request.match_info["secret"]:
            return web.Response(status=404)
        return self._content(file)

    def _content(self, file: File) -> web.Response:
        """Never as a page of ours: what people upload may be anything."""
        if file.content is None:
            return web.Response(status=404)
        kind = file.mimetype
        if not kind.startswith(_AS_IS):
            kind = "text/plain" if kind.startswith("text/") else "application/octet-stream"
        headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": _SANDBOX}
        charset = "utf-8" if kind.startswith("text/") else None
        return web.Response(body=file.content, content_type=kind, charset=charset, headers=headers)


async def _arguments(request: web.Request, method: str) -> tuple[Json, str | None]:
    """The call's arguments and its token. A JSON body cannot carry the token, as in Slack."""
    given: Json = dict(request.query)
    bearer = request.headers.get("Authorization", "")
    token = bearer[7:].strip() if bearer[:7].lower() == "bearer " else None
    if request.method == "POST" and request.can_read_body:
        if request.content_type == "application/json":
            given |= await _json(request, method)
        elif request.content_type in FORMS:
            given |= dict(await request.post())
        else:
            raise SlackError("invalid_post_type")
    if token is None and method != "apps.connections.open" and "token" in given:
        token = str(given["token"])
    given.pop("token", None)
    return given, token


async def _json(request: web.Request, method: str) -> Json:
    """Methods that take forms only do not read a JSON body."""
    call = CALLS.get(method)
    if call is not None and call.form_only:
        return {}
    try:
        body: Any = await request.json()
    except ValueError:
        raise SlackError("invalid_json") from None
    if not isinstance(body, dict):
        raise SlackError("json_not_object")
    return {key: value for key, value in body.items() if key != "token"}


async def _body(request: web.Request) -> bytes:
    """The bytes of an upload, sent bare or as a form."""
    if not request.content_type.startswith("multipart/"):
        return (await request.read())[: FILE_MAX + 1]
    for part in (await request.post()).values():
        if isinstance(part, web.FileField):
            return part.file.read()
    return b""
