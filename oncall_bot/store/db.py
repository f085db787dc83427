"""The database as everybody meets it: `write(flow, ...)` for every change, `view(fn, ...)` for every look.

Knows writers with group commit (store.queue holds what waits for them), retries and the clock of decisions. Refuses to
know what a flow does. Serves edges and engine; only here is a transaction opened or committed.

On SQLite one writer thread runs every flow under BEGIN IMMEDIATE; on PostgreSQL a few do, and a flow that met
a serialization failure, a deadlock or another replica's unique key runs again from the start. There a commit that
leaves work is told to the other processes as well (store.listening), and the time is the database's.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, Concatenate, ParamSpec, TypeVar

import psycopg
import structlog
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from oncall_bot.core.errors import OncallError
from oncall_bot.store import snapshot as snapshots
from oncall_bot.store.engines import (
    POSTGRES_WRITERS,
    READERS,
    engine_for,
    is_away,
    may_work_again,
)
from oncall_bot.store.listening import Listener
from oncall_bot.store.queue import BATCH_WEIGHT_MAX, Job, Pending, Queue, Share, is_made, own, tell
from oncall_bot.store.snapshot import Snapshot
from oncall_bot.store.transactions import Reader, Tx

P = ParamSpec("P")
T = TypeVar("T")
Item = TypeVar("Item")

log = structlog.get_logger(__name__)

RETRIES = 6

Clock = Callable[[], datetime]


def anchored_clock() -> Clock:
    """Wall time anchored to the monotonic clock: a step of the wall clock never moves a decision."""
    wall, mono = datetime.now(UTC), time.monotonic()
    return lambda: wall + timedelta(seconds=time.monotonic() - mono)


class Store:
    """One database. `open()` before use, `close()` at the end; migrations are `store.migrations`'s."""

    def __init__(
        self,
        url: str,
        *,
        clock: Clock | None = None,
        on_failure: Callable[[str], None] = lambda guard: None,
        observe: Callable[[str, str], None] = lambda metric, label: None,
    ) -> None:
        self.url = url
        self.sqlite = make_url(url).get_backend_name() == "sqlite"
        self._clock = clock or (anchored_clock() if self.sqlite else None)
        self._on_failure = on_failure
        self._observe = observe
        self._engine = engine_for(url, writes=True)
        self._read_engine = (
            engine_for(url, writes=False)
            if self.sqlite
            else self._engine.execution_options(postgresql_readonly=True)
        )
        self._queue = Queue()
        self._kept: Connection | None = None
        self._threads: list[threading.Thread] = []
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="store-read")
        self._aside = ThreadPoolExecutor(1, thread_name_prefix="store-aside")
        self._snapshot = Snapshot.empty()
        self._unreadable: int | None = None  # the number of rules that could not be read
        self._on_commit: list[Callable[[], None]] = []
        self._sender = secrets.token_hex(4)
        self._listener: Listener | None = None
        self._seen_at = (datetime.now(UTC), time.monotonic())

    # --- life ---------------------------------------------------------------------------------------------------

    def open(self) -> None:
        for n in range(1 if self.sqlite else POSTGRES_WRITERS):
            thread = threading.Thread(target=self._work, name=f"store-write-{n}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def listen(self, instance: str | None = None) -> None:
        """From now on commits of other processes that left work wake this one too; on SQLite there are none.

        With `instance` the others see by a lock of PostgreSQL that this process lives.
        """
        if not self.sqlite:
            self._listener = Listener(self.url, self._sender, self._woken, instance)
            self._listener.start()

    def sees_others(self) -> bool:
        """Whether it can be told by their locks which other processes are gone."""
        return self._listener is not None and self._listener.sees_others()

    def close(self) -> None:
        if self._listener is not None:
            self._listener.stop()
        self._queue.close()
        for thread in self._threads:
            thread.join(timeout=10)
        if not any(thread.is_alive() for thread in self._threads):
            self._let_go()
        self._aside.shutdown(wait=True)
        self._readers.shutdown(wait=True)
        self._engine.dispose()
        self._read_engine.dispose()

    def on_commit(self, call: Callable[[], None]) -> None:
        """`call` runs after every commit that left work for the engine, on a thread of the store."""
        self._on_commit.append(call)

    def _woken(self) -> None:
        for call in self._on_commit:
            call()

    def now(self) -> datetime:
        """The time by the clock of decisions, as last seen in a transaction and carried on by the monotonic clock.

        The wall clock of this process is not asked: it may be wrong, or step.
        """
        if self._clock is not None:
            return self._clock()
        seen, mono = self._seen_at
        return seen + timedelta(seconds=time.monotonic() - mono)

    @property
    def snapshot(self) -> Snapshot:
        """The rules in force when a transaction last looked."""
        return self._snapshot

    @property
    def rules_refused(self) -> bool:
        """Whether newer rules than the snapshot's could not be read."""
        return self._unreadable is not None and self._unreadable > self._snapshot.number

    @property
    def queued(self) -> int:
        return len(self._queue.jobs)

    # --- writes -------------------------------------------------------------------------------------------------

    def write(
        self,
        flow: Callable[Concatenate[Tx, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Pending[T]:
        """Run the flow in a transaction of its own; the answer comes after the commit."""
        return self._enqueue(lambda tx: flow(tx, *args, **kwargs), _name(flow), None)

    def press(
        self,
        within: float,
        flow: Callable[Concatenate[Tx, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Pending[T]:
        """As `write`, but raises Busy when the flow has not begun after `within` seconds."""
        return self._enqueue(lambda tx: flow(tx, *args, **kwargs), _name(flow), within)

    async def aside(
        self,
        flow: Callable[Concatenate[Tx, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """As `write`, but waiting behind no other write where the database has more than one writer.

        For the sign of life: who cannot give it in time is taken for dead, and a storm fills the queue.
        """
        if self.sqlite:
            return await self.write(flow, *args, **kwargs)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._aside, lambda: self._transact(lambda tx: flow(tx, *args, **kwargs))
        )

    def _enqueue(self, run: Callable[[Tx], T], name: str, within: float | None) -> Pending[T]:
        answer: Pending[T] = Pending()
        answer.start_within = within
        self._queue.put(Job(run, name, answer))
        return answer

    def weight_of(self, together: int) -> int:
        """For `share`: at most so many items are committed together. On PostgreSQL each is alone: there several write
        at once, and transactions that lock the same rows in another order would wait for each other."""
        return BATCH_WEIGHT_MAX // together if self.sqlite else BATCH_WEIGHT_MAX

    def share(
        self, flow: Callable[[Tx, Sequence[Item]], Sequence[T]], item: Item, weight: int = 1
    ) -> asyncio.Future[T]:
        """One item of a flow that takes a list: items that wait together are committed together.

        The flow answers one value for each item. When the batch fails, every item is tried alone.
        """
        return self._put_share(flow, lambda: (item,), weight, single=True)

    def share_made(
        self,
        flow: Callable[[Tx, Sequence[Item]], Sequence[T]],
        make: Callable[[], Sequence[Item]],
        weight: int = 1,
    ) -> asyncio.Future[list[tuple[Item, T]]]:
        """As `share`, for the items that `make()` gives; each is answered beside its value.

        `make` runs on the writer's thread just before its batch begins: what a flow reads is made where it is read,
        because objects that wander from one core to another cost more than making them (docs/decisions/0009). What it
        raises is this share's answer alone.
        """
        return self._put_share(flow, make, weight, single=False)

    def _put_share(
        self, flow: Any, make: Callable[[], Sequence[Any]], weight: int, *, single: bool
    ) -> asyncio.Future[Any]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        self._queue.put(Share(flow, make, weight, loop, answer, single), loop)
        return answer

    def _work(self) -> None:
        answered = 0
        while (taken := self._queue.take(answered)) is not None:
            first = taken[0]
            if isinstance(first, Job):
                self._work_job(first)
                answered = 0
            else:
                self._work_shares([job for job in taken if isinstance(job, Share)])
                answered = len(taken)

    def _work_job(self, job: Job) -> None:
        if not job.answer.set_running_or_notify_cancel():
            return
        try:
            job.answer.set_result(self._transact(job.run))
        except Exception as error:  # noqa: BLE001 - guard: one queued write; the one who asked gets the error
            self._failed(job.name, error)
            job.answer.set_exception(error)

    def _work_shares(self, shares: list[Share]) -> None:
        flow = shares[0].flow
        try:
            made = [share for share in shares if is_made(share)]
            items = [item for share in made for item in share.items or ()]
            values = self._transact(lambda tx: flow(tx, items)) if made else ()
            pairs = iter(list(zip(items, values, strict=True)))
            tell([(share, own(share, pairs), None) for share in made])
        except Exception as error:  # noqa: BLE001 - guard: one queued write; each item is tried alone
            if len(shares) > 1 and not is_away(error):
                for share in shares:
                    self._work_shares([share])
                return
            self._failed(_name(flow), error)
            tell([(share, None, error) for share in shares])

    def _failed(self, flow: str, error: Exception) -> None:
        """Log and count it, unless it is told to people anyhow."""
        if not isinstance(error, OncallError):
            log.warning("write_failed", flow=flow, error=str(error)[:500])
            self._on_failure("write")

    def _transact(self, run: Callable[[Tx], T]) -> T:
        for attempt in range(RETRIES):
            try:
                return self._once(run)
            except DBAPIError as error:
                if not may_work_again(error.orig) or attempt == RETRIES - 1:
                    raise
            except Exception as error:
                if not may_work_again(error) or attempt == RETRIES - 1:
                    raise
            time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311 - jitter, not a secret
        raise AssertionError

    def _once(self, run: Callable[[Tx], T]) -> T:
        with self._connected() as connection, connection.begin():
            tx = Tx(connection, *self._now_and_rules(connection))
            answer = run(tx)
            if tx.for_others and tx.postgresql:
                tx.tell_others(self._sender)
        for metric, label in tx.observed:
            self._observe(metric, label)
        if tx.nudged:
            self._woken()
        return answer

    @contextlib.contextmanager
    def _connected(self) -> Iterator[Connection]:
        """On SQLite the writer keeps its connection, until it fails; on PostgreSQL the pool asks whether one lives."""
        if not self.sqlite:
            with self._engine.connect() as connection:
                yield connection
            return
        if self._kept is None:
            self._kept = self._engine.connect()
        try:
            yield self._kept
        except (sqlite3.Error, DBAPIError):
            self._let_go()
            raise

    def _let_go(self) -> None:
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.close()

    def _now_and_rules(self, connection: Connection) -> tuple[datetime, Snapshot]:
        cursor = connection.connection.cursor()
        if self._clock is not None:
            number, now = _number(cursor), self._clock()
        else:
            cursor.execute("SELECT (SELECT n FROM snapshot_revision), clock_timestamp()")
            row = cursor.fetchone()
            assert row is not None
            number, now = int(row[0] or 0), row[1].astimezone(UTC)
            self._seen_at = (now, time.monotonic())
        # Held in a variable: other threads replace the attribute, and this transaction decides on its own number.
        held = self._snapshot
        while number not in (held.number, self._unreadable):
            try:
                held = self._snapshot = snapshots.load(connection, number, now, held)
            except (ValueError, LookupError, TypeError, AttributeError) as error:
                if held.number < 0:
                    raise
                self._unreadable = (
                    number  # the last good rules stay in force, and the auditor tells
                )
                log.error("rules_unreadable", number=number, error=repr(error)[:300])
                break
            number = _number(cursor)  # raised while we read: what was read may be of two minds
        return now, held

    # --- looks --------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def read(self) -> Iterator[Reader]:
        """A reading transaction on this thread; nothing written through it is kept."""
        with self._read_engine.connect() as connection:
            transaction = connection.begin()
            try:
                yield Reader(connection, *self._now_and_rules(connection))
            finally:
                transaction.rollback()

    def look(self, fn: Callable[Concatenate[Reader, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`fn(reader, ...)` on this thread."""
        with self.read() as reader:
            return fn(reader, *args, **kwargs)

    async def answers(self) -> bool:
        """Whether the database answers a question now."""
        try:
            return await self.view(ping)
        except (DBAPIError, PoolTimeout, psycopg.Error, sqlite3.Error) as error:
            log.warning("database_silent", error=str(error)[:200])
            return False

    async def view(
        self, fn: Callable[Concatenate[Reader, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """`fn(reader, ...)` on a reader thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, lambda: self.look(fn, *args, **kwargs))


def _number(cursor: Any) -> int:
    cursor.execute("SELECT n FROM snapshot_revision")
    row = cursor.fetchone()
    return int(row[0]) if row else 0


def _name(flow: Callable[..., Any]) -> str:
    return getattr(flow, "__name__", "flow")


def ping(reader: Reader) -> bool:
    return bool(reader.connection.execute(text("SELECT 1")).scalar() == 1)
