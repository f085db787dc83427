"""Tell the surfaces that something changed: the incident's card, work log and the DMs of those who were paged.

Knows which messages show an incident. Refuses to know what they look like. Serves every flow.
"""

from __future__ import annotations

from collections.abc import Sequence

from oncall_bot.store import incidents, messages, pictures
from oncall_bot.store.statements import Row
from oncall_bot.store.transactions import Tx


def open_messages(tx: Tx, incident_id: int, channel: str | None, *, runbook: bool) -> None:
    """The card in the channel, the work log in its thread, and the runbook when there is one."""
    if not channel:
        return
    for role in ("root", "work_log", "runbook") if runbook else ("root", "work_log"):
        if messages.role_of(tx, incident_id, role) is None:
            messages.create(tx, incident_id=incident_id, role=role, channel=channel)
    changed(tx, incident_id, at_once=True)


def changed_all(tx: Tx, rows: Sequence[Row]) -> None:
    """`changed` for many incidents at once: alerts came or went in them."""
    storms = {row.id for row in rows if row.origin == "storm"}
    for message in messages.touch_all(tx, [row.id for row in rows]):
        storm = message.incident_id in storms
        every = messages.STORM_EDIT_EVERY if storm else messages.EDIT_EVERY
        messages.queue(tx, message, every=every)


def changed(tx: Tx, incident_id: int, *, at_once: bool = False, pages: bool = False) -> None:
    """Draw the incident's messages again; with `pages` also the DMs, whose buttons may be pointless now."""
    row = incidents.get(tx, incident_id)
    storm = row is not None and row.origin == "storm"
    every = messages.STORM_EDIT_EVERY if storm else messages.EDIT_EVERY
    if pages:
        pictures.changed(tx, incident_id)
        for message in messages.bundles_of(tx, incident_id):
            _page_changed(tx, message)
    for message in messages.of_incident(tx, incident_id):
        if message.role == "page":
            if pages:
                _page_changed(tx, message)
        elif message.role == "root":
            messages.touch(tx, message, every=every, at_once=at_once)
        elif message.role == "work_log" or message.rendered_generation == 0:
            messages.touch(tx, message, every=every)


def _page_changed(tx: Tx, message: Row) -> None:
    if message.ts is not None:
        messages.touch(tx, message, at_once=True)
    else:
        messages.outdate(tx, message)
