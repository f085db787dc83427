"""Recurrence rules against python-dateutil, which had no part in ours; and those that would never end."""

# ruff: noqa: DTZ001 - wall times
from __future__ import annotations

import time as clock
from datetime import datetime, timedelta

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from oncall_bot.calendars.recurrence import Budget, RuleError, rule_of, wall_times

FIRST = datetime(2024, 1, 31, 9, 30)


RULES = (
    "FREQ=HOURLY",
    "FREQ=HOURLY;INTERVAL=5",
    "FREQ=HOURLY;BYDAY=SA,SU",
    "FREQ=HOURLY;BYHOUR=8,9,17;BYMINUTE=0,15",
    "FREQ=DAILY",
    "FREQ=DAILY;INTERVAL=3;BYHOUR=6,18",
    "FREQ=DAILY;BYMONTH=1,3;BYDAY=MO,TU",
    "FREQ=DAILY;BYMONTHDAY=1,-1",
    "FREQ=DAILY;BYHOUR=9,10;BYMINUTE=0,30;BYSETPOS=-1",
    "FREQ=WEEKLY",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=MO",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SU",
    "FREQ=WEEKLY;BYMONTH=12;BYDAY=TH",
    "FREQ=MONTHLY",
    "FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=-3",
    "FREQ=MONTHLY;BYDAY=2MO",
    "FREQ=MONTHLY;BYDAY=-1FR,1TH",
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
    "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
    "FREQ=MONTHLY;BYMONTHDAY=15,30;BYHOUR=8",
    "FREQ=YEARLY",
    "FREQ=YEARLY;INTERVAL=2;BYMONTH=1,7",
    "FREQ=YEARLY;BYDAY=20MO",
    "FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3,10",
    "FREQ=YEARLY;BYWEEKNO=1;BYDAY=MO",
    "FREQ=YEARLY;BYWEEKNO=20,-1;WKST=SU",
    "FREQ=YEARLY;BYWEEKNO=52,53;BYDAY=SA,SU",
    "FREQ=YEARLY;BYYEARDAY=1,100,-1",
    "FREQ=YEARLY;BYMONTHDAY=31;BYSETPOS=1,-1",
    "FREQ=YEARLY;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
)
"""Rules that come true within a year: dateutil walks to the year 9999 for one that never does."""

COUNTS = st.none() | st.integers(1, 40)
FIRSTS = st.datetimes(datetime(2019, 1, 1), datetime(2024, 6, 1)).map(
    lambda at: at.replace(second=0, microsecond=0)
)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(RULES), COUNTS, FIRSTS, st.integers(0, 400))
def test_the_same_wall_times_as_dateutil(
    text: str, count: int | None, first: datetime, days: int
) -> None:
    after = first + timedelta(days=days)
    before = after + timedelta(days=20 if "HOURLY" in text else 500)
    theirs = rrulestr(text, dtstart=first)
    # dateutil leaves out a first that the rule does not name, and does not count it; ours is RFC 5545's
    if count is not None and first in theirs.between(first, first, inc=True):
        text = f"{text};COUNT={count}"
        theirs = rrulestr(text, dtstart=first)
    expected = set(theirs.between(after, before, inc=True)) - {before}
    found = list(wall_times(rule_of(text), first, after, before, Budget()))
    assert found == sorted(set(found))
    assert set(found) - {first} == expected - {first}


@pytest.mark.parametrize(
    "text",
    [
        "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
    ],
)
def test_a_rule_that_never_comes_true_ends_with_the_window(text: str) -> None:
    begin = clock.perf_counter()
    old = datetime(1970, 1, 1)
    assert list(wall_times(rule_of(text), old, FIRST, FIRST + timedelta(days=700), Budget())) == []
    assert clock.perf_counter() - begin < 5


def test_counting_from_too_long_ago_is_refused() -> None:
    rule = rule_of("FREQ=HOURLY;COUNT=1000000")
    with pytest.raises(RuleError, match="too long ago"):
        list(
            wall_times(rule, datetime(1970, 1, 1), FIRST, FIRST + timedelta(days=1), Budget(9_000))
        )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("FREQ=MINUTELY", "MINUTELY is refused"),
        ("FREQ=SECONDLY;COUNT=3", "SECONDLY is refused"),
        ("BYDAY=MO", "nothing is refused"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL=0"),
        ("FREQ=DAILY;COUNT=2;UNTIL=20260101", "not both"),
        ("FREQ=WEEKLY;BYDAY=2MO", "BYDAY=2MO"),
        ("FREQ=DAILY;BYMONTH=13", "BYMONTH=13"),
        ("FREQ=DAILY;FREQ=DAILY", "cannot be read"),
        ("FREQ=DAILY;BYEASTER=1", "BYEASTER is not known"),
        ("FREQ=YEARLY;BYYEARDAY=0", "BYYEARDAY=0"),
        ("FREQ=DAILY;INTERVAL=" + "9" * 400, "INTERVAL=9"),
    ],
)
def test_what_cannot_be_read_says_which_part(text: str, says: str) -> None:
    with pytest.raises(RuleError, match=says):
        rule_of(text)


@given(st.text(alphabet="FREQ=DAILYWKBYSMO,;0123456789-+", max_size=60))
def test_any_text_is_a_rule_or_refused(text: str) -> None:
    try:
        rule = rule_of(text)
    except RuleError:
        return
    list(wall_times(rule, FIRST, FIRST, FIRST + timedelta(days=3), Budget()))
