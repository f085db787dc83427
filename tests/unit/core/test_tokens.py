"""The checkable parts of a sentence, and whether evidence holds them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from oncall_bot.core.tokens import Pool, tokens_of


def missing(sentence: str, *evidence: str) -> str | None:
    pool = Pool()
    for text in evidence:
        pool.add_text(text)
    return pool.missing(tokens_of(sentence))


@pytest.mark.parametrize(
    ("sentence", "evidence"),
    [
        ("8.4 % of requests failed", "errors at 8.4%"),
        ("14,212 requests failed", "requests_failed 14212"),
        ("it began at 03:07", "alert at 03:07:12Z, 2026-03-02T03:07:12Z"),
        ("twelve pods restarted", "12 pods restarted"),
        ("it lasted 26 min", "mitigated after 26 minutes"),
    ],
)
def test_the_same_thing_written_otherwise_is_held(sentence: str, evidence: str) -> None:
    assert missing(sentence, evidence) is None


@pytest.mark.parametrize(
    ("sentence", "evidence", "said"),
    [
        ("8.5 % of requests failed", "errors at 8.4%", "8.5"),
        ("it began at 03:08", "alert at 03:07", "03:08"),
        ("41 pods restarted", "12 pods restarted", "41"),
    ],
)
def test_another_value_is_missing_and_named(sentence: str, evidence: str, said: str) -> None:
    found = missing(sentence, evidence)
    assert found is not None
    assert said in found


def test_digits_inside_a_name_are_no_measurement() -> None:
    pool = Pool()
    pool.add_name("INC-7")
    assert pool.missing(tokens_of("7 messages were waiting")) is not None
    assert pool.mentions("inc-7")


def test_an_instant_holds_its_clock_and_its_date() -> None:
    pool = Pool()
    pool.add_instant(datetime(2026, 3, 2, 3, 7, 12, tzinfo=UTC))
    assert pool.missing(tokens_of("at 03:07 on 2026-03-02")) is None


@given(st.integers(10, 10**9), st.integers(10, 10**9))
def test_a_number_is_held_exactly_when_it_stands_there(stands: int, told: int) -> None:
    """Round thousands above 100,000 may stand for what is near them; that is another rule."""
    assume(told < 100_000 or told % 1000)
    found = missing(f"{told:,} requests failed", f"{stands} requests failed")
    assert (found is None) == (stands == told)
