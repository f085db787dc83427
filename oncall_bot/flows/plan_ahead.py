"""What the calendar of the file asks for has its timer: hand-offs of every schedule, reminders, and the
daily test page.

Refuses to do any of it; the tick does. Serves the start of a process and its jobs.
"""

from __future__ import annotations

from oncall_bot.flows import canary, reminders, shifts
from oncall_bot.store.transactions import Tx


def plan_ahead(tx: Tx) -> None:
    """Idempotent: what has its timer keeps it."""
    shifts.plan_handoffs(tx)
    reminders.plan(tx)
    canary.plan(tx, tx.snapshot.config)
