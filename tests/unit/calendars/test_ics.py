"""A feed as text, read back by icalendar, which had no part in writing it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from oncall_bot.calendars.ics import written
from oncall_bot.core.feeds import Feed, FeedShift, Told

START = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)


def event(name: str = "Ana Ruiz", schedule: str = "shop", hours: int = 8, n: int = 0) -> FeedShift:
    told = Told(START, START + timedelta(hours=hours), "ana", n, START - timedelta(days=3))
    return FeedShift(schedule, told, name)


def test_another_parser_reads_the_shift_with_its_times_in_utc_its_count_and_its_hints() -> None:
    feed = Feed("On call: shop", "Who is on call for shop.", (event(n=4),))
    calendar = Calendar.from_ical(written(feed))
    assert str(calendar["X-WR-CALNAME"]) == str(calendar["NAME"]) == "On call: shop"
    assert calendar["REFRESH-INTERVAL"].to_ical() == b"PT1H"
    assert calendar["X-PUBLISHED-TTL"] == "PT1H"
    [one] = calendar.walk("VEVENT")
    assert (one.decoded("DTSTART"), one.decoded("DTEND")) == (START, START + timedelta(hours=8))
    assert one["UID"] == "shop-20260329T003000Z@oncall-bot"
    assert one["SEQUENCE"] == 4
    assert one.decoded("LAST-MODIFIED") == one.decoded("DTSTAMP") == START - timedelta(days=3)
    assert str(one["SUMMARY"]) == "Ana Ruiz on call: shop"
    assert "RRULE" not in one


def test_a_persons_own_calendar_names_the_schedule_and_an_empty_one_is_a_calendar() -> None:
    own = written(Feed("On call: Ana", "When Ana is on call.", (event(),), personal=True))
    assert "SUMMARY:On call: shop\r\n" in own
    assert Calendar.from_ical(written(Feed("a", "b", ()))).walk("VEVENT") == []


@given(st.text(max_size=200), st.text(max_size=200))
def test_no_name_breaks_a_line_or_slips_in_a_property(name: str, title: str) -> None:
    hostile = Feed(title, title, (event(f"{name}\r\nATTACH:http://evil.example/\r\n"),))
    text = written(hostile)
    lines = text.split("\r\n")
    assert lines[-1] == ""
    assert all(len(line.encode("utf-8", "replace")) <= 75 for line in lines)
    assert not any(line.startswith(("ATTACH", "\n")) or "\n" in line for line in lines)
    if not any("\ud800" <= letter <= "\udfff" for letter in text):
        [one] = Calendar.from_ical(text).walk("VEVENT")
        assert "ATTACH" not in one
