"""Times as people say them, in the asker's zone; what can be read in two ways is asked back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncall_bot.core.talk.when import Unclear, When, between, find, length

NOW = datetime(2026, 11, 25, 14, 7, tzinfo=UTC)  # a Wednesday
BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str, *, back: bool = False, now: datetime = NOW) -> object:
    return find(text.split(), now, BERLIN, back=back)[0]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("right now", "2026-11-25 14:07"),
        ("at 8pm", "2026-11-25 19:00"),
        ("at 9am", "2026-11-26 08:00"),
        ("on friday 9am", "2026-11-27 08:00"),
        ("tomorrow 03:00", "2026-11-26 02:00"),
        ("tomorrow morning at 8", "2026-11-26 07:00"),
        ("tonight at 8", "2026-11-25 19:00"),
        ("26 nov 09:00", "2026-11-26 08:00"),
        ("nov 26 at 9am", "2026-11-26 08:00"),
        ("2026-11-26 20:00 utc", "2026-11-26 20:00"),
        ("in 2h", "2026-11-25 16:07"),
        ("in half an hour", "2026-11-25 14:37"),
        ("at noon", "2026-11-26 11:00"),
        ("at 3pm europe/madrid", "2026-11-26 14:00"),
    ],
)
def test_an_instant(said: str, meant: str) -> None:
    found = at(said)
    assert isinstance(found, When), found
    assert (found.start, found.end) == (utc(meant), None)


@pytest.mark.parametrize(
    ("said", "start", "end"),
    [
        ("tonight", "2026-11-25 17:00", "2026-11-26 05:00"),
        ("tomorrow", "2026-11-25 23:00", "2026-11-26 23:00"),
        ("next week", "2026-11-29 23:00", "2026-12-06 23:00"),
        ("this weekend", "2026-11-27 23:00", "2026-11-29 23:00"),
        ("on saturday", "2026-11-27 23:00", "2026-11-28 23:00"),
        ("last 7 days", "2026-11-18 14:07", "2026-11-25 14:07"),
    ],
)
def test_a_span(said: str, start: str, end: str) -> None:
    found = at(said)
    assert isinstance(found, When), found
    assert (found.start, found.end) == (utc(start), utc(end))


def test_looking_back_a_day_is_the_last_one() -> None:
    found = at("on friday", back=True)
    assert isinstance(found, When)
    assert found.start == utc("2026-11-19 23:00")


@pytest.mark.parametrize(
    ("said", "choices"),
    [
        ("at 8", ("08:00", "20:00")),
        ("next friday", ("2026-11-27", "2026-12-04")),
        ("on 5/6", ()),
        ("at 3pm est", ()),
        ("28 march 2027 02:30", ("2027-03-28 00:30 UTC", "2027-03-28 01:30 UTC")),
        ("31 october 2027 02:30", ("2027-10-31 00:30 UTC", "2027-10-31 01:30 UTC")),
    ],
)
def test_what_may_be_two_times_is_asked_back(said: str, choices: tuple[str, ...]) -> None:
    found = at(said)
    assert isinstance(found, Unclear), found
    assert found.choices == choices
    for choice in choices:
        assert isinstance(at(choice), When), choice


@pytest.mark.parametrize(
    "said", ["9999-12-31t23:59:59z", "9999-12-31t23:59:59-12:00", "0001-01-01t00:00:00+14:00"]
)
def test_a_year_that_no_schedule_answers_for_is_a_sentence(said: str) -> None:
    assert isinstance(at(said), Unclear)


def test_a_span_from_to() -> None:
    found, _ = between(["from", "fri", "9am", "to", "sat", "9am"], NOW, BERLIN)
    assert isinstance(found, When)
    assert (found.start, found.end) == (utc("2026-11-27 08:00"), utc("2026-11-28 08:00"))
    found, _ = between(["until", "6pm"], NOW, BERLIN)
    assert isinstance(found, When)
    assert found.end == utc("2026-11-25 17:00")


@pytest.mark.parametrize(
    ("said", "minutes"),
    [("for 2h", 120), ("90 min", 90), ("1h30m", 90), ("half an hour", 30), ("for a day", 1440)],
)
def test_a_length(said: str, minutes: int) -> None:
    assert length(said.split())[0] == timedelta(minutes=minutes)


@given(st.text(alphabet="0123456789:/-. apmtonighfridecu", max_size=60), st.booleans())
def test_any_text_is_a_time_or_none(text: str, back: bool) -> None:
    found = at(text, back=back)
    assert found is None or isinstance(found, When | Unclear)


@given(st.integers(0, 63_000_000), st.sampled_from(["tonight", "tomorrow 03:00", "next week"]))
def test_what_lies_ahead_lies_ahead(seconds: int, said: str) -> None:
    here = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    found = at(said, now=here)
    if isinstance(found, When):
        assert (found.end or found.start) > here
