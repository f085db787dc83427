"""Keep what a conversation is about, for half an hour. Knows no words of it. Serves the Slack edge."""

from __future__ import annotations

from oncall_bot.core.talk.about import FORGOTTEN_AFTER, About
from oncall_bot.store import conversations
from oncall_bot.store.transactions import Tx


def remember_talk(tx: Tx, key: str, about: About) -> None:
    """The next question in this thread, on whichever replica, may say `it` and `them`."""
    conversations.put(tx, key, about.kept(), FORGOTTEN_AFTER)
