"""What became of a message after its provider took it: delivered, rang, picked up, missed, or failed and why.

Knows that receipts repeat and come in any order, that one for another message than ours counts for nothing, and that a
loud road that failed lets the next one go at once. Refuses to read providers' words (`paging`).
Serves `paging.callbacks` and the deliveries that fail at once.
"""

from __future__ import annotations

from collections.abc import Sequence

from oncall_bot.core.outcomes import Outcome
from oncall_bot.core.paging import is_loud
from oncall_bot.core.timeline import Entry, Kind
from oncall_bot.flows import road_trouble, showing
from oncall_bot.store import bundling, incidents, outbox, road_health, runs
from oncall_bot.store.statements import Row
from oncall_bot.store.transactions import Tx

STATES = ("delivered", "rang", "picked up", "missed", "failed")


def take_receipt(
    tx: Tx, row_id: int, provider_id: str, state: str, why: str | None, *, bad_address: bool = False
) -> Outcome:
    """Write down what the provider told of the message that left as this row, for every page in it."""
    row = road_health.message(tx, row_id)
    if row is None or row.kind != "loud" or state not in STATES:
        return Outcome(False, "no message of ours")
    if row.provider_id is not None and row.provider_id != provider_id:
        return Outcome(False, "another message than ours")
    rows = bundling.members(tx, row.bundle_id) if row.bundle_id == row.id else [row]
    news = [one for one in rows if road_health.add_receipt(tx, one.id, state, why)]
    if not news:
        return Outcome(False, "told before")
    if state in ("failed", "missed"):
        _failed(tx, news, state, why or "")
    if state == "failed":
        road_trouble.failed(tx, row, why or "", for_good=bad_address)
    elif state != "missed":
        road_trouble.worked(tx, row)
    for number in sorted({one.incident_id for one in news if one.incident_id is not None}):
        showing.changed(tx, number)
    return Outcome(True, state)


def _failed(tx: Tx, rows: Sequence[Row], state: str, why: str) -> None:
    """It stands in the timeline, and what was to follow later on a loud road goes now."""
    for row in sorted(rows, key=lambda one: (one.incident_id or 0, one.id)):
        if row.incident_id is None or row.page_id is None:
            continue
        page = runs.page(tx, row.page_id)
        name = tx.snapshot.name(page.person) if page and page.person else "somebody"
        word = "was not answered" if state == "missed" else "failed"
        text = f"{row.payload.get('road')} to {name} {word}: {why}"
        entry = Entry(Kind.SYSTEM, text, tx.now, source_ref=f"receipt:{row.id}:{state}")
        incidents.write(tx, row.incident_id, [entry])
        if state == "failed":
            bring_forward(tx, row)


def bring_forward(tx: Tx, failed: Row) -> None:
    """The person's next loud road for the same page need not wait for its time: the one before it woke nobody."""
    if failed.page_id is None or failed.incident_id is None or not failed.payload.get("urgent"):
        return
    channels = tx.snapshot.config.channels
    loud = sorted(key for key, channel in channels.items() if is_loud(channel))
    road = outbox.hurry(tx, failed.page_id, loud)
    if road is None:
        return
    text = f"{road} goes at once, because {failed.payload.get('road')} failed"
    entry = Entry(Kind.SYSTEM, text, tx.now, source_ref=f"hurried:{failed.page_id}:{road}")
    incidents.write(tx, failed.incident_id, [entry])
