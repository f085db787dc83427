"""Writes are whole, in order, together where they wait together, tried again where that helps; looks change nothing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import bindparam, select, text, update
from sqlalchemy.exc import DBAPIError

from oncall_bot.core.errors import OncallError
from oncall_bot.store import rules
from oncall_bot.store import tables as t
from oncall_bot.store.db import Store
from oncall_bot.store.engines import POSTGRES_WRITERS
from oncall_bot.store.queue import QUEUE_MAX, Busy
from oncall_bot.store.statements import insert_of, statement
from oncall_bot.store.transactions import Tx
from tests.databases import HandClock, Postgres, Sqlite

TEAM, SEEN = t.Team.__table__, t.InboundSeen.__table__  # type: ignore[attr-defined]
ADD = insert_of(TEAM, "key")
KEYS = statement(select(TEAM.c.key).order_by(TEAM.c.id))
HAS = statement(select(TEAM.c.id).where(TEAM.c.key == bindparam("of_key")))
TOUCH = statement(
    update(TEAM).where(TEAM.c.key == bindparam("of_key")).values(archived_at=bindparam("at"))
)


def add(tx: Tx, key: str) -> str:
    tx.run(ADD, key=key)
    return key


def keys(store: Store) -> list[str]:
    return store.look(lambda reader: [row.key for row in reader.all(KEYS)])


@contextmanager
def held_up(store: Store) -> Iterator[None]:
    """Every writer is in the middle of a write until the block ends."""
    count = 1 if store.sqlite else POSTGRES_WRITERS
    go, busy = threading.Event(), threading.Barrier(count + 1)

    def stay(tx: Tx) -> None:
        busy.wait(20)
        assert go.wait(20)

    staying = [store.write(stay) for _ in range(count)]
    busy.wait(20)
    try:
        yield
    finally:
        go.set()
        for one in staying:
            one.result(20)


# --- a write ----------------------------------------------------------------------------------------------------------


async def test_the_answer_comes_after_the_commit(store: Store) -> None:
    assert await store.write(add, "shop") == "shop"
    assert keys(store) == ["shop"]


async def test_a_flow_that_fails_leaves_nothing_behind(store: Store) -> None:
    failed: list[str] = []
    store._on_failure = failed.append

    def stumble(tx: Tx) -> None:
        add(tx, "half")
        raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        await store.write(stumble)
    assert keys(store) == []
    assert failed == ["write"]
    assert await store.write(add, "next") == "next"


async def test_a_refusal_reaches_the_one_who_asked_and_counts_as_no_fault(store: Store) -> None:
    failed: list[str] = []
    store._on_failure = failed.append

    def refuse(tx: Tx) -> None:
        raise OncallError("You may not do that.")

    with pytest.raises(OncallError, match="You may not"):
        await store.write(refuse)
    assert failed == []


async def test_decisions_are_made_by_the_clock_that_was_given(
    store: Store, clock: HandClock
) -> None:
    assert await store.write(lambda tx: tx.now) == clock.now
    clock.advance(90)
    assert await store.write(lambda tx: tx.now) == clock.now
    assert await store.view(lambda reader: reader.now) == clock.now


def test_without_a_clock_the_time_is_now_and_in_utc(database: str) -> None:
    store = Store(database)
    with store.read() as reader:
        assert abs(reader.now - datetime.now(UTC)) < timedelta(seconds=5)
        assert reader.now.utcoffset() == timedelta(0)
    store.close()


async def test_the_engine_is_woken_after_the_commit_and_only_for_work_left_behind(
    store: Store,
) -> None:
    woken: list[list[str]] = []
    store.on_commit(lambda: woken.append(keys(store)))

    def leave_work(tx: Tx) -> None:
        add(tx, "work")
        tx.nudge()

    def fail(tx: Tx) -> None:
        tx.nudge()
        raise OncallError("no")

    await store.write(add, "quiet")
    with pytest.raises(OncallError):
        await store.write(fail)
    assert woken == []
    await store.write(leave_work)
    assert woken == [["quiet", "work"]]


def test_what_was_accepted_before_closing_is_written(database: str) -> None:
    store = Store(database, clock=HandClock())
    store.open()
    with held_up(store):
        answers = [store.write(add, f"t{n}") for n in range(20)]
    store.close()
    assert sorted(one.result(0) for one in answers) == sorted(f"t{n}" for n in range(20))
    with pytest.raises(Busy):
        store.write(add, "late")


# --- writes together --------------------------------------------------------------------------------------------------


async def test_items_that_wait_together_are_committed_together(store: Store) -> None:
    batches: list[list[str]] = []
    commits: list[int] = []
    store.on_commit(lambda: commits.append(1))

    def add_all(tx: Tx, items: Sequence[str]) -> list[str]:
        batches.append(list(items))
        tx.nudge()
        return [add(tx, item).upper() for item in items]

    with held_up(store):
        answers = [asyncio.ensure_future(store.share(add_all, f"t{n}")) for n in range(30)]
        await asyncio.sleep(0)
    assert await asyncio.gather(*answers) == [f"T{n}" for n in range(30)]
    assert batches == [[f"t{n}" for n in range(30)]]
    assert len(commits) == 1


async def test_methods_of_one_object_are_batched_too(store: Store) -> None:
    class Intake:
        def __init__(self) -> None:
            self.batches: list[int] = []

        def take(self, tx: Tx, items: Sequence[str]) -> list[str]:
            self.batches.append(len(items))
            return [add(tx, item) for item in items]

    intake = Intake()
    with held_up(store):
        answers = [store.share(intake.take, f"t{n}") for n in range(5)]
    await asyncio.gather(*answers)
    assert intake.batches == [5]


async def test_heavy_items_are_not_piled_up(store: Store) -> None:
    sizes: list[int] = []

    def take(tx: Tx, items: Sequence[str]) -> list[str]:
        sizes.append(len(items))
        return list(items)

    with held_up(store):
        answers = [store.share(take, f"t{n}", 250) for n in range(5)]
    await asyncio.gather(*answers)
    assert sorted(sizes) == [1, 2, 2]


async def test_an_item_that_fails_fails_alone(store: Store) -> None:
    calls: list[int] = []

    def take(tx: Tx, items: Sequence[str]) -> list[str]:
        calls.append(len(items))
        for item in items:
            add(tx, item)
            if item == "bad":
                raise ValueError("cannot be read")
        return list(items)

    with held_up(store):
        answers = [store.share(take, item) for item in ("one", "bad", "two")]
    found = await asyncio.gather(*answers, return_exceptions=True)
    assert (found[0], found[2]) == ("one", "two")
    assert isinstance(found[1], ValueError)
    assert sorted(keys(store)) == ["one", "two"]
    assert sorted(calls) == [1, 1, 1, 3]


async def test_items_made_at_the_writer_are_answered_beside_their_values(store: Store) -> None:
    def take(tx: Tx, items: Sequence[str]) -> list[str]:
        return [add(tx, item).upper() for item in items]

    def unreadable() -> list[str]:
        raise ValueError("cannot be read")

    with held_up(store):
        pair = store.share_made(take, lambda: ["one", "two"])
        bad = store.share_made(take, unreadable)
        none = store.share_made(take, list)
        last = store.share_made(take, lambda: ["three"])
    found = await asyncio.gather(pair, bad, none, last, return_exceptions=True)
    assert found[0] == [("one", "ONE"), ("two", "TWO")]
    assert isinstance(found[1], ValueError)
    assert found[2] == []
    assert found[3] == [("three", "THREE")]
    assert sorted(keys(store)) == ["one", "three", "two"]


async def test_on_sqlite_a_job_between_shares_keeps_its_turn(sqlite_server: Sqlite) -> None:
    store = Store(sqlite_server.fresh(), clock=HandClock())
    store.open()
    order: list[str] = []

    def take(tx: Tx, items: Sequence[str]) -> list[str]:
        order.extend(items)
        return list(items)

    def job(tx: Tx) -> None:
        order.append("job")

    with held_up(store):
        waiting = [store.share(take, "a"), store.share(take, "b")]
        job_done = store.write(job)
        waiting.append(store.share(take, "c"))
    await asyncio.gather(*waiting)
    await job_done
    store.close()
    assert order == ["a", "b", "job", "c"]


# --- a database that is busy ------------------------------------------------------------------------------------------


async def test_a_press_that_cannot_begin_in_time_is_told_so_and_never_happens(store: Store) -> None:
    with held_up(store):
        with pytest.raises(Busy, match="press again"):
            await store.press(0.05, add, "too late")
        patient = asyncio.ensure_future(_awaited(store.press(20, add, "in time")))
        await asyncio.sleep(0)
    assert await patient == "in time"
    assert keys(store) == ["in time"]


async def _awaited(pending: Any) -> Any:
    return await pending


async def test_a_press_that_has_begun_is_awaited_to_its_end(store: Store) -> None:
    begun, go = threading.Event(), threading.Event()

    def slow(tx: Tx) -> str:
        begun.set()
        assert go.wait(20)
        return add(tx, "slow")

    pressing = asyncio.ensure_future(_awaited(store.press(0.05, slow)))
    await asyncio.to_thread(begun.wait, 20)
    done, _ = await asyncio.wait({pressing}, timeout=0.2)
    assert not done
    go.set()
    assert await pressing == "slow"


async def test_a_full_queue_takes_no_more_and_loses_none(store: Store) -> None:
    with held_up(store):
        accepted = [store.write(lambda tx: None) for _ in range(QUEUE_MAX)]
        with pytest.raises(Busy, match="full"):
            store.write(add, "one too many")
        for one in accepted[1:]:
            one.cancel()
    accepted[0].result(20)
    assert await store.write(add, "again") == "again"


# --- several replicas on PostgreSQL -----------------------------------------------------------------------------------


@pytest.fixture
def replicas(postgres_server: Postgres) -> Iterator[tuple[Store, Store]]:
    """Two processes' stores on one database."""
    url = postgres_server.fresh()
    pair = Store(url), Store(url)
    for one in pair:
        one.open()
    yield pair
    for one in pair:
        one.close()
    postgres_server.drop(url)


def test_the_loser_of_a_race_for_a_key_decides_again(replicas: tuple[Store, Store]) -> None:
    ours, theirs = replicas
    attempts: list[bool] = []

    def open_once(tx: Tx) -> str:
        there = tx.first(HAS, of_key="shop") is not None
        attempts.append(there)
        if there:
            return "joined"
        if len(attempts) == 1:
            theirs.write(add, "shop").result(20)  # after our look, before our insert
        add(tx, "shop")
        return "opened"

    assert ours.write(open_once).result(20) == "joined"
    assert attempts == [False, True]
    assert keys(ours) == ["shop"]


def test_two_that_wait_for_each_other_both_finish(replicas: tuple[Store, Store]) -> None:
    ours, theirs = replicas
    ours.write(add, "a").result(20)
    ours.write(add, "b").result(20)
    both = threading.Barrier(2)
    attempts: list[str] = []

    def cross(tx: Tx, first: str, second: str) -> str:
        attempts.append(first)
        tx.run(TOUCH, of_key=first, at=tx.now)
        if attempts.count(first) == 1:
            both.wait(20)  # each holds what the other wants
        tx.run(TOUCH, of_key=second, at=tx.now)
        return first

    answers = [ours.write(cross, "a", "b"), theirs.write(cross, "b", "a")]
    assert [one.result(30) for one in answers] == ["a", "b"]
    assert len(attempts) == 3  # PostgreSQL ended one of them, and that one ran again


@pytest.mark.parametrize("code", ["40001", "40P01"])
def test_a_transaction_the_server_gave_up_runs_again(
    replicas: tuple[Store, Store], code: str
) -> None:
    attempts: list[int] = []

    def unlucky(tx: Tx) -> str:
        attempts.append(1)
        add(tx, "shop")
        if len(attempts) < 3:
            tx.connection.execute(
                text(f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{code}'; END $$")
            )
        return "done"

    assert replicas[0].write(unlucky).result(20) == "done"
    assert len(attempts) == 3
    assert keys(replicas[0]) == ["shop"]


def test_a_key_that_stays_taken_is_an_error_in_the_end(replicas: tuple[Store, Store]) -> None:
    replicas[0].write(add, "shop").result(20)
    with pytest.raises(Exception, match="uq_team_key"):
        replicas[0].write(add, "shop").result(20)
    assert replicas[0].write(add, "other").result(20) == "other"


def test_a_connection_that_was_lost_while_idle_is_not_noticed(
    replicas: tuple[Store, Store],
) -> None:
    ours, theirs = replicas
    ours.write(add, "before").result(20)
    ours.look(lambda reader: reader.all(KEYS))
    cut = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE pid <> pg_backend_pid() AND datname = current_database()"
    )
    theirs.write(lambda tx: tx.connection.execute(cut).all()).result(20)
    for n in range(POSTGRES_WRITERS):
        ours.write(add, f"after {n}").result(20)
    assert len(keys(ours)) == POSTGRES_WRITERS + 1


async def test_a_server_that_is_away_is_not_asked_for_every_item(
    replicas: tuple[Store, Store],
) -> None:
    store, calls = replicas[0], []

    def cut_off(tx: Tx, items: Sequence[str]) -> list[str]:
        calls.append(len(items))
        tx.connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        return list(items)

    with held_up(store):
        answers = [store.share(cut_off, f"t{n}") for n in range(40)]
    found = await asyncio.gather(*answers, return_exceptions=True)
    assert all(isinstance(one, DBAPIError) for one in found)
    assert calls == [40]
    assert await store.write(add, "again") == "again"


# --- looks ------------------------------------------------------------------------------------------------------------


async def test_every_process_decides_on_the_rules_as_they_are(
    database: str, clock: HandClock
) -> None:
    """A number raised by one store makes the other read the rules again, in its next transaction."""
    ours, theirs = Store(database, clock=clock), Store(database, clock=clock)
    ours.open()
    theirs.open()
    before = await theirs.write(lambda tx: tx.snapshot)
    assert await theirs.write(lambda tx: tx.snapshot) is before

    def rename(tx: Tx) -> None:
        rules.name(tx, "sources", ["prod-eu"], None)
        rules.changed(tx)

    await ours.write(rename)
    after = await theirs.write(lambda tx: tx.snapshot)
    assert after.number == before.number + 1
    assert after.sources.keys() == {"default", "prod-eu"}
    assert theirs.snapshot is after
    assert (await theirs.view(lambda reader: reader.snapshot)) is after
    ours.close()
    theirs.close()


async def test_rules_that_were_rolled_back_are_never_in_force(store: Store) -> None:
    before = await store.write(lambda tx: tx.snapshot)

    def fail(tx: Tx) -> None:
        rules.name(tx, "sources", ["never"], None)
        rules.changed(tx)
        raise OncallError("no")

    with pytest.raises(OncallError):
        await store.write(fail)
    assert await store.write(lambda tx: tx.snapshot) is before


async def test_a_look_cannot_write(store: Store) -> None:
    insert = text("INSERT INTO team (key) VALUES ('sneaked in')")
    with pytest.raises(DBAPIError, match=r"(?i)read-?only"):
        await store.view(lambda reader: reader.connection.execute(insert))
    assert keys(store) == []
    for n in range(8):  # the connections of looks are again fit for writes where they are shared
        await store.write(add, f"t{n}")


async def test_a_look_does_not_wait_for_a_write_and_sees_nothing_half_done(store: Store) -> None:
    half, go = threading.Event(), threading.Event()

    def slow(tx: Tx) -> None:
        add(tx, "first")
        half.set()
        assert go.wait(20)
        add(tx, "second")

    writing = store.write(slow)
    await asyncio.to_thread(half.wait, 20)
    assert await store.view(lambda reader: reader.all(KEYS)) == []
    go.set()
    await writing
    assert keys(store) == ["first", "second"]


def test_many_looks_at_once_are_served(store: Store) -> None:
    store.write(add, "shop").result(20)
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(len(keys(store)))) for _ in range(24)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    assert found == [1] * 24


def test_sqlite_is_opened_as_durability_asks(sqlite_server: Sqlite) -> None:
    store = Store(sqlite_server.fresh(), clock=HandClock())
    store.open()

    def pragmas(tx: Tx) -> list[Any]:
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        return [tx.connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]

    assert store.write(pragmas).result() == ["wal", 2, 1, 10000]
    store.close()
