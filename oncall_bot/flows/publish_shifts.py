"""What calendars outside are told of a schedule is kept, so that a change can be counted.

Knows that it goes in slices, because pages come before calendars. Refuses to know who asked. Serves the feeds.
"""

from __future__ import annotations

from oncall_bot.store import calendars
from oncall_bot.store.transactions import Tx
from oncall_bot.store.views import feeds

SLICE = 400


def publish_shifts(tx: Tx, schedule: str) -> int:
    """Keep at most a slice of what is told of the schedule for the first time; how many are left."""
    if schedule not in tx.snapshot.config.schedules:
        return 0
    _, changed = feeds.told(tx, schedule)
    rows = [
        {
            "starts_at": one.start,
            "ends_at": one.end,
            "person": one.person,
            "sequence": one.sequence,
            "modified_at": one.modified_at,
        }
        for one in changed[:SLICE]
    ]
    calendars.publish(tx, tx.snapshot.schedule_ids[schedule], rows)
    return max(0, len(changed) - SLICE)
