"""A replica that is killed is known to be gone at once, because PostgreSQL frees its lock; one that lives is not."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from oncall_bot.store import processes
from oncall_bot.store.db import Store
from oncall_bot.store.listening import LIVES, SETTLED_AFTER_S, Listener
from tests.databases import HandClock, Postgres

ME, OTHER = "seen-1-me", "seen-2-other"


@pytest.fixture
def replicated(postgres_server: Postgres) -> Iterator[tuple[Store, HandClock, str]]:
    url, clock = postgres_server.fresh(), HandClock()
    store = Store(url, clock=clock)
    store.open()
    yield store, clock, url
    store.close()
    postgres_server.drop(url)


def until(look: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not look():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def bury(store: Store) -> int:
    return store.write(processes.bury, ME).result(10)


def test_who_holds_the_lock_lives_however_old_its_sign_of_life_and_who_lost_it_is_gone(
    replicated: tuple[Store, HandClock, str],
) -> None:
    store, clock, url = replicated
    for instance in (ME, OTHER, "3-from-an-earlier-version"):
        store.write(processes.start, instance, alone=False).result(10)
    other = Listener(url, "x", lambda: None, OTHER)
    other.start()
    until(other.sees_others)
    clock.advance(4)
    assert bury(store) == 0, "it stands still, but it lives"
    other.stop()
    until(lambda: bury(store) == 1)
    with store.read() as reader:
        found = reader.connection.exec_driver_sql("SELECT instance FROM process").scalars().all()
    assert sorted(found) == ["3-from-an-earlier-version", ME]


def test_a_fresh_sign_of_life_counts_without_the_lock(
    replicated: tuple[Store, HandClock, str],
) -> None:
    store, clock, _ = replicated
    store.write(processes.start, OTHER, alone=False).result(10)
    clock.advance(0.5)
    assert bury(store) == 0, "its connection is cut, and it lives"
    clock.now += timedelta(seconds=2)
    assert bury(store) == 1


def test_who_begins_judges_at_once_and_who_lost_its_line_waits_until_the_others_have_theirs(
    replicated: tuple[Store, HandClock, str],
) -> None:
    store, _, url = replicated
    up_for = "SELECT extract(epoch FROM clock_timestamp() - pg_postmaster_start_time())"
    cut = f"SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND classid = {LIVES}"
    with store.read() as reader:
        ask = reader.connection.exec_driver_sql
        until(lambda: float(ask(up_for).scalar() or 0) > SETTLED_AFTER_S)
    mine = Listener(url, "x", lambda: None, ME)
    began = time.monotonic()
    mine.start()
    until(mine.sees_others)
    at_once = time.monotonic() - began
    with store.read() as reader:
        reader.connection.exec_driver_sql(
            f"{cut} AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
    until(lambda: not mine.sees_others())
    lost = time.monotonic()
    until(mine.sees_others)
    mine.stop()
    assert at_once < SETTLED_AFTER_S <= time.monotonic() - lost
