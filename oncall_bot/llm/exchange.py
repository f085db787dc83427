"""What goes to a model and what comes back: a reply, what it cost, and how a call can fail.

Knows values and the closed set of outcomes. Refuses to know servers and prompts, and holds no text
in what is observed. Serves the client and everything that asks through it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from oncall_bot.ports import DeliveryError

CUT: Literal["cut"] = "cut"
"""The finish reason of a reply whose end never came."""
LENGTH: Literal["length"] = "length"
"""The finish reason of a reply that `max_tokens` ended."""


class Ending(StrEnum):
    """How a call ended: the only words that reach metrics and the audit row."""

    ANSWERED = "answered"
    TRUNCATED = "truncated"  # by max_tokens
    CUT = "cut"  # the line broke, or the deadline came, in the middle of a stream
    LATE = "late"
    BUSY = "busy"  # 429
    BROKEN = "broken"  # 5xx
    REFUSED = "refused"  # the key, the model or the request
    TOO_LONG = "too_long"
    GARBAGE = "garbage"  # no completion: HTML, no JSON, an empty list
    UNREACHABLE = "unreachable"
    PAUSED = "paused"  # not asked: the server failed too often just now


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool the model wants to use; `arguments` is its JSON as text, not yet believed."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the server counted them, or a third of the bytes where it does not say."""

    prompt_tokens: int
    completion_tokens: int
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model said. `finish_reason`: stop, length, tool_calls, or cut where its end is missing."""

    text: str
    tool_calls: tuple[ToolCall, ...]
    finish_reason: str
    usage: Usage
    prompt_sha256: str


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One call for the books: who was asked, why, how it ended and what it used. Never a word of the text."""

    model: str
    purpose: str
    outcome: Ending
    usage: Usage
    ms: int
    prompt_sha256: str
    redactions: int
    incident_id: int | None = None
    draft_id: int | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """What a call is about, for its audit row."""

    incident_id: int | None = None
    draft_id: int | None = None


class ModelError(DeliveryError):
    """A call without a reply; `ending` says how it failed in one word."""

    def __init__(
        self,
        message: str,
        ending: Ending,
        *,
        permanent: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(
            message,
            permanent=permanent,
            retry_after=retry_after,
            rate_limited=ending is Ending.BUSY,
        )
        self.ending = ending


class TooLongError(ModelError):
    """The prompt does not fit into the model's context: ask with less."""

    def __init__(self, message: str) -> None:
        super().__init__(message, Ending.TOO_LONG, permanent=True)


class ToolsRefusedError(ModelError):
    """The server takes no tools: describe them in the prompt and ask for JSON instead."""

    def __init__(self) -> None:
        super().__init__("The model's server takes no tools.", Ending.REFUSED, permanent=True)
