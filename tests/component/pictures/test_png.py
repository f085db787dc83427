"""A picture as a phone gets it: PNG, 1200 x 500, with words in it whatever fonts the machine has."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta

from oncall_bot.core.graphs import Series, graph_of, window_of
from oncall_bot.core.promql import measure_of
from oncall_bot.pictures.png import PngPictures

NOW = datetime(2026, 11, 22, 3, 13, tzinfo=UTC)


def drawn(title: str, values: list[float]) -> bytes:
    window = window_of(NOW - timedelta(minutes=6), None, NOW)
    start = window.start.timestamp()
    found = [Series({}, [(start + n * window.step, v) for n, v in enumerate(values)])]
    return PngPictures().draw(graph_of(title, measure_of("x > 5"), found, window)[0])


def test_it_is_a_png_of_the_size_that_phones_want() -> None:
    png = drawn("Slow answers", [1, 2, 9])
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", png[16:24]) == (1200, 500)
    assert len(png) < 200_000


def test_words_are_drawn_with_our_own_font() -> None:
    assert drawn("Slow answers", [1.0]) != drawn("", [1.0])
    assert drawn("<b>&\x00\u202e", [float("nan")])
