"""The practice Slack on loopback, with or without the real bot's Slack edge connected to it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import uvicorn
from aiohttp import ClientSession, web
from slack_sdk.web.async_client import AsyncWebClient

from oncall_bot.practice.feed import Feed, Subscription
from oncall_bot.practice.slack import ChannelSeed, Person, PracticeSlack
from oncall_bot.slack.connection import SlackEdge, SlackSettings
from oncall_bot.slack.manifest import manifest
from oncall_bot.slack.sender import web_client
from oncall_bot.store.db import Store

PEOPLE = (
    Person("U0000ANA", "ana", "Ana Ruiz", "ana@example.com", "SRE", "Europe/Madrid"),
    Person("U00000BO", "bo", "Bo Lindt", "bo@example.com", zone="Asia/Kolkata"),
    Person("U00000CY", "cy", "Cy Okafor", "cy@example.com"),
)
CHANNELS = (
    ChannelSeed("general", ("ana", "bo", "cy")),
    ChannelSeed("incidents", ("ana", "bo"), topic="What is on fire"),
    ChannelSeed("secret", ("cy",), private=True),
)
ANA, BO, CY = (person.id for person in PEOPLE)

CONFIG = """
version: 1
defaults: {zone: Europe/Berlin, channel: "#incidents", fallback: [person:cy], last_resort: [cy]}
people:
  ana: {name: Ana Ruiz, email: ana@example.com}
  bo: {name: Bo Lindt, email: bo@example.com}
  cy: {name: Cy Okafor, email: cy@example.com, role: admin}
teams:
  shop: {members: [ana, bo], channel: "#incidents"}
services:
  checkout: {team: shop, policy: shop-primary}
schedules:
  shop-primary:
    team: shop
    zone: Europe/Berlin
    layers:
      - {name: week, start: "2026-01-05T09:00", rotation: {unit: week, every: 1}, users: [ana]}
policies:
  shop-primary:
    steps:
      - {after: 0m, page: [schedule:shop-primary]}
routes:
  - {name: rest, group_by: [alertname, service], policy: shop-primary}
"""


@dataclass
class Clock:
    """Practice time and steady time, moved by hand."""

    at: datetime = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
    steady: float = 1000.0

    def now(self) -> datetime:
        return self.at

    def seconds(self) -> float:
        return self.steady

    def skip(self, seconds: float) -> None:
        """Both clocks go on so far."""
        self.at += timedelta(seconds=seconds)
        self.steady += seconds


@dataclass
class Rehearsal:
    """A practice Slack that listens, and what tests do with it again and again."""

    slack: PracticeSlack
    feed: Feed
    clock: Clock
    base: str
    http: ClientSession

    @property
    def api(self) -> str:
        return f"{self.base}/api/"

    def client(self) -> AsyncWebClient:
        return web_client(self.slack.bot_token, self.api)

    async def call(self, method: str, **given: Any) -> dict[str, Any]:
        """A call with a JSON body."""
        async with self.http.post(
            self.api + method,
            json=given,
            headers={"Authorization": f"Bearer {self.slack.bot_token}"},
        ) as answer:
            found: dict[str, Any] = await answer.json()
            return found

    async def ask(self, method: str, **given: Any) -> dict[str, Any]:
        """A call with a form body, the way methods that only read are asked."""
        token = {"token": self.slack.bot_token}
        async with self.http.post(self.api + method, data={**token, **given}) as answer:
            found: dict[str, Any] = await answer.json()
            return found

    async def error(self, method: str, **given: Any) -> str:
        """The error of a call that must fail."""
        said = await self.call(method, **given)
        assert not said["ok"], said
        return str(said["error"])

    async def in_channel(self, name: str = "incidents") -> str:
        """A channel's id, once the bot has joined it."""
        channel = self.slack.find_channel(name)
        assert (await self.call("conversations.join", channel=channel))["ok"]
        return channel

    async def act(self, who: str, do: str, **more: Any) -> dict[str, Any]:
        return await self.slack.act({"as": self.slack.find_person(who), "do": do, **more})

    def sees(self, who: str, channel: str) -> list[dict[str, Any]]:
        """The messages of a channel as one person's page shows them."""
        found: list[dict[str, Any]] = self.slack.state(self.slack.find_person(who))["messages"][
            channel
        ]
        return found

    def form(self, who: str) -> Any:
        """The modal a person sees."""
        return self.slack.state(self.slack.find_person(who))["view"]


async def until(look: Callable[[], Any], within: float = 5) -> Any:
    """What `look` returns once that is true-ish."""
    async with asyncio.timeout(within):
        while not (found := look()):  # noqa: ASYNC110 - what is looked at has no event for us
            await asyncio.sleep(0.01)
    return found


async def heard(subscription: Subscription, kind: str) -> Any:
    """The next event of a kind."""
    async with asyncio.timeout(5):
        async for event in subscription:
            if event["kind"] == kind:
                return event["data"]
    raise AssertionError(f"the feed ended without {kind}")


@asynccontextmanager
async def rehearsal(
    given: Mapping[str, Any] | None = None, **options: Any
) -> AsyncIterator[Rehearsal]:
    """A practice Slack behind a real port; `given` is the manifest, the bot's own unless said."""
    clock, feed = Clock(), Feed()
    options = {"now": clock.now, "steady": clock.seconds, **options}
    slack = PracticeSlack(PEOPLE, CHANNELS, given or manifest(), feed=feed, **options)
    base = ""
    app = web.Application()
    slack.add_routes(app, lambda: base)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with ClientSession() as http:
        try:
            yield Rehearsal(slack, feed, clock, base, http)
        finally:
            await slack.close()
            feed.close()
            await runner.cleanup()


@dataclass
class Deaf:
    """A bot of the test's own on one socket: it writes down envelopes and answers as it is told."""

    socket: Any
    got: list[dict[str, Any]] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)
    silent: bool = False

    async def listen(self) -> None:
        async for frame in self.socket:
            said = frame.json()
            if "envelope_id" not in said:
                continue
            self.got.append(said)
            if self.silent:
                continue
            kind = said["payload"].get("type", said["type"])
            ack = {"envelope_id": said["envelope_id"], "payload": self.answers.get(kind)}
            await self.socket.send_json(ack)

    def events(self, kind: str) -> list[dict[str, Any]]:
        found = [one["payload"]["event"] for one in self.got if one["type"] == "events_api"]
        return [event for event in found if event["type"] == kind]

    def last(self, kind: str) -> dict[str, Any]:
        """The payload of the last press, command or form."""
        payloads = [one["payload"] for one in self.got]
        found = [p for p in payloads if kind in (p.get("type"), p.get("command"))]
        return found[-1]


@asynccontextmanager
async def listening(rehearsed: Rehearsal, **answers: Any) -> AsyncIterator[Deaf]:
    """A socket that acknowledges everything; `answers` are payloads by the kind of press."""
    slack = rehearsed.slack
    headers = {"Authorization": f"Bearer {slack.app_token}"}
    async with rehearsed.http.post(
        rehearsed.api + "apps.connections.open", headers=headers
    ) as answer:
        url = (await answer.json())["url"]
    async with rehearsed.http.ws_connect(url) as socket:
        assert (await socket.receive_json())["type"] == "hello"
        bot = Deaf(socket, answers=answers)
        task = asyncio.create_task(bot.listen())
        try:
            yield bot
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def edge(
    rehearsed: Rehearsal, store: Store, mode: str = "socket"
) -> AsyncIterator[SlackEdge]:
    """The real bot's Slack edge, connected by Socket Mode or listening to signed HTTP requests."""
    slack = rehearsed.slack
    settings = SlackSettings(
        bot_token=slack.bot_token,
        app_token=slack.app_token if mode == "socket" else "",
        signing_secret="" if mode == "socket" else slack.signing_secret,
        api_url=rehearsed.api,
    )
    bot = SlackEdge(settings, store)
    async with AsyncExitStack() as stack:
        await bot.start()
        stack.push_async_callback(bot.stop)
        assert await bot.ready()
        if mode == "http":
            slack.request_url = await stack.enter_async_context(_listening_for_slack(bot))
        assert await slack.connected(5)
        yield bot


@asynccontextmanager
async def _listening_for_slack(bot: SlackEdge) -> AsyncIterator[str]:
    """The bot's ASGI door behind a real port; its address."""
    sock = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        bot.asgi, interface="asgi3", lifespan="off", log_level="error", ws="none"
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve([sock]))
    try:
        yield f"http://127.0.0.1:{sock.getsockname()[1]}/slack/events"
    finally:
        server.should_exit = True
        await task
        sock.close()
