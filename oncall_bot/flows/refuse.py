"""Somebody was not allowed to: what they wanted is written in the audit. Decides nothing. Serves the Slack edge."""

from __future__ import annotations

from oncall_bot.core.outcomes import Actor
from oncall_bot.store import incidents
from oncall_bot.store.transactions import Tx


def refuse(tx: Tx, actor: Actor, verb: str, object_: str) -> None:
    """Keep the refusal; `verb` and `object_` are our own words for what was pressed."""
    incidents.audit(tx, str(actor), verb, object_, after={"by": actor.by}, refused=True)
