"""A time that a clock shows never or twice is asked back, and each form that is offered says one instant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncall_bot.slack import typed_times
from oncall_bot.slack.typed_times import Unclear

NOW = datetime(2026, 2, 20, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
FIRST_WALL = NOW.replace(tzinfo=None)
ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/St_Johns", "UTC"]


def unclear(words: str, zone: ZoneInfo = BERLIN) -> Unclear:
    found = typed_times.read(words, NOW, zone)
    assert isinstance(found, Unclear)
    return found


def test_a_time_that_comes_twice_is_offered_as_both_instants() -> None:
    found = unclear("25 oct 02:30")
    assert (found.why, found.forms) == (
        "twice",
        ("2026-10-25T02:30+02:00", "2026-10-25T02:30+01:00"),
    )
    instants = [typed_times.read(form, NOW, BERLIN) for form in found.forms]
    assert instants == [datetime(2026, 10, 25, n, 30, tzinfo=UTC) for n in (0, 1)]


def test_a_time_that_never_comes_is_offered_before_and_after_the_jump() -> None:
    found = unclear("29 mar 02:30")
    assert (found.why, found.forms) == ("skipped", ("2026-03-29 01:30", "2026-03-29 03:30"))
    instants = [typed_times.read(form, NOW, BERLIN) for form in found.forms]
    assert instants == [datetime(2026, 3, 29, n, 30, tzinfo=UTC) for n in (0, 1)]


@pytest.mark.parametrize(
    "words", ["", "next thursdayish", "0001-01-01T00:00", "9999-12-31T00:00", "25:00"]
)
def test_what_is_no_time_is_said_to_be_none(words: str) -> None:
    assert unclear(words).why == "unread"


def test_an_end_is_read_from_the_start_on() -> None:
    found = typed_times.stretch(["fri", "22:00", "to", "06:00"], NOW, BERLIN)
    assert isinstance(found, tuple)
    assert found[1] - found[0] == timedelta(hours=8)
    assert typed_times.stretch(["fri", "22:00"], NOW, BERLIN) is None


@given(st.sampled_from(ZONES), st.integers(0, 10 * 366 * 24 * 60))
def test_every_wall_time_is_one_instant_or_is_asked_back_with_forms_that_are(
    zone: str, minute: int
) -> None:
    place = ZoneInfo(zone)
    wall = FIRST_WALL + timedelta(minutes=minute)
    found = typed_times.read(f"{wall:%Y-%m-%d %H:%M}", NOW, place)
    if isinstance(found, datetime):
        shown = found.astimezone(place)
        assert shown.replace(tzinfo=None, fold=0) == wall
        return
    assert len(found.forms) == 2
    for form in found.forms:
        assert isinstance(typed_times.read(form, NOW, place), datetime)
