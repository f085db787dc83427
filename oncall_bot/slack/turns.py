"""Questions to a model: a few at a time, on threads of their own, so that nothing else ever waits for one.

Knows how a blocking assistant is asked from the event loop and cut off at stop. Refuses to know Slack and prompts.
Serves replies.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog

from oncall_bot.ports import Assistant, TalkAnswer, TalkTurn

log = structlog.get_logger(__name__)

AT_ONCE, WAITING_MAX = 3, 12


class Turns:
    """`ask` yields sentences as they are checked, and last the whole answer."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant
        self._pool = ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="talk")
        self._asked = 0

    @property
    def busy(self) -> bool:
        """Whether so many wait that one more would wait too long."""
        return self._asked >= WAITING_MAX

    async def ask(self, turn: TalkTurn) -> AsyncIterator[str | TalkAnswer]:
        """Sentences, then the answer. An assistant that breaks ends in one honest line."""
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[str | TalkAnswer] = asyncio.Queue()

        def tell(what: str | TalkAnswer) -> None:
            loop.call_soon_threadsafe(queue.put_nowait, what)

        self._asked += 1
        try:
            working = loop.run_in_executor(self._pool, self._assistant.answer, turn, tell)
            working.add_done_callback(lambda done: queue.put_nowait(_ended(done)))
            while True:
                what = await queue.get()
                yield what
                if isinstance(what, TalkAnswer):
                    return
        finally:
            self._asked -= 1

    def stop(self) -> None:
        """Nobody waits for what is still being asked."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _ended(done: asyncio.Future[Any]) -> TalkAnswer:
    if done.cancelled():
        return TalkAnswer(problem="The bot is stopping; ask again in a moment.")
    error = done.exception()
    if error is not None:
        log.error("assistant_failed", error=f"{type(error).__name__}: {error}"[:300])
        return TalkAnswer(problem="The model's answer could not be used.")
    answer: TalkAnswer = done.result()
    return answer
