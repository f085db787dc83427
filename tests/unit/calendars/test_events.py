"""Events of an iCalendar text: exact on nights when clocks change, bounded, and never in doubt about what is wrong."""

# ruff: noqa: DTZ001 - wall times
from __future__ import annotations

import time as clock
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar as OtherCalendar

from oncall_bot.calendars.events import Event, answer, events_between
from oncall_bot.calendars.lines import BYTES_MAX, IcsError

BERLIN = ZoneInfo("Europe/Berlin")
START, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)


def ics(*events: str) -> bytes:
    body = "".join(f"BEGIN:VEVENT\r\n{one.strip()}\r\nEND:VEVENT\r\n" for one in events)
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{body}END:VCALENDAR\r\n".replace(
        "\r\n\r\n", "\r\n"
    ).encode()


def spans(*events: str) -> list[tuple[str, str]]:
    found = events_between(ics(*events), START, END, BERLIN)
    return [(f"{one.start:%m-%d %H:%M}", f"{one.end:%m-%d %H:%M}") for one in found]


def test_a_utc_time_a_zoned_a_floating_one_and_a_date() -> None:
    assert spans("DTSTART:20260302T080000Z\nDTEND:20260302T100000Z") == [
        ("03-02 08:00", "03-02 10:00")
    ]
    assert spans("DTSTART;TZID=America/New_York:20260302T090000\nDURATION:PT1H") == [
        ("03-02 14:00", "03-02 15:00")
    ]
    assert spans("DTSTART:20260302T090000\nDURATION:PT1H") == [("03-02 08:00", "03-02 09:00")]
    assert spans("DTSTART;VALUE=DATE:20260329\nDTEND;VALUE=DATE:20260330") == [
        ("03-28 23:00", "03-29 22:00")
    ]
    assert spans("DTSTART;VALUE=DATE:20260329") == [("03-28 23:00", "03-29 22:00")]


def test_days_are_nominal_hours_exact_and_an_end_gives_every_instance_the_length_of_the_first() -> (
    None
):
    over_the_night = "DTSTART;TZID=Europe/Berlin:20260328T120000\n"
    assert spans(f"{over_the_night}DURATION:P1D") == [("03-28 11:00", "03-29 10:00")]
    assert spans(f"{over_the_night}DURATION:PT24H") == [("03-28 11:00", "03-29 11:00")]
    weekly = (
        "DTSTART;TZID=Europe/Berlin:20260321T120000\nDTEND;TZID=Europe/Berlin:20260322T120000\n"
    )
    assert spans(f"{weekly}RRULE:FREQ=WEEKLY;COUNT=2")[1] == ("03-28 11:00", "03-29 11:00")


def test_until_is_inclusive_exdate_and_rdate_count_and_a_date_leaves_out_its_day() -> None:
    base = "DTSTART;TZID=Europe/Berlin:20260302T090000\nDURATION:PT1H\n"
    assert len(spans(f"{base}RRULE:FREQ=DAILY;UNTIL=20260304T080000Z")) == 3
    assert len(spans(f"{base}RRULE:FREQ=DAILY;UNTIL=20260304")) == 3
    assert (
        len(spans(f"{base}RRULE:FREQ=DAILY;COUNT=5\nEXDATE;TZID=Europe/Berlin:20260303T090000"))
        == 4
    )
    assert len(spans(f"{base}RRULE:FREQ=DAILY;COUNT=5\nEXDATE;VALUE=DATE:20260303,20260304")) == 3
    assert spans(f"{base}RDATE;VALUE=PERIOD:20260310T080000Z/PT3H") == [
        ("03-02 08:00", "03-02 09:00"),
        ("03-10 08:00", "03-10 11:00"),
    ]


def test_an_instance_that_was_moved_or_cancelled_is_not_told_at_its_first_place() -> None:
    master = "UID:a\nDTSTART:20260302T080000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=3"
    moved = "UID:a\nRECURRENCE-ID:20260303T080000Z\nDTSTART:20260320T080000Z\nDURATION:PT2H"
    gone = "UID:a\nRECURRENCE-ID:20260304T080000Z\nDTSTART:20260304T080000Z\nSTATUS:CANCELLED"
    assert spans(master, moved, gone) == [
        ("03-02 08:00", "03-02 09:00"),
        ("03-20 08:00", "03-20 10:00"),
    ]
    assert spans(f"{master}\nSTATUS:CANCELLED") == []


def test_an_event_that_began_before_the_window_and_reaches_into_it_counts() -> None:
    assert spans("DTSTART:20200101T000000Z\nDTEND:20260302T000000Z") == [
        ("01-01 00:00", "03-02 00:00")
    ]
    assert (
        spans("DTSTART:20260201T000000Z\nDURATION:P40D\nRRULE:FREQ=YEARLY")[0][0] == "02-01 00:00"
    )


def test_names_of_zones_by_windows_and_people_by_mail_are_read() -> None:
    event = (
        "DTSTART;TZID=W. Europe Standard Time:20260302T090000\nDURATION:PT1H\nSUMMARY:Ana\\, away\n"
        'ATTENDEE;CN="Ana: Ruiz":mailto:Ana@Example.com'
    )
    [one] = events_between(ics(event), START, END, BERLIN)
    assert one == Event(
        datetime(2026, 3, 2, 8, tzinfo=UTC),
        datetime(2026, 3, 2, 9, tzinfo=UTC),
        "Ana, away",
        ("ana@example.com",),
    )


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "it is empty"),
        (b"<html>login</html>", "line 1: this is no property"),
        (b"BEGIN:VCALENDAR\nBEGIN:VEVENT\n", "breaks off"),
        (b"BEGIN:VCALENDAR\nEND:VEVENT\n", "line 2: END:VEVENT closes VCALENDAR of line 1"),
        (b"BEGIN:VCALENDAR\nX:\xff\n", "line 2: this is not UTF-8"),
        (b"BEGIN:VCALENDAR\nA" + b":x" * 20_000, "line 2: the line has more than"),
        (b"BEGIN:VCALENDAR\n" + b"BEGIN:X\n" * 50, "nested too deep"),
        (b"x" * (BYTES_MAX + 1), "larger than 4 MiB"),
        (ics("SUMMARY:none"), "the event has no DTSTART"),
        (ics("DTSTART:20261301T000000Z"), "is no time"),
        (
            ics("DTSTART;TZID=Mars/Olympus:20260301T000000"),
            "the time zone 'Mars/Olympus' is not known",
        ),
        (ics("DTSTART:20260301T000000Z\nRRULE:FREQ=SECONDLY"), "SECONDLY is refused"),
        (ics("DTSTART:20260301T000000Z\nDURATION:-P1D"), "is no duration"),
        (
            ics(
                "DTSTART:20260301T000000Z\nDURATION:PT1H\nRRULE:FREQ=HOURLY;BYMINUTE=0,5,10,15,20,25,30,35,40,45"
            ),
            "more than 10000 instances",
        ),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(data: bytes, says: str) -> None:
    with pytest.raises(IcsError, match=says):
        events_between(data, START, END, BERLIN)


def test_a_calendar_made_to_take_forever_is_refused_in_time() -> None:
    begin = clock.perf_counter()
    rules = [
        f"UID:{n}\nDTSTART:19700101T000000Z\nRRULE:FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30"
        for n in range(3000)
    ]
    with pytest.raises(IcsError, match="too many"):
        events_between(ics(*rules), START, END, BERLIN, days_max=20_000)
    assert clock.perf_counter() - begin < 20


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_bytes_are_a_calendar_or_refused(data: bytes) -> None:
    for text in (
        data,
        b"BEGIN:VCALENDAR\nBEGIN:VEVENT\n" + data + b"\nEND:VEVENT\nEND:VCALENDAR\n",
    ):
        try:
            events_between(text, START, END, BERLIN)
        except IcsError:
            continue


@given(
    st.datetimes(datetime(2026, 3, 1), datetime(2026, 4, 25)),
    st.integers(1, 72),
    st.text(alphabet=st.characters(codec="utf-8", categories=["L", "N", "P", "Zs"]), max_size=80),
)
def test_what_icalendar_writes_is_read_as_it_was_meant(
    at: datetime, hours: int, title: str
) -> None:
    from icalendar import Event as OtherEvent

    start = at.replace(microsecond=0, tzinfo=UTC)
    other, event = OtherCalendar(), OtherEvent()
    event.add("uid", "x")
    event.add("dtstart", start)
    event.add("dtend", start + timedelta(hours=hours))
    event.add("summary", title)
    other.add_component(event)
    [one] = events_between(other.to_ical(), START, END, BERLIN)
    assert (one.start, one.end) == (start, start + timedelta(hours=hours))
    assert one.summary == " ".join(title.split())


def test_a_question_about_a_calendar_is_answered_as_one_about_a_schedule_is() -> None:
    asked: dict[str, Any] = {
        "ics": ics(f"DTSTART;VALUE=DATE:{date(2026, 3, 4):%Y%m%d}\nSUMMARY:bo").decode(),
        "default_zone": "UTC",
        "window": {"from": "2026-03-01T00:00:00Z", "to": "2026-03-09T00:00:00Z"},
    }
    assert answer(asked) == {
        "events": [{"start": "2026-03-04T00:00:00Z", "end": "2026-03-05T00:00:00Z", "user": "bo"}]
    }
