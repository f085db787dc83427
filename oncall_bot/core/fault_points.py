"""Named places at which a crash must lose nothing. Tests kill the process there; production passes `ignore`."""

from __future__ import annotations

from enum import StrEnum


class FaultPoint(StrEnum):
    AFTER_STORE = "after_store"  # the alert is committed, its sender not yet answered
    AFTER_CLAIM = "after_claim"  # a message is leased, not yet sent
    AFTER_SEND = "after_send"  # the provider has it, we have not written that down
    BEFORE_FINISH = "before_finish"  # its fate is known, the commit is still to come


def ignore(_point: FaultPoint) -> None:
    """Nothing happens at fault points."""
