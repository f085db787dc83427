"""The bot's doors in this process: the ASGI apps on a real SQLite file, a clock moved by hand, a Slack on loopback.

Knows how to knock (`ask`), what was logged as a fault, and how to see that the bot still pages. Refuses to know what is
thrown at it. Serves the fuzz command and its test.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import structlog
from aiohttp import web
from sqlalchemy import text
from starlette.responses import Response

from oncall_bot.calendars.feeds import Feeds
from oncall_bot.core.documents import faults_of, normalised, sha256_of
from oncall_bot.flows.apply_config import apply_config
from oncall_bot.paging.callbacks import Callbacks
from oncall_bot.prometheus.webhook import Intake
from oncall_bot.slack.connection import SlackEdge, SlackSettings
from oncall_bot.store import migrations
from oncall_bot.store.db import Store
from oncall_bot.store.transactions import Reader
from oncall_bot.telemetry.metrics import Telemetry
from oncall_bot.web.app import build_web

SECRET = b"0123456789abcdef0123456789abcdef"
SIGNING_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
TOKEN = "fuzz-token-of-the-source-0123456789"
ADDRESS = "https://oncall.example.com"
ROAD, ROAD_TOKEN = "twilio://ACfuzz:{token}@+15005550006/{{to}}", "fuzz-token-of-the-telephone-0123"
ANA_NUMBER = "+4915550100001"
ANA, BO, GUEST = "U0ANAANA1", "U0BOBOBO1", "U0GUEST01"
STORM_OVER = timedelta(minutes=5)
ANSWERS_WITHIN = 30.0
STAYS = "stays"
"""The name of a task that is no work of an answer."""

_PERSON = {"name": "Ana Ruiz", "slack": ANA, "email": "ana@example.com"}
DOCUMENT: dict[str, Any] = {
    "version": 1,
    "defaults": {"zone": "Europe/Berlin", "channel": "#alerts", "last_resort": ["ana"]},
    "people": {
        "ana": {
            **_PERSON,
            "role": "admin",
            "contacts": {"push": "ana-phone", "sms": ANA_NUMBER, "voice": ANA_NUMBER},
        },
        "bo": {"name": "Bo Lindt", "slack": BO, "contacts": {"push": "bo-phone"}},
    },
    "channels": {
        "push": {"url": "ntfy://127.0.0.1/{to}"},
        "sms": {"url_file": "sms"},
        "voice": {"url_file": "voice"},
    },
    "personal_rules": {
        "high": [{"after": "0m", "by": one} for one in ("slack", "push", "sms", "voice")],
        "low": [{"after": "0m", "by": "slack"}],
    },
    "teams": {
        "shop": {"members": ["ana", "bo"], "channel": "#shop"},
        "quiet": {"members": ["bo"], "channel": "#quiet"},
    },
    "services": {
        "checkout": {"team": "shop", "policy": "shop"},
        "ordinary": {"team": "quiet", "policy": "quiet"},
    },
    "schedules": {
        "shop": {
            "team": "shop",
            "layers": [
                {
                    "name": "week",
                    "start": "2026-01-05T09:00",
                    "rotation": {"unit": "week", "every": 1},
                    "users": ["ana", "bo"],
                }
            ],
        }
    },
    "policies": {
        "shop": {"steps": [{"after": "0m", "page": ["schedule:shop"]}]},
        "quiet": {"steps": [{"after": "0m", "page": ["person:bo"]}]},
    },
    "routes": [
        {"name": "ordinary", "match": ['service="ordinary"'], "policy": "quiet"},
        {"name": "rest", "group_by": ["alertname", "service"], "policy": "shop"},
    ],
}
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Request:
    """A knock at a door. `genuine`: it has what the door asks for, so that it may be let in."""

    path: str
    body: bytes = b""
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    genuine: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Clock:
    now: datetime = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class Faults(logging.Handler):
    """What was logged as an error, by us or by a library."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record)[:3000])

    def event(self, _logger: object, method: str, event: Any) -> str:
        if method in ("error", "critical", "exception") or event.get("event") == "write_failed":
            self.lines.append(repr(event)[:3000])
        raise structlog.DropEvent


@dataclass
class Stage:
    """One installation, fresh."""

    store: Store
    clock: Clock
    app: Any
    slack: SlackEdge
    faults: Faults
    slack_api: str
    said: list[str]

    async def ask(self, request: Request) -> Answer:
        """The answer of the ASGI app, as a server in front of it would pass it on."""
        sent: list[Any] = []
        parts = [{"type": "http.request", "body": request.body, "more_body": False}]

        async def receive() -> Any:
            return parts.pop() if parts else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        async with asyncio.timeout(ANSWERS_WITHIN):
            await self.app(_scope(request), receive, send)
        headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in sent[0]["headers"]}
        whole = b"".join(one.get("body", b"") for one in sent[1:])
        return Answer(sent[0]["status"], headers, whole)

    async def settled(self) -> None:
        """What listeners went on with after their answers is done; servers and what stands by go on."""
        while left := {one for one in asyncio.all_tasks() if _ends(one)}:
            await asyncio.wait(left, timeout=10)

    def rows(self, sql: str, **params: Any) -> list[Any]:
        def look(reader: Reader) -> list[Any]:
            return list(reader.connection.execute(text(sql), params))

        return self.store.look(look)

    async def still_pages(self) -> str | None:
        """Why an ordinary critical alert opens no incident with a page; None when it does."""
        return await self._pages("ordinary")

    async def pages_ana(self) -> str | None:
        """The same for one that pages whoever is on call, by every road."""
        self.clock.now += STORM_OVER
        return await self._pages("checkout")

    async def _pages(self, service: str) -> str | None:
        self.clock.now += STORM_OVER
        name = f"Ordinary{next(_numbers)}"
        labels = {"alertname": name, "service": service, "severity": "critical"}
        firing = {"status": "firing", "labels": labels, "startsAt": self.clock.now.isoformat()}
        body = json.dumps({"version": "4", "alerts": [firing]}).encode()
        answer = await self.ask(Request("/webhook/alertmanager", body, headers=bearer()))
        if answer.status != 200:
            return f"an ordinary alert is answered {answer.status}: {answer.body[:200]!r}"
        paged = self.rows(
            "SELECT p.id FROM page p JOIN incident i ON i.id = p.incident_id"
            " WHERE i.first_alert = :name",
            name=name,
        )
        return None if paged else f"the ordinary alert {name} pages nobody"


def _ends(task: asyncio.Task[Any]) -> bool:
    """Whether the task is work of an answer, and not this one, a server's or the connection's own."""
    name = getattr(task.get_coro(), "__qualname__", "")
    stands_by = name.startswith(("RequestHandler.", "SlackEdge._keep"))
    return task is not asyncio.current_task() and task.get_name() != STAYS and not stands_by


def bearer(token: str = TOKEN) -> dict[str, str]:
    return {"authorization": f"Bearer {token}", "content-type": "application/json"}


def _scope(request: Request) -> dict[str, Any]:
    headers = [(k.lower().encode(), v.encode("latin-1")) for k, v in request.headers.items()]
    length = (b"content-length", str(len(request.body)).encode())
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "https",
        "path": unquote(request.path),
        "raw_path": request.path.encode(),
        "root_path": "",
        "query_string": request.query.encode(),
        "headers": [*headers, (b"host", b"oncall.example.com"), length],
        "client": ("192.0.2.7", 4711),
        "server": ("oncall.example.com", 443),
    }


@asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    """A fresh installation in a temporary folder, with Slack in HTTP mode; gone afterwards."""
    faults = Faults()
    former = structlog.get_config()
    structlog.configure(processors=[faults.event], cache_logger_on_first_use=False)
    logging.getLogger().addHandler(faults)
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, told: faults.lines.append(repr(told)[:3000]))
    folder = Path(tempfile.mkdtemp(prefix="oncall-fuzz-"))
    try:
        async with _slack() as (api, said), _built(folder, api, said, faults) as built:
            yield built
    finally:
        loop.set_exception_handler(None)
        logging.getLogger().removeHandler(faults)
        structlog.configure(**former)
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def _built(folder: Path, api: str, said: list[str], faults: Faults) -> AsyncIterator[Stage]:
    url, clock = f"sqlite:///{folder}/fuzz.db", Clock()
    migrations.upgrade(url)
    store = Store(url, clock=clock)
    store.open()
    slack = SlackEdge(
        SlackSettings("xoxb-fuzz", signing_secret=SIGNING_SECRET, api_url=api, public_url=ADDRESS),
        store,
        clock=clock,
    )
    try:
        await _apply(store)
        await slack.start()
        if not await slack.ready():
            raise RuntimeError("the Slack on loopback does not answer")
        yield Stage(store, clock, _app(store, slack, clock), slack, faults, api, said)
    finally:
        await slack.stop()
        store.close()


async def _apply(store: Store) -> None:
    if found := faults_of(DOCUMENT):
        raise ValueError(found)
    ready = normalised(DOCUMENT)
    token = {"default": sha256(TOKEN.encode()).hexdigest()}
    await store.write(apply_config, ready, sha256_of(ready), "fuzz", token_sha256=token)


def _app(store: Store, slack: SlackEdge, clock: Clock) -> Any:
    telemetry = Telemetry()

    async def ready() -> Sequence[str]:
        return ()

    async def slack_handler(request: Any) -> Any:
        return await _handed_on(slack, request)

    built = build_web(
        store=store,
        telemetry=telemetry,
        secret=SECRET,
        ready=ready,
        slack_handler=slack_handler,
        calendars=Feeds(store).behind,
        telephone=Callbacks(
            store, secret=lambda: SECRET, public_url=ADDRESS, read_file=_road_of_file
        ),
        public_url=ADDRESS,
    )
    return Intake(store, telemetry, built, now=clock)


def _road_of_file(name: str) -> str:
    road = ROAD.format(token=ROAD_TOKEN)
    return f"{road}?method=call" if name == "voice" else road


async def _handed_on(slack: SlackEdge, request: Any) -> Response:
    """As app does: Slack's own ASGI app behind the framework's route."""
    answer: dict[str, Any] = {"body": b""}

    async def send(message: Any) -> None:
        answer.update(message)

    await slack.asgi(request.scope, request.receive, send)
    headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in answer["headers"]}
    return Response(answer["body"], answer["status"], headers)


# --- a Slack that takes everything --------------------------------------------------------------------------------


@asynccontextmanager
async def _slack() -> AsyncIterator[tuple[str, list[str]]]:
    """Its address and the texts it was sent."""
    said: list[str] = []

    async def method(request: web.Request) -> web.Response:
        given = await _given(request)
        said.append(json.dumps(given, ensure_ascii=False))
        del said[:-2000]
        return web.json_response(_answer(request.match_info["method"], given))

    async def hook(request: web.Request) -> web.Response:
        said.append(await request.text())
        return web.Response(text="ok")

    app = web.Application(client_max_size=16 * 1024 * 1024)
    app.router.add_post("/api/{method}", method)
    app.router.add_post("/hook", hook)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield f"http://127.0.0.1:{port}/api/", said
    finally:
        await runner.cleanup()


async def _given(request: web.Request) -> Any:
    if request.content_type == "application/json":
        return await request.json()
    return {key: str(value) for key, value in (await request.post()).items()}


def _answer(method: str, given: Mapping[str, Any]) -> dict[str, Any]:
    match method:
        case "auth.test":
            return {"ok": True, "team_id": "T0FUZZ001", "user_id": "U0BOTBOT1", "team": "fuzz"}
        case "users.info":
            user = str(given.get("user", ""))
            guest = {"is_restricted": user == GUEST}
            return {"ok": True, "user": {"id": user, "team_id": "T0FUZZ001", "name": "x", **guest}}
        case "conversations.open":
            return {"ok": True, "channel": {"id": "D0FUZZ001"}}
        case _:
            ts = f"1795316820.{next(_numbers):06d}"
            return {"ok": True, "channel": "C0FUZZ001", "ts": ts, "view": {"id": "V1"}}
