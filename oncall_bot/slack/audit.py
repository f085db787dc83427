"""`/oncall audit [42] [ana] [refused]`: who did what, and who was refused; for managers and admins.

Knows the words behind the command and the drawing. Refuses to know who may read it: `core.rights` does, asked before
this. Serves commands of this room.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from oncall_bot.slack import answers, reading
from oncall_bot.slack.blocks import Drawn, context, section
from oncall_bot.slack.escape import escape, push, when
from oncall_bot.store import views

if TYPE_CHECKING:
    from datetime import datetime

    from oncall_bot.slack.commands import Asked
    from oncall_bot.slack.edge import Edge

SHOWN, A_SECTION = 20, 5


async def on_audit(edge: Edge, asked: Asked) -> Drawn | None:
    """`audit`, `audit 42`, `audit ana`, `audit refused`, and any of them together; newest first."""
    words = list(asked.words)
    refused = "refused" in words
    rest = [word for word in words if word != "refused"]
    numbers = [number for word in rest if (number := reading.number(word)) is not None]
    people = " ".join(word for word in rest if reading.number(word) is None)
    lines = await edge.store.view(
        views.audit_trail,
        incident=numbers[0] if numbers else None,
        by=_person(people) if people else None,
        refused=refused,
        limit=SHOWN,
    )
    return drawn(lines, edge.clock(), command=edge.command)


def _person(words: str) -> str:
    """A mention as the Slack id in it; everything else as it was typed."""
    if words.startswith("<@") and words.endswith(">"):
        return words[2:-1].partition("|")[0]
    return words[:80]


def drawn(lines: Sequence[views.AuditLine], now: datetime, *, command: str) -> Drawn:
    if not lines:
        return answers.said("The audit holds nothing of that.")
    told = [
        f"{when(one.at, now)}  *{escape(one.who, 60)}* {escape(one.text, 300)}" for one in lines
    ]
    parts = ["\n".join(told[n : n + A_SECTION]) for n in range(0, len(told), A_SECTION)]
    hint = f"`{escape(command, 40)} audit 42`, `audit ana`, `audit refused` show less. Only you see this."
    return Drawn(
        push("Newest in the audit: ", f"{lines[0].who} {lines[0].text}"),
        [section("*Audit*, newest first"), *[section(part) for part in parts], context(hint)],
    )
