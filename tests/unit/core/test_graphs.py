"""What a picture shows: the window, the lines and their order, and the same in words."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest

from oncall_bot.core.graphs import (
    DAY,
    Series,
    alt_text,
    graph_of,
    same_series,
    window_of,
)
from oncall_bot.core.promql import measure_of

NOW = datetime(2026, 11, 22, 3, 13, tzinfo=UTC)
WINDOW = window_of(NOW - timedelta(minutes=6), None, NOW)


def series(*values: float, **labels: str) -> Series:
    start = WINDOW.end.timestamp() - (len(values) - 1) * WINDOW.step
    return Series(labels, [(start + n * WINDOW.step, v) for n, v in enumerate(values)])


def test_the_window_begins_half_an_hour_before_it_fired_and_ends_now() -> None:
    assert WINDOW.end == NOW
    assert timedelta(minutes=35) <= WINDOW.end - WINDOW.start <= timedelta(minutes=36)


@pytest.mark.parametrize("ago", [1, 60, 3600, 86_400, 30 * 86_400])
def test_no_window_asks_for_more_than_a_week_or_more_points_than_are_seen(ago: int) -> None:
    window = window_of(NOW - timedelta(seconds=ago), None, NOW)
    assert window.end - window.start <= timedelta(days=7)
    assert (window.end - window.start).total_seconds() / window.step <= 120


def test_what_is_over_is_shown_with_what_followed() -> None:
    window = window_of(NOW - timedelta(hours=3), NOW - timedelta(hours=2), NOW)
    assert window.end == NOW - timedelta(hours=2) + timedelta(minutes=10)


def test_the_alerts_own_series_comes_first_then_the_worst() -> None:
    found = [series(9, pod="a"), series(5, pod="b"), series(7, pod="c")]
    graph, first = graph_of(
        "Slow", measure_of("x > 3"), found, WINDOW, own=[{"pod": "b", "alertname": "Slow"}]
    )
    assert [line.name for line in graph.lines] == ["b", "a", "c"]
    assert first == {"pod": "b"}
    assert graph.sentence == "5, limit 3"
    low, _ = graph_of("Low", measure_of("x < 8"), found, WINDOW)
    assert [line.name for line in low.lines] == ["b", "c", "a"], (
        "below a limit the least is the worst"
    )


def test_twenty_series_are_kept_four_are_named_and_the_rest_is_counted() -> None:
    found = [series(float(n), pod=f"web-{n:02}") for n in range(30)]
    graph, _ = graph_of("Many", measure_of("x > 3"), found, WINDOW)
    assert (len(graph.lines), len(graph.others), graph.left_out) == (4, 16, 10)
    assert graph.lines[0].name == "web-29"
    assert "30 series" in alt_text(graph)


@pytest.mark.parametrize("found", [[], [series(math.nan, math.nan)], [Series({}, [])]])
def test_nothing_measured_is_said(found: list[Series]) -> None:
    graph, first = graph_of("Gone", measure_of("x > 3"), found, WINDOW)
    assert (graph.headline, graph.sentence, first) == ("no data", "", None)
    assert alt_text(graph) == "Gone: nothing was measured."


def test_the_words_say_what_the_picture_shows() -> None:
    expr = "sum(rate(e_total[5m])) / sum(rate(r_total[5m])) > 0.02"
    graph, _ = graph_of(
        "Errors",
        measure_of(expr),
        [series(0.004, 0.084)],
        WINDOW,
        fired_at=NOW - timedelta(minutes=6),
    )
    assert graph.sentence == "8.4 %, limit 2 %"
    assert alt_text(graph) == (
        "Errors: 8.4 % at 03:13 UTC. Limit 2 %. Between 0.4 % and 8.4 % since 02:37. Fired 03:07."
    )
    assert not graph.is_over


def test_yesterday_is_moved_to_today() -> None:
    found = [Series({"a": "b"}, [(0.0, 1.0)])]
    assert same_series(found, {"a": "b"}, DAY) == [(86_400.0, 1.0)]
    assert same_series(found, {"a": "c"}, DAY) == []


def test_of_long_names_the_part_that_differs_is_kept() -> None:
    found = [series(float(n), instance=f"10.0.0.2{n}:9100") for n in range(2, 4)]
    graph, _ = graph_of("Busy", measure_of("x > 1"), found, WINDOW)
    assert [line.name for line in graph.lines] == ["….23", "….22"]
