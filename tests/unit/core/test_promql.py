"""As much PromQL as we read: the limit of a rule, the metrics of a query, and labels that cannot break out of it."""

from __future__ import annotations

import re
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncall_bot.core.errors import BadInput
from oncall_bot.core.promql import (
    EXPRESSION_LIMIT,
    Measure,
    expression_of,
    filled,
    measure_of,
    metric_names,
    placeholders,
)


@pytest.mark.parametrize(
    ("expr", "measure"),
    [
        ("a > 5", Measure("a", ">", 5.0)),
        ("5 < a", Measure("a", ">", 5.0)),
        ("sum(rate(x[5m])) / 2 >= 0.9 * 100", Measure("sum(rate(x[5m])) / 2", ">=", 90.0)),
        ("(a) == 0", Measure("(a)", "==", 0.0)),
        ("((a <= 1024 ^ 2))", Measure("a", "<=", 1048576.0)),
        ("a != -1", Measure("a", "!=", -1.0)),
        ('up{job="> 5"} == 0', Measure('up{job="> 5"}', "==", 0.0)),
        ("a > 5 # > 6", Measure("a", ">", 5.0)),
        ("max_over_time((a > 3)[5m:]) > 2", Measure("max_over_time((a > 3)[5m:])", ">", 2.0)),
    ],
)
def test_a_comparison_with_a_number_is_a_limit(expr: str, measure: Measure) -> None:
    assert measure_of(expr) == measure


@pytest.mark.parametrize(
    "expr",
    [
        "a > 5 and b > 3",
        "a > 5 unless b",
        "a or b > 5",
        "a > bool 5",
        "a > on() b",
        "a > b",
        "absent(a)",
        "a > 1 > 2",
        "1 > 2",
        "a >",
        "> 5",
        "a > 5 ^ -0.5 ^ (",
        "",
    ],
)
def test_everything_else_is_drawn_whole_and_without_a_limit(expr: str) -> None:
    assert measure_of(expr) == Measure(expr.strip())


@given(st.text(max_size=300))
def test_any_text_is_read_without_a_fault(text: str) -> None:
    assert isinstance(measure_of(text), Measure)
    assert isinstance(metric_names(text), tuple)


@pytest.mark.parametrize(
    ("expr", "names"),
    [
        (
            'sum by (job, x) (rate(a_total{code=~"5.."}[5m])) / ignoring(z) b:c offset 5m',
            "a_total b:c",
        ),
        ('{__name__="a", b="c"} or {"d.e"}', "a d.e"),
        ("histogram_quantile(0.9, sum(rate(h_bucket[5m])) by (le))", "h_bucket"),
        ("time() - t_seconds > 5 and on (x) up == 1", "t_seconds up"),
        ("vector(1)", ""),
    ],
)
def test_the_metrics_of_a_query_are_named_and_nothing_else(expr: str, names: str) -> None:
    assert " ".join(metric_names(expr)) == names


def test_labels_are_filled_in_where_a_string_stands() -> None:
    template = 'a{b="$labels.b"} / c{d=~"{{ $labels.b }}-.*"}'
    assert placeholders(template) == ("b",)
    assert filled(template, {"b": "x.y"}) == 'a{b="x.y"} / c{d=~"x\\\\.y-.*"}'


def test_a_label_that_is_not_there_and_a_place_outside_quotes_are_told() -> None:
    with pytest.raises(BadInput, match="the alert has no label pod"):
        filled('a{pod="$labels.pod"}', {"job": "x"})
    with pytest.raises(BadInput, match="outside quotes"):
        filled("a{pod=$labels.pod}", {"pod": 'x"} or vector(1)'})
    with pytest.raises(BadInput, match="back-tick"):
        filled("a{pod=`$labels.pod`}", {"pod": "x`} or vector(1)"})
    with pytest.raises(BadInput, match="longer than"):
        filled('a{pod="$labels.pod"}' + " " * EXPRESSION_LIMIT, {"pod": "x"})


@given(st.text(max_size=100), st.sampled_from(['a{b="$labels.x"}', "a{b='$labels.x'}"]))
def test_no_label_value_ends_its_string(value: str, template: str) -> None:
    query = filled(template, {"x": value})
    quote = template[4]
    inside = query[5:-2]
    assert not re.search(rf"(?<!\\)(?:\\\\)*{quote}", inside)
    assert "\n" not in inside
    assert query.startswith(template[:5])
    assert query.endswith(f"{quote}}}")


@given(st.text(alphabet="ab.*+?()[]{}|^$\\\"'", max_size=30))
def test_a_label_inside_a_pattern_matches_itself_alone(value: str) -> None:
    query = filled('a{b=~"$labels.x"}', {"x": value})
    pattern = query[6:-2].replace('\\"', '"').replace("\\\\", "\\")
    assert re.fullmatch(pattern, value)


def test_the_expression_comes_out_of_the_link_and_is_bounded() -> None:
    expr = 'sum(rate(a{b="c d"}[5m])) > 5'
    link = f"http://prom:9090/graph?g0.expr={quote_plus(expr)}&g0.tab=1"
    assert expression_of(link) == expr
    assert expression_of("http://prom:9090/graph?g0.expr=a%00b") == "a\ufffdb"
    for nothing in (
        "",
        "http://prom/graph",
        "http://[",
        "javascript:g0.expr=",
        f"{link}{'x' * 20_000}",
    ):
        assert expression_of(nothing) == ""
    assert expression_of(f"http://p/graph?g0.expr={'x' * 5000}") == ""
