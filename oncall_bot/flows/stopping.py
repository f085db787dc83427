"""A process stops: what it had in hand and what it led is free for the others at once.

Refuses to stop anything. Serves app, once nothing is sent any more.
"""

from __future__ import annotations

from oncall_bot.store import outbox, processes
from oncall_bot.store.transactions import Tx


def stopped(tx: Tx, instance: str) -> int:
    """How many messages it could not finish and gave back."""
    left = outbox.give_back(tx, instance)
    processes.leave(tx, instance)
    return left
