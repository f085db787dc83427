"""A picture as a phone gets it: PNG, 1200 x 500, with words in it whatever fonts the machine has."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from oncall_bot.core.graphs import Graph, Series, graph_of, window_of
from oncall_bot.core.promql import measure_of
from oncall_bot.pictures.png import PngPictures
from oncall_bot.ports import DeliveryError

NOW = datetime(2026, 11, 22, 3, 13, tzinfo=UTC)


def graph(title: str, values: list[float]) -> Graph:
    window = window_of(NOW - timedelta(minutes=6), None, NOW)
    start = window.start.timestamp()
    found = [Series({}, [(start + n * window.step, v) for n, v in enumerate(values)])]
    return graph_of(title, measure_of("x > 5"), found, window)[0]


@pytest.fixture
def pictures() -> Iterator[PngPictures]:
    found = PngPictures()
    yield found
    found.close()


def test_it_is_a_png_of_the_size_that_phones_want(pictures: PngPictures) -> None:
    png = pictures.draw(graph("Slow answers", [1, 2, 9]))
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", png[16:24]) == (1200, 500)
    assert len(png) < 200_000


def test_words_are_drawn_with_our_own_font(pictures: PngPictures) -> None:
    assert pictures.draw(graph("Slow answers", [1.0])) != pictures.draw(graph("", [1.0]))
    assert pictures.draw(graph("<b>&\x00\u202e", [float("nan")]))


async def test_while_a_picture_is_drawn_everything_else_goes_on(pictures: PngPictures) -> None:
    drawing = asyncio.create_task(asyncio.to_thread(pictures.draw, graph("Slow", [1, 2, 9])))
    beats = 0
    while not drawing.done():
        beats += 1
        await asyncio.sleep(0.001)
    assert beats > 20, "the lock of Python is free meanwhile"


def test_who_draws_is_begun_anew_when_it_was_ended(pictures: PngPictures) -> None:
    assert pictures.draw(graph("Slow", [1.0]))
    process = pictures._process
    assert process is not None
    process.kill()
    process.wait()
    assert pictures.draw(graph("Slow", [1.0]))


def test_what_takes_too_long_is_given_up() -> None:
    hasty = PngPictures(within=0.0)
    with pytest.raises(DeliveryError, match="could not be drawn"):
        hasty.draw(graph("Slow", [1.0]))
    hasty.close()
