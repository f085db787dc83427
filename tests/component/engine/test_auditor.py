"""Every way in which the engine can go wrong without a word, seeded one by one (docs/howto/watching.md has the table).

Each is found within 120 s of the clock: an admin's phone rings, the outside heartbeat stops, and what can be mended is
mended, so that the phone of whoever is on call rings after all.
"""

from __future__ import annotations

import asyncio
import copy
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from oncall_bot.core.alerts import fingerprint
from oncall_bot.engine.auditor import DEAD_AFTER_S, LATE_AFTER_S
from oncall_bot.engine.jobs import Jobs
from oncall_bot.engine.watchdog import Vital, Watchdog
from oncall_bot.flows import checks
from oncall_bot.flows.notices import tell_of_death
from oncall_bot.flows.reconcile import Listed, Lists, reconcile
from oncall_bot.flows.silence_incident import silence_incident
from oncall_bot.store import tables as t
from tests.component.engine.patient import Patient
from tests.component.flows.world import DOCUMENT, World

FOUND_WITHIN = 120.0
NEVER = datetime(2099, 1, 1, tzinfo=UTC)
ANA, BO, DEE = "ana-phone", "bo-phone", "dee-phone"
TABLE = Path(__file__).resolve().parents[3] / "docs/howto/watching.md"

timer, outbox, run = (x.__table__ for x in (t.Timer, t.Outbox, t.PageRun))  # type: ignore[attr-defined]
destination, message = t.Destination.__table__, t.SlackMessage.__table__  # type: ignore[attr-defined]

Seed = Callable[[Patient], Awaitable[None]]


@dataclass(frozen=True)
class Seeded:
    """One fault. `rings`: whose phone rings because of the repair. `unsent`: it strikes before the first page left."""

    check: str
    seed: Seed
    rings: str | None = None
    heals: bool = True
    unsent: bool = False
    document: Callable[[], dict[str, Any]] | None = None
    later: float = 0.0  # until the repaired thing has its turn


FAULTS: dict[str, Seeded] = {}


def fault(name: str, check: str, **more: Any) -> Callable[[Seed], Seed]:
    def keep(seed: Seed) -> Seed:
        FAULTS[name] = Seeded(check, seed, **more)
        return seed

    return keep


# --- documents ----------------------------------------------------------------------------------------------------


def two_shifts() -> dict[str, Any]:
    document = copy.deepcopy(DOCUMENT)
    document["schedules"]["primary"]["layers"][0] |= {
        "users": ["ana", "bo"],
        "rotation": {"unit": "week", "every": 1},
    }
    return document


def heartbeat_route() -> dict[str, Any]:
    document = copy.deepcopy(DOCUMENT)
    route = {
        "name": "watchdog",
        "match": ['alertname="Watchdog"'],
        "heartbeat": {"every": "5m", "grace": "2m", "policy": "primary"},
    }
    document["routes"].insert(0, route)
    return document


def canary_at_noon() -> dict[str, Any]:
    """The hand clock begins at 12:00 UTC."""
    return copy.deepcopy(DOCUMENT) | {
        "canary": {"person": "ana", "at": "12:02", "zone": "UTC", "within": "1m"}
    }


# --- the faults ---------------------------------------------------------------------------------------------------


@fault("next step's timer deleted", "no_next_step", rings=ANA)
async def _(bot: Patient) -> None:
    bot.delete(t.Timer)


@fault("next step's timer marked done", "no_next_step", rings=ANA)
async def _(bot: Patient) -> None:
    bot.change(t.Timer, state="done")


@fault("next step's timer in the year 2099", "no_next_step", rings=ANA)
async def _(bot: Patient) -> None:
    bot.change(t.Timer, due_at=NEVER)


@fault("timer of a kind nobody knows", "timer_fails", rings=ANA)
async def _(bot: Patient) -> None:
    bot.change(t.Timer, kind="unheard_of", due_at=bot.world.clock.now)


@fault("page run ended by nobody", "unwatched", rings=ANA)
async def _(bot: Patient) -> None:
    bot.change(t.PageRun, state="done")


@fault("page run in a state nobody knows", "unwatched", rings=ANA)
async def _(bot: Patient) -> None:
    bot.change(t.PageRun, state="limbo")


@fault("timer of the ack timeout deleted", "no_ack_timeout", rings=ANA, later=1800)
async def _(bot: Patient) -> None:
    bot.world.ack(1)
    await bot.rest()
    bot.delete(t.Timer)


@fault("timer at the end of a silence deleted", "hold_without_end", rings=ANA, later=300)
async def _(bot: Patient) -> None:
    ana = bot.world.person("ana")
    done = bot.world.store.write(silence_incident, 1, timedelta(minutes=5), "known", ana)
    assert done.result(10).done
    await bot.rest()
    bot.delete(t.Timer)


@fault("timer of what a source holds back deleted", "hold_without_end", rings=ANA, later=660)
async def _(bot: Patient) -> None:
    labels = bot.world.alert()
    listed = Listed(fingerprint(labels), bot.world.clock.now, "silence 1a2b")
    lists = Lists("default", True, {listed.fingerprint: listed})
    bot.world.store.write(reconcile, lists).result(10)
    await bot.rest()
    bot.delete(t.Timer, timer.c.kind == "source_hold")


@fault("timer of a hand-off deleted", "no_hand_off", document=two_shifts)
async def _(bot: Patient) -> None:
    bot.delete(t.Timer, timer.c.kind == "hand_off")


@fault(
    "deadline of a heartbeat route deleted",
    "no_deadline",
    rings=ANA,
    document=heartbeat_route,
    later=480,
)
async def _(bot: Patient) -> None:
    bot.delete(t.Timer, timer.c.kind == "watchdog")


@fault("timer of a braked group deleted", "group_alone", rings=ANA)
async def _(bot: Patient) -> None:
    bot.world.told(bot.world.alert("DiskFull"))
    bot.world.told(bot.world.alert("CertificateExpires"))  # within the same minute: it waits
    bot.delete(t.Timer, timer.c.kind == "open_group")


@fault("page's message leased for ever", "message_leased", rings=ANA, unsent=True)
async def _(bot: Patient) -> None:
    bot.change(
        t.Outbox, outbox.c.kind == "loud", state="sending", lease_owner="me", lease_until=NEVER
    )


@fault("destination leased for ever", "destination_stuck", rings=ANA, unsent=True)
async def _(bot: Patient) -> None:
    bot.change(t.Destination, destination.c.key == "push:ana", lease_owner="me", lease_until=NEVER)


@fault("destination at rest for ever", "destination_stuck", rings=ANA, unsent=True)
async def _(bot: Patient) -> None:
    bot.change(t.Destination, destination.c.key == "push:ana", not_before=NEVER)


@fault("page's messages dead", "page_lost", rings=ANA, unsent=True)
async def _(bot: Patient) -> None:
    bot.change(t.Outbox, outbox.c.page_id.is_not(None), state="dead", done_at=bot.world.clock.now)


@fault("page's messages deleted", "page_lost", rings=ANA, unsent=True)
async def _(bot: Patient) -> None:
    bot.delete(t.Outbox, outbox.c.page_id.is_not(None))


@fault("page refused for good on every road", "page_lost", rings=BO, unsent=True)
async def _(bot: Patient) -> None:
    bot.outside.gone |= {ANA, "U0ANAANA1"}


@fault("phone that does not answer", "page_waits", heals=False, unsent=True)
async def _(bot: Patient) -> None:
    bot.outside.away.add(ANA)


@fault("card's message deleted", "card_missing", unsent=True)
async def _(bot: Patient) -> None:
    bot.delete(t.Outbox, outbox.c.destination == "slack:#shop")


@fault("channel gone", "card_missing", unsent=True)
async def _(bot: Patient) -> None:
    bot.outside.gone.add("#shop")


@fault("duty's lease for ever", "work_leased")
async def _(bot: Patient) -> None:
    bot.insert(t.Lease, name="reconciler", owner="ghost", until=NEVER)


@fault("dead process that beats in the future", "process_row")
async def _(bot: Patient) -> None:
    bot.insert(t.Process, instance="ghost", beat_at=NEVER, started_at=NEVER, version="0")


@fault("tick dead", "tick_late", heals=False)
async def _(bot: Patient) -> None:
    bot.dead.add("tick")


@fault("delivery dead", "delivery_late", heals=False)
async def _(bot: Patient) -> None:
    await bot.delivery.stop()
    bot.dead.add("delivery")


@fault("duty dead", "duty_silent", heals=False)
async def _(bot: Patient) -> None:
    bot.dead.add("reconcile")


@fault("rules that cannot be read", "rules_stale", heals=False)
async def _(bot: Patient) -> None:
    broken = {"version": 1, "routes": [{"name": "x", "match": ["nonsense"]}]}
    bot.insert(
        t.ConfigRevision,
        sha256="x",
        document=broken,
        applied_by="y",
        applied_at=bot.world.clock.now,
    )
    bot.change(t.SnapshotRevision, n=t.SnapshotRevision.__table__.c.n + 1)  # type: ignore[attr-defined]


@fault("clock of the database set back", "clock_jump", heals=False)
async def _(bot: Patient) -> None:
    bot.world.clock.advance(-20)


@fault("outside watcher away", "heartbeat_fails", heals=False)
async def _(bot: Patient) -> None:
    bot.outside.away.add("watcher")


@fault(
    "daily test page that does not arrive", "canary_missed", heals=False, document=canary_at_noon
)
async def _(bot: Patient) -> None:
    bot.outside.away.add(ANA)
    await bot.pass_time(60)


@pytest.mark.parametrize("name", FAULTS)
async def test_a_seeded_fault_is_found_told_and_mended(world: World, name: str) -> None:
    seeded = FAULTS[name]
    if seeded.document is not None:
        world.apply(seeded.document())
    bot = Patient(world)
    async with AsyncExitStack() as life:
        if not seeded.unsent:
            await life.enter_async_context(bot.alive())
        world.told(world.alert())
        if not seeded.unsent:
            await bot.rest()
            await bot.pass_time(60)
            assert bot.outside.beats, "all is well before"
        await seeded.seed(bot)
        if seeded.unsent:
            await life.enter_async_context(bot.alive())
        await see(bot, seeded, bot.seconds())


async def see(bot: Patient, seeded: Seeded, since: float) -> None:
    await bot.pass_time(FOUND_WITHIN)
    cries = bot.cries(since)
    assert {cry.whom for cry in cries} == {DEE}, "an admin's phone rings"
    found_at = cries[0].at
    assert found_at - since <= FOUND_WITHIN
    if seeded.check != "heartbeat_fails":
        assert not [beat for beat in bot.outside.beats if beat == found_at], (
            "no beat with the fault"
        )
    if seeded.later:
        await bot.pass_time(seeded.later)
    if seeded.rings:
        assert bot.rang(seeded.rings, since + 1), "whoever is on call is paged after all"
    if seeded.heals:
        await bot.pass_time(120)
        assert [beat for beat in bot.outside.beats if beat > found_at], "and all is well again"


# --- what no row can seed -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["tick", "delivery", "auditor"])
async def test_a_process_whose_scheduler_died_silently_leaves_a_last_word_and_ends(
    world: World, part: str
) -> None:
    """Nothing in the process runs any more but a thread of its own; the next process rings the admins."""
    bot = Patient(world)
    async with bot.alive():
        await bot.pass_time(60)
    ended: list[str] = []
    over = threading.Event()

    def end(dead: str) -> None:
        world.store.write(tell_of_death, "me", dead).result(10)
        ended.append(dead)
        over.set()

    ages = {
        "tick": Vital("tick", bot.tick.silence),
        "delivery": Vital("delivery", bot.delivery.age),
        "auditor": Vital("auditor", bot.auditor.age, LATE_AFTER_S, DEAD_AFTER_S),
    }
    watchdog = Watchdog([ages[part]], on_dead=end, look_every=0.01)
    watchdog.start()
    try:
        bot.outside.seconds += FOUND_WITHIN
        world.clock.advance(FOUND_WITHIN)
        assert over.wait(10)
    finally:
        watchdog.stop()
    assert ended == [part]
    assert len(bot.outside.beats) == 1, "and no beat since"
    again = Patient(world, instance="the next", outside=bot.outside)
    async with again.alive():
        await again.rest()
    assert [(cry.whom, part in cry.text) for cry in bot.cries()] == [(DEE, True)]


def test_a_process_that_is_only_late_is_not_ended() -> None:
    looked = threading.Semaphore(0)
    ended: list[str] = []
    late = Vital("tick", lambda: 50.0)
    watchdog = Watchdog([late], on_dead=ended.append, on_look=looked.release, look_every=0.01)
    watchdog.start()
    for _ in range(3):
        assert looked.acquire(timeout=5)
    watchdog.stop()
    assert ended == []


async def test_a_database_that_takes_no_write_rings_the_admins_from_memory(
    world: World, database: str
) -> None:
    bot = Patient(world)
    async with bot.alive():
        await bot.pass_time(60)
    beats = len(bot.outside.beats)
    with locked(database):
        await bot.auditor.run()
        await bot.auditor.run()
    assert [(cry.whom, "takes no write" in cry.text) for cry in bot.cries()] == [(DEE, True)]
    assert len(bot.outside.beats) == beats
    await until_it_writes(world)
    await bot.auditor.run()
    assert len(bot.outside.beats) == beats + 1


@contextmanager
def locked(database: str) -> Iterator[None]:
    """Somebody holds what every audit writes."""
    url = make_url(database)
    lock = "BEGIN IMMEDIATE"
    if url.get_backend_name() != "sqlite":
        url, lock = url.set(drivername="postgresql+psycopg"), "LOCK TABLE lease"
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(lock)
        yield
        connection.rollback()


async def until_it_writes(world: World) -> None:
    await asyncio.wait_for(asyncio.wrap_future(world.store.write(lambda tx: None)), 30)


async def test_a_duty_that_the_scheduler_forgot_is_planned_anew() -> None:
    """Found without waiting for its interval to pass: an hour, here."""
    ran: list[str] = []

    async def duty() -> None:
        ran.append("ran")

    class Forgetful(Jobs):
        def forget(self) -> None:
            self._scheduler.remove_all_jobs()

    jobs = Forgetful({"retention": (timedelta(hours=1), duty)})
    jobs.start()
    try:
        await until(lambda: len(ran) == 1)
        assert jobs.silent() == {}
        jobs.forget()
        assert list(jobs.silent()) == ["retention"]
        jobs.revive(["retention"])
        await until(lambda: len(ran) == 2)
        assert jobs.silent() == {}
    finally:
        jobs.stop()


async def until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not done():  # noqa: ASYNC110 - a scheduler has no event for us
            await asyncio.sleep(0.01)


async def test_without_a_loud_road_to_any_admin_the_last_resort_is_rung(world: World) -> None:
    document = copy.deepcopy(DOCUMENT)
    document["people"]["dee"].pop("contacts")
    document["defaults"]["last_resort"] = ["bo"]
    world.apply(document)
    bot = Patient(world)
    async with bot.alive():
        world.told(world.alert())
        await bot.rest()
        bot.delete(t.Timer)
        await bot.pass_time(60)
    assert {cry.whom for cry in bot.cries()} == {BO}
    assert any(channel == "U0DEEDEE1" for channel, _ in bot.outside.posted)


async def test_one_fault_is_told_once_in_ten_minutes_and_a_new_one_at_once(world: World) -> None:
    bot = Patient(world)
    async with bot.alive():
        bot.outside.away.add(ANA)
        world.told(world.alert())
        await bot.pass_time(300)
        assert len(bot.cries()) == 1
        bot.delete(t.Timer)
        await bot.pass_time(60)
        assert len(bot.cries()) == 2
        await bot.pass_time(600)
        assert len(bot.cries()) >= 3


async def test_a_healthy_engine_is_left_alone(world: World) -> None:
    """An incident from first page to resolve, a silence and a hand-off: no word to the admins, a beat a minute."""
    world.apply(two_shifts())
    bot = Patient(world)
    async with bot.alive():
        world.told(world.alert())
        await bot.pass_time(240)
        world.ack(1)
        await bot.pass_time(2100)
        world.told(world.alert("DiskFull"))
        await bot.pass_time(120)
        world.store.write(
            silence_incident, 2, timedelta(minutes=5), "known", world.person("ana")
        ).result(10)
        await bot.pass_time(900)
        world.told(world.alert(), world.alert("DiskFull"), ended=True)
        await bot.pass_time(120)
    assert bot.cries() == []
    assert len(bot.outside.beats) == bot.seconds() // 60


async def test_a_second_process_sees_what_is_wrong_and_leaves_mending_to_the_first(
    world: World,
) -> None:
    first = Patient(world)
    second = Patient(world, instance="second", outside=first.outside)
    await first.tick.run()
    await second.tick.run()
    async with first.alive():
        world.told(world.alert())
        await first.rest()
        await first.auditor.run()
        first.delete(t.Timer)
        assert await second.auditor.audit() is False
        assert first.cries() == []
        assert await first.auditor.audit() is False
        await first.rest()
    assert len(first.cries()) == 1


# --- the table ----------------------------------------------------------------------------------------------------


def told_of() -> list[list[str]]:
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("| fault | check |"))
    rows = []
    for line in lines[at + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def test_the_documents_tell_of_every_seeded_fault_and_its_check() -> None:
    told = {row[0]: row[1].strip("`") for row in told_of()}
    seeded = {name: seeded.check for name, seeded in FAULTS.items()}
    assert told == seeded | {"scheduler dead": "", "database takes no write": checks.WRITES_FAIL}


def test_the_documents_name_every_check_with_its_meaning() -> None:
    text = TABLE.read_text(encoding="utf-8")
    assert [name for name, means in checks.MEANINGS.items() if f"`{name}`" not in text] == []
    assert [means for means in checks.MEANINGS.values() if means not in text] == []


def test_every_check_that_rows_can_show_has_a_seeded_fault() -> None:
    """Left: what delivery retries cannot seed alone, and slowness."""
    seeded = {one.check for one in FAULTS.values()}
    unseeded = {check.name for check in checks.CHECKS} - seeded
    assert unseeded == {"timer_overdue", "admins_deaf", "writes_slow"}
