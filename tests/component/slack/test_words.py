"""The words people type in Slack: hints, aliases, neighbours of a slip, and questions in plain words."""

from __future__ import annotations

import pytest

from oncall_bot.slack import reading
from oncall_bot.slack.commands import ALIASES, USAGE_HINT, WORDS


def test_the_usage_hint_names_words_that_exist() -> None:
    assert {part.split()[0] for part in USAGE_HINT.split("|")} <= set(WORDS)


def test_every_alias_leads_to_a_word() -> None:
    assert set(ALIASES.values()) <= set(WORDS)


@pytest.mark.parametrize("word", WORDS)
def test_every_word_with_two_letters_swapped_is_still_found_among_all(word: str) -> None:
    slip = word[0] + word[2:1:-1] + word[1:2] + word[3:] if len(word) > 4 else word
    assert reading.nearest(slip, list(WORDS)) == word
