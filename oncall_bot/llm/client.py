"""The one way to a model: asked through `Model.ask`, bounded in time, counted, and never trusted.

Knows retries, deadlines, the breaker and the books; a last look takes out secrets that the writer of a prompt
overlooked. Refuses to know what is asked and whether the reply is true.
Serves drafts and the assistant, which share one `Model` for each server.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from oncall_bot.core.redaction import Redactor
from oncall_bot.llm.books import Books
from oncall_bot.llm.breaker import Breaker
from oncall_bot.llm.call import Call
from oncall_bot.llm.dialect import Dialect, Question
from oncall_bot.llm.exchange import CUT, Ending, ModelCall, ModelError, Reply, Subject
from oncall_bot.llm.wire import Wire, load

RETRY_AFTER = 1.0
LONGEST_WAIT = 10.0
_THE_SERVER_FAILED = frozenset(
    {Ending.LATE, Ending.CUT, Ending.BUSY, Ending.BROKEN, Ending.GARBAGE, Ending.UNREACHABLE}
)
_ABOUT_NOTHING = Subject()

Observe = Callable[[ModelCall], None]


def unobserved(call: ModelCall) -> None:
    """For those who keep no books."""


class Model:
    """A model behind `base_url`. Safe to ask from several threads.

    `observe` is called once for each `ask`, also for one that failed, on the thread that asked.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        model: str,
        *,
        observe: Observe = unobserved,
        breaker: Breaker | None = None,
        sleep: Callable[[float], None] = time.sleep,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = model
        self._dialect = Dialect()
        self._wire = Wire(base_url, api_key, model, self._dialect)
        self._observe = observe
        self._breaker = breaker or Breaker()
        self._sleep = sleep
        self._seconds = seconds

    @property
    def takes_tools(self) -> bool:
        """False once the server refused tools: ask for JSON in their place."""
        return self._dialect.takes_tools

    def ask(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        schema: Mapping[str, Any] | None = None,
        tools: Sequence[Mapping[str, Any]] | None = None,
        max_tokens: int,
        within: float,
        on_text: Callable[[str], None] | None = None,
        purpose: str,
        subject: Subject = _ABOUT_NOTHING,
    ) -> Reply:
        """The model's reply within so many seconds, to the last byte. Blocking. ModelError when there is none.

        `schema` is the JSON schema of the reply; servers enforce it or not, so check. With `on_text` the text is
        streamed to it on this thread; then a line that breaks, or a deadline that comes, leaves what arrived,
        with the finish reason "cut". A busy or broken server is asked once more if there is time for it.
        """
        load()
        sent = [_without_secrets(message) for message in messages]
        question = Question(sent, max_tokens, schema, tuple(tools or ()), on_text is not None)
        call = Call(question, on_text, self._seconds() + within, within, self._seconds)
        books = Books(self.name, purpose, subject, sent, self._seconds())
        try:
            reply = self._asked(call, books.sha256)
        except ModelError as error:
            self._observe(
                books.failed(error.ending, call.so_far.usage, max_tokens, self._seconds())
            )
            raise
        self._observe(books.answered(reply, call.late, self._seconds()))
        return reply

    def _asked(self, call: Call, sha256: str) -> Reply:
        self._admit()
        try:
            return self._tried(call, sha256)
        except ModelError as error:
            wait = RETRY_AFTER if error.retry_after is None else error.retry_after
            again = (
                not error.permanent and error.ending is not Ending.LATE and not call.so_far.began
            )
            if not again or wait > min(LONGEST_WAIT, call.left() / 2):
                raise
        self._sleep(wait)
        self._admit()
        return self._tried(call, sha256)

    def _admit(self) -> None:
        wait = self._breaker.wait(self._seconds())
        if wait > 0.0:
            raise ModelError(
                f"The model's server failed several times and is left alone for {math.ceil(wait)} s.",
                Ending.PAUSED,
                permanent=True,
                retry_after=wait,
            )

    def _tried(self, call: Call, sha256: str) -> Reply:
        """One attempt; the breaker learns from it whatever comes of it."""
        try:
            reply = call.run(self._wire, sha256)
            self._learn(Ending.CUT if reply.finish_reason == CUT else Ending.ANSWERED)
        except ModelError as error:
            self._learn(error.ending)
            raise
        finally:
            self._breaker.given_up()
        return reply

    def _learn(self, ending: Ending) -> None:
        if ending in _THE_SERVER_FAILED:
            self._breaker.failed(self._seconds())
        else:
            self._breaker.succeeded()


def _without_secrets(message: Mapping[str, Any]) -> dict[str, Any]:
    """A last look: whoever wrote the prompt should have redacted it, and this does not rely on that."""
    cleaned: dict[str, Any] = _cleaned(message, Redactor("redacted"))
    return cleaned


def _cleaned(value: Any, redactor: Redactor) -> Any:
    if isinstance(value, str):
        return redactor.redact(value)
    if isinstance(value, Mapping):
        return {
            key: part
            if key in ("role", "type", "id", "tool_call_id", "name")
            else _cleaned(part, redactor)
            for key, part in value.items()
        }
    if isinstance(value, list | tuple):
        return [_cleaned(part, redactor) for part in value]
    return value
