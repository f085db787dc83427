"""Numbers as people read them, with a unit only where the names in the expression are sure of it."""

from __future__ import annotations

import math

import pytest

from oncall_bot.core.units import exact, figure, unit_of


@pytest.mark.parametrize(
    ("expr", "limit", "said"),
    [
        ("sum(rate(a_total[5m])) / sum(rate(b_total[5m]))", 0.02, "8.4 %"),
        ("100 * sum(rate(a_total[5m])) / sum(rate(b_total[5m]))", 5, "0.084 %"),
        ("rate(x_seconds_sum[5m]) / rate(x_seconds_count[5m])", 0.5, "84 ms"),
        ("histogram_quantile(0.9, rate(h_seconds_bucket[5m]))", 1, "84 ms"),
        ("rate(a_total[5m])", 3, "0.084/s"),
        ("a_bytes", 1e9, "0.084 B"),
        ("a_celsius", 3, "0.084"),
        ("a_bytes / b_seconds", 0.5, "0.084"),
    ],
)
def test_a_unit_is_told_where_the_names_are_sure_of_it(expr: str, limit: float, said: str) -> None:
    assert figure(0.084, unit_of(expr, limit)) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "0"),
        (12431, "12,431"),
        (8.42, "8.42"),
        (99.96, "100"),
        (-5, "-5"),
        (3.4e12, "3.4T"),
        (1e-7, "1e-07"),
        (math.nan, "no number"),
        (math.inf, "infinite"),
    ],
)
def test_numbers_are_short_and_honest(value: float, said: str) -> None:
    assert figure(value) == said
    assert exact(0.995) == "0.995"
