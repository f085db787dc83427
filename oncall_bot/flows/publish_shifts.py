"""What calendars outside are told of a schedule is kept, so that a change can be counted.

Knows that it goes in slices, because pages come before calendars, and that what was worked out by other rules than
those in force now is not kept. Refuses to work it out: that takes longer than a write should. Serves the feeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from oncall_bot.core.feeds import Told
from oncall_bot.store import calendars
from oncall_bot.store.transactions import Tx

SLICE = 400
KEPT_FOR = timedelta(days=60)


def publish_shifts(tx: Tx, schedule: str, told: Sequence[Told], number: int) -> bool:
    """Keep what is told of the schedule for the first time; False when the rules are not those of `number` any more."""
    if tx.snapshot.number != number or schedule not in tx.snapshot.schedule_ids:
        return False
    schedule_id = tx.snapshot.schedule_ids[schedule]
    calendars.forget_published(tx, schedule_id, tx.now - KEPT_FOR)
    rows = [
        {
            "starts_at": one.start,
            "ends_at": one.end,
            "person": one.person,
            "sequence": one.sequence,
            "modified_at": one.modified_at,
        }
        for one in told
    ]
    calendars.publish(tx, schedule_id, rows)
    return True
