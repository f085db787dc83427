"""The practice Prometheus computes what Prometheus would, and says so in its words when it cannot."""

from __future__ import annotations

import math

import pytest

from oncall_bot.practice.promql import BadQuery, Evaluator, parse, seconds_of
from oncall_bot.practice.series import Scraped, Signal

T = 3600.0


@pytest.fixture
def evaluator() -> Evaluator:
    scraped = Scraped()
    failing = Signal(1.0)
    failing.move(T - 120, 20.0)
    for instance in ("a", "b"):
        labels = {"service": "checkout", "instance": instance}
        scraped.counter("requests_total", lambda t: 99.0, 0.0, code="200", **labels)
        scraped.counter("requests_total", failing.at, 0.0, code="500", **labels)
        scraped.gauge("up", Signal(1.0 if instance == "a" else 0.0), **labels)
    return Evaluator(scraped)


def number(evaluator: Evaluator, expr: str) -> float:
    found = evaluator.value(expr, T)
    if isinstance(found, float):
        return found
    assert len(found) == 1, found
    return found[0][1]


def test_a_selector_finds_series_by_equality_and_pattern(evaluator: Evaluator) -> None:
    assert len(evaluator.value('requests_total{code=~"5..",instance!="b"}', T)) == 1
    assert evaluator.value("up{instance='b'}", T) == [
        ({"__name__": "up", "service": "checkout", "instance": "b"}, 0.0)
    ]


def test_a_rate_is_what_the_counter_grew_by_a_second(evaluator: Evaluator) -> None:
    assert number(evaluator, 'sum(rate(requests_total{code="500"}[1m]))') == pytest.approx(40, 0.01)
    assert number(evaluator, 'sum(increase(requests_total{code="200"}[5m]))') == pytest.approx(
        2 * 99 * 300, 0.01
    )


def test_a_share_of_failing_requests_as_a_runbook_asks_for_it(evaluator: Evaluator) -> None:
    expr = (
        '100 * sum(rate(requests_total{code=~"5.."}[1m]))'
        " / (sum(rate(requests_total[1m])) > 0) or vector(0)"
    )
    assert number(evaluator, expr) == pytest.approx(100 * 20 / 119, 0.01)


def test_what_nobody_measures_is_an_empty_answer_and_a_fallback_fills_it(
    evaluator: Evaluator,
) -> None:
    assert evaluator.value("probe_success == 0", T) == []
    assert number(evaluator, "count(probe_success == 0) or vector(0)") == 0.0
    assert number(evaluator, 'absent(nothing{job="x"})') == 1.0


@pytest.mark.parametrize(
    ("expr", "wanted"),
    [
        ("2 + 3 * 4", 14.0),
        ("-2 ^ 2", -4.0),
        ("2 ^ 3 ^ 2", 512.0),
        ("(1 - 3) / 4", -0.5),
        ("7 % 4", 3.0),
        ("1 > bool 2", 0.0),
        ("1 / 0", math.inf),
        ("scalar(sum(up)) + time()", 1.0 + T),
        ("count(up == 0)", 1.0),
        ("sum(up) # how many live", 1.0),
        ("avg_over_time(up{instance='a'}[10m])", 1.0),
        ("max by (service) (up)", 1.0),
        ("sum without (instance, code) (up offset 5m)", 1.0),
        ("clamp_max(sum(requests_total), 5)", 5.0),
    ],
)
def test_numbers(evaluator: Evaluator, expr: str, wanted: float) -> None:
    assert number(evaluator, expr) == wanted


def test_sets_keep_labels(evaluator: Evaluator) -> None:
    assert len(evaluator.value("up and (up == 1)", T)) == 1
    assert len(evaluator.value("up unless (up == 1)", T)) == 1
    assert len(evaluator.value("up or requests_total", T)) == 6


def test_two_vectors_are_matched_by_their_labels(evaluator: Evaluator) -> None:
    expr = "sum by (instance) (rate(requests_total[1m])) / on (instance) up"
    found = evaluator.value(expr, T)
    assert sorted(labels["instance"] for labels, _ in found) == ["a", "b"]
    assert {math.isinf(value) for _, value in found} == {True, False}


@pytest.mark.parametrize(
    ("expr", "said"),
    [
        ("", "no expression found in input"),
        ("up{", "label matching"),
        ("up{instance=a}", "expected string"),
        ('{instance=""}', "non-empty matcher"),
        ("histogram_quantile(0.9, x)", 'unknown function with name "histogram_quantile"'),
        ("rate(up)", "expected type range vector"),
        ("up[5m]", "range vector"),
        ("sum(1)", "expected type instant vector in aggregation"),
        ("1 > 2", "must use BOOL modifier"),
        ("1 and 2", "not allowed in binary scalar"),
        ("up * on(service) up", "many-to-many matching not allowed"),
        ("rate(up[5m:1m])", "duration"),
        ("up @ 5", "@ modifier"),
        ("up $ 1", "unexpected character"),
        ('up{a=~"("}', "regular expression"),
        ("(" * 60 + "1" + ")" * 60, "nested too deeply"),
        ("1 +" * 3000 + "1", "characters"),
        ("rate(up[9w])", "too long"),
        ("up)", "unexpected ')'"),
    ],
)
def test_what_cannot_be_computed_is_refused_by_name(
    evaluator: Evaluator, expr: str, said: str
) -> None:
    with pytest.raises(BadQuery) as refused:
        evaluator.value(expr, T)
    assert said in str(refused.value)


def test_durations() -> None:
    assert seconds_of("1h30m") == 5400
    assert seconds_of("500ms") == 0.5


def test_an_expression_is_parsed_once_and_computed_often(evaluator: Evaluator) -> None:
    node = parse("sum(up)")
    assert [evaluator.value(node, t) for t in (T, T + 5)] == [[({}, 1.0)], [({}, 1.0)]]
