"""The picture of a schedule for an answer in Slack: drawn aside, uploaded once, shown by its id with its words.

Knows how long a picture may take. Refuses rotas and pixels: who draws and who keeps files are handed in.
Serves the words that show a schedule; without a picture their sentences say the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date

import structlog

from oncall_bot.core.board import Board
from oncall_bot.core.board_words import alt_text
from oncall_bot.ports import DeliveryError
from oncall_bot.slack.blocks import Block, image
from oncall_bot.store import views
from oncall_bot.store.db import Store

log = structlog.get_logger(__name__)

Draw = Callable[[Board], bytes]
Keep = Callable[[bytes, str, str], Awaitable[str]]
"""PNG, file name and alt text in; the file's id out. Raises DeliveryError."""

PICTURE_WITHIN = 10.0


async def week_picture(
    store: Store,
    draw: Draw,
    keep: Keep,
    schedule: str,
    *,
    first: date | None = None,
    weeks: int = 1,
    person: str | None = None,
) -> Block | None:
    """An image block of the schedule's weeks; None when there is none within ten seconds.

    `first` is the first day shown, the Monday of this week without it; `person` looks, and has a colour of their own.
    """
    board = await store.view(views.board_of, schedule, first=first, weeks=weeks, person=person)
    if board is None:
        return None
    alt = alt_text(board)
    try:
        async with asyncio.timeout(PICTURE_WITHIN):
            png = await asyncio.to_thread(draw, board)
            file_id = await keep(png, "schedule.png", alt)
    except (TimeoutError, DeliveryError) as error:
        log.info("no_week_picture", schedule=schedule, why=str(error)[:200] or "too slow")
        return None
    return image(file_id, alt)
