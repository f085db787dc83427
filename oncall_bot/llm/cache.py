"""Replies to prompts that were asked before, in this process alone: the next draft of an incident asks less.

Knows a bound and an order of use. Refuses to vouch for what it holds: claims from here are verified like any other.
Serves the drafter. It is lost with the process on purpose (docs/decisions/0017).
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from oncall_bot.core.verification import Claim

MOST = 256


def key_of(version: str, model: str, prompt: str, schema: Mapping[str, Any]) -> str:
    """The hash of all that decides the reply; the prompt is the redacted one, without its marker."""
    whole = json.dumps([version, model, prompt, schema], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(whole.encode(errors="replace")).hexdigest()


class ClaimCache:
    """The claims of the replies used last; safe for several threads."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[Claim, ...]] = OrderedDict()

    def get(self, key: str) -> tuple[Claim, ...] | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: str, claims: tuple[Claim, ...]) -> None:
        with self._lock:
            self._kept[key] = claims
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
