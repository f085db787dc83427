"""What a conversation is about: the thread's incident, and what was spoken of in the last half hour.

Writes nothing. Serves the talk in Slack.
"""

from __future__ import annotations

from dataclasses import replace

from oncall_bot.core.talk.about import FORGOTTEN_AFTER, About, about_of
from oncall_bot.store import conversations
from oncall_bot.store.transactions import Reader
from oncall_bot.store.views.incident import incident_of_thread


def about(reader: Reader, channel: str, thread: str | None) -> About:
    """As kept for this thread (or this direct message); in an incident's thread that incident is meant."""
    kept = conversations.get(reader, key_of(channel, thread), FORGOTTEN_AFTER)
    found = about_of(kept) if kept is not None else About()
    here = incident_of_thread(reader, channel, thread) if thread else None
    return replace(found, incident=here, in_thread=True) if here is not None else found


def key_of(channel: str, thread: str | None) -> str:
    return f"slack:{channel}:{thread or ''}"
