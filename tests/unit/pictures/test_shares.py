"""The picture of how a load is shared: whatever people are called, it is one SVG with every person in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from oncall_bot.core.config import Fairness
from oncall_bot.core.fairness import Report, Share
from oncall_bot.pictures.shares import DRAWN, alt_text, svg_of

START = datetime(2026, 1, 1, tzinfo=UTC)


def of(*points: float) -> Report:
    shares = [Share(f"p{n}", 1, timedelta(hours=p), points=p) for n, p in enumerate(points)]
    return Report("shop", START, START + timedelta(days=90), Fairness(night=2), shares)


@given(st.lists(st.floats(0, 9999), max_size=20), st.text(max_size=80))
def test_any_names_and_numbers_are_drawn_and_nothing_slips_in(
    points: list[float], name: str
) -> None:
    svg = ET.fromstring(svg_of(of(*points), lambda _: name))
    tags = {one.tag.rpartition("}")[2] for one in svg.iter()}
    assert tags <= {"svg", "rect", "text"}
    bars = [one for one in svg.iter() if one.get("rx")]
    assert len(bars) == 2 * min(len(points), DRAWN)


def test_the_same_is_said_in_words() -> None:
    assert alt_text(of(30, 10), str.upper) == "Weighted hours (night 2) of shop: P0 30, P1 10."
    assert alt_text(of(), str) == "Nobody was on call for shop."
