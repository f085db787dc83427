"""Somebody was not allowed to: what they wanted is written in the audit. Decides nothing.

Serves every flow that asks for rights, and the Slack edge for those who never come so far: guests and outsiders.
"""

from __future__ import annotations

from oncall_bot.core.outcomes import Actor
from oncall_bot.store import incidents
from oncall_bot.store.transactions import Tx


def refuse(tx: Tx, actor: Actor, verb: str, object_: str, why: str = "") -> None:
    """Keep the refusal; `verb` and `object_` are our own words for what was pressed, `why` what they were told."""
    after = {"by": actor.by, **({"why": why} if why else {})}
    incidents.audit(tx, str(actor), verb, object_, after=after, refused=True)
