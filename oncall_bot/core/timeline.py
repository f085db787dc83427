"""The evidence ledger's vocabulary: kinds, trust and standing of what is written down about an incident.

Knows the words and which standing a kind has when nobody says otherwise. Refuses to know where it is stored.
Serves flows (which write), views, facts and drafts (which read). Source of kinds: the incident-record/1 format.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from oncall_bot.core.outcomes import SYSTEM, Actor
from oncall_bot.core.pins import PinKind, kind_of

TEXT_MAX = 4000


class Kind(StrEnum):
    ALERT = "alert"
    RESOLVE = "resolve"
    PAGE = "page"
    ACK = "ack"
    STATUS = "status"
    MILESTONE = "milestone"
    IMPACT = "impact"
    DEPLOY = "deploy"
    ACTION = "action"
    METRIC = "metric"
    NOTE = "note"
    CHAT = "chat"
    BOT = "bot"
    SYSTEM = "system"
    PIN = "pin"


_STANDING = {
    Kind.ACTION: "action",
    Kind.NOTE: "said",
    Kind.CHAT: "said",
    Kind.PIN: "pinned",
}
_PINNED = {PinKind.CAUSE: "pinned cause", PinKind.REJECTED: "rejected"}
_HEDGES = (
    "?",
    "looks like",
    "suspect",
    "maybe",
    "might",
    "i think",
    "probably",
    "perhaps",
    "could be",
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact to be written down. `at` may lie before the moment it is recorded."""

    kind: Kind
    text: str
    at: datetime
    actor: Actor = SYSTEM
    data: Mapping[str, object] = field(default_factory=dict)
    source_ref: str | None = None
    trust: str | None = None

    @property
    def standing(self) -> str:
        """observed, action, said, tentative, pinned, pinned cause or rejected: the weight a draft may put on it."""
        if self.kind is Kind.PIN and not self.data.get("withdraws"):
            return _PINNED.get(kind_of(self.data), "pinned")
        if self.kind is Kind.CHAT and any(hedge in self.text.casefold() for hedge in _HEDGES):
            return "tentative"
        return "observed" if self.data.get("withdraws") else _STANDING.get(self.kind, "observed")

    @property
    def trusted_as(self) -> str:
        """system, responder or external: whose words these are."""
        if self.trust:
            return self.trust
        return "system" if self.actor.kind == "system" else "responder"
