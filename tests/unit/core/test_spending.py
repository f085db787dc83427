"""What a model costs, and when it is enough."""

from __future__ import annotations

import pytest

from oncall_bot.core.config import Llm, Price
from oncall_bot.core.spending import (
    CAUTIOUS_PRICE,
    TOKENS_PER_DRAFT,
    Spent,
    Usage,
    allowance,
    cost_of,
    price_of,
    used_up,
)

LLM = Llm(daily_cap="5 USD", prices={"small": Price(0.15, 0.60), "own": Price(0, 0)})


def test_a_call_costs_what_it_read_and_what_it_wrote() -> None:
    assert cost_of(Usage(1_000_000, 500_000), LLM.prices["small"]) == pytest.approx(0.45)


def test_a_model_without_a_price_is_counted_at_a_high_one() -> None:
    assert price_of(LLM, "unheard-of") == CAUTIOUS_PRICE
    assert price_of(LLM, "own") == Price(0, 0)


def test_what_is_left_shrinks_with_what_was_used() -> None:
    assert allowance(LLM, "small", Spent()).tokens == TOKENS_PER_DRAFT
    late = allowance(LLM, "small", Spent(incident_tokens=900_000, day_cost=4.5))
    assert (late.tokens, late.money) == (100_000, pytest.approx(0.5))
    assert allowance(LLM, "small", Spent(2_000_000, 9.0)).tokens == 0
    assert allowance(Llm(), "small", Spent(day_cost=99.0)).money is None
    assert allowance(Llm(tokens_per_draft=4_000), "small", Spent()).tokens == 4_000


def test_why_nothing_more_may_go_out_is_a_sentence() -> None:
    assert used_up(LLM, Spent(day_cost=4.99)) is None
    assert "daily_cap" in (used_up(LLM, Spent(day_cost=5.0)) or "")
    assert "one incident" in (used_up(LLM, Spent(incident_tokens=1_000_000)) or "")
