"""Recurrence rules against python-dateutil, which had no part in ours; and those that would never end."""

from __future__ import annotations

import time as clock
from datetime import datetime, timedelta

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from oncall_bot.calendars.recurrence import Budget, RuleError, rule_of, wall_times

FIRST = datetime(2024, 1, 31, 9, 30)
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def some(values: st.SearchStrategy[int], most: int = 3) -> st.SearchStrategy[str]:
    return st.lists(values, min_size=1, max_size=most, unique=True).map(
        lambda found: ",".join(map(str, found))
    )


def nonzero(most: int) -> st.SearchStrategy[int]:
    return st.integers(1, most) | st.integers(-most, -1)


@st.composite
def rules(draw: st.DrawFn) -> str:
    """Rules that come true within a year: dateutil walks to the year 9999 for one that never does."""
    freq = draw(st.sampled_from(["HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    day = st.sampled_from(DAYS)
    if freq in ("MONTHLY", "YEARLY"):
        day = st.builds(lambda n, d: f"{n or ''}{d}", st.integers(-3, 3), day)
    which = {
        "BYMONTHDAY": some(nonzero(28)),
        "BYDAY": st.lists(day, min_size=1, max_size=3, unique=True).map(",".join),
    }
    if freq == "YEARLY":
        which |= {"BYYEARDAY": some(nonzero(365)), "BYWEEKNO": some(nonzero(52))}
    parts = [f"FREQ={freq}"]
    name = draw(st.sampled_from([None, *which]))
    if name is not None:
        parts.append(f"{name}={draw(which[name])}")
    if name in (None, "BYDAY", "BYMONTHDAY") and draw(st.booleans()):
        parts.append(f"BYMONTH={draw(some(st.integers(1, 12)))}")
        parts.append("BYMONTHDAY=-1" if name is None and freq != "WEEKLY" else "WKST=SU")
    else:
        parts.append(f"INTERVAL={draw(st.integers(1, 4))}")
    if freq != "HOURLY" and draw(st.booleans()):
        parts.append(f"BYHOUR={draw(some(st.integers(0, 23)))}")
    if freq != "HOURLY" and draw(st.booleans()):
        parts.append(f"BYSETPOS={draw(st.sampled_from([1, -1]))}")
    if draw(st.booleans()):
        parts.append(f"COUNT={draw(st.integers(1, 40))}")
    return ";".join(parts)


@settings(max_examples=60, deadline=None)
@given(rules(), st.integers(0, 400))
def test_the_same_wall_times_as_dateutil(text: str, days: int) -> None:
    after = FIRST + timedelta(days=days)
    before = after + timedelta(days=20 if "HOURLY" in text else 500)
    theirs = rrulestr(text, dtstart=FIRST)
    # dateutil leaves out a first that the rule does not name, and does not count it; ours is RFC 5545's
    if FIRST not in theirs.between(FIRST, FIRST, inc=True):
        text = ";".join(part for part in text.split(";") if not part.startswith("COUNT"))
        theirs = rrulestr(text, dtstart=FIRST)
    expected = set(theirs.between(after, before, inc=True)) - {before}
    found = list(wall_times(rule_of(text), FIRST, after, before, Budget()))
    assert found == sorted(set(found))
    assert set(found) - {FIRST} == expected - {FIRST}


@pytest.mark.parametrize(
    "text",
    ["FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"],
)
def test_a_rule_that_never_comes_true_ends_with_the_window(text: str) -> None:
    begin = clock.perf_counter()
    old = datetime(1970, 1, 1)
    assert list(wall_times(rule_of(text), old, FIRST, FIRST + timedelta(days=700), Budget())) == []
    assert clock.perf_counter() - begin < 5


def test_counting_from_too_long_ago_is_refused() -> None:
    rule = rule_of("FREQ=HOURLY;COUNT=1000000")
    with pytest.raises(RuleError, match="too long ago"):
        list(wall_times(rule, datetime(1970, 1, 1), FIRST, FIRST + timedelta(days=1), Budget(9_000)))


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
