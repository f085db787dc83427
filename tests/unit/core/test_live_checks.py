"""A live check says whether a value is as expected, in words and by comparison."""

from __future__ import annotations

import math

import pytest

from oncall_bot.core.errors import BadInput
from oncall_bot.core.live_checks import parse_expectation


@pytest.mark.parametrize(
    ("text", "words", "good", "bad"),
    [
        ("< 500", "below 500", 499.9, 500),
        ("<= 5", "at most 5", 5, 5.1),
        (">0", "above 0", 0.1, 0),
        (">= 0.99", "at least 0.99", 0.99, 0.98),
        ("== 1", "exactly 1", 1, 2),
        ("= 1", "exactly 1", 1, 2),
        ("!= 0", "other than 0", -1, 0),
        ("< 1e-3", "below 0.001", 0, 1),
        ("1..3", "between 1 and 3", 3, 3.5),
    ],
)
def test_a_value_is_as_expected_or_not(text: str, words: str, good: float, bad: float) -> None:
    expectation = parse_expectation(text)
    assert expectation is not None
    assert expectation.words == words
    assert expectation.holds(good)
    assert not expectation.holds(bad)
    assert not expectation.holds(math.nan)


def test_no_expectation_means_the_value_is_only_shown() -> None:
    assert parse_expectation("  ") is None


@pytest.mark.parametrize("text", ["low", "< 5 %", "<", "3..1", "< 1 or > 9"])
def test_what_cannot_be_read_is_refused_with_examples(text: str) -> None:
    with pytest.raises(BadInput, match="write `< 500`"):
        parse_expectation(text)
