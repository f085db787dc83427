"""The practice workspace put together: one process, one loop, everything on loopback, and the real bot beside it.

Knows which server answers what, how a story begins (fresh workspace, fresh database, the bot started anew on the
story's clock) and how everything ends. Refuses to know the bot beyond "start, stop, catch up": it is handed in and
speaks HTTP and WebSocket with us like any other. Serves the director and the page's server.
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from aiohttp import web

from oncall_bot.practice.alertmanager import PracticeAlertmanager
from oncall_bot.practice.clock import PracticeClock
from oncall_bot.practice.feed import Feed
from oncall_bot.practice.phone import Phones
from oncall_bot.practice.plot import Hands, Look, Script, Setting
from oncall_bot.practice.prometheus import PracticePrometheus
from oncall_bot.practice.slack import ChannelSeed, PracticeSlack
from oncall_bot.practice.telephone import ACCOUNT, NUMBER, TOKEN, TelephoneNetwork

HOST = "127.0.0.1"
TELEPHONE = f"twilio+http://{ACCOUNT}:{TOKEN}@@PHONE@/{NUMBER}/{{to}}"
TELEPHONE_ROADS = {"@SMS@": TELEPHONE, "@VOICE@": f"{TELEPHONE}?method=call"}
"""The roads to the practice's telephone network; their addresses stand in files, as secrets do."""
BEAT_S = 0.2
CONNECTED_WITHIN = 20.0


class Bot(Protocol):
    """The bot under rehearsal, as far as it is our business."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def catch_up(self) -> None: ...


MakeBot = Callable[[Mapping[str, str], Callable[[], datetime]], Bot]
"""(its environment, its clock) -> a bot that is not started yet."""


class Stage:
    """`start()` opens the servers; `begin()` starts the bot on a fresh database, for a story or for none."""

    def __init__(
        self,
        setting: Setting,
        make_bot: MakeBot,
        manifest: Callable[[str | None], Mapping[str, Any]],
        folder: Path,
        *,
        begins_at: datetime,
        feed: Feed | None = None,
        http_mode: bool = False,
        keep_runs: bool = False,
    ) -> None:
        self.setting = setting
        self.folder = folder
        self.feed = feed or Feed()
        self.clock = PracticeClock(begins_at)
        self.bot_port = free_port()
        self.bot_state = "starting"
        self.notes: list[str] = []
        self._make_bot = make_bot
        self._http_mode = http_mode
        self._keep_runs = keep_runs
        self._bot: Bot | None = None
        self._stack = AsyncExitStack()
        self._due: list[tuple[datetime, Callable[[], Any]]] = []
        self._token = secrets.token_urlsafe(24)
        self._runs = 0
        request_url = f"{self.bot_url}/slack/events" if http_mode else None
        self.slack = PracticeSlack(
            setting.people,
            [ChannelSeed(name, members) for name, members in setting.channels],
            manifest(request_url),
            now=self.clock.now,
            feed=self.feed,
            wait=self.clock.wait,
            request_url=None,
        )
        self.phones = Phones(now=self.clock.now, feed=self.feed, owner=self._owner)
        self.telephone = TelephoneNetwork(self.phones, wait=self.clock.wait)
        self.telephone.text_url = lambda: f"{self.bot_url}/phone/sms/text"
        self.prometheus = PracticePrometheus(now=self.clock.now)
        self.alertmanager = PracticeAlertmanager(self.prometheus, now=self.clock.now)
        self.look = Look(self.slack, self.phones, setting.people)
        self.hands = Hands(self.slack, self.phones, self.look)

    @property
    def bot_url(self) -> str:
        return f"http://{HOST}:{self.bot_port}"

    def _owner(self, topic: str) -> str | None:
        handle = self.setting.topics.get(topic)
        return self.slack.find_person(handle) if handle else None

    # --- life ---------------------------------------------------------------------------------------------------

    async def start(self, slack_app: web.Application, url: Callable[[], str]) -> None:
        """Add Slack to the page's server (which listens at `url`), and open the other servers on ports of their own."""
        self.url = url
        self.slack.add_routes(slack_app, url)
        self._stack.push_async_callback(self.slack.close)
        self._stack.push_async_callback(self.alertmanager.close)
        world = web.Application()
        self.prometheus.add_routes(world, "/prometheus")
        self.alertmanager.add_routes(world, "/alertmanager")
        world_url = await self._serve(world)
        self.prometheus.url = f"{world_url}/prometheus"
        self.alertmanager.url = f"{world_url}/alertmanager"
        network = self.phones.app()
        self.telephone.add_routes(network)
        self._stack.push_async_callback(self.telephone.close)
        self.phone_at = (await self._serve(network)).removeprefix("http://")
        self.clock.follow(self._leapt)
        for task in (self._beat(), self.clock.run()):
            self._stack.push_async_callback(_cancel, asyncio.create_task(task))

    async def stop(self) -> None:
        """The bot first, then the world around it."""
        await self.stop_bot()
        await self._stack.aclose()

    async def _serve(self, app: web.Application) -> str:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, HOST, 0)
        await site.start()
        return f"http://{HOST}:{runner.addresses[0][1]}"

    # --- a story's beginning --------------------------------------------------------------------------------------

    async def begin(
        self, config: Callable[[datetime], str], at: datetime, script: Script | None = None
    ) -> None:
        """Everything fresh: workspace, phones, world, database; the bot starts on the story's clock."""
        self.clock.set_speed(
            1
        )  # before anything is awaited: a speed pressed from now on is the story's
        await self.stop_bot()
        self.clock.set(at)
        self._due.clear()
        self.slack.reset()
        self.phones.reset()
        self.telephone.reset()
        self.prometheus.load(
            script.scraped if script else self.prometheus.scraped, script.rules if script else ()
        )
        self.alertmanager.reset(script.routing if script else None)
        await self._start_bot(config(at))

    async def _start_bot(self, config: str) -> None:
        self._say_bot("starting")
        self._runs += 1
        folder = self.folder / f"run-{self._runs}"
        folder.mkdir()
        file = folder / "oncall.yaml"
        file.write_text(self._filled(self._with_roads(config, folder)), encoding="utf-8")
        self._bot = self._make_bot(self._env(folder, file), self.clock.now)
        await self._bot.start()
        self.slack.request_url = f"{self.bot_url}/slack/events" if self._http_mode else None
        if not await self.slack.connected(CONNECTED_WITHIN):
            raise ConnectionError("the bot did not reach the practice Slack")
        self.alertmanager.receiver_url = f"{self.bot_url}/webhook/alertmanager"
        self.alertmanager.token = self._token
        if not self._keep_runs:
            self._forget_runs()
        self._say_bot("up")

    def _with_roads(self, config: str, folder: Path) -> str:
        for mark, address in TELEPHONE_ROADS.items():
            if mark in config:
                file = folder / f"road-{mark.strip('@').lower()}"
                file.write_text(self._filled(address), encoding="utf-8")
                config = config.replace(mark, str(file))
        return config

    def _filled(self, config: str) -> str:
        return (
            config.replace("@PHONE@", self.phone_at)
            .replace("@PROMETHEUS@", self.prometheus.url)
            .replace("@ALERTMANAGER@", self.alertmanager.url)
        )

    def _env(self, folder: Path, file: Path) -> dict[str, str]:
        """The bot knows practice by its settings alone."""
        slack = (
            {"ONCALL_SLACK_SIGNING_SECRET": self.slack.signing_secret}
            if self._http_mode
            else {"ONCALL_SLACK_APP_TOKEN": self.slack.app_token}
        )
        return {
            "ONCALL_DATABASE_URL": f"sqlite:///{folder / 'oncall.db'}",
            "ONCALL_CONFIG": str(file),
            "ONCALL_HOST": HOST,
            "ONCALL_PORT": str(self.bot_port),
            "ONCALL_PUBLIC_URL": self.bot_url,
            "ONCALL_SLACK_API_URL": f"{self.url()}/api/",
            "ONCALL_SLACK_BOT_TOKEN": self.slack.bot_token,
            "ONCALL_WEBHOOK_TOKEN": self._token,
            "ONCALL_PROMETHEUS_URL": self.prometheus.url,
            "ONCALL_ALERTMANAGER_URL": self.alertmanager.url,
            **slack,
        }

    async def stop_bot(self) -> None:
        """Stop it, if it runs."""
        self.alertmanager.receiver_url = None
        self.slack.request_url = None
        if self._bot is not None:
            bot, self._bot = self._bot, None
            self._say_bot("down")
            await bot.stop()

    def _forget_runs(self) -> None:
        """Remove the files of every run but the one that goes on."""
        for folder in self.folder.glob("run-*"):
            if folder.name != f"run-{self._runs}":
                shutil.rmtree(folder, ignore_errors=True)

    def _say_bot(self, state: str) -> None:
        self.bot_state = state
        self.feed.publish("bot", {"state": state})

    def happened(self) -> tuple[int, int]:
        """How much was said and how much rang so far: when it differs, something happened."""
        said = sum(len(self.slack.messages(one["id"])) for one in self.slack.channels())
        return said, len(self.phones.rings)

    # --- time -----------------------------------------------------------------------------------------------------

    def at(self, after: timedelta, do: Callable[[], Any]) -> None:
        """Do something so much practice time from now; what it returns is awaited when it can be."""
        self._due.append((self.clock.now() + after, do))

    async def catch_up(self) -> None:
        """Let everything that is on its way arrive: alerts at the bot, its messages in Slack, people's presses."""
        await self._step()
        await self.slack.settled()
        if self._bot is not None and self.bot_state == "up":
            await self._bot.catch_up()
        await self.slack.settled()

    async def _leapt(self) -> None:
        await self._step()
        if self._bot is not None and self.bot_state == "up":
            await self._bot.catch_up()

    async def _step(self) -> None:
        now = self.clock.now()
        for one in sorted((one for one in self._due if one[0] <= now), key=lambda one: one[0]):
            if one not in self._due:
                continue
            self._due.remove(one)
            done = one[1]()
            if isinstance(done, Awaitable):
                await done
        await self.alertmanager.step()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            await self._step()


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as sock:
        sock.bind((HOST, 0))
        return int(sock.getsockname()[1])


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
