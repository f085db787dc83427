"""What goes to a model and what comes back: a reply, what it cost, and how a call can fail.

Knows values and errors; what is written down of a call, and how it ended in one word, is core's (spending).
Refuses to know servers and prompts. Serves the client and everything that asks through it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from oncall_bot.core.spending import Ending as Ending
from oncall_bot.core.spending import ModelCall as ModelCall
from oncall_bot.core.spending import Usage as Usage
from oncall_bot.ports import DeliveryError

CUT: Literal["cut"] = "cut"
"""The finish reason of a reply whose end never came."""
LENGTH: Literal["length"] = "length"
"""The finish reason of a reply that `max_tokens` ended."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool the model wants to use; `arguments` is its JSON as text, not yet believed."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model said. `finish_reason`: stop, length, tool_calls, or cut where its end is missing."""

    text: str
    tool_calls: tuple[ToolCall, ...]
    finish_reason: str
    usage: Usage
    prompt_sha256: str


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
