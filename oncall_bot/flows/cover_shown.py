"""What asking for cover and answering share: whose time it is, the messages that show it, and how a shift is said.

Knows the rota by way of the snapshot. Decides nothing. Serves `ask_cover`, `answer_cover` and `absence`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from oncall_bot.core.rota_words import span
from oncall_bot.core.rotations import Shift
from oncall_bot.store import covers, messages
from oncall_bot.store.transactions import Reader, Tx


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of one schedule."""

    schedule: str
    starts_at: datetime
    ends_at: datetime


def own_shifts(
    tx: Reader, person: str, schedule: str, start: datetime, end: datetime
) -> list[Shift]:
    """The person's shifts between two instants, cut there."""
    return [s for s in tx.snapshot.shifts(schedule, start, end) if s.user == person]


def show(tx: Tx, request_id: int) -> None:
    """Everybody's message shows how it stands now."""
    request = covers.get(tx, request_id)
    shown = [request.message_id if request else None]
    shown += [row.message_id for row in covers.asked(tx, request_id)]
    for message_id in shown:
        message = messages.get(tx, message_id) if message_id is not None else None
        if message is not None:
            messages.touch(tx, message, at_once=True)


def said(tx: Reader, piece: Piece) -> str:
    """The stretch in words, on the clock of its rota."""
    zone = tx.snapshot.config.schedules.get(piece.schedule)
    if zone is None:
        return f"{piece.starts_at:%a %d %b %H:%M} to {piece.ends_at:%a %d %b %H:%M} UTC"
    return span(piece.starts_at, piece.ends_at, zone.definition.zone)
