"""How the practice Slack says no: to the bot in Slack's error codes, to a person in one line.

Knows the shapes of an answer and nothing of what leads to it. Serves every module of this folder.
"""

from __future__ import annotations

from typing import Any

from oncall_bot.core.errors import OncallError

Json = dict[str, Any]
"""An object as Slack's API sends and takes it."""

Problem = tuple[str, str]
"""(JSON pointer, what is wrong there), as in Slack's response_metadata.messages."""


class SlackError(Exception):
    """An `ok: false` answer with Slack's error code; `messages` explain it, `extra` goes beside the code."""

    def __init__(self, error: str, messages: tuple[str, ...] = (), **extra: Any) -> None:
        super().__init__(error)
        self.error, self.messages, self.extra = error, messages, extra

    @classmethod
    def of(cls, error: str, problems: list[Problem]) -> SlackError:
        """The code with every problem in the words Slack uses."""
        said = [f"[ERROR] {why} [json-pointer:{where}]" for where, why in problems]
        return cls(error, tuple(said))

    def body(self) -> Json:
        said: Json = {"ok": False, "error": self.error, **self.extra}
        if self.messages:
            said["response_metadata"] = {"messages": list(self.messages)}
        return said


class Refused(OncallError):  # noqa: N818 - what a person cannot do, not a fault of ours
    """A gesture that Slack's own client would not let the person make; the message is one line for them."""
