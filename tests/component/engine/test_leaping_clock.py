"""A clock that is moved by leaps: duties catch up, nothing is sent twice, and the shown times are the clock's."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from oncall_bot.core.situation import Content
from oncall_bot.engine.delivery import Delivery, Ports
from oncall_bot.engine.jobs import Jobs
from oncall_bot.engine.tick import Tick
from oncall_bot.ports import ChatMessage, LoudPage, Sent
from oncall_bot.store.db import Store
from oncall_bot.telemetry.metrics import Telemetry
from tests.component.flows.world import World
from tests.databases import HandClock

NIGHT = datetime(2031, 3, 30, 0, 54, tzinfo=UTC)
LEAP = 4.0


class Slow:
    """A phone and a chat that take some real time over each message."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    async def page(self, page: LoudPage) -> Sent:
        return await self._take(page.key, "push")

    async def put(self, message: ChatMessage, *, first_tried_at: datetime | None) -> Sent:
        key = f"{message.key} {message.ts or ''}"
        return await self._take(key, message.channel, message.ts)

    async def _take(self, key: str, channel: str, ts: str | None = None) -> Sent:
        await asyncio.sleep(0.03)
        self.keys.append(key)
        return Sent(ts or f"{len(self.keys)}.0", channel=channel)


@pytest.fixture
def world(store: Store, clock: HandClock) -> World:
    clock.now = NIGHT
    return World(store, clock)


async def test_after_each_leap_everything_due_is_sent_once_before_the_next(world: World) -> None:
    """Ten minutes in leaps of four seconds: two steps of the policy, no page twice, no lease run out."""
    outside = Slow()
    drawn: list[datetime] = []

    def render(content: Content, now: datetime) -> tuple[str, Sequence[dict[str, object]]]:
        drawn.append(now)
        return type(content).__name__, [{"type": "section", "what": repr(content)}]

    telemetry = Telemetry()
    delivery = Delivery(
        world.store,
        Ports(render, outside, lambda: outside),
        instance="me",
        telemetry=telemetry,
        now=world.clock,
    )
    tick = Tick(world.store, instance="me", version="0", telemetry=telemetry, now=world.clock)
    jobs = Jobs({"tick": (timedelta(seconds=0.5), tick.run)}, now=world.clock)
    running = asyncio.create_task(delivery.run())
    try:
        world.told(world.alert())
        for _ in range(150):
            world.clock.advance(LEAP)
            await jobs.catch_up()
            assert await delivery.settled()
            assert world.rows("SELECT 1 FROM outbox WHERE state = 'sending'") == []
    finally:
        await delivery.stop()
        await running
    assert len(outside.keys) == len(set(outside.keys))
    assert sum(key.startswith("page:") and ":push:" in key for key in outside.keys) >= 2
    assert {row[0] for row in world.rows("SELECT max(attempts) FROM outbox")} == {1}
    assert all(NIGHT <= at <= NIGHT + timedelta(minutes=10) for at in drawn)


async def test_who_waits_for_quiet_is_let_go_when_the_engine_stops(world: World) -> None:
    delivery = Delivery(
        world.store,
        Ports(lambda content, now: ("", [])),
        instance="me",
        telemetry=Telemetry(),
        now=world.clock,
    )
    assert not await delivery.settled(within=0.05)
    waiting = asyncio.create_task(delivery.settled())
    await asyncio.sleep(0)
    await delivery.stop()
    assert await asyncio.wait_for(waiting, 2)


async def test_a_duty_catches_up_when_its_interval_has_passed_by_the_clock(
    clock: HandClock,
) -> None:
    ran: list[str] = []

    async def often() -> None:
        ran.append("often")

    async def rarely() -> None:
        ran.append("rarely")

    jobs = Jobs(
        {"often": (timedelta(seconds=1), often), "rarely": (timedelta(minutes=1), rarely)},
        now=clock,
    )
    for _ in range(15):
        clock.advance(LEAP)
        await jobs.catch_up()
    assert (ran.count("often"), ran.count("rarely")) == (15, 1)
    clock.advance(LEAP)
    await jobs.catch_up()
    assert ran.count("rarely") == 2


async def test_a_duty_is_never_run_beside_itself(clock: HandClock) -> None:
    beside = most = 0

    async def duty() -> None:
        nonlocal beside, most
        beside += 1
        most = max(most, beside)
        await asyncio.sleep(0.01)
        beside -= 1

    jobs = Jobs({"duty": (timedelta(seconds=1), duty)}, now=clock)
    await asyncio.gather(jobs.catch_up(), jobs.catch_up(), jobs.catch_up())
    assert most == 1


async def test_a_process_whose_clock_was_set_back_still_says_that_it_lives(world: World) -> None:
    tick = Tick(world.store, instance="me", version="0", telemetry=Telemetry(), now=world.clock)
    await tick.run()
    world.clock.advance(-3600)
    await tick.run()
    (beat,) = world.rows("SELECT beat_at FROM process WHERE instance = 'me'")
    again = beat[0]
    world.clock.advance(0.2)
    await tick.run()
    assert world.rows("SELECT beat_at FROM process WHERE instance = 'me'")[0][0] == again
    world.clock.advance(2)
    await tick.run()
    assert world.rows("SELECT beat_at FROM process WHERE instance = 'me'")[0][0] != again
