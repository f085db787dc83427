"""`/oncall fairness [SCHEDULE] [90d]`: how the load of a schedule is shared, in words and bars.

Knows the words behind the command and the drawing. Refuses to count (core.fairness). Serves commands of this room.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from oncall_bot.core.fairness import Report, Share, told_kinds, told_weights
from oncall_bot.ports import DeliveryError
from oncall_bot.slack import answers, reading
from oncall_bot.slack.blocks import Block, Drawn, context, image, section
from oncall_bot.slack.escape import code, escape, push, when
from oncall_bot.store.views.fairness import fairness

if TYPE_CHECKING:
    from oncall_bot.slack.commands import Asked
    from oncall_bot.slack.edge import Edge

LOOKED_BACK, LONGEST = timedelta(days=90), timedelta(days=366)
SHOWN, BAR = 15, 16
_HOUR = timedelta(hours=1)


async def on_fairness(edge: Edge, asked: Asked) -> Drawn | None:
    """Of the schedule named, else of the only one; over the days named, else 90."""
    words, length = list(asked.words), LOOKED_BACK
    if words and (span := reading.span(words[-1])) is not None:
        words.pop()
        length = span
    if not timedelta(0) < length <= LONGEST:
        return answers.said("A share is counted over 1 to 366 days, such as `90d`.")
    schedules = list(edge.config.schedules)
    name = words[0].casefold() if words else schedules[0] if len(schedules) == 1 else ""
    if name not in schedules:
        close = reading.nearest(name, schedules) if name else None
        form = f"fairness {close or (schedules[0] if schedules else 'SCHEDULE')} 90d"
        return answers.usage(form, "see how the load is shared", command=edge.command)
    end = edge.clock()
    found = await edge.store.view(fairness, name, end - length, end)
    name_of = edge.store.snapshot.name
    return drawn(found, name_of, await _picture(edge, found, name_of))


async def _picture(edge: Edge, found: Report, name: Callable[[str], str]) -> list[Block]:
    """The picture, where one can be drawn and uploaded; the lines say the same."""
    looks = edge.look_with
    if looks is None or looks.album is None or looks.shares is None or not found.shares:
        return []
    try:
        png, alt = await asyncio.to_thread(looks.shares, found, name)
        return [image(await looks.album.keep(png, "fairness.png", alt), alt)]
    except DeliveryError as error:
        return [context(f"No picture: {escape(str(error), 200)}")]


def drawn(found: Report, name: Callable[[str], str], picture: Sequence[Block] = ()) -> Drawn:
    """A line for each person, the heaviest first, and what the weights mean."""
    head = f"*How {escape(found.schedule, 64)} is shared*, {when(found.start, found.end)} to now"
    if not found.shares:
        return Drawn(
            push(f"Nobody was on call for {found.schedule} in that time."),
            [section(f"{head}\nNobody was on call in that time.")],
        )
    most = max(share.points for share in found.shares) or 1.0
    lines = [_line(share, name, most) for share in found.shares[:SHOWN]]
    more = len(found.shares) - SHOWN
    tail = [f"{more} more had less."] if more > 0 else []
    return Drawn(
        push(f"{found.schedule}: {name(found.shares[0].person)} had most of the load."),
        [
            section("\n".join([head, *lines, *tail])),
            *picture,
            context(
                f"{_weights(found)} Nights are 22:00 to 06:00 where the person lives. For pay:"
                f" {code(f'oncall-bot schedule fairness {found.schedule} --csv FILE', 120)}"
            ),
        ],
    )


def _line(share: Share, name: Callable[[str], str], most: float) -> str:
    bar = "█" * max(1, round(share.points / most * BAR)) if share.points else ""
    parts = [f"{share.on_call / _HOUR:.0f} h on call", *told_kinds(share)]
    return f"{code(bar.ljust(BAR), BAR)} *{escape(name(share.person), 60)}* {share.points:.0f}: {', '.join(parts)}"


def _weights(found: Report) -> str:
    told = told_weights(found.weights)
    if not told:
        return "The number is hours on call; the team may weigh nights, weekends and holidays."
    return f"The number is weighted hours: {told}, the highest that applies."
