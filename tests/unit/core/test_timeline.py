"""How much weight a draft may put on an entry."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from oncall_bot.core.outcomes import Actor
from oncall_bot.core.timeline import Entry, Kind

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ANA = Actor("person", "ana", "Ana")


@pytest.mark.parametrize(
    ("kind", "text", "standing"),
    [
        (Kind.ALERT, "X fires", "observed"),
        (Kind.ACTION, "Ana rolls back", "action"),
        (Kind.CHAT, "the pool is empty", "said"),
        (Kind.CHAT, "looks like the pool?", "tentative"),
        (Kind.PIN, "the pool was empty", "pinned"),
    ],
)
def test_standing(kind: Kind, text: str, standing: str) -> None:
    assert Entry(kind, text, NOON, ANA).standing == standing


def test_whose_words_they_are() -> None:
    assert Entry(Kind.NOTE, "x", NOON, ANA).trusted_as == "responder"
    assert Entry(Kind.BOT, "x", NOON).trusted_as == "system"
    assert Entry(Kind.ALERT, "x", NOON, trust="external").trusted_as == "external"
