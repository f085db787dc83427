"""The reconciler against Alertmanagers on loopback: several, silent, restarted, slow, hostile, and long lists."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from oncall_bot.core.alerts import fingerprint
from oncall_bot.core.situation import State
from oncall_bot.engine.reconciler import Reconciler
from oncall_bot.engine.sources import together
from oncall_bot.engine.tick import Tick
from oncall_bot.ports import DeliveryError, SourceAlert, SourceList
from oncall_bot.prometheus.alertmanager import AlertmanagerApi
from oncall_bot.store.db import Store, anchored_clock
from oncall_bot.telemetry.metrics import Telemetry
from tests.component.flows.world import World
from tests.databases import HandClock
from tests.fakes.http import Answer, FakeHttp, Got, http_server


@pytest.fixture
def world(store: Store, clock: HandClock) -> World:
    """The hand clock begins at the real time: an Alertmanager tells since when it is up."""
    clock.now = anchored_clock()().replace(microsecond=0)
    return World(store, clock)


@dataclass
class Alertmanager:
    """What it lists; `up_for` its uptime, by the world's clock."""

    world: World
    up_for: timedelta = timedelta(days=1)
    away: bool = False
    listed: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, got: Got) -> Answer:
        if self.away:
            return Answer(503)
        if got.path == "/api/v2/status":
            up = {"uptime": (self.world.clock.now - self.up_for).isoformat()}
            return Answer(body=json.dumps(up).encode())
        return Answer(body=json.dumps(self.listed).encode())

    def lists(self, labels: dict[str, str], since: datetime, **status: Any) -> None:
        self.listed.append(
            {
                "labels": labels,
                "startsAt": since.isoformat(),
                "receivers": [{"name": "oncall"}],
                "status": {"state": "active", "silencedBy": [], "inhibitedBy": [], **status},
            }
        )


def reconciler(world: World, *servers: FakeHttp) -> Reconciler:
    return Reconciler(
        world.store,
        AlertmanagerApi(),
        lambda source: [f"http://{server.at}" for server in servers],
        instance="me",
        telemetry=Telemetry(),
        now=lambda: world.clock.now,
    )


async def test_of_two_peers_one_that_is_silent_is_shown_and_nothing_is_closed(
    world: World,
) -> None:
    world.told(world.alert())
    one, other = Alertmanager(world), Alertmanager(world, away=True)
    async with http_server() as first, http_server() as second:
        first.answer, second.answer = one, other
        compare = reconciler(world, first, second).run
        for _ in range(4):
            await compare()
            world.clock.advance(301)
        assert world.shown().state is State.FIRING
        assert second.at in (world.shown().silent_source or "")
        other.away = False
        for _ in range(3):
            await compare()
            world.clock.advance(301)
        assert world.shown().state is State.RESOLVED


async def test_what_one_of_two_peers_lists_goes_on(world: World) -> None:
    since = world.clock.now
    world.told(world.alert(), starts_at=since)
    empty, full = Alertmanager(world), Alertmanager(world)
    full.lists(world.alert(), since)
    async with http_server() as first, http_server() as second:
        first.answer, second.answer = empty, full
        for _ in range(4):
            await reconciler(world, first, second).run()
            world.clock.advance(301)
    assert world.shown().state is State.FIRING


async def test_the_empty_list_of_a_restarted_alertmanager_closes_nothing(world: World) -> None:
    world.told(world.alert())
    restarted = Alertmanager(world, up_for=timedelta(minutes=4))
    async with http_server() as server:
        server.answer = restarted
        for _ in range(4):
            await reconciler(world, server).run()
            world.clock.advance(301)
    assert world.shown().state is State.FIRING


async def test_what_is_silenced_there_pauses_here_with_the_silence_named(world: World) -> None:
    since = world.clock.now
    world.told(world.alert(), starts_at=since)
    quiet = Alertmanager(world)
    quiet.lists(world.alert(), since, state="suppressed", silencedBy=["1a2b-3c"])
    async with http_server() as server:
        server.answer = quiet
        await reconciler(world, server).run()
    assert world.shown().held_why == "held back by its source (silence 1a2b-3c)"


class Late:
    """A tick after a long downtime, with these Alertmanagers to look at."""

    def __init__(self, world: World, *servers: FakeHttp) -> None:
        self.look = reconciler(world, *servers)
        self.tick = Tick(
            world.store,
            instance="me",
            version="1",
            telemetry=Telemetry(),
            before_late_pages=self.look.before_late_pages,
            now=lambda: world.clock.now,
        )


async def test_after_a_long_downtime_nobody_is_woken_for_what_ended_and_the_rest_pages(
    world: World,
) -> None:
    since = world.clock.now
    over, fires = world.alert("Over"), world.alert("Fires")
    world.told(over, fires, starts_at=since)
    world.run()
    rang = len(world.phone)
    world.clock.advance(3600)
    still = Alertmanager(world)
    still.lists(fires, since)
    async with http_server() as server:
        server.answer = still
        await Late(world, server).tick.run()
    world.run()
    states = {shown.title.split(" ")[0]: shown.state for shown in (world.shown(1), world.shown(2))}
    assert states == {"Over": State.RESOLVED, "Fires": State.FIRING}
    assert len(world.phone) > rang, "what still fires pages"


@pytest.mark.parametrize("up_for", [timedelta(minutes=1), None])
async def test_a_source_that_restarted_or_hangs_costs_two_seconds_and_no_page(
    world: World, up_for: timedelta | None
) -> None:
    world.told(world.alert())
    world.run()
    rang = len(world.phone)
    world.clock.advance(3600)
    async with http_server() as server:
        server.answer = Alertmanager(world, up_for=up_for) if up_for else Answer(never=True)
        began = time.monotonic()
        await Late(world, server).tick.run()
        took = time.monotonic() - began
    world.pass_time(3, step=1)  # what is late waits a moment for others that are
    assert world.shown().state is State.FIRING
    assert len(world.phone) > rang
    assert took < 8, "two seconds for the answer; the rest is this machine"


async def test_a_look_that_breaks_delays_no_page(world: World) -> None:
    world.told(world.alert())
    world.run()
    rang = len(world.phone)
    world.clock.advance(3600)

    async def broken(since: datetime) -> None:
        raise ZeroDivisionError

    tick = Tick(
        world.store,
        instance="me",
        version="1",
        telemetry=Telemetry(),
        before_late_pages=broken,
        now=lambda: world.clock.now,
    )
    await tick.run()
    world.pass_time(3, step=1)
    assert len(world.phone) > rang


MANY = 2_000


async def test_a_long_list_is_compared_in_slices_between_which_others_write(world: World) -> None:
    """`docs/decisions/0013` has the figures of 10,000."""
    since = world.clock.now
    labels = [world.alert("Many", instance=f"i{n}") for n in range(MANY)]
    for start in range(0, MANY, 500):
        world.told(*labels[start : start + 500], starts_at=since)
    full = Alertmanager(world)
    for one in labels[: MANY // 2]:
        full.lists(one, since)
    async with http_server() as server:
        server.answer = full
        compare = asyncio.create_task(_thrice(world, reconciler(world, server)))
        written = 0
        while not compare.done():
            await world.store.write(lambda tx: tx.now)
            written += 1
        await compare
    assert written > MANY // 300, "other writes come between the slices"
    assert (world.shown().state, world.shown().firing) == (State.FIRING, MANY // 2)


async def _thrice(world: World, comparer: Reconciler) -> None:
    for _ in range(3):
        await comparer.run()
        world.clock.advance(301)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'[{"labels": {}}]',
        b'[{"labels": {"a": "b"}, "startsAt": "never"}]',
        b'[{"labels": {"a": "b"}, "startsAt": "2026-03-02T11:30:00Z", "status": 7, "receivers": 8}]',
        b'[null, 1, "x", {"labels": {"a": 1}, "startsAt": "2026-03-02T11:30:00Z"}]',
        b'[{"labels": {"a": "b"}, "startsAt": "2026-03-02T11:30:00Z", "status": {"silencedBy": ["<!channel> *x*"]}}]',
    ],
)
async def test_an_answer_of_any_shape_closes_nothing_by_itself(world: World, body: bytes) -> None:
    world.told(world.alert())

    def answer(got: Got) -> Answer:
        if got.path == "/api/v2/status":
            return Answer(body=b'{"uptime": "2020-01-01T00:00:00Z"}')
        return Answer(body=body)

    async with http_server() as server:
        server.answer = answer
        await reconciler(world, server).run()
    assert world.shown().state is State.FIRING


async def test_a_byte_now_and_then_does_not_hold_a_thread_for_ever() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n[")
        try:
            while True:
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.05)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    began = time.monotonic()
    with pytest.raises(DeliveryError):
        await asyncio.to_thread(
            AlertmanagerApi().list_alerts, f"http://127.0.0.1:{port}", timeout=0.5
        )
    assert time.monotonic() - began < 5
    server.close()


NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LABELS = {"alertname": "Slow"}


def seen(
    since: datetime, held_by: str | None = None, receivers: Sequence[str] = ("oncall",)
) -> SourceList:
    one = SourceAlert(fingerprint(LABELS), since, "active", tuple(receivers), held_by)
    return SourceList("http://am", NOON, [one])


def test_active_at_one_peer_is_active_since_the_earliest_start() -> None:
    later = NOON + timedelta(minutes=3)
    (one,) = together([seen(NOON, "silence x"), seen(later), seen(NOON)], ()).values()
    assert (one.starts_at, one.held_by) == (NOON, None)


def test_what_goes_to_receivers_that_do_not_post_here_is_not_listed() -> None:
    assert together([seen(NOON, receivers=["mail"])], ["oncall"]) == {}
    assert len(together([seen(NOON, receivers=["mail", "oncall"])], ["oncall"])) == 1
    assert len(together([seen(NOON, receivers=["mail"])], ())) == 1
