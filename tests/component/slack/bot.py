"""The whole Slack edge against a loopback Slack and a real database, in Socket Mode or over signed HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from types import ModuleType
from typing import Any

import uvicorn

from oncall_bot.core.alerts import Delivery, Notice, fingerprint
from oncall_bot.core.outcomes import Actor, Outcome
from oncall_bot.core.situation import Situation
from oncall_bot.flows.declare import declare
from oncall_bot.flows.receive_alerts import receive_alerts
from oncall_bot.ports import Assistant, ChatMessage, Instruments
from oncall_bot.slack import cards
from oncall_bot.slack.connection import SlackEdge, SlackSettings
from oncall_bot.slack.edge import now_utc
from oncall_bot.slack.manifest import manifest
from oncall_bot.store import messages, views
from oncall_bot.store.db import Store
from oncall_bot.store.transactions import Tx


async def until(true: Callable[[], Awaitable[bool]], within: float = 10) -> None:
    """Wait for what happens soon, at most so many seconds."""
    async with asyncio.timeout(within):
        while not await true():  # noqa: ASYNC110 - the other side is a server without events for us
            await asyncio.sleep(0.02)


async def known(bot: Bot, *people: str) -> None:
    """Their Slack ids are found by e-mail when they first ask something; a slow Slack is asked again."""
    for who in people:

        async def asked(who: str = who) -> bool:
            await bot.slack.act_slash(who, "incidents", "/oncall", "who")
            return await bot.store.view(lambda reader: reader.snapshot.slack_id(who) is not None)

        await until(asked, within=30)


@dataclass
class Bot:
    """The edge, its store, the Slack it talks to, and what the tests do again and again."""

    slack: Any
    store: Store
    edge: SlackEdge

    async def declared(self, title: str = "Checkout fails", press_id: str = "p1") -> int:
        alice = Actor("person", "alice", "Alice Adams")
        done = await self.store.write(
            declare, title, "SEV2", alice, service="checkout", press_id=press_id
        )
        assert isinstance(done, Outcome)
        assert done.incident_id is not None
        return done.incident_id

    async def situation(self, incident_id: int) -> Situation:
        found = await self.store.view(views.situation, incident_id)
        assert found is not None
        return found

    async def show(self, incident_id: int) -> str:
        """Post or edit the incident's card, as the engine does; its ts."""
        s = await self.situation(incident_id)
        drawn = cards.card(s, s.updated_at)
        row = await self.store.view(messages.role_of, incident_id, "root")
        assert row is not None
        message = ChatMessage(f"card:{row.id}:1", "#incidents", drawn.text, drawn.blocks, ts=row.ts)
        if row.channel_id:
            message = replace(message, channel=row.channel_id)
        sent = await self.edge.chat.put(message, first_tried_at=None)

        def shown(tx: Tx) -> None:
            messages.rendered(
                tx, row.id, row.generation, sha256="", ts=sent.provider_id, channel_id=sent.channel
            )

        await self.store.write(shown)
        return sent.provider_id

    async def incident(self, **more: str) -> tuple[int, str]:
        """An incident whose card lies in #incidents."""
        incident_id = await self.declared(**more)
        return incident_id, await self.show(incident_id)

    async def told_of(self, alertname: str, summary: str) -> int:
        """The number of the incident that this alert opens."""
        labels = {"alertname": alertname, "service": "checkout", "severity": "critical"}
        notice = Notice(fingerprint(labels), labels, {"summary": summary}, now_utc())
        told = Delivery("default", "am|oncall|{}", alertname.encode().hex(), (notice,))
        await self.store.write(receive_alerts, [told])
        (incident,) = await self.store.view(views.open_incidents)
        return incident.incident_id

    async def told(self, user: str, contains: str, channel: str = "incidents") -> dict[str, Any]:
        found: dict[str, Any] = await self.slack.act_wait(channel, contains, user=user)
        return found

    def whispered(self, user: str) -> list[dict[str, Any]]:
        uid = self.slack.ws.user(user)["id"]
        return [one for one in self.slack.ws.ephemerals if one["to"] == uid]

    def judged_clean(self) -> None:
        report = self.slack.report()
        assert report["ok"], self.slack.violations
        assert not self.slack.violations, self.slack.violations


@asynccontextmanager
async def running(
    slackcheck: ModuleType,
    store: Store,
    mode: str,
    *,
    look_with: Instruments | None = None,
    assistant: Assistant | None = None,
    clock: Callable[[], datetime] = now_utc,
    public_url: str | None = "https://oncall.example.com",
    **options: Any,
) -> AsyncIterator[Bot]:
    """The bot, connected; every scenario ends with Slack's own judgement in `judged_clean`."""
    app = slackcheck.App.from_manifest(manifest())
    async with slackcheck.Server(app, retry_delays=(0.05, 0.05, 0.05), **options) as slack:
        settings = SlackSettings(
            bot_token=app.bot_token,
            app_token=app.app_token if mode == "socket" else "",
            signing_secret="" if mode == "socket" else app.signing_secret,
            api_url=f"{slack.base}/api/",
            app_id=app.app_id,
            public_url=public_url,
        )
        edge = SlackEdge(settings, store, look_with=look_with, assistant=assistant, clock=clock)
        await edge.start()
        assert await edge.ready()
        web = None
        if mode == "http":
            web, app.request_url = await _serve(edge)
        else:
            await slack.act_wait(connected=True)
        try:
            yield Bot(slack, store, edge)
        finally:
            await edge.stop()
            if web:
                web[0].should_exit = True
                await web[1]


async def _serve(edge: SlackEdge) -> tuple[tuple[uvicorn.Server, asyncio.Task[None]], str]:
    config = uvicorn.Config(
        edge.asgi,
        interface="asgi3",
        host="127.0.0.1",
        port=0,
        lifespan="off",
        log_level="error",
        ws="none",
    )
    server = uvicorn.Server(config)
    started = asyncio.Event()
    real = server.startup

    async def startup(sockets: Any = None) -> None:
        await real(sockets)
        started.set()

    server.startup = startup  # type: ignore[method-assign]
    task = asyncio.create_task(server._serve())
    await asyncio.wait_for(started.wait(), 10)
    port = server.servers[0].sockets[0].getsockname()[1]
    return (server, task), f"http://127.0.0.1:{port}/slack/events"
