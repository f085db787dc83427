"""One attempt at one question: read on a thread, taken in on the caller's, hung up when its time is over.

Knows how pieces become a reply. Refuses to retry and to know servers (wire does).
Serves the model client.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from oncall_bot.llm.books import estimated
from oncall_bot.llm.dialect import Question
from oncall_bot.llm.exchange import CUT, Ending, ModelError, Reply, ToolCall, Usage
from oncall_bot.llm.wire import Piece, Wire

MOST_REPLY = 200_000
MOST_TOOL_CALLS = 16


@dataclass(slots=True)
class SoFar:
    """The reply as far as it came."""

    texts: list[str] = field(default_factory=list)
    calls: dict[int, list[str]] = field(default_factory=dict)
    finish_reason: str = ""
    usage: Usage | None = None
    size: int = 0

    @property
    def began(self) -> bool:
        return bool(self.texts or self.calls)

    def add(self, piece: Piece) -> None:
        if piece.text:
            self.texts.append(piece.text)
        for part in piece.calls:
            if part.index in self.calls or len(self.calls) < MOST_TOOL_CALLS:
                known = self.calls.setdefault(part.index, ["", "", ""])
                known[0], known[1] = known[0] or part.id, known[1] or part.name
                known[2] += part.arguments
        self.size += len(piece.text) + sum(len(part.arguments) for part in piece.calls)
        self.finish_reason = piece.finish_reason or self.finish_reason
        self.usage = piece.usage or self.usage

    def reply(self, prompt: Sequence[Mapping[str, Any]], sha256: str, ended: str) -> Reply:
        text = "".join(self.texts)[:MOST_REPLY]
        calls = tuple(
            ToolCall(call_id or f"call_{n}", name[:100], arguments[:MOST_REPLY])
            for n, (call_id, name, arguments) in sorted(self.calls.items())
            if name
        )
        usage = self.usage or estimated(prompt, text + "".join(c.arguments for c in calls))
        return Reply(text, calls, ended, usage, sha256)


class Call:
    """One question on its way: the server is read on a thread, the text is handed over on the caller's."""

    def __init__(
        self,
        question: Question,
        on_text: Callable[[str], None] | None,
        deadline: float,
        within: float,
        seconds: Callable[[], float],
    ) -> None:
        self._question = question
        self._on_text = on_text
        self._deadline = deadline
        self._within = within
        self._seconds = seconds
        self.so_far = SoFar()
        self.late = False

    def left(self) -> float:
        return self._deadline - self._seconds()

    def run(self, wire: Wire, sha256: str) -> Reply:
        """One attempt, hung up when it ends, whatever ended it."""
        self.so_far = SoFar()
        reader = _Reader(wire, self._question, max(0.05, self.left()))
        try:
            ended = self._read(reader)
        finally:
            reader.hang_up()
        return self.so_far.reply(self._question.messages, sha256, ended)

    def _read(self, reader: _Reader) -> str:
        """Take pieces until the reply ends; answers its finish reason."""
        while True:
            try:
                got = reader.came.get(timeout=self.left())
            except (queue.Empty, ValueError):  # ValueError: a listener took the rest of the time
                return self._broken_off(self._too_late(), late=True)
            if isinstance(got, ModelError):
                return self._broken_off(got, late=got.ending is Ending.LATE)
            if got is None:
                return self._ended()
            self.so_far.add(got)
            if self._on_text is not None and got.text:
                self._on_text(got.text)
            if self.so_far.size > MOST_REPLY:
                return CUT

    def _ended(self) -> str:
        """The server has nothing more to send: a stream without a last word was cut."""
        if not self.so_far.finish_reason and not self.so_far.began:
            raise ModelError("The model's server did not answer like one.", Ending.GARBAGE)
        return self.so_far.finish_reason or CUT

    def _broken_off(self, error: ModelError, *, late: bool) -> str:
        """A stream leaves what arrived; a whole reply that did not come is an error."""
        if self._on_text is None or not self.so_far.began:
            raise error
        self.late = late
        return CUT

    def _too_late(self) -> ModelError:
        return ModelError(
            f"The model did not answer within {self._within:g} s.",
            Ending.LATE,
            retry_after=self._within,
        )


class _Reader:
    """Reads one answer on a thread of its own: the library's time-outs are per read, ours for the whole."""

    def __init__(self, wire: Wire, question: Question, within: float) -> None:
        self.came: queue.SimpleQueue[Piece | ModelError | None] = queue.SimpleQueue()
        self._wire = wire
        self._question = question
        self._within = within
        self._hung_up = threading.Event()
        self._close: Callable[[], None] = lambda: None
        threading.Thread(target=self._read, name="model", daemon=True).start()

    def hang_up(self) -> None:
        """Nobody listens any more: close the line under the reader."""
        self._hung_up.set()
        self._close()

    def _hold(self, close: Callable[[], None]) -> None:
        self._close = close
        if self._hung_up.is_set():
            close()

    def _read(self) -> None:
        try:
            for piece in self._wire.pieces(self._question, self._within, self._hold):
                self.came.put(piece)
                if self._hung_up.is_set():
                    return
            self.came.put(None)
        except ModelError as error:
            self.came.put(error)
        except (RuntimeError, OSError):  # the line was closed under us, or the library gave up
            self.came.put(
                ModelError("The model's client stopped without an answer.", Ending.UNREACHABLE)
            )
