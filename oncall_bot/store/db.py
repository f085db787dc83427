"""The database as everybody meets it: `write(flow, ...)` for every change, `view(fn, ...)` for every look.

Knows engines, pragmas, transactions, the writer queue with group commit, retries and the clock of decisions.
Refuses to know what a flow does. Serves edges and engine; only here is a transaction opened or committed.

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
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Concatenate, ParamSpec, TypeVar

import psycopg
import structlog
from sqlalchemy import Connection, Dialect, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import QueuePool

from oncall_bot.core.errors import OncallError
from oncall_bot.store import snapshot as snapshots
from oncall_bot.store.listening import CHANNEL, Listener
from oncall_bot.store.snapshot import Snapshot
from oncall_bot.store.statements import Row, Statement

P = ParamSpec("P")
T = TypeVar("T")
Item = TypeVar("Item")

log = structlog.get_logger(__name__)

QUEUE_MAX = 5000
BATCH_MAX = 256
BATCH_WEIGHT_MAX = 600
GATHER_FOR_S = 0.008
RETRIES = 6
RETRY_STATES = frozenset({"40001", "40P01", "23505"})
POSTGRES_WRITERS = 4
READERS = 4


class Busy(OncallError):  # noqa: N818 - a state people are told of
    """The write could not begin in time; nothing was done, trying again is safe."""


Clock = Callable[[], datetime]


def anchored_clock() -> Clock:
    """Wall time anchored to the monotonic clock: a step of the wall clock never moves a decision."""
    wall, mono = datetime.now(UTC), time.monotonic()
    return lambda: wall + timedelta(seconds=time.monotonic() - mono)


class Reader:
    """A look at the database: statements, the snapshot in force, and the time."""

    def __init__(self, connection: Connection, now: datetime, snapshot: Snapshot) -> None:
        self.connection = connection
        self.now = now
        self.snapshot = snapshot
        self.dialect: Dialect = connection.dialect
        self._cursor = connection.connection.cursor()

    @property
    def postgresql(self) -> bool:
        return self.dialect.name == "postgresql"

    def all(self, statement: Statement, **params: Any) -> list[Row]:
        ready = statement.ready(self.dialect)
        self._cursor.execute(ready.sql, ready.bind(params))
        return ready.rows(self._cursor.fetchall())

    def first(self, statement: Statement, **params: Any) -> Row | None:
        ready = statement.ready(self.dialect)
        self._cursor.execute(ready.sql, ready.bind(params))
        row = self._cursor.fetchone()
        return None if row is None else ready.rows([row])[0]

    def one(self, statement: Statement, **params: Any) -> Row:
        row = self.first(statement, **params)
        if row is None:
            raise LookupError(f"no row for {params}")
        return row

    def scalar(self, statement: Statement, **params: Any) -> Any:
        row = self.first(statement, **params)
        return None if row is None else row[0]


class Tx(Reader):
    """An open transaction. A flow reads and writes through it, and never commits it.

    `nudge()` says that work was left for the engine: after the commit it is woken, and so are the other processes
    unless it is work that this one goes on with by itself.
    """

    def __init__(self, connection: Connection, now: datetime, snapshot: Snapshot) -> None:
        super().__init__(connection, now, snapshot)
        self.nudged = False
        self.for_others = False
        self.observed: list[tuple[str, str]] = []
        self._handed_out: dict[str, int] = {}

    def observe(self, metric: str, label: str) -> None:
        """Count one event under a label of our own, once it is committed."""
        self.observed.append((metric, label))

    def nudge(self, *, others: bool = True) -> None:
        self.nudged = True
        self.for_others |= others

    def tell_others(self, sender: str) -> None:
        """PostgreSQL only: whoever listens hears of this transaction once it is committed."""
        self._cursor.execute("SELECT pg_notify(%s, %s)", (CHANNEL, sender))

    def run(self, statement: Statement, **params: Any) -> int:
        """Execute once; the number of rows changed."""
        ready = statement.ready(self.dialect)
        self._cursor.execute(ready.sql, ready.bind(params))
        return int(self._cursor.rowcount)

    def many(self, statement: Statement, rows: Iterable[Mapping[str, Any]]) -> None:
        """Execute for every row in one call of the driver, or few; nothing when there is none."""
        ready = statement.ready(self.dialect)
        wide = ready.wide(rows)
        if wide is not None:
            for sql, params in wide:
                self._cursor.execute(sql, params)
            return
        bound = ready.bind_all(rows)
        if bound:
            self._cursor.executemany(ready.sql, bound)

    def new_ids(self, table: str, count: int) -> Sequence[int]:
        """Ids for `count` new rows, so that they can be written together. Valid inside this transaction."""
        if not count:
            return ()
        if self.postgresql:
            self._cursor.execute(
                f"SELECT nextval(pg_get_serial_sequence('{table}', 'id')) FROM generate_series(1, {count})"
            )
            return [int(row[0]) for row in self._cursor.fetchall()]
        self._cursor.execute(f"SELECT coalesce(max(id), 0) FROM {table}")
        row = self._cursor.fetchone()
        first = max(int(row[0] if row else 0), self._handed_out.get(table, 0)) + 1
        self._handed_out[table] = first + count - 1
        return range(first, first + count)

    @contextlib.contextmanager
    def undone(self) -> Iterator[None]:
        """Whatever is written inside is rolled back: `explain` runs the real flow this way."""
        self._cursor.execute("SAVEPOINT undone")
        try:
            yield
        finally:
            self._cursor.execute("ROLLBACK TO SAVEPOINT undone")
            self._cursor.execute("RELEASE SAVEPOINT undone")


class Pending(Future[T]):
    """The outcome of a write: await it, or ask `result()` from a thread.

    With `start_within`, a write that has not begun after so many seconds is cancelled and raises Busy; one that
    has begun is awaited to its end.
    """

    start_within: float | None = None

    def __await__(self) -> Generator[Any, None, T]:
        return self._wait().__await__()

    async def _wait(self) -> T:
        waiting = asyncio.wrap_future(self)
        if self.start_within is None:
            return await waiting
        done, _ = await asyncio.wait({waiting}, timeout=self.start_within)
        if not done and self.cancel():
            with contextlib.suppress(asyncio.CancelledError):
                await waiting
            raise Busy("The database is busy. Nothing was done; press again.")
        return await waiting


@dataclass(slots=True)
class _Job:
    run: Callable[[Tx], Any]
    name: str
    answer: Pending[Any]


@dataclass(slots=True)
class _Share:
    """Items of a batched flow that are answered together, on the loop they came from."""

    flow: Callable[[Tx, Sequence[Any]], Sequence[Any]]
    make: Callable[[], Sequence[Any]]
    weight: int
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[Any]
    single: bool  # answered by the value of its one item
    items: Sequence[Any] | None = None


@dataclass(slots=True)
class _Queue:
    jobs: deque[_Job | _Share] = field(default_factory=deque)
    lock: threading.Lock = field(default_factory=threading.Lock)
    changed: threading.Condition = field(init=False)
    closed: bool = False
    told_by: asyncio.AbstractEventLoop | None = None  # it will wake a writer at the end of its turn
    wanted: int = 0  # a writer gathers shares until so many wait

    def __post_init__(self) -> None:
        self.changed = threading.Condition(self.lock)


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
        self._queue = _Queue()
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

    def seen_for(self) -> float:
        """Seconds since which the others can see that this process lives; 0 when they cannot."""
        return self._listener.held_for() if self._listener is not None else 0.0

    def close(self) -> None:
        if self._listener is not None:
            self._listener.stop()
        with self._queue.lock:
            self._queue.closed = True
            self._queue.changed.notify_all()
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
        self._put(_Job(run, name, answer))
        return answer

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
        self._put(_Share(flow, make, weight, loop, answer, single), loop)
        return answer

    def _put(self, job: _Job | _Share, told_by: asyncio.AbstractEventLoop | None = None) -> None:
        """Queue it, and wake a writer: at once, or when the loop's turn is over and all that came with it is queued."""
        with self._queue.lock:
            if self._queue.closed or len(self._queue.jobs) >= QUEUE_MAX:
                raise Busy("The queue of writes is full.")
            self._queue.jobs.append(job)
            if told_by is None:
                self._queue.changed.notify()
            elif self._queue.told_by is not told_by:
                self._queue.told_by = told_by
                told_by.call_soon(self._wake)

    def _wake(self) -> None:
        with self._queue.lock:
            self._queue.told_by = None
            if len(self._queue.jobs) >= self._queue.wanted:
                self._queue.changed.notify()

    def _gather(self, answered: int) -> None:
        """Who was answered a moment ago may come again: what comes with what waits is committed together.

        Only among shares, and only just after a batch of several: a writer that was idle commits at once.
        """
        queue, until = self._queue, time.monotonic() + GATHER_FOR_S
        queue.wanted = min(BATCH_MAX, len(queue.jobs) + answered)
        while len(queue.jobs) < queue.wanted and not queue.closed:
            left = until - time.monotonic()
            if left <= 0 or (queue.jobs and isinstance(queue.jobs[-1], _Job)):
                break
            queue.changed.wait(left)
        queue.wanted = 0

    def _take(self, answered: int) -> list[_Job | _Share] | None:
        queue = self._queue
        with queue.lock:
            if answered > 1:
                self._gather(answered)
            while not queue.jobs:
                if queue.closed:
                    return None
                queue.changed.wait()
            taken: list[_Job | _Share] = [queue.jobs.popleft()]
            first = taken[0]
            if isinstance(first, _Share):
                weight = first.weight
                while queue.jobs and len(taken) < BATCH_MAX:
                    following = queue.jobs[0]
                    if not isinstance(following, _Share) or following.flow != first.flow:
                        break
                    weight += following.weight
                    if weight > BATCH_WEIGHT_MAX:
                        break
                    taken.append(queue.jobs.popleft())
            return taken

    def _work(self) -> None:
        answered = 0
        while (taken := self._take(answered)) is not None:
            first = taken[0]
            if isinstance(first, _Job):
                self._work_job(first)
                answered = 0
            else:
                self._work_shares([job for job in taken if isinstance(job, _Share)])
                answered = len(taken)

    def _work_job(self, job: _Job) -> None:
        if not job.answer.set_running_or_notify_cancel():
            return
        try:
            job.answer.set_result(self._transact(job.run))
        except Exception as error:  # noqa: BLE001 - guard: one queued write; the one who asked gets the error
            if not isinstance(error, OncallError):
                log.warning("write_failed", flow=job.name, error=str(error)[:500])
                self._on_failure("write")
            job.answer.set_exception(error)

    def _work_shares(self, shares: list[_Share]) -> None:
        flow = shares[0].flow
        try:
            made = [share for share in shares if _is_made(share)]
            items = [item for share in made for item in share.items or ()]
            values = self._transact(lambda tx: flow(tx, items)) if made else ()
            pairs = iter(list(zip(items, values, strict=True)))
            _answer([(share, _own(share, pairs), None) for share in made])
        except Exception as error:  # noqa: BLE001 - guard: one queued write; each item is tried alone
            if len(shares) > 1 and not is_away(error):
                for share in shares:
                    self._work_shares([share])
                return
            log.warning("write_failed", flow=_name(flow), error=str(error)[:500])
            self._on_failure("write")
            _answer([(share, None, error) for share in shares])

    def _transact(self, run: Callable[[Tx], T]) -> T:
        for attempt in range(RETRIES):
            try:
                return self._once(run)
            except DBAPIError as error:
                if not _again(error.orig) or attempt == RETRIES - 1:
                    raise
            except Exception as error:
                if not _again(error) or attempt == RETRIES - 1:
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


def _is_made(share: _Share) -> bool:
    """Whether its items are there; what people can mend is its answer alone."""
    if share.items is None:
        try:
            share.items = share.make()
        except OncallError as error:
            _answer([(share, None, error)])
            return False
    return True


def _own(share: _Share, pairs: Iterator[tuple[Any, Any]]) -> Any:
    """The answer of a share, whose items come next among the pairs of item and value."""
    mine = [next(pairs) for _ in share.items or ()]
    return mine[0][1] if share.single else mine


def _answer(answers: Sequence[tuple[_Share, Any, BaseException | None]]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[_Share, Any, BaseException | None]]] = {}
    for answer in answers:
        by_loop.setdefault(answer[0].loop, []).append(answer)

    def settle(mine: Sequence[tuple[_Share, Any, BaseException | None]]) -> None:
        for share, value, error in mine:
            if share.answer.done():
                continue
            if error is None:
                share.answer.set_result(value)
            else:
                share.answer.set_exception(error)

    for loop, mine in by_loop.items():
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, mine)


def _number(cursor: Any) -> int:
    cursor.execute("SELECT n FROM snapshot_revision")
    row = cursor.fetchone()
    return int(row[0]) if row else 0


def _name(flow: Callable[..., Any]) -> str:
    return getattr(flow, "__name__", "flow")


def _again(error: BaseException | None) -> bool:
    state = getattr(error, "sqlstate", None)
    if state is not None:
        return state in RETRY_STATES
    return isinstance(error, sqlite3.OperationalError) and "locked" in str(error)


def engine_for(url: str, *, writes: bool) -> Engine:
    """Connections as the store wants them: pragmas and BEGIN IMMEDIATE on SQLite; no write on a reading one."""
    if make_url(url).get_backend_name() == "sqlite":
        engine = create_engine(
            url,
            poolclass=QueuePool,
            pool_size=1 if writes else READERS,
            max_overflow=0 if writes else READERS,
            paramstyle="named",
            connect_args={"check_same_thread": False, "timeout": 10, "cached_statements": 512},
        )
        event.listen(engine, "connect", _sqlite_pragmas)
        if not writes:
            event.listen(engine, "connect", _sqlite_query_only)
        begin = "BEGIN IMMEDIATE" if writes else "BEGIN"
        event.listen(engine, "begin", lambda connection: connection.connection.execute(begin))
        return engine
    address = make_url(url).set(drivername="postgresql+psycopg")
    return create_engine(
        address,
        pool_size=POSTGRES_WRITERS + READERS,
        max_overflow=4,
        pool_pre_ping=True,
        connect_args={"connect_timeout": 3},
    )


def is_away(error: BaseException) -> bool:
    """Whether the database itself is away: nothing is wrong with what was to be written, and trying again may help."""
    orig = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(orig, sqlite3.OperationalError):
        words = ("locked", "full", "readonly", "unable to open", "disk I/O")
        return any(word in str(orig) for word in words)
    if isinstance(orig, psycopg.OperationalError):
        return orig.sqlstate is None or orig.sqlstate[:2] in ("08", "53", "57")
    return isinstance(error, PoolTimeout)


def _sqlite_pragmas(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are opened by us, never by the driver
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "busy_timeout=10000",
        "temp_store=MEMORY",
        "cache_size=-32000",
        "wal_autocheckpoint=16000",  # 64 MB: a page that many batches touch is copied back once
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _sqlite_query_only(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA query_only=ON").close()


def ping(reader: Reader) -> bool:
    return bool(reader.connection.execute(text("SELECT 1")).scalar() == 1)
