"""How an answer reaches the one who asked: a message in the thread, the pane's stream, or edits where many read.

Knows statuses, streams, throttled edits and Slack's wish to wait. Refuses to know what is said. Serves events and
pane; an answer that cannot be sent is written down and holds nothing up.
"""

from __future__ import annotations

from oncall_bot.slack import talk
from oncall_bot.slack.blocks import Drawn
from oncall_bot.slack.edge import Edge
from oncall_bot.slack.patience import patiently
from oncall_bot.slack.talk import Heard


async def reply(edge: Edge, heard: Heard) -> None:
    """Answer in the thread of the question."""
    said = await talk.hear(edge, heard)
    await post(edge, heard, said.drawn)
    await talk.remember(edge, heard, said)


async def post(edge: Edge, heard: Heard, drawn: Drawn) -> str | None:
    """One message; its timestamp once it stands."""
    answer = await patiently(
        lambda: edge.client.chat_postMessage(
            channel=heard.channel,
            text=drawn.text,
            blocks=list(drawn.blocks),
            thread_ts=heard.thread,
            unfurl_links=False,
            unfurl_media=False,
        ),
        "answer",
    )
    return str(answer["ts"]) if answer is not None else None
