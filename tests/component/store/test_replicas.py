"""What processes on one database owe each other: signs of life, leases given back, a word after a commit, one first."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from oncall_bot.core.documents import normalised, sha256_of
from oncall_bot.flows.apply_config import apply_config
from oncall_bot.flows.inbound import seen
from oncall_bot.flows.stopping import stopped
from oncall_bot.store import outbox, processes
from oncall_bot.store.db import Store
from oncall_bot.store.engines import POSTGRES_WRITERS
from oncall_bot.store.outbox import Lane
from oncall_bot.store.transactions import Tx
from tests.component.flows.world import DOCUMENT
from tests.databases import HandClock, Postgres

LEASE = timedelta(seconds=90)


def until(look: Callable[[], Any], within: float = 10.0) -> Any:
    deadline = time.monotonic() + within
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
    return found


def leave_work(tx: Tx, key: str, *, to: str = "slack:C1") -> None:
    outbox.add(tx, lane=Lane.CARD, kind="notice", destination=to, dedupe_key=key)


@pytest.fixture
def postgres(postgres_server: Postgres) -> Iterator[str]:
    url = postgres_server.fresh()
    yield url
    postgres_server.drop(url)


@pytest.fixture
def pair(postgres: str) -> Iterator[tuple[Store, Store]]:
    """Two processes' stores on one PostgreSQL."""
    stores = Store(postgres), Store(postgres)
    for one in stores:
        one.open()
    yield stores
    for one in stores:
        one.close()


# --- leases -----------------------------------------------------------------------------------------------------------


def test_work_led_by_one_that_fell_silent_is_led_by_another_after_five_seconds(
    store: Store, clock: HandClock
) -> None:
    store.write(processes.start, "a", alone=False).result()
    store.write(processes.start, "b", alone=False).result()
    assert store.write(processes.take_lease, "audit", "a", LEASE).result()
    clock.advance(4)
    store.write(processes.beat, "b", "1", clock.now).result()
    assert not store.write(processes.take_lease, "audit", "b", LEASE).result()
    clock.advance(1.5)
    assert store.write(processes.take_lease, "audit", "b", LEASE).result()
    store.write(processes.beat, "b", "1", clock.now).result()
    assert not store.write(processes.take_lease, "audit", "a", LEASE).result()


def test_who_stops_gives_back_what_it_holds_at_once_and_it_counts_as_no_crash(
    store: Store, clock: HandClock
) -> None:
    for name in "ab":
        store.write(processes.start, name, alone=False).result()
    store.write(leave_work, "one").result()
    assert store.write(processes.take_lease, "audit", "a", LEASE).result()
    (row,) = store.write(outbox.claim, "a", 10, LEASE).result()
    assert store.write(outbox.claim, "b", 10, LEASE).result() == []
    assert store.look(outbox.holds, row.id, "a")
    assert store.write(stopped, "a").result() == 1
    assert not store.look(outbox.holds, row.id, "a")
    (again,) = store.write(outbox.claim, "b", 10, LEASE).result()
    assert (again.id, again.failures, again.attempts) == (row.id, 0, 2)
    assert store.write(processes.take_lease, "audit", "b", LEASE).result()


# --- who is first -----------------------------------------------------------------------------------------------------


def test_of_two_processes_told_the_same_event_at_once_one_acts(pair: tuple[Store, Store]) -> None:
    """The first has not committed when the second asks."""
    marked, go = threading.Event(), threading.Event()

    def slowly(tx: Tx) -> bool:
        found = seen(tx, "slack", "E1")
        marked.set()
        assert go.wait(10)
        return found

    first = pair[0].write(slowly)
    assert marked.wait(10)
    second = pair[1].write(seen, "slack", "E1")
    time.sleep(0.1)
    assert not second.done(), "it waits for what becomes of the first"
    go.set()
    assert (first.result(10), second.result(10)) == (False, True)


def test_an_event_whose_taking_failed_is_taken_when_it_is_told_again(store: Store) -> None:
    def fails(tx: Tx) -> None:
        assert not seen(tx, "slack", "E1")
        raise RuntimeError("half way")

    with pytest.raises(RuntimeError):
        store.write(fails).result()
    assert not store.write(seen, "slack", "E1").result()
    assert store.write(seen, "slack", "E1").result()


def test_a_file_that_two_put_into_force_at_once_is_one_revision(pair: tuple[Store, Store]) -> None:
    document = normalised(DOCUMENT)
    for _ in range(5):
        document = {**document, "version": 1}
        asked = [
            one.write(apply_config, document, sha256_of(document), "file", only_if_new=True)
            for one in pair
            for _ in range(POSTGRES_WRITERS)
        ]
        assert sum(answer.result(20) for answer in asked) <= 1
    with psycopg.connect(pair[0].url) as own:
        assert own.execute("SELECT count(*) FROM config_revision").fetchone() == (1,)


def test_who_applies_a_file_without_knowing_the_settings_leaves_their_token_alone(
    store: Store,
) -> None:
    first = normalised(DOCUMENT)
    store.write(apply_config, first, "a", "serve", token_sha256={"default": "hash"}).result()
    store.write(apply_config, first, "b", "apply").result()
    assert store.look(lambda reader: dict(reader.snapshot.tokens)) == {"hash": "default"}
    store.write(apply_config, first, "c", "serve", token_sha256={}).result()
    assert store.look(lambda reader: dict(reader.snapshot.tokens)) == {}


# --- the word after a commit ------------------------------------------------------------------------------------------


def test_a_commit_that_leaves_work_wakes_the_other_process_and_not_for_nothing(
    pair: tuple[Store, Store],
) -> None:
    writer, hearer = pair
    heard = threading.Semaphore(0)
    hearer.on_commit(heard.release)
    hearer.listen()
    assert heard.acquire(timeout=10), "once it is connected it looks by itself"
    writer.write(leave_work, "one").result()
    assert heard.acquire(timeout=10)
    writer.write(processes.start, "a", alone=False).result()
    with pytest.raises(RuntimeError):
        writer.write(_fails_after_work).result()
    assert not heard.acquire(timeout=0.5)


def _fails_after_work(tx: Tx) -> None:
    leave_work(tx, "two")
    raise RuntimeError


def test_its_own_word_does_not_wake_a_process_twice(postgres: str) -> None:
    store = Store(postgres)
    store.open()
    heard = threading.Semaphore(0)
    store.on_commit(heard.release)
    store.listen()
    assert heard.acquire(timeout=10)
    store.write(leave_work, "one").result()
    assert heard.acquire(timeout=10)
    assert not heard.acquire(timeout=0.5)
    store.close()


def test_a_listener_whose_line_was_cut_comes_back_and_leaves_no_thread_behind(
    postgres: str,
) -> None:
    store = Store(postgres)
    store.open()
    heard = threading.Semaphore(0)
    store.on_commit(heard.release)
    store.listen()
    assert heard.acquire(timeout=10)
    with psycopg.connect(postgres, autocommit=True) as own:
        for turn in range(3):
            cut = own.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE query LIKE 'LISTEN %' AND datname = current_database()"
            ).fetchall()
            assert len(cut) == 1, turn
            assert heard.acquire(timeout=10), "back again, it looks for what it may have missed"
        own.execute("SELECT pg_notify('oncall_work', 'another')")
        assert heard.acquire(timeout=10)
    assert len(_threads("store-listen")) == 1
    store.close()
    assert _threads("store-") == []


def _threads(name: str) -> list[str]:
    return [one.name for one in threading.enumerate() if one.name.startswith(name)]


# --- the sign of life, the time, and a database that is away ----------------------------------------------------------


async def test_a_sign_of_life_waits_behind_no_other_write(pair: tuple[Store, Store]) -> None:
    go, busy = threading.Event(), threading.Barrier(POSTGRES_WRITERS + 1)

    def stay(tx: Tx) -> None:
        busy.wait(20)
        assert go.wait(20)

    staying = [pair[0].write(stay) for _ in range(POSTGRES_WRITERS)]
    busy.wait(20)
    try:
        await pair[0].aside(processes.beat, "a", "1", datetime.now(UTC))
    finally:
        go.set()
    for one in staying:
        one.result(20)


async def test_the_time_between_transactions_is_the_databases(database: str) -> None:
    store = Store(database)
    store.open()
    seen_at = await store.write(lambda tx: tx.now)
    assert timedelta(0) <= store.now() - seen_at < timedelta(seconds=5)
    store.close()


def test_a_store_with_a_clock_of_its_own_tells_that_time(store: Store, clock: HandClock) -> None:
    assert store.now() == clock.now
    clock.advance(30)
    assert store.now() == clock.now


async def test_a_database_that_is_away_does_not_answer_and_is_no_error() -> None:
    away = Store("postgresql://nobody@127.0.0.1:1/none")
    assert not await away.answers()
    away.close()


async def test_a_database_that_is_there_answers(store: Store) -> None:
    assert await store.answers()
