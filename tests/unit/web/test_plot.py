"""Bars of a page: places in percent, words that fit the narrowest page, marks that do not run into each other."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oncall_bot.core.board import Planned, board
from oncall_bot.core.rotations import Override, parse_definition
from oncall_bot.web.plot import LETTER, NARROWEST, Plot, plot_of

BERLIN = ZoneInfo("Europe/Berlin")


def at(day: int, hour: int) -> datetime:
    return datetime(2026, 10, day, hour, tzinfo=BERLIN).astimezone(UTC)


def plot(
    *overrides: Override,
    names: dict[str, str] | None = None,
    weeks: int = 1,
    now: datetime | None = None,
    every: int = 1,
) -> Plot:
    layer = {
        "start": "2026-01-01T09:00",
        "rotation": {"unit": "day", "every": every},
        "users": ["ana", "ben"],
    }
    rota = parse_definition({"zone": "Europe/Berlin", "layers": [layer]})
    planned = Planned("shop", rota, overrides, (), names or {})
    return plot_of(board(planned, date(2026, 10, 19), weeks, BERLIN, now or at(21, 14)))


def test_a_bar_stands_where_its_hours_are() -> None:
    hole = Override(at(24, 9), at(24, 18), None)
    gap = next(one for one in plot(hole).pieces if one.look == "nobody" and one.strong)
    assert gap.x == pytest.approx(100 * (5 * 24 + 9) / 169, abs=0.01)
    assert gap.wide == pytest.approx(100 * 9 / 169, abs=0.01)
    assert gap.title == "nobody, Saturday 24, 09:00 to 18:00"


def test_rows_stand_above_the_line_of_who_is_on_call() -> None:
    found = plot(Override(at(24, 9), at(24, 18), "ana"))
    assert found.names == ("Layer 1", "Overrides")
    rows = [one for one in found.pieces if not one.strong]
    assert all(one.y + one.tall <= found.final_y for one in rows)
    assert all(found.final_y < one.y < found.height for one in found.pieces if one.strong)


def test_an_override_is_outlined_where_it_changes_something() -> None:
    found = plot(Override(at(22, 12), at(22, 15), "ben"), Override(at(23, 12), at(23, 15), "ben"))
    outlined = [one.title for one in found.pieces if "override" in one.look and one.strong]
    assert outlined == ["ben, Thursday 22, 12:00 to 15:00"]


def test_words_near_each_other_stand_on_two_lines() -> None:
    [now, change] = plot(now=at(25, 1)).marks
    assert (now.words, change.words) == ("now 01:00", "clocks go back 03:00 to 02:00")
    assert (now.line, change.line) == (0, 1)
    assert plot(now=at(25, 1)).height > plot().height
    assert [mark.line for mark in plot().marks] == [0, 0]


def test_a_mark_at_the_edge_is_kept_inside() -> None:
    [now, _] = plot(now=at(19, 0)).marks
    assert now.anchor == "start"
    assert plot().marks[1].anchor == "end"


@given(st.text(max_size=80), st.sampled_from([1, 2, 4]))
@settings(max_examples=60, deadline=None)
def test_a_word_is_never_wider_than_its_bar(name: str, weeks: int) -> None:
    for one in plot(names={"ana": name}, weeks=weeks).pieces:
        assert len(one.word) <= max(1, one.wide / 100 * NARROWEST / LETTER)
        assert 0 <= one.x <= one.x + one.wide <= 100.01
