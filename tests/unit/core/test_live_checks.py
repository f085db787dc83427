"""A live check says whether a value is as expected, in words and by comparison."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest

from oncall_bot.core.errors import BadInput
from oncall_bot.core.live_checks import LiveCheck, judged, parse_expectation, reading_of

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


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


@pytest.mark.parametrize(
    ("unit", "expect", "value", "said"),
    [
        ("messages", "< 500", 12431.0, "q 12,431 messages, expected below 500: not as expected"),
        ("ratio", "< 0.02", 0.084, "q 8.4 %, expected below 2 %: not as expected"),
        ("%", "0..5", 3.0, "q 3 %, expected between 0 and 5 %: as expected"),
        ("s", "<= 300", 60.0, "q 60 s, expected at most 5 min: as expected"),
        ("bytes", "> 1073741824", 1.0, "q 1 B, expected above 1 GiB: not as expected"),
        ("", "", 7.0, "q 7"),
    ],
)
def test_value_and_expectation_are_said_in_one_unit(
    unit: str, expect: str, value: float, said: str
) -> None:
    check = LiveCheck("q", unit, parse_expectation(expect), "up", "Mend")
    reading = judged(check, [({}, value)], NOON)
    assert reading.text == said
    assert reading_of(reading.document(), NOON) == reading


def test_of_several_series_the_farthest_from_what_is_expected_is_shown() -> None:
    check = LiveCheck("q", "", parse_expectation("> 5"), "up", "")
    found = [({"pod": "a", "job": "x"}, 9.0), ({"pod": "b", "job": "x"}, 1.0)]
    assert judged(check, found, NOON).text == (
        "q 1 (pod=b, of 2 series), expected above 5: not as expected"
    )


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ([], "the query selects nothing"),
        ([math.nan], "it has no number"),
        ([math.inf], "its value is infinite"),
    ],
)
def test_what_is_no_number_could_not_be_read(found: list[float], why: str) -> None:
    check = LiveCheck("q", "", parse_expectation("< 5"), "up", "")
    reading = judged(check, [({}, value) for value in found], NOON)
    assert reading.text == f"q could not be read ({why})"
    assert reading.verdict == "could not be read"
