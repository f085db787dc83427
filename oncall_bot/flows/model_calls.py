"""A call of a model goes into the books: who was asked, why, what it used, what it cost. Never its text.

Knows the prices in force. Refuses to call anything. Serves the client's `observe`, for drafts and for the assistant.
"""

from __future__ import annotations

from oncall_bot.core.spending import ModelCall, cost_of, price_of
from oncall_bot.store import model_calls
from oncall_bot.store.transactions import Tx


def book_call(tx: Tx, call: ModelCall) -> None:
    """One row for this call; its cost is counted at the price of now."""
    price = price_of(tx.snapshot.config.llm, call.model)
    model_calls.insert(tx, call, cost_of(call.usage, price))
