"""THE wiring: every part of the process, built from settings, started in order, stopped in reverse.

Knows all rooms. Decides nothing. Serves `serve` and tests that run the whole bot in one process.
Each started thing registers its stop on the next line.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import itertools
import os
import secrets
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import wait
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog
from starlette.requests import Request
from starlette.responses import Response

from oncall_bot import __version__
from oncall_bot.calendars.feeds import Feeds
from oncall_bot.calendars.reader import EVERY as CALENDARS_EVERY
from oncall_bot.calendars.reader import CalendarReader
from oncall_bot.core.errors import OncallError
from oncall_bot.core.fault_points import FaultPoint, ignore
from oncall_bot.core.spending import ModelCall
from oncall_bot.engine.alarm import Alarm
from oncall_bot.engine.auditor import DEAD_AFTER_S as AUDIT_DEAD_AFTER_S
from oncall_bot.engine.auditor import EVERY as AUDIT_EVERY
from oncall_bot.engine.auditor import FIRST_AFTER as FIRST_AUDIT_AFTER
from oncall_bot.engine.auditor import LATE_AFTER_S as AUDIT_LATE_AFTER_S
from oncall_bot.engine.auditor import Auditor, Parts
from oncall_bot.engine.delivery import Delivery, Ports
from oncall_bot.engine.directory import EVERY as DIRECTORY_EVERY
from oncall_bot.engine.directory import SlackIds
from oncall_bot.engine.forgetter import Forgetter
from oncall_bot.engine.gauge import LoopGauge
from oncall_bot.engine.grant_reader import EVERY as GRANTS_EVERY
from oncall_bot.engine.grant_reader import GrantReader
from oncall_bot.engine.group_keeper import EVERY as GROUPS_EVERY
from oncall_bot.engine.group_keeper import GroupKeeper
from oncall_bot.engine.jobs import Clock, Duty, Jobs
from oncall_bot.engine.librarian import EVERY as LIBRARIAN_EVERY
from oncall_bot.engine.librarian import Librarian
from oncall_bot.engine.reconciler import EVERY as RECONCILE_EVERY
from oncall_bot.engine.reconciler import Reconciler
from oncall_bot.engine.sight import Sight
from oncall_bot.engine.tick import Tick
from oncall_bot.engine.watchdog import Vital, Watchdog
from oncall_bot.flows.model_calls import book_call
from oncall_bot.flows.notices import tell_of_death
from oncall_bot.flows.plan_ahead import plan_ahead
from oncall_bot.flows.stopping import stopped
from oncall_bot.flows.warn_coverage import look_ahead, warn_coverage
from oncall_bot.flows.warn_tokens import warn_tokens
from oncall_bot.in_force import InForce
from oncall_bot.paging.callbacks import Callbacks
from oncall_bot.paging.heartbeat import HttpHeartbeat
from oncall_bot.paging.roads import CurrentRoads
from oncall_bot.pictures.png import PngPictures
from oncall_bot.ports import Assistant, Drafter, Instruments
from oncall_bot.prometheus.alertmanager import AlertmanagerApi
from oncall_bot.prometheus.queries import PrometheusMetrics
from oncall_bot.prometheus.webhook import Intake
from oncall_bot.settings import Settings
from oncall_bot.slack.connection import SlackEdge, SlackSettings
from oncall_bot.slack.rendering import render
from oncall_bot.store import migrations, processes
from oncall_bot.store.db import Store, ping
from oncall_bot.store.hold import hold
from oncall_bot.telemetry.metrics import Telemetry
from oncall_bot.web.app import build_web
from oncall_bot.web.server import WebServer, behind_proxy

if TYPE_CHECKING:
    from oncall_bot.llm.client import Model

log = structlog.get_logger(__name__)

RUNBOOKS_EVERY = timedelta(seconds=30)
RETENTION_EVERY = timedelta(hours=1)
COVERAGE_EVERY, COVERAGE_AFTER = timedelta(days=1), timedelta(minutes=2)
TICK_EVERY = timedelta(seconds=0.5)
HAND_OFFS_EVERY = timedelta(seconds=60)
LATER = {"audit": FIRST_AUDIT_AFTER, "runbooks": RUNBOOKS_EVERY, "coverage": COVERAGE_AFTER}
"""Duties whose first run is not at once."""
GUARD_THEMSELVES = ("tick", "audit", "reconcile")
READY_TICK_AGE_S = 10.0
LEAVE_WITHIN_S = 5.0
DRAIN_FOR_S = 2.0
"""With replicas, when the settings say nothing: some balancers look every second, Kubernetes is told at once."""
LAST_WORD_TAKES_AT_MOST_S = 5.0


class App:
    """The whole bot. `await start()`, then `await stop()`; `url` is where it listens once started.

    `clock` is for rehearsals: every decision and every shown time is taken from it, by default from the database's
    clock and the wall's. Who moves it by leaps calls `catch_up` after each, and leaps less than five seconds at once:
    a process is taken for dead when it has not said for so long that it lives. `open_here` spares everybody on this
    machine the sign-in to the web pages: for the demo.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock | None = None,
        at_fault_point: Callable[[FaultPoint], None] = ignore,
        open_here: bool = False,
    ) -> None:
        self.settings = settings
        self._clock = clock
        self._open_here = open_here
        self.telemetry = Telemetry()
        self.instance = f"{processes.SEEN}{os.getpid()}-{secrets.token_hex(4)}"
        self._at = at_fault_point
        self._stack = AsyncExitStack()
        self._stopping = False
        self.url = ""

    # --- life ---------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Bring everything up, or raise one OncallError and leave nothing behind."""
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise

    def drain(self) -> float:
        """From now on `/-/ready` says no, and all work goes on; the seconds a load balancer is given to notice."""
        self._stopping = True
        given = self.settings.drain_for
        if given is not None:
            return given
        return 0.0 if self.store.sqlite else DRAIN_FOR_S

    async def stop(self) -> None:
        """Take nothing new, let what is in flight end, hang up."""
        await self._stack.aclose()

    async def catch_up(self) -> None:
        """After the clock was moved: do every duty that became due, and return once nothing is being sent."""
        await self._jobs.catch_up()
        await self.delivery.settled()

    async def _start(self) -> None:
        url = self.settings.database_url.get_secret_value()
        self._stack.enter_context(hold(url))
        await asyncio.to_thread(migrations.upgrade, url)
        self.store = Store(
            url,
            clock=self._clock,
            on_failure=self.telemetry.guarded,
            observe=self.telemetry.observed,
        )
        self._now = self.store.now
        self.store.open()
        self._stack.callback(self.store.close)
        await self.store.write(processes.start, self.instance, alone=self.store.sqlite)
        self._in_force = InForce(self.settings, self.store)
        await self._in_force.apply_config()
        await self.store.view(
            ping
        )  # what was just applied is in force: tokens, the runbooks' folder
        self.model = self._model()
        await self._start_slack()
        await self._start_engine()  # what is overdue goes out while the rest comes up
        await self._in_force.import_runbooks()
        await self._start_web()
        if not self.store.snapshot.tokens:
            log.warning(
                "no_source_token",
                why="no ONCALL_WEBHOOK_TOKEN and no source in the file: alerts get a 401",
            )
        log.info("serving", url=self.url, slack=self.settings.slack_mode, instance=self.instance)

    # --- parts --------------------------------------------------------------------------------------------------

    async def _start_slack(self) -> None:
        settings = self.settings
        metrics = PrometheusMetrics()
        self._stack.callback(metrics.close)
        pictures = PngPictures()
        self._stack.callback(pictures.close)
        self._instruments = Instruments(
            metrics,
            pictures,
            self.prometheus_of,
            self._sources_with_metrics,
            shares=pictures.shares,
            week=pictures.week,
        )
        self.slack: SlackEdge | None = None
        if settings.slack_bot_token is None:
            log.warning("slack_off", why="no ONCALL_SLACK_BOT_TOKEN; pages go by other roads only")
            return
        self.slack = SlackEdge(
            SlackSettings(
                bot_token=settings.slack_bot_token.get_secret_value(),
                app_token=_secret(settings.slack_app_token),
                signing_secret=_secret(settings.slack_signing_secret),
                api_url=settings.slack_api_url,
                command=settings.slack_command,
                public_url=settings.public_url,
            ),
            self.store,
            observe=lambda method, outcome: self.telemetry.slack_requests.labels(
                method, outcome
            ).inc(),
            on_failure=self.telemetry.guarded,
            clock=self._now,
            look_with=self._instruments,
            assistant=self._assistant(),
        )
        await self.slack.start()
        self._stack.push_async_callback(self.slack.stop)

    async def _start_engine(self) -> None:
        self._pagers = CurrentRoads(lambda: self.store.snapshot.config.channels)
        self._stack.push_async_callback(self._pagers.aclose)
        source = AlertmanagerApi()
        self.delivery = self._delivery(source)
        reconciler = Reconciler(
            self.store,
            source,
            self.addresses,
            instance=self.instance,
            telemetry=self.telemetry,
            now=self._now,
        )
        self.tick = Tick(
            self.store,
            instance=self.instance,
            version=__version__,
            telemetry=self.telemetry,
            before_late_pages=reconciler.before_late_pages,
            now=self._now,
        )
        loop = asyncio.get_running_loop()
        self.store.on_commit(lambda: _soon(loop, self.delivery.nudge))
        self._jobs = Jobs(self._duties(reconciler), now=self._now, later=LATER)
        self.auditor = self._auditor()
        await self.store.write(plan_ahead)  # before the first audit asks for it
        # Stopped in reverse: while the last messages go out, ticks still say that this process lives.
        self._stack.push_async_callback(self._duty("leave", self._leave))
        watchdog = self._watchdog()
        watchdog.start()
        self._stack.callback(watchdog.stop)
        self._jobs.start()
        self._stack.callback(self._jobs.stop)
        sending = asyncio.create_task(self.delivery.run(), name="delivery")
        self._stack.push_async_callback(_end, self.delivery.stop, sending)
        self.store.listen(self.instance)

    def _delivery(self, source: AlertmanagerApi) -> Delivery:
        slack, sight = self.slack, self._sight()
        ports = Ports(
            render=partial(render, command=self.settings.slack_command),
            chat=slack.chat if slack else None,
            pager=self._pagers.current,
            drafter=self._drafter(),
            source=source,
            addresses=self.addresses,
            chat_link=slack.chat_link if slack else lambda channel, ts: None,
            looks={"picture": sight.draw, "query": sight.read},
        )
        return Delivery(
            self.store,
            ports,
            instance=self.instance,
            telemetry=self.telemetry,
            public_url=self.settings.public_url,
            signing_key=self._signing_key(),
            at_fault_point=self._at,
            now=self._now,
        )

    def _duties(self, reconciler: Reconciler) -> dict[str, tuple[timedelta, Duty]]:
        """What is done again and again, and how often; a duty that fails is told and tried again."""
        calendars = CalendarReader(self.store, self.settings.config.parent)
        duties: dict[str, tuple[timedelta, Duty]] = {
            "tick": (TICK_EVERY, self.tick.run),
            "beat": (TICK_EVERY, self.tick.beat),
            "audit": (AUDIT_EVERY, lambda: self.auditor.run()),
            "reconcile": (RECONCILE_EVERY, reconciler.run),
            "hand_offs": (HAND_OFFS_EVERY, self._plan_ahead),
            "runbooks": (RUNBOOKS_EVERY, self._in_force.import_runbooks),
            "librarian": (LIBRARIAN_EVERY, Librarian(self.store).run),
            "retention": (RETENTION_EVERY, Forgetter(self.store).run),
            "calendars": (CALENDARS_EVERY, calendars.run),
            "coverage": (COVERAGE_EVERY, self._warn_coverage),
        }
        if self.slack is not None:
            ids = SlackIds(self.store, self.slack.directory)
            duties["directory"] = (DIRECTORY_EVERY, ids.run)
            keeper = GroupKeeper(self.store, self.slack.user_groups)
            duties["user_groups"] = (GROUPS_EVERY, keeper.run)
            duties["team_grants"] = (
                GRANTS_EVERY,
                GrantReader(self.store, self.slack.user_groups).run,
            )
        return {
            name: (every, work if name in GUARD_THEMSELVES else self._duty(name, work))
            for name, (every, work) in duties.items()
        }

    def _watchdog(self) -> Watchdog:
        return Watchdog(
            [
                Vital("tick", self.tick.silence),
                Vital("delivery", self.delivery.age),
                Vital("auditor", self.auditor.age, AUDIT_LATE_AFTER_S, AUDIT_DEAD_AFTER_S),
            ],
            on_look=lambda: self.telemetry.tick_age_seconds.set(self.tick.age()),
            on_dead=self._end_with_a_last_word,
        )

    def _sight(self) -> Sight:
        given = self.slack.look_with if self.slack else None
        return Sight(self.store, given or self._instruments, now=self._now)

    def _auditor(self) -> Auditor:
        return Auditor(
            self.store,
            instance=self.instance,
            parts=Parts(
                tick_age=self.tick.age,
                delivery_age=self.delivery.age,
                silent_duties=self._jobs.silent,
                revive=self._jobs.revive,
                has_chat=self.slack is not None,
            ),
            telemetry=self.telemetry,
            alarm=Alarm(self.store, self._pagers.current, instance=self.instance),
            heartbeat=self._heartbeat(),
            now=self._now,
        )

    def _end_with_a_last_word(self, part: str) -> None:
        """On the watchdog's thread: what is left in the outbox now is sent by whoever is alive next."""
        with suppress(OncallError):
            wait([self.store.write(tell_of_death, self.instance, part)], LAST_WORD_TAKES_AT_MOST_S)
        os._exit(70)

    async def _start_web(self) -> None:
        web = build_web(
            store=self.store,
            telemetry=self.telemetry,
            secret=self._signing_key(),
            ready=self._not_ready,
            slack_handler=self._slack_handler(),
            calendars=Feeds(self.store).behind,
            telephone=Callbacks(
                self.store, secret=self._signing_key, public_url=self.settings.public_url
            ),
            public_url=self.settings.public_url,
            command=self.settings.slack_command,
            open_here=self._open_here,
        )
        # a proxy in front tells pages who asks; the webhook knows its caller by the token and is spared the work
        behind = behind_proxy(web)
        intake = Intake(self.store, self.telemetry, behind, at_fault_point=self._at, now=self._now)
        server = WebServer(intake, self.settings.host, self.settings.port)
        self._stack.push_async_callback(server.stop)
        await server.start()
        self.url = server.url

    def _slack_handler(self) -> Callable[[Request], Awaitable[Response]] | None:
        slack = self.slack
        if slack is None or self.settings.slack_mode != "http":
            return None

        async def handle(request: Request) -> Response:
            answer: dict[str, Any] = {"status": 500, "headers": [], "body": b""}

            async def send(message: Any) -> None:
                if message["type"] == "http.response.start":
                    answer.update(status=message["status"], headers=message["headers"])
                else:
                    answer["body"] += message.get("body", b"")

            await slack.asgi(request.scope, request.receive, send)
            response = Response(answer["body"], answer["status"])
            response.raw_headers = [*answer["headers"]]
            return response

        return handle

    def _signing_key(self) -> bytes:
        """Of the settings, else the one that was made with the database."""
        given = self.settings.secret_key
        if given is None:
            return self.store.snapshot.signing_key
        return hashlib.sha256(given.get_secret_value().encode()).digest()

    def _model(self) -> Model | None:
        """The one client of the model's server, for drafts and whoever else asks; None while no model is named."""
        settings = self.settings
        if not settings.llm_is_on or settings.llm_model is None:
            return None
        from oncall_bot.llm.client import Model

        return Model(
            settings.llm_base_url or "https://api.openai.com/v1",
            _secret(settings.llm_api_key) or "none",
            settings.llm_model,
            observe=self._book,
        )

    def _book(self, call: ModelCall) -> None:
        """On the thread that asked. The row is written when the database can; a call is never held up by it."""
        self.telemetry.llm_calls.labels(call.outcome.value).inc()
        log.info(
            "model_called",
            model=call.model,
            purpose=call.purpose,
            outcome=call.outcome.value,
            prompt_tokens=call.usage.prompt_tokens,
            completion_tokens=call.usage.completion_tokens,
            ms=call.ms,
            incident=call.incident_id,
        )
        with suppress(OncallError):
            self.store.write(book_call, call)

    def _drafter(self) -> Drafter | None:
        if self.model is None:
            return None
        from oncall_bot.llm.drafter import ModelDrafter

        return ModelDrafter(self.model)

    def _assistant(self) -> Assistant | None:
        if self.model is None:
            return None
        from oncall_bot.llm.assistant import ModelAssistant

        gauge = LoopGauge(self._instruments, asyncio.get_running_loop())
        return ModelAssistant(self.model, self.store, gauge=gauge)

    def _heartbeat(self) -> HttpHeartbeat | None:
        url = self.settings.heartbeat_url
        return HttpHeartbeat(url.get_secret_value()) if url is not None else None

    def prometheus_of(self, source: str) -> str | None:
        """The Prometheus that a source's rules are evaluated by."""
        found = self.store.snapshot.config.sources.get(source)
        if found is not None and found.prometheus:
            return found.prometheus
        return self.settings.prometheus_url if source == "default" else None

    def _sources_with_metrics(self) -> Sequence[str]:
        known = dict.fromkeys(("default", *self.store.snapshot.config.sources))
        return [source for source in known if self.prometheus_of(source)]

    def addresses(self, source: str) -> Sequence[str]:
        """The Alertmanagers that answer for a source."""
        found = self.store.snapshot.config.sources.get(source)
        if found is not None and found.alertmanager:
            return found.alertmanager
        own = self.settings.alertmanager_url
        return (own,) if source == "default" and own else ()

    # --- duties -------------------------------------------------------------------------------------------------

    def _duty(self, name: str, work: Duty) -> Duty:
        async def run() -> None:
            try:
                await work()
            except Exception as error:  # noqa: BLE001 - guard: one duty of the tick
                self.telemetry.guarded("tick")
                log.warning("duty_failed", duty=name, error=str(error)[:300])

        return run

    async def _leave(self) -> None:
        """The others go on at once with what this one had; when the database is away, in five seconds."""
        async with asyncio.timeout(LEAVE_WITHIN_S):
            left = await self.store.write(stopped, self.instance)
        log.info("left", given_back=left)

    async def _plan_ahead(self) -> None:
        await self.store.write(plan_ahead)

    async def _warn_coverage(self) -> None:
        if self.store.snapshot.held:
            return
        found = await self.store.view(look_ahead)
        await self.store.write(warn_coverage, found)
        await self.store.write(warn_tokens)

    async def _not_ready(self) -> list[str]:
        reasons = ["the process stops"] if self._stopping else []
        if not await self.store.answers():
            reasons.append("the database does not answer")
        if self.tick.age() > READY_TICK_AGE_S:
            reasons.append(f"the tick is {self.tick.age():.0f} s old")
        return reasons


def _secret(value: Any) -> str:
    return value.get_secret_value() if value is not None else ""


def _soon(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    with suppress(RuntimeError):  # the loop has ended: so has the process
        loop.call_soon_threadsafe(call)


async def _end(stop: Callable[[], Awaitable[None]], task: asyncio.Task[None]) -> None:
    await stop()
    with suppress(asyncio.CancelledError):
        await task


def new_loop() -> asyncio.AbstractEventLoop:
    """The event loop of the process: uvloop, where there is one for the system."""
    if sys.platform == "win32":
        return asyncio.new_event_loop()
    import uvloop

    return uvloop.new_event_loop()


async def run(settings: Settings, *, at_fault_point: Callable[[FaultPoint], None] = ignore) -> None:
    """Serve until SIGINT or SIGTERM."""
    app = App(settings, at_fault_point=at_fault_point)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stopping.set)
    await app.start()
    gc.freeze()  # what was loaded and built so far stays; until here `serve` had the collector off
    gc.enable()
    try:
        await stopping.wait()
        wait = app.drain()
        log.info("stopping", in_seconds=wait)
        await asyncio.sleep(wait)
    finally:
        await app.stop()


def kill_at(named: str) -> Callable[[FaultPoint], None]:
    """For tests: the process is gone, as by kill -9, when `after_send` is reached, `after_send:7` at the 7th time."""
    point, _, count = named.partition(":")
    wanted, nth = FaultPoint(point), int(count or 1)
    reached_before = itertools.count(1)

    def strike(reached: FaultPoint) -> None:
        if reached is wanted and next(reached_before) == nth:
            os.kill(os.getpid(), signal.SIGKILL)
            threading.Event().wait()

    return strike


__all__ = ["App", "OncallError", "kill_at", "run"]
