"""What waits for a writer: who was just answered is waited for a moment, and nobody else waits for that."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from oncall_bot.store.queue import Job, Pending, Queue, Share
from oncall_bot.store.transactions import Tx

FOR_EVER = 3600.0


def flow(_tx: Tx, items: Sequence[object]) -> Sequence[object]:
    return items


def other_flow(_tx: Tx, items: Sequence[object]) -> Sequence[object]:
    return items


def share(loop: asyncio.AbstractEventLoop, of: object = flow) -> Share:
    return Share(of, tuple, 1, loop, loop.create_future(), single=False)  # type: ignore[arg-type]


def job() -> Job:
    return Job(lambda _tx: None, "press", Pending())


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    made = asyncio.new_event_loop()
    yield made
    made.close()


@pytest.fixture
def writers() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def until(look: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not look():
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)


def test_who_was_answered_and_comes_again_is_committed_with_what_waits(
    loop: asyncio.AbstractEventLoop, writers: ThreadPoolExecutor
) -> None:
    queue = Queue(FOR_EVER)
    waiting, again, too = share(loop), share(loop), share(loop)
    queue.put(waiting)
    taking = writers.submit(queue.take, 2)
    until(lambda: queue.wanted == 3)
    queue.put(again)
    queue.put(too)
    assert taking.result(10) == [waiting, again, too]


def test_a_writer_that_was_idle_takes_what_comes_at_once(loop: asyncio.AbstractEventLoop) -> None:
    queue = Queue(FOR_EVER)
    queue.put(share(loop))
    assert len(queue.take(0) or []) == 1


@pytest.mark.parametrize("before", [True, False], ids=["waits already", "comes meanwhile"])
def test_a_press_waits_for_no_gathering(
    loop: asyncio.AbstractEventLoop, writers: ThreadPoolExecutor, *, before: bool
) -> None:
    queue, press = Queue(FOR_EVER), job()
    queue.put(share(loop))
    if before:
        queue.put(press)
    taking = writers.submit(queue.take, 100)
    if not before:
        until(lambda: queue.wanted > 0)
        queue.put(press)
        queue.put(share(loop))
    assert len(taking.result(10) or []) == 1
    assert queue.take(0) == [press]


def test_what_came_in_one_turn_of_the_loop_is_taken_by_as_many_writers_as_it_needs(
    loop: asyncio.AbstractEventLoop, writers: ThreadPoolExecutor
) -> None:
    queue = Queue()
    taking = [writers.submit(queue.take, 0) for _ in range(2)]

    async def both() -> None:
        queue.put(share(loop), loop)
        queue.put(share(loop, other_flow), loop)
        await asyncio.sleep(0.01)

    loop.run_until_complete(both())
    assert sorted(len(one.result(10) or []) for one in taking) == [1, 1]
