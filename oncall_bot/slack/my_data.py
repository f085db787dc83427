"""`/oncall my-data`: all that is stored about the asker, as a file in their own direct messages.

Knows that nobody can ask for somebody else's: who is meant is who asks. Refuses to know what is in it. Serves commands.
"""

from __future__ import annotations

import json

import structlog

from oncall_bot.ports import DeliveryError
from oncall_bot.slack import answers
from oncall_bot.slack.blocks import Drawn
from oncall_bot.slack.callers import Caller
from oncall_bot.slack.edge import Edge
from oncall_bot.store import views

log = structlog.get_logger(__name__)

FILE = "my-data.json"


async def my_data(edge: Edge, caller: Caller) -> Drawn | None:
    """The answer; the file follows. Viewers may ask too, guests and people of other workspaces may not."""
    if caller.refusal is not None:
        return await edge.turn_away(caller, "my_data")
    edge.later(_send(edge, caller))
    return answers.said("All that is stored about you is on its way to your direct messages.")


async def _send(edge: Edge, caller: Caller) -> None:
    key = caller.person.key if caller.person else caller.slack_id
    found = await edge.store.view(views.person_export, key)
    text = json.dumps(found, indent=2, ensure_ascii=False)
    try:
        await edge.chat.upload(caller.slack_id, text.encode(), FILE)
    except DeliveryError as error:
        log.warning("slack_file_not_sent", file=FILE, error=str(error)[:200])
