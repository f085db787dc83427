"""What leaves the house when one message tells of several incidents, and what its link does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from oncall_bot.core.situation import State
from oncall_bot.engine.delivery import Delivery, Ports
from oncall_bot.ports import ChatMessage, LoudPage, Sent
from oncall_bot.slack.rendering import render
from oncall_bot.store.db import Store
from oncall_bot.telemetry.metrics import Telemetry
from oncall_bot.web.ack import acknowledge_by_link
from tests.component.flows.world import World
from tests.databases import HandClock

NIGHT = datetime(2026, 3, 2, 3, 12, tzinfo=UTC)


class Outside:
    """A phone and a Slack that note what they are given."""

    def __init__(self) -> None:
        self.phone: list[LoudPage] = []
        self.slack: list[ChatMessage] = []

    async def page(self, page: LoudPage) -> Sent:
        self.phone.append(page)
        return Sent(f"{len(self.phone)}", channel=page.channel)

    async def put(self, message: ChatMessage, *, first_tried_at: datetime | None) -> Sent:
        self.slack.append(message)
        return Sent(message.ts or f"{len(self.slack)}.0", channel=message.channel)

    def dms(self, to: str) -> list[ChatMessage]:
        return [message for message in self.slack if message.channel == to]


@pytest.fixture
def world(store: Store, clock: HandClock) -> World:
    clock.now = NIGHT
    return World(store, clock)


@asynccontextmanager
async def delivering(world: World) -> AsyncIterator[tuple[Outside, Delivery]]:
    outside = Outside()
    ports = Ports(
        render, outside, lambda: outside, chat_link=lambda c, ts: f"https://slack/{c}/{ts}"
    )
    delivery = Delivery(
        world.store,
        ports,
        instance="me",
        telemetry=Telemetry(),
        public_url="https://oncall.example.com",
        now=world.clock,
    )
    running = asyncio.create_task(delivery.run())
    try:
        yield outside, delivery
    finally:
        await delivery.stop()
        await running


def three(world: World) -> None:
    """Three incidents of different severity, all due, none rung yet."""
    for name, severity in (
        ("DiskFull", "critical"),
        ("QueueStuck", "critical"),
        ("Nasty\nOne", "critical"),
    ):
        world.told(world.alert(name, severity=severity))
        world.clock.advance(61)


async def test_one_push_lists_the_incidents_and_its_link_takes_all_of_them(world: World) -> None:
    three(world)
    async with delivering(world) as (outside, delivery):
        assert await delivery.settled(20)
        (push,) = outside.phone
        assert push.title == "3 incidents, first SEV2 Disk full on checkout"
        assert push.text.split("\n")[:2] == [
            "1: SEV2 Disk full on checkout (DiskFull), since 03:12 UTC.",
            "2: SEV2 Queue stuck on checkout (QueueStuck), since 03:13 UTC.",
        ]
        assert len(push.text.split("\n")) == 3
        assert push.key.startswith("page:bundle:")
        token = (push.ack_url or "").rsplit("/", 1)[1]
        secret = world.store.snapshot.signing_key
        assert secret is not None
        pressed = world.store.write(acknowledge_by_link, secret, token, again=False).result()
        assert pressed.outcome.reason == "You have incidents 1, 2, 3. Nobody else is paged."
    assert [world.shown(n).state for n in (1, 2, 3)] == [State.ACKNOWLEDGED] * 3


async def test_one_direct_message_is_edited_as_its_incidents_are_answered(world: World) -> None:
    three(world)
    async with delivering(world) as (outside, delivery):
        assert await delivery.settled(20)
        (posted,) = outside.dms("U0ANAANA1")
        assert posted.text == "Page: 3 incidents, first SEV2 Disk full on checkout. Answer here."
        assert str(posted.blocks).count("page.ack'") == 3
        assert "bundle.ack" in str(posted.blocks)
        world.ack(2, "bo")
        world.clock.advance(2)
        assert await delivery.settled(20)
        edited = outside.dms("U0ANAANA1")[-1]
    assert edited.ts == "1.0" or edited.ts is not None
    assert str(edited.blocks).count("page.ack'") == 2
    assert "Bo Lindt has it" in str(edited.blocks)


async def test_what_comes_long_after_its_time_says_by_how_much(world: World) -> None:
    three(world)
    world.clock.advance(42 * 60)
    async with delivering(world) as (outside, delivery):
        assert await delivery.settled(20)
    (push,) = outside.phone
    assert push.title.startswith("Late by 45 min: 3 incidents")
    assert "late by 45 min" in outside.dms("U0ANAANA1")[0].text.casefold()


async def test_one_late_page_alone_says_so_too(world: World) -> None:
    world.told(world.alert("DiskFull"))
    world.clock.advance(42 * 60)
    async with delivering(world) as (outside, delivery):
        assert await delivery.settled(20)
    (push,) = outside.phone
    assert push.title == "Late by 42 min: SEV2 Disk full on checkout"
    assert "Late by 42 min" in str(outside.dms("U0ANAANA1")[0].blocks)
