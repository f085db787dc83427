"""What people pinned of what was said: the cause, the impact, a guess that is ruled out, or words to keep.

Knows which pins stand after some were taken back, and whose they are. Refuses to read a meaning into a text: a pin says
what a person chose, nothing else. Serves the evidence ledger, the flow that pins, and its form.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol


class PinKind(StrEnum):
    """As the ledger names them; `keep` carries no claim."""

    CAUSE = "cause"
    IMPACT = "impact"
    REJECTED = "hypothesis rejected"
    KEEP = "keep"


PINNED_AS: Mapping[PinKind, str] = {
    PinKind.CAUSE: "the cause",
    PinKind.IMPACT: "the impact",
    PinKind.REJECTED: "a ruled-out guess",
    PinKind.KEEP: "worth keeping",
}
"""In words that follow `pinned as`."""


class Event(Protocol):
    """A line of the timeline, as far as pins are concerned."""

    @property
    def id(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def actor(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def data(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Pin:
    """One pin that stands. `target` is the line it marks, its own line when it marks no other."""

    event_id: str
    target: str
    kind: PinKind
    by: str
    text: str
    own_words: bool = False


def pins_of(events: Iterable[Event]) -> tuple[Pin, ...]:
    """The pins that stand, oldest first, from lines in order of time.

    A person has at most one pin of a kind on a line. A line whose data names `withdraws` takes that person's pin back.
    """
    standing: dict[tuple[str, str, PinKind], Pin] = {}
    for event in events:
        if event.kind != "pin":
            continue
        kind, target = kind_of(event.data), target_of(event)
        withdrawn = event.data.get("withdraws")
        if withdrawn:
            standing.pop((target, str(withdrawn), kind), None)
            continue
        key = (target, event.actor, kind)
        standing.pop(key, None)  # the newest words count, at their own place
        own = bool(event.data.get("own_words"))
        standing[key] = Pin(event.id, target, kind, event.actor, event.text, own)
    return tuple(standing.values())


def kind_of(data: Mapping[str, Any]) -> PinKind:
    """What a pin says of its line; one that says nothing of it only keeps the words."""
    said = str(data.get("as") or data.get("name") or data.get("pin") or "").lower()
    if "reject" in said or "ruled" in said:
        return PinKind.REJECTED
    if "impact" in said:
        return PinKind.IMPACT
    return PinKind.CAUSE if "cause" in said else PinKind.KEEP


def target_of(event: Event) -> str:
    """The id of the line that is marked; older rows name it by its number."""
    said = event.data.get("of") or event.data.get("event")
    if isinstance(said, int) and not isinstance(said, bool):
        return f"e{said:03d}"
    return str(said) if said else event.id


def verdicts(pins: Iterable[Pin]) -> dict[str, Pin]:
    """For each line the newest pin that says whether it is the cause or ruled out."""
    return {pin.target: pin for pin in pins if pin.kind in (PinKind.CAUSE, PinKind.REJECTED)}
