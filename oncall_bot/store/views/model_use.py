"""Whether a model may be asked at all just now. Writes nothing. Serves the assistant."""

from __future__ import annotations

from oncall_bot.core.spending import used_up
from oncall_bot.store import model_calls
from oncall_bot.store.transactions import Reader


def model_paused(reader: Reader, incident_id: int | None) -> str | None:
    """Why not one more call may go out, in words; None when it may."""
    return used_up(reader.snapshot.config.llm, model_calls.spent(reader, incident_id))
