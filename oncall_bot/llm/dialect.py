"""What an OpenAI-compatible server takes: how the same question is put to servers of different age.

Knows the options of Chat Completions and which of them servers refuse. Refuses to send anything.
Serves the wire; what a server refused once is not put to it again while the process lives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from oncall_bot.llm.exchange import ToolsRefusedError


@dataclass(frozen=True, slots=True)
class Question:
    """One question: what is said, the shape wanted of the reply, the tools offered, the longest reply."""

    messages: Sequence[Mapping[str, Any]]
    max_tokens: int
    schema: Mapping[str, Any] | None = None
    tools: Sequence[Mapping[str, Any]] = ()
    stream: bool = False


class Dialect:
    """The options one server takes; it begins with all of them."""

    def __init__(self) -> None:
        self._formats = ["json_schema", "json_object", "none"]
        self._limits = ["max_tokens", "max_completion_tokens", "none"]
        self._refused: set[str] = set()

    @property
    def streams(self) -> bool:
        return "stream" not in self._refused

    @property
    def takes_tools(self) -> bool:
        return "tools" not in self._refused

    def options(self, model: str, question: Question) -> dict[str, Any]:
        """The request body; ToolsRefusedError where tools are asked for and the server takes none."""
        if question.tools and not self.takes_tools:
            raise ToolsRefusedError
        options: dict[str, Any] = {"model": model, "messages": list(question.messages)}
        if self._limits[0] != "none":
            options[self._limits[0]] = question.max_tokens
        if question.schema is not None and self._formats[0] != "none":
            options["response_format"] = _format(self._formats[0], question.schema)
        if question.tools:
            options["tools"] = list(question.tools)
        if question.stream and self.streams:
            options["stream"] = True
            if "stream_options" not in self._refused:
                options["stream_options"] = {"include_usage": True}
        return options

    def refused(self, said: str, options: Mapping[str, Any]) -> bool:
        """Whether the server's words refuse an option that was sent; it is left out from now on."""
        for name in ("response_format", "json_schema", "stream_options", *self._limits[:1]):
            if name in said and ("response_format" if name == "json_schema" else name) in options:
                self._step_back(name)
                return True
        for name in ("tools", "stream"):
            if name in said and name in options:
                self._refused.add(name)
                return True
        return False

    def no_stream(self) -> None:
        """The server took the wish to stream and sent no stream."""
        self._refused.add("stream")

    def _step_back(self, name: str) -> None:
        if name in ("response_format", "json_schema"):
            self._formats = self._formats[1:] or self._formats
        elif name == "stream_options":
            self._refused.add(name)
        else:
            self._limits = self._limits[1:] or self._limits


def _format(kind: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    if kind == "json_object":
        return {"type": "json_object"}
    return {
        "type": "json_schema",
        "json_schema": {"name": "reply", "strict": True, "schema": dict(schema)},
    }
