"""The queue of writes: what waits for a writer, what of it is committed together, and who hears the outcome.

Knows single writes and shares of a batch, when a writer is woken, and how long it gathers. Refuses to know
transactions. Serves `store.db`.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

from oncall_bot.core.errors import OncallError
from oncall_bot.store.transactions import Tx

T = TypeVar("T")

QUEUE_MAX = 5000
BATCH_MAX = 256
BATCH_WEIGHT_MAX = 600
GATHER_FOR_S = 0.008


class Busy(OncallError):  # noqa: N818 - a state people are told of
    """The write could not begin in time; nothing was done, trying again is safe."""


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
class Job:
    run: Callable[[Tx], Any]
    name: str
    answer: Pending[Any]


@dataclass(slots=True)
class Share:
    """Items of a batched flow that are answered together, on the loop they came from."""

    flow: Callable[[Tx, Sequence[Any]], Sequence[Any]]
    make: Callable[[], Sequence[Any]]
    weight: int
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[Any]
    single: bool  # answered by the value of its one item
    items: Sequence[Any] | None = None


@dataclass(slots=True)
class Queue:
    """Writes in the order they came. Raises Busy when it is full or closed."""

    gather_for: float = GATHER_FOR_S
    jobs: deque[Job | Share] = field(default_factory=deque)
    lock: threading.Lock = field(default_factory=threading.Lock)
    changed: threading.Condition = field(init=False)
    closed: bool = False
    told_by: asyncio.AbstractEventLoop | None = None  # it will wake a writer at the end of its turn
    single: int = 0  # how many of `jobs` are single writes
    wanted: int = 0  # a writer gathers shares until so many wait

    def __post_init__(self) -> None:
        self.changed = threading.Condition(self.lock)

    def close(self) -> None:
        """No more is taken in; who waits for work is woken, and goes once there is none."""
        with self.lock:
            self.closed = True
            self.changed.notify_all()

    def put(self, job: Job | Share, told_by: asyncio.AbstractEventLoop | None = None) -> None:
        """Queue it, and wake a writer: at once, or when the loop's turn is over and all that came with it is queued."""
        with self.lock:
            if self.closed or len(self.jobs) >= QUEUE_MAX:
                raise Busy("The queue of writes is full.")
            self.jobs.append(job)
            self.single += isinstance(job, Job)
            if told_by is None:
                self.changed.notify()
            elif self.told_by is not told_by:
                self.told_by = told_by
                told_by.call_soon(self._wake)

    def _wake(self) -> None:
        with self.lock:
            self.told_by = None
            if len(self.jobs) >= self.wanted:
                self.changed.notify()

    def _gather(self, answered: int) -> None:
        """Who was answered a moment ago may come again: what comes with what waits is committed together.

        Only just after a batch of several, because a writer that was idle commits at once, and only while no single
        write waits.
        """
        until = time.monotonic() + self.gather_for
        self.wanted = min(BATCH_MAX, len(self.jobs) + answered)
        while len(self.jobs) < self.wanted and not self.single and not self.closed:
            left = until - time.monotonic()
            if left <= 0:
                break
            self.changed.wait(left)
        self.wanted = 0

    def take(self, answered: int) -> list[Job | Share] | None:
        """One single write, or shares of one flow; None once the queue is closed and empty.

        `answered`: how many shares this writer answered just now. What is left wakes the next writer.
        """
        with self.lock:
            if answered > 1:
                self._gather(answered)
            while not self.jobs:
                if self.closed:
                    return None
                self.changed.wait()
            first = self.jobs.popleft()
            self.single -= isinstance(first, Job)
            taken = [first, *(self._same(first) if isinstance(first, Share) else ())]
            if self.jobs:
                self.changed.notify()
            return taken

    def _same(self, first: Share) -> Iterator[Share]:
        """What follows of the same flow, until the batch is full."""
        weight, room = first.weight, BATCH_MAX - 1
        while self.jobs and room > 0:
            following = self.jobs[0]
            if not isinstance(following, Share) or following.flow != first.flow:
                return
            weight += following.weight
            if weight > BATCH_WEIGHT_MAX:
                return
            self.jobs.popleft()
            room -= 1
            yield following


def is_made(share: Share) -> bool:
    """Whether its items are there; what people can mend is its answer alone."""
    if share.items is None:
        try:
            share.items = share.make()
        except OncallError as error:
            tell([(share, None, error)])
            return False
    return True


def own(share: Share, pairs: Iterator[tuple[Any, Any]]) -> Any:
    """The answer of a share, whose items come next among the pairs of item and value."""
    mine = [next(pairs) for _ in share.items or ()]
    return mine[0][1] if share.single else mine


def tell(answers: Sequence[tuple[Share, Any, BaseException | None]]) -> None:
    """Give each share its value or its error, on the loop it came from."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[Share, Any, BaseException | None]]] = {}
    for answer in answers:
        by_loop.setdefault(answer[0].loop, []).append(answer)

    def settle(mine: Sequence[tuple[Share, Any, BaseException | None]]) -> None:
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
