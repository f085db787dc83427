"""What is due is found in an order in which nobody who must be paged waits for bookkeeping."""

from __future__ import annotations

from datetime import timedelta

from oncall_bot.store import timers
from oncall_bot.store.db import Store
from oncall_bot.store.transactions import Tx

LIMIT = 100


def test_a_step_that_pages_does_not_wait_for_hundreds_that_were_due_before(store: Store) -> None:
    def plan(tx: Tx) -> None:
        for n in range(3 * LIMIT):
            timers.add(tx, "open_group", f"group:{n}", tx.now - timedelta(hours=1), f"open:{n}")
        timers.add(tx, "escalate", "run:1", tx.now, "escalate:1")

    store.write(plan).result()
    due = store.look(timers.due, limit=LIMIT)
    kinds = [row.kind for row in store.look(timers.of, "run:1") if row.id in due]
    assert kinds == ["escalate"]
    assert len(due) == len(set(due)) == LIMIT
