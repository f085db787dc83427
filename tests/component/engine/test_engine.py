"""The engine moves what flows left: deliveries with their fate, due timers, the audit, the comparison with a source."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from sqlalchemy import text

from oncall_bot.core.situation import Content
from oncall_bot.core.spending import Usage
from oncall_bot.engine.alarm import Alarm
from oncall_bot.engine.auditor import Auditor, Parts
from oncall_bot.engine.delivery import Delivery, Ports
from oncall_bot.engine.directory import SlackIds
from oncall_bot.engine.jobs import Jobs
from oncall_bot.engine.reconciler import Reconciler
from oncall_bot.engine.tick import Tick
from oncall_bot.flows.drafting import request_draft
from oncall_bot.ports import (
    Assignment,
    ChatMessage,
    DeliveryError,
    LoudPage,
    Prose,
    Sent,
    SourceAlert,
    SourceList,
)
from oncall_bot.store import views
from oncall_bot.store.db import Store, anchored_clock
from oncall_bot.store.transactions import Reader, Tx
from oncall_bot.telemetry.metrics import Telemetry
from tests.component.flows.world import World
from tests.databases import HandClock


class Phone:
    """A road that notes what it was given, after failing as often as it is told."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.got: list[LoudPage] = []

    async def page(self, page: LoudPage) -> Sent:
        if self.failures:
            raise self.failures.pop(0)
        self.got.append(page)
        return Sent(f"phone-{len(self.got)}")


class Chat:
    """A chat that notes what was put, and since when a retry may have gone through."""

    def __init__(self, *failures: DeliveryError) -> None:
        self.failures = list(failures)
        self.put_: list[tuple[ChatMessage, datetime | None]] = []

    async def put(self, message: ChatMessage, *, first_tried_at: datetime | None) -> Sent:
        if self.failures:
            raise self.failures.pop(0)
        self.put_.append((message, first_tried_at))
        return Sent(message.ts or f"{len(self.put_)}.0", channel=message.channel)


def render(content: Content, now: datetime) -> tuple[str, Sequence[dict[str, object]]]:
    return f"{type(content).__name__}", [{"type": "section", "what": repr(content)}]


@pytest.fixture
def world(store: Store, clock: HandClock) -> World:
    """The hand clock begins at the real time, because metrics compare with it."""
    clock.now = anchored_clock()()
    return World(store, clock)


@asynccontextmanager
async def delivering(world: World, ports: Ports) -> AsyncIterator[Delivery]:
    delivery = Delivery(
        world.store,
        ports,
        instance="me",
        telemetry=Telemetry(),
        public_url="https://oncall.example.com",
    )
    loop = asyncio.get_running_loop()
    world.store.on_commit(lambda: loop.call_soon_threadsafe(delivery.nudge))
    running = asyncio.create_task(delivery.run())
    try:
        yield delivery
    finally:
        await delivery.stop()
        await running


async def until(done: Callable[[], bool], world: World, within: float = 10.0) -> None:
    """Wait for what the outside sees, moving the hand clock as real time passes."""
    deadline = asyncio.get_running_loop().time() + within
    while not done():
        assert asyncio.get_running_loop().time() < deadline, "it did not happen in time"
        world.clock.advance(0.5)
        await asyncio.sleep(0.02)


async def test_a_page_goes_out_by_both_roads_with_its_key_and_its_link(world: World) -> None:
    phone, chat = Phone(), Chat()
    async with delivering(world, Ports(render, chat, lambda: phone)):
        world.told(world.alert())
        await until(lambda: bool(phone.got) and len(chat.put_) >= 2, world)
    assert (phone.got[0].address, phone.got[0].title) == (
        "ana-phone",
        "SEV2 High error rate on checkout",
    )
    assert phone.got[0].key == "page:1:file:push:1"
    assert (phone.got[0].ack_url or "").startswith("https://oncall.example.com/ack/")
    assert "U0ANAANA1" in {message.channel for message, _ in chat.put_}


async def test_a_road_that_fails_for_a_while_is_tried_again_until_it_works(world: World) -> None:
    phone = Phone(DeliveryError("away"), DeliveryError("still away"))
    async with delivering(world, Ports(render, Chat(), lambda: phone)):
        world.told(world.alert())
        await until(lambda: bool(phone.got), world)
    assert [
        row[0]
        for row in world.rows(
            "SELECT outcome FROM delivery d JOIN outbox o ON o.id = d.outbox_id WHERE o.kind = 'loud' ORDER BY attempt"
        )
    ] == ["failed", "failed", "sent"]


async def test_a_database_that_is_away_for_a_while_is_not_held_against_the_page(
    world: World,
) -> None:
    away = psycopg.OperationalError("server closed the connection unexpectedly")
    phone = Phone(*[away] * 6)
    async with delivering(world, Ports(render, Chat(), lambda: phone)):
        world.told(world.alert())
        await until(lambda: bool(phone.got), world, within=30)
    assert phone.got[0].address == "ana-phone"


async def test_a_retry_tells_chat_since_when_it_may_have_gone_through(world: World) -> None:
    chat = Chat(DeliveryError("timed out"))
    async with delivering(world, Ports(render, chat, lambda: Phone())):
        world.told(world.alert())
        await until(lambda: len(chat.put_) >= 3, world)
    assert any(since is not None for _, since in chat.put_)


async def test_without_slack_the_phone_still_rings_and_the_rest_is_skipped(world: World) -> None:
    phone = Phone()
    async with delivering(world, Ports(render, None, lambda: phone)):
        world.told(world.alert())
        await until(lambda: bool(phone.got), world)
        await until(
            lambda: world.rows("SELECT 1 FROM outbox WHERE state IN ('pending', 'sending')") == [],
            world,
        )
    assert {row[0] for row in world.rows("SELECT state FROM outbox WHERE kind = 'message'")} == {
        "skipped"
    }


async def test_a_message_that_breaks_the_engine_hurts_no_other(world: World) -> None:
    phone = Phone()

    def broken(content: Content, now: datetime) -> tuple[str, Sequence[dict[str, object]]]:
        raise ZeroDivisionError

    async with delivering(world, Ports(broken, Chat(), lambda: phone)):
        world.told(world.alert())
        await until(lambda: bool(phone.got), world)
    assert phone.got


class Model:
    model_name = "scripted"

    def __init__(self, prose: Prose) -> None:
        self.prose = prose
        self.asked: list[Assignment] = []

    def estimate(self, assignment: Assignment) -> Usage:
        return Usage(1_000, 100, estimated=True)

    def draft(self, assignment: Assignment) -> Prose:
        self.asked.append(assignment)
        return self.prose


@pytest.mark.parametrize("missing", ["", "No prose was added: the model hangs."])
async def test_a_model_that_says_nothing_or_fails_costs_only_the_prose(
    world: World, missing: str
) -> None:
    world.told(world.alert())
    model = Model(Prose(missing=missing))
    async with delivering(world, Ports(render, Chat(), lambda: Phone(), drafter=model)):
        world.store.write(request_draft, 1, "summary", world.person("ana")).result()
        await until(
            lambda: (
                world.rows(
                    "SELECT 1 FROM outbox WHERE kind = 'draft' AND state IN ('pending', 'sending')"
                )
                == []
            ),
            world,
        )
    told = world.store.look(views.draft, 1, "summary") or ""
    assert "High error rate on checkout" in told
    assert missing in told
    (asked,) = model.asked
    assert (asked.incident_id, asked.draft_id, asked.kind) == (1, 1, "summary")
    assert asked.disclosure.refused is None


class Source:
    def __init__(
        self, *alerts: SourceAlert, up_for: timedelta = timedelta(hours=1), away: bool = False
    ) -> None:
        self.alerts, self.up_for, self.away = alerts, up_for, away

    def list_alerts(self, address: str, *, timeout: float) -> SourceList:
        if self.away:
            raise DeliveryError("no answer")
        return SourceList(address, datetime.now(UTC) - self.up_for, self.alerts)


def reconciler(
    world: World, source: Source, addresses: Sequence[str] = ("http://am:9093",)
) -> Reconciler:
    return Reconciler(
        world.store, source, lambda key: addresses, instance="me", telemetry=Telemetry()
    )


@pytest.mark.parametrize(
    ("source", "ends"),
    [
        (Source(), True),
        (Source(up_for=timedelta(minutes=1)), False),
        (Source(away=True), False),
    ],
)
async def test_an_end_nobody_told_is_found_only_in_lists_to_be_believed(
    world: World, source: Source, ends: bool
) -> None:
    world.told(world.alert())
    for _ in range(3):
        await reconciler(world, source).compare("default")
        world.clock.advance(200)
    assert (world.open() == []) is ends


async def test_a_source_without_an_address_closes_nothing(world: World) -> None:
    world.told(world.alert())
    for _ in range(3):
        await reconciler(world, Source(), ()).compare("default")
        world.clock.advance(200)
    assert len(world.open()) == 1


async def test_a_timer_that_raises_is_tried_again_and_the_admins_are_told(world: World) -> None:
    world.told(world.alert())

    def vandal(tx: Tx) -> None:
        tx.connection.execute(text("UPDATE timer SET kind = 'unheard_of'"))

    world.store.write(vandal).result()
    world.clock.advance(600)
    tick = Tick(world.store, instance="me", version="0", telemetry=Telemetry())
    await tick.run()
    assert tick.age() < 5
    rows = world.rows("SELECT state, attempts FROM timer")
    assert [(state, attempts) for state, attempts in rows] == [("pending", 1)]
    assert any("admin:timer" in str(row[0]) for row in world.rows("SELECT dedupe_key FROM outbox"))


async def test_rows_that_cannot_be_read_hurt_no_other_and_the_admins_are_told(world: World) -> None:
    """On SQLite text that is no JSON gets in; on PostgreSQL whatever is no object."""
    world.told(world.alert())

    def vandal(tx: Tx) -> None:
        spoilt = "[]" if tx.postgresql else "{not JSON"
        copied = "lane, kind, destination, generation, state, created_at, next_attempt_at, attempts, failures"
        one = "SELECT {0} FROM outbox WHERE kind = 'loud' LIMIT 1"
        loud = tx.connection.execute(text(one.format(copied))).one()
        values = {f"v{n}": value for n, value in enumerate(loud)} | {"spoilt": spoilt}
        tx.connection.execute(
            text("INSERT INTO destination (key) VALUES ('push:spoilt')"),
        )
        tx.connection.execute(
            text(
                f"INSERT INTO outbox ({copied}, payload, dedupe_key) VALUES (:v0, :v1, 'push:spoilt', :v3, :v4,"
                " :v5, :v6, :v7, :v8, :spoilt, 'spoilt')"
            ),
            values,
        )
        tx.connection.execute(
            text("UPDATE timer SET data = :spoilt WHERE kind = 'escalate'"), {"spoilt": spoilt}
        )

    world.store.write(vandal).result()
    phone = Phone()
    async with delivering(world, Ports(render, Chat(), lambda: phone)):
        await until(lambda: any(got.key.startswith("page:") for got in phone.got), world)
        await until(lambda: any("admin:dead" in got.key for got in phone.got), world, within=30)
    world.clock.advance(600)
    await Tick(world.store, instance="me", version="0", telemetry=Telemetry()).run()
    (states,) = world.rows("SELECT state FROM outbox WHERE dedupe_key = 'spoilt'")
    assert states[0] == "dead"
    assert world.rows("SELECT 1 FROM outbox WHERE dedupe_key LIKE 'admin:timer%'")


class Beats:
    def __init__(self) -> None:
        self.count = 0

    async def beat(self) -> None:
        self.count += 1


def auditor(world: World, beats: Beats, tick_age: float = 0.0) -> Auditor:
    return Auditor(
        world.store,
        instance="me",
        parts=Parts(tick_age=lambda: tick_age),
        telemetry=Telemetry(),
        alarm=Alarm(world.store, None, instance="me"),
        heartbeat=beats,
        now=world.clock,
    )


async def test_the_heartbeat_beats_only_when_the_audit_passed(world: World) -> None:
    beats = Beats()
    await auditor(world, beats).run()
    await auditor(world, beats, tick_age=60).run()
    assert beats.count == 1


async def test_a_page_that_waits_over_a_minute_stops_the_heartbeat(world: World) -> None:
    beats = Beats()
    world.told(world.alert())
    world.clock.advance(90)
    await auditor(world, beats).run()
    assert beats.count == 0


async def test_a_duty_runs_at_once_and_again() -> None:
    ran = asyncio.Semaphore(0)
    count = 0

    async def duty() -> None:
        nonlocal count
        count += 1
        ran.release()

    jobs = Jobs({"duty": (timedelta(milliseconds=50), duty)})
    jobs.start()
    async with asyncio.timeout(5):
        await ran.acquire()
        await ran.acquire()
    jobs.stop()
    assert count >= 2


class Wall:
    """The clock of a machine, so many seconds beside the right time."""

    def __init__(self, off: float) -> None:
        self.off = timedelta(seconds=off)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.off


async def test_duties_planned_by_a_clock_that_is_then_set_back_are_not_away_for_so_long() -> None:
    """Ten minutes ahead when they are planned, right afterwards: what was planned lies ten minutes off."""
    wall, ran = Wall(600), asyncio.Semaphore(0)

    async def duty() -> None:
        ran.release()

    jobs = Jobs({"duty": (timedelta(milliseconds=50), duty)}, wall=wall)
    jobs.start()
    wall.off = timedelta(0)
    async with asyncio.timeout(5):
        for _ in range(3):
            await ran.acquire()
    jobs.stop()


async def test_a_tick_with_much_to_do_does_not_keep_the_sign_of_life_waiting(
    world: World,
) -> None:
    tick = Tick(world.store, instance="me", version="0", telemetry=Telemetry(), now=world.store.now)
    await tick.beat()
    (first,) = world.rows("SELECT beat_at FROM process WHERE instance = 'me'")
    world.clock.advance(0.3)
    await tick.beat()
    assert world.rows("SELECT beat_at FROM process WHERE instance = 'me'") == [first]
    world.clock.advance(0.8)
    await tick.beat()
    assert world.rows("SELECT beat_at FROM process WHERE instance = 'me'") != [first]


async def test_who_lost_a_message_while_standing_still_does_not_send_it(world: World) -> None:
    """Claimed, frozen for long, taken over by another: the edge of the network is asked by one of them."""
    phone = Phone()
    thawed = asyncio.Event()

    class Frozen(Chat):
        async def put(self, message: ChatMessage, *, first_tried_at: datetime | None) -> Sent:
            await thawed.wait()
            return await super().put(message, first_tried_at=first_tried_at)

    chat = Frozen()
    async with delivering(world, Ports(render, chat, lambda: phone)):
        world.told(world.alert())
        await until(lambda: bool(phone.got), world)
        sending = world.rows("SELECT id FROM outbox WHERE state = 'sending' AND kind = 'message'")
        assert sending
        world.store.write(_taken_over, [row[0] for row in sending]).result()
        thawed.set()
        await until(lambda: bool(chat.put_), world)
        await until(
            lambda: (
                world.rows("SELECT 1 FROM outbox WHERE kind = 'message' AND state = 'pending'")
                != []
            ),
            world,
        )
    shown = world.rows("SELECT rendered_sha256 FROM slack_message WHERE rendered_sha256 = ''")
    assert shown, "what it may have drawn over is drawn again"


def _taken_over(tx: Tx, row_ids: Sequence[int]) -> None:
    for row_id in row_ids:
        tx.connection.execute(
            text("UPDATE outbox SET lease_owner = 'other' WHERE id = :id"), {"id": row_id}
        )


class Directory:
    def __init__(self, known: dict[str, str]) -> None:
        self.known, self.asked = known, 0

    async def slack_id(self, email: str) -> str | None:
        self.asked += 1
        return self.known.get(email)


async def test_people_known_by_mail_are_found_once_and_strangers_are_not_asked_about_each_minute(
    world: World,
) -> None:
    import copy

    from tests.component.flows.world import DOCUMENT

    document = copy.deepcopy(DOCUMENT)
    document["people"]["bo"] = {"name": "Bo Lindt", "email": "bo@example.com"}
    document["people"]["cy"] = {"name": "Cy Okafor", "email": "cy@example.com"}
    world.apply(document)
    directory = Directory({"bo@example.com": "U0BOBOBO1"})
    ids = SlackIds(world.store, directory)
    world.store.look(lambda reader: reader.snapshot.number)
    await ids.run()
    world.store.look(_number)
    await ids.run()
    assert world.store.snapshot.slack_id("bo") == "U0BOBOBO1"
    assert directory.asked == 2


def _number(reader: Reader) -> int:
    return reader.snapshot.number
