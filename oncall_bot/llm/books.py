"""What is written down of a call: figures and a hash of the prompt, never a word of it.

Knows how tokens are counted where the server does not. Refuses to know what they cost (core does).
Serves the model client.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from oncall_bot.llm.exchange import CUT, LENGTH, Ending, ModelCall, Reply, Subject, Usage

BYTES_PER_TOKEN = 3
TOKENS_PER_MESSAGE = 4
_PLACEHOLDER = re.compile(r"\[(?:secret|withheld|redacted)-\d+\]")


class Books:
    """The books of one question, opened when it is asked."""

    def __init__(
        self,
        model: str,
        purpose: str,
        subject: Subject,
        sent: Sequence[Mapping[str, Any]],
        began_at: float,
    ) -> None:
        self._model = model
        self._purpose = purpose
        self._subject = subject
        self._sent = sent
        self._began_at = began_at
        text = json.dumps(sent, sort_keys=True, ensure_ascii=False)
        self.sha256 = hashlib.sha256(text.encode(errors="replace")).hexdigest()
        self._redactions = len(set(_PLACEHOLDER.findall(text)))

    def answered(self, reply: Reply, late: bool, now: float) -> ModelCall:
        endings = {CUT: Ending.LATE if late else Ending.CUT, LENGTH: Ending.TRUNCATED}
        ending = endings.get(reply.finish_reason, Ending.ANSWERED)
        return self._call(ending, reply.usage, now)

    def failed(
        self, ending: Ending, counted: Usage | None, max_tokens: int, now: float
    ) -> ModelCall:
        """A call that may have been worked on is counted as if it had used all it was allowed."""
        usage = Usage(0, 0)
        if ending in (Ending.LATE, Ending.GARBAGE):
            usage = Usage(estimated(self._sent, "").prompt_tokens, max_tokens, estimated=True)
        return self._call(ending, counted or usage, now)

    def _call(self, ending: Ending, usage: Usage, now: float) -> ModelCall:
        return ModelCall(
            model=self._model,
            purpose=self._purpose,
            outcome=ending,
            usage=usage,
            ms=int(1_000 * (now - self._began_at)),
            prompt_sha256=self.sha256,
            redactions=self._redactions,
            incident_id=self._subject.incident_id,
            draft_id=self._subject.draft_id,
        )


def tokens_in(text: str) -> int:
    """An estimate that is a little too high for plain text: a third of the bytes."""
    return -(-len(text.encode(errors="replace")) // BYTES_PER_TOKEN)


def tokens_of(messages: Sequence[Mapping[str, Any]]) -> int:
    """The same for a conversation; what is no text is counted as it is sent."""
    total = 0
    for message in messages:
        content = message.get("content")
        rest = {key: part for key, part in message.items() if key not in ("content", "role")}
        plain = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
        total += (
            TOKENS_PER_MESSAGE + tokens_in(plain) + (tokens_in(json.dumps(rest)) if rest else 0)
        )
    return total


def estimated(sent: Sequence[Mapping[str, Any]], answer: str) -> Usage:
    return Usage(tokens_of(sent), tokens_in(answer), estimated=True)
