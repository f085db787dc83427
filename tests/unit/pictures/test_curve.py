"""The curve of the matcher: readable, bounded, and harmless whatever its names hold."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from oncall_bot.pictures.curve import HEIGHT, WIDTH, Curve, Curves, svg_of

POINTS = [(0.3, 0.9), (0.62, 0.8), (1.0, 0.1)]


def drawn(name: str = "a right one", mark: float = 0.62) -> str:
    return svg_of(Curves("Attached from", "82 alerts", [Curve(name, POINTS)], mark))


def test_it_says_what_the_line_in_force_gives() -> None:
    svg = drawn()
    assert "in force 0.62" in svg
    assert "80.0% there" in svg
    assert min(int(size) for size in re.findall(r'font-size="(\d+)"', svg)) >= 26


def test_a_line_outside_the_curve_is_not_marked() -> None:
    assert "in force" not in drawn(mark=0.1)


@given(
    st.text(max_size=300),
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=5).map(sorted),
)
def test_whatever_it_is_given_stays_inside_a_sound_picture(
    name: str, points: list[tuple[float, float]]
) -> None:
    svg = svg_of(Curves(name, name, [Curve(name, points)] * 5, 0.5))
    root = ElementTree.fromstring(svg)
    assert (root.get("width"), root.get("height")) == (str(WIDTH), str(HEIGHT))
    assert not [one for one in root.iter() if one.tag.endswith(("script", "image"))]
