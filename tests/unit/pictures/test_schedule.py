"""The picture of a schedule: gaps hatched, overrides outlined, now and clock changes marked, names escaped."""

from __future__ import annotations

import re
import xml.etree.ElementTree as Xml
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oncall_bot.core.board import Board, Planned, board
from oncall_bot.core.rotations import Override, parse_definition
from oncall_bot.pictures.letters import width
from oncall_bot.pictures.schedule import INK, PEOPLE, RIGHT, TITLE, WIDTH, svg_of

BERLIN = ZoneInfo("Europe/Berlin")
SVG = "{http://www.w3.org/2000/svg}"


def berlin(day: int, hour: int) -> datetime:
    return datetime(2026, 10, day, hour, tzinfo=BERLIN).astimezone(UTC)


def drawn(
    overrides: tuple[Override, ...] = (),
    names: dict[str, str] | None = None,
    users: tuple[str, ...] = ("ana", "ben"),
    *,
    key: str = "shop",
    weeks: int = 1,
    unit: str = "day",
    every: int = 1,
) -> Board:
    layer: dict[str, Any] = {
        "start": "2026-01-01T09:00",
        "rotation": {"unit": unit, "every": every},
        "users": list(users),
    }
    rota = parse_definition({"zone": "Europe/Berlin", "layers": [layer]})
    planned = Planned(key, rota, overrides, (), names or {})
    return board(planned, date(2026, 10, 19), weeks, BERLIN, berlin(21, 14))


def words(svg: str) -> list[str]:
    return [str(one.text) for one in Xml.fromstring(svg).iter(f"{SVG}text")]


def test_it_shows_the_days_the_layers_and_who_is_on_call() -> None:
    said = words(svg_of(drawn(names={"ana": "Ana Ruiz"})))
    assert "shop, 19 to 25 Oct" in said
    assert {"Mon 19", "Sun 25", "Layer 1", "On call", "now 14:00"} <= set(said)
    assert "clocks go back 03:00 to 02:00" in said
    assert "Ana" in said


def test_a_gap_is_hatched_and_an_override_outlined() -> None:
    hole = Override(berlin(22, 9), berlin(23, 9), None)
    cover = Override(berlin(23, 9), berlin(24, 9), "ben")
    svg = svg_of(drawn((hole, cover)))
    assert svg.count('fill="url(#gap)"') == 2
    assert "nobody" in words(svg)
    assert svg.count(f'stroke="{INK}" stroke-width="3"/') >= 2


def test_the_long_night_is_drawn_as_long_as_it_is() -> None:
    uprights = re.findall(r'd="M([\d.]+) [\d.]+V[\d.]+" stroke="#3A424E"', svg_of(drawn()))
    xs = [*map(float, uprights), float(RIGHT)]
    wide = [right - left for left, right in pairwise(xs)]
    assert wide[-1] / wide[0] == pytest.approx(25 / 24, rel=0.01)


def test_of_nine_people_only_three_are_tinted_the_rest_is_grey_with_names() -> None:
    svg = svg_of(drawn(users=tuple(f"p{n}" for n in range(9))))
    assert sum(colour in svg for colour in PEOPLE) == 3
    assert {"p0", "p1", "p2"} & set(words(svg))


def test_a_long_title_is_cut_before_its_dates() -> None:
    said = next(one for one in words(svg_of(drawn(key="x" * 300))) if ", 19 to" in one)
    assert said.endswith("…, 19 to 25 Oct")
    assert width(said, TITLE, bold=True) < WIDTH


def test_weeks_are_told_apart_by_their_mondays() -> None:
    said = words(svg_of(drawn(weeks=4)))
    assert "shop, four weeks" in said
    assert {"19 Oct", "26 Oct", "2 Nov", "9 Nov"} <= set(said)


HOSTILE = st.text(max_size=80)


@given(HOSTILE, HOSTILE, HOSTILE, st.sampled_from([1, 2, 4]))
@settings(max_examples=40, deadline=None)
def test_hostile_names_stay_text_inside_their_bars(
    key: str, ana: str, ben: str, weeks: int
) -> None:
    found = drawn(names={"ana": ana, "ben": ben}, key=key, weeks=weeks)
    root = Xml.fromstring(svg_of(found))
    assert {one.tag.removeprefix(SVG) for one in root.iter()} <= {
        *("svg", "defs", "pattern", "rect", "path", "text")
    }
    for bar in root.iter(f"{SVG}rect"):
        assert float(bar.get("x", 0)) + float(bar.get("width", 0)) <= WIDTH
