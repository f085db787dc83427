"""What became of a message: its fate goes on the row, and on the incident when somebody should know.

Knows result flows of each outbox kind. Refuses to send and to retry. Serves `engine.delivery`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from oncall_bot.core.timeline import Entry, Kind
from oncall_bot.flows import canary, notices, road_trouble, showing
from oncall_bot.flows.receipts import bring_forward
from oncall_bot.ports import Blame
from oncall_bot.store import incidents, messages, outbox, runs
from oncall_bot.store.outbox import Fate
from oncall_bot.store.statements import Row
from oncall_bot.store.transactions import Tx

NUMBERS_SHOWN = 10
CODE = "code:"
"""How the keys of messages begin that carry a code: a live secret, which nobody needs here once it was told."""
TELL_EVERY = timedelta(minutes=10)
MORE_ALIKE = "More that fail alike at the same place are not told of for ten minutes."


@dataclass(frozen=True, slots=True)
class Finished:
    """What became of one message. `drawn` is (message id, generation, sha256) of a Slack message; `place` is
    (channel id, ts) where it lies."""

    row_id: int
    owner: str
    fate: Fate
    drawn: tuple[int, int, str] | None = None
    place: tuple[str, str] | None = None


def delivered_all(tx: Tx, finished: Sequence[Finished]) -> list[str | None]:
    """As `delivered`, for messages that came to their end at the same time."""
    return [
        delivered(tx, one.row_id, one.owner, one.fate, drawn=one.drawn, place=one.place)
        for one in finished
    ]


def delivered(
    tx: Tx,
    row_id: int,
    owner: str,
    fate: Fate,
    *,
    drawn: tuple[int, int, str] | None = None,
    place: tuple[str, str] | None = None,
) -> str | None:
    """Write the fate of the message down, for every page in it; answers its state, or None when the lease was lost.

    Who lost it may have edited the message after the one who took over did, so it is drawn once more.
    """
    rows = fate_alone(tx, row_id, owner, fate)
    if not rows:
        if drawn is not None and fate.outcome == "sent":
            messages.draw_again(tx, drawn[0])
        return None
    if drawn is not None:
        _message(tx, rows[0], drawn, place)
    for row in sorted(rows, key=lambda row: row.incident_id or 0):  # every flow locks in this order
        if row.page_id is not None:
            _page(tx, row, fate)
        if row.state == "dead":
            _dead(tx, row, told=fate.blame is Blame.ADDRESS)
    _road(tx, rows[0], fate)
    if rows[0].state == "sent":
        _one_message(tx, rows)
    if rows[0].state != "pending" and rows[0].dedupe_key.startswith(CODE):
        outbox.forget_text(tx, rows[0])
    return str(rows[0].state)


def fate_alone(tx: Tx, row_id: int, owner: str, fate: Fate) -> list[Row]:
    """The fate of every page in the message and nothing that follows from it; answers the rows that were still ours."""
    together = outbox.in_hand(tx, row_id, owner)
    return [row for one in together if (row := outbox.finish(tx, one.id, owner, fate)) is not None]


def take_back(tx: Tx) -> list[Row]:
    """What a process that is gone had in hand waits again; a message that ended too many of them is dead."""
    rows = outbox.recover(tx)
    for row in outbox.bury(tx, rows):
        if "message_id" in row.payload:
            messages.given_up(tx, int(row.payload["message_id"]))
        if row.page_id is not None:
            _page(tx, row, Fate("failed", answer=row.last_error))
        _dead(tx, row)
    return rows


def _one_message(tx: Tx, rows: Sequence[Row]) -> None:
    """Each incident says that its page came in one message with others, and with which."""
    numbers = sorted({row.incident_id for row in rows if row.incident_id is not None})
    if len(numbers) < 2:
        return
    page = runs.page(tx, rows[0].page_id)
    name = tx.snapshot.name(page.person) if page and page.person else "somebody"
    for row in sorted(rows, key=lambda row: row.incident_id or 0):
        others = [number for number in numbers if number != row.incident_id]
        shown = ", ".join(str(number) for number in others[:NUMBERS_SHOWN])
        more = f" and {len(others) - NUMBERS_SHOWN} more" if len(others) > NUMBERS_SHOWN else ""
        noun = "incident" if len(others) == 1 else "incidents"
        text = f"{row.payload.get('road')} to {name} was one message with {noun} {shown}{more}"
        entry = Entry(Kind.SYSTEM, text, tx.now, source_ref=f"bundle:{row.id}")
        incidents.write(tx, row.incident_id, [entry])


def _road(tx: Tx, row: Row, fate: Fate) -> None:
    """How the person's road did, for all that travelled together."""
    if row.kind != "loud":
        return
    if fate.outcome == "sent":
        road_trouble.worked(tx, row)
    elif fate.outcome == "failed":
        for_good = row.state == "dead" and fate.blame is not Blame.ROAD
        road_trouble.failed(tx, row, fate.answer, for_good=for_good)


def _message(tx: Tx, row: Row, drawn: tuple[int, int, str], place: tuple[str, str] | None) -> None:
    message_id, generation, sha256 = drawn
    if row.state == "sent":
        channel_id, ts = place or (None, None)
        messages.rendered(tx, message_id, generation, sha256=sha256, ts=ts, channel_id=channel_id)
    elif row.state in ("dead", "outdated", "skipped"):
        messages.given_up(tx, message_id)


def _page(tx: Tx, row: Row, fate: Fate) -> None:
    """The first failure and every success of a page show on the card."""
    if row.incident_id is None or (row.state == "pending" and row.attempts > 1):
        return
    if row.state == "pending" or row.state == "dead":
        page = runs.page(tx, row.page_id)
        name = tx.snapshot.name(page.person) if page and page.person else "the channel"
        text = f"{row.payload.get('road')} to {name} failed: {fate.answer[:200]}"
        entry = Entry(Kind.SYSTEM, text, tx.now, source_ref=f"failed:{row.id}:{row.state}")
        incidents.write(tx, row.incident_id, [entry])
    showing.changed(tx, row.incident_id)
    if row.state == "sent":
        canary.arrived(tx, row.incident_id, row)


def _dead(tx: Tx, row: Row, *, told: bool = False) -> None:
    """A message that will never arrive alerts by another road; what fails alike is told seldom.

    `told`: whoever should hear of it does already.
    """
    if row.dedupe_key.startswith("admin:"):
        return  # never in a circle
    bring_forward(tx, row)
    if told:
        return
    what = f"incident {row.incident_id}" if row.incident_id else "a notice"
    why = (row.last_error or "")[:200]
    alike = notices.digest([row.destination, row.kind, why])
    turn = int(tx.now.timestamp() // TELL_EVERY.total_seconds())
    notices.tell_admins(
        tx,
        f"dead:{alike}:{turn}",
        f"A message could not be delivered ({row.kind}, {what}): {why}. {MORE_ALIKE}",
        not_by="slack" if row.destination.startswith("slack:") else row.payload.get("road"),
    )
