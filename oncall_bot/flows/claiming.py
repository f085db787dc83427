"""Take messages in hand: what is due, one for each place, several pages of a person as one, and why the others wait.

Knows what a claim leaves in the record: pages that wait say so on their incident. Refuses to decide who waits
(core.throttle, by way of store.outbox) and to send. Serves `engine.delivery`.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from oncall_bot.core.timeline import Entry, Kind
from oncall_bot.flows import showing
from oncall_bot.store import bundling, incidents, messages, outbox, runs
from oncall_bot.store.statements import Row
from oncall_bot.store.transactions import Tx


def claim(
    tx: Tx,
    owner: str,
    limit: int,
    lease_for: timedelta,
    *,
    slack_limit: int | None = None,
    chat: bool = True,
) -> list[Row]:
    """Up to `limit` messages for the owner to send, of which up to `slack_limit` for Slack.

    Without `chat` what was left for Slack is skipped first.
    """
    if not chat:
        messages.given_up(tx, *outbox.skip_chat(tx))
    rows = outbox.claim(tx, owner, limit, lease_for, slack_limit=slack_limit, delayed=_say)
    for row in rows:
        if row.kind == "message" and row.bundle_id is not None:
            _share_a_message(tx, row)
    return rows


def _say(tx: Tx, row: Row, until: datetime, why: str) -> None:
    """A page waits: its incident says since when it was due, until when it waits, and why."""
    if not why or row.incident_id is None:
        return
    page = runs.page(tx, row.page_id)
    name = tx.snapshot.name(page.person) if page and page.person else "somebody"
    road = row.payload.get("road")
    text = f"{road} to {name} waits until {until:%H:%M:%S} UTC, in one message with what follows: {why}"
    entry = Entry(Kind.SYSTEM, text, tx.now, source_ref=f"held:{row.id}:{why}"[:200])
    incidents.write(tx, row.incident_id, [entry])
    showing.changed(tx, row.incident_id)


def _share_a_message(tx: Tx, row: Row) -> None:
    """Several pages for one conversation are shown by one Slack message, made now if none waits for them yet."""
    page_ids = [one.page_id for one in outbox.carried(tx, row)]
    if len(page_ids) < 2:
        return
    unposted = messages.unposted_bundle(tx, page_ids)
    message_id = unposted or messages.create(
        tx, incident_id=None, role="bundle", channel=row.destination.removeprefix("slack:")
    )
    bundling.shown_in(tx, page_ids, message_id)
