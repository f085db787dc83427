"""Who acts, and what became of it: the two values every flow takes and gives.

Knows no rights and no channels: an Actor is already known to be who it says. Serves flows, edges and the timeline.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """A person of the file (`person`), a Slack user outside it (`slack`), or the bot itself (`system`).

    `key` is the person's key, the Slack user id, or the name of the duty; `by` the road the act came by.
    """

    kind: str
    key: str
    name: str
    by: str = "slack"

    def __str__(self) -> str:
        return f"{self.kind}:{self.key}"


SYSTEM = Actor("system", "oncall-bot", "oncall-bot", by="system")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a flow did, or why it did nothing. `reason` is a sentence fit to show to the one who asked."""

    done: bool
    reason: str
    incident_id: int | None = None
    winner: str | None = None  # who had already done it, when the race was lost
    refused: bool = False  # the actor had not the right; it is in the audit
