"""The SVG of a picture: well formed whatever words and numbers come, nothing loaded, nothing outside."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncall_bot.core.graphs import Graph, Series, graph_of, window_of
from oncall_bot.core.promql import measure_of
from oncall_bot.pictures.graph import HEIGHT, WIDTH, svg_of
from oncall_bot.pictures.letters import fitted, one_line, width

NOW = datetime(2026, 11, 22, 3, 13, tzinfo=UTC)
WINDOW = window_of(NOW - timedelta(minutes=6), None, NOW)
SVG = "{http://www.w3.org/2000/svg}"


def graph(title: str, found: list[Series], expr: str = "x > 5") -> Graph:
    fired_at = NOW - timedelta(minutes=6)
    return graph_of(title, measure_of(expr), found, WINDOW, fired_at=fired_at)[0]


def series(values: list[float], label: str = "") -> Series:
    start = WINDOW.start.timestamp()
    return Series({"pod": label}, [(start + n * WINDOW.step, v) for n, v in enumerate(values)])


def texts(svg: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(svg).iter(f"{SVG}text"))


@given(
    st.text(max_size=200),
    st.lists(st.tuples(st.text(max_size=50), st.lists(st.floats(), max_size=8)), max_size=6),
    st.sampled_from(["x > 5", "x < -1e300", "x == 0", "a_bytes > 1e-300", "x and y"]),
)
def test_any_words_and_numbers_make_a_well_formed_picture(
    title: str, found: list[tuple[str, list[float]]], expr: str
) -> None:
    svg = svg_of(graph(title, [series(values, label) for label, values in found], expr))
    root = ElementTree.fromstring(svg)
    assert {one.tag for one in root.iter()} <= {
        f"{SVG}{tag}" for tag in ("svg", "rect", "text", "line", "path", "circle")
    }
    assert "href" not in svg
    for one in re.findall(r' (?:[xy][12]?|cx|cy)="([^"]*)"', svg):
        assert math.isfinite(float(one))
        assert -1 <= float(one) <= WIDTH


def test_what_a_phone_must_read_is_large_enough() -> None:
    found = [series([1, 7, 9], f"web-{n}") for n in range(9)]
    for one in texts(svg_of(graph("Slow answers", found))):
        assert int(one.attrib["font-size"]) >= 26
    thick = re.findall(r'<path[^>]* stroke-width="(\d+)"', svg_of(graph("Slow", found)))
    assert min(map(int, thick)) >= 3


def test_names_stand_apart_and_inside() -> None:
    found = [series([8.0 + n / 1000], f"web-{n}") for n in range(4)]
    heights = sorted(
        float(one.attrib["y"])
        for one in texts(svg_of(graph("Close", found)))
        if one.attrib.get("font-weight")
        and float(one.attrib["x"]) > 940
        and one.attrib["font-size"] == "28"
    )
    assert len(heights) == 5
    assert all(b - a >= 30 for a, b in pairwise(heights))
    assert heights[-1] < HEIGHT


def test_a_gap_is_a_gap() -> None:
    values = [1.0] * 10 + [math.nan] * 10 + [2.0] * 10
    svg = svg_of(graph("Gap", [series(values)]))
    (path,) = [p for p in re.findall(r'<path d="([^"]*)"', svg) if "L" in p]
    assert path.count("M") == 2


def test_nothing_measured_is_written_in_the_picture() -> None:
    words = [one.text for one in texts(svg_of(graph("Gone", [])))]
    assert "Nothing was measured" in words
    assert "no data" in words


@pytest.mark.parametrize("room", [0, 10, 50, 300])
def test_a_text_fits_its_room(room: int) -> None:
    assert width(fitted("A name that is much too long for it 日本", room, 28), 28) <= max(room, 0)


def test_what_cannot_be_drawn_is_a_box_and_what_turns_text_is_gone() -> None:
    assert one_line("a\u202eb\x00c\nd 日") == "abc d □"
