"""How the load is shared: exact hours, the night where one sleeps, one weight for each hour, cells fit for pay."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from oncall_bot.core.config import Fairness
from oncall_bot.core.fairness import COLUMNS, Counted, Report, report, rows
from oncall_bot.core.rotations import Shift

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
MONDAY = datetime(2026, 3, 2, 8, tzinfo=UTC)  # 09:00 in Berlin
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WEIGHTS = Fairness(night=1.5, weekend=2, holiday=3)


def count(
    *shifts: Shift,
    pages: tuple[tuple[str, datetime], ...] = (),
    holidays: tuple[tuple[datetime, datetime], ...] = (),
    zone: ZoneInfo = BERLIN,
    weights: Fairness = WEIGHTS,
    now: datetime = MONDAY + 365 * DAY,
) -> Report:
    counted = Counted(shifts, pages, holidays, lambda _: zone, weights, ("ana", "bo"))
    return report("shop", shifts[0].start, shifts[-1].end, counted, now)


def test_a_week_has_its_nights_and_its_weekend_and_each_hour_counts_once() -> None:
    [ana] = count(Shift(MONDAY, MONDAY + 7 * DAY, "ana")).shares
    assert (ana.on_call, ana.night, ana.weekend) == (168 * HOUR, 56 * HOUR, 48 * HOUR)
    weekend, nights = 48, 56 - 16  # two of the nights' eight hours lie on the weekend
    assert ana.points == weekend * 2 + nights * 1.5 + (168 - weekend - nights)


def test_hours_of_a_night_on_which_clocks_change_are_the_hours_there_were() -> None:
    begin = datetime(2026, 3, 28, 21, tzinfo=UTC)  # 22:00 in Berlin
    [ana] = count(Shift(begin, datetime(2026, 3, 29, 4, tzinfo=UTC), "ana")).shares
    assert ana.on_call == ana.night == 7 * HOUR


def test_a_night_is_that_of_the_zone_the_person_lives_in() -> None:
    shift = Shift(MONDAY.replace(hour=22), MONDAY.replace(hour=23), "dee")
    assert count(shift).shares[0].night == HOUR
    assert count(shift, zone=NEW_YORK).shares[0].night == timedelta(0)


def test_a_holiday_beats_the_weekend_and_gaps_are_nobodys() -> None:
    saturday = MONDAY + 5 * DAY
    found = count(
        Shift(saturday, saturday + 2 * HOUR, "ana"),
        Shift(saturday + 2 * HOUR, saturday + 3 * HOUR, None),
        holidays=((saturday + HOUR, saturday + DAY),),
    )
    [ana] = found.shares
    assert (ana.points, ana.holiday, found.nobody) == (2 + 3, HOUR, HOUR)


def test_pages_are_counted_by_person_those_at_night_apart_and_what_is_ahead_is_the_plan() -> None:
    night = MONDAY.replace(hour=23)
    found = count(
        Shift(MONDAY, MONDAY + DAY, "ana"),
        pages=(("ana", MONDAY), ("ana", night), ("bo", night)),
        now=MONDAY + 20 * HOUR,
    )
    ana, bo = found.shares
    assert (ana.pages, ana.night_pages, ana.planned) == (2, 1, 4 * HOUR)
    assert (bo.person, bo.pages, bo.shifts) == ("bo", 1, 0)


def test_the_balance_is_of_those_in_the_rotation_not_of_who_covers_once() -> None:
    later = MONDAY + 2 * HOUR
    found = count(
        Shift(MONDAY, later, "ana"),
        Shift(later, later + HOUR, "bo"),
        Shift(later + HOUR, later + 1.5 * HOUR, "dee"),
    )
    assert found.balance == 0.5
    assert count(Shift(MONDAY, later, "ana")).balance is None


def test_cells_for_pay_have_a_column_each_and_begin_no_formula() -> None:
    found = count(Shift(MONDAY, MONDAY + DAY, "ana"))
    [row] = rows(found, lambda _: "=HYPERLINK(1)", lambda _: "@x")
    cells = dict(zip(COLUMNS, row, strict=True))
    assert cells["name"] == "'=HYPERLINK(1)"
    assert cells["email"] == "'@x"
    assert (cells["hours"], cells["night_hours"], cells["weighted_hours"]) == (
        "24.00",
        "8.00",
        "28.00",
    )


@given(
    st.lists(
        st.tuples(st.integers(1, 90), st.sampled_from(["ana", "bo", None])), min_size=1, max_size=8
    ),
    st.integers(0, 400),
)
def test_all_hours_are_somebodys_or_nobodys_and_even_weights_count_hours(
    lengths: list[tuple[int, str | None]], day: int
) -> None:
    at, shifts = MONDAY + day * DAY, []
    for hours, who in lengths:
        shifts.append(Shift(at, at + hours * HOUR, who))
        at += hours * HOUR
    found = count(*shifts, weights=Fairness())
    whole = sum((share.on_call for share in found.shares), found.nobody)
    assert whole == at - shifts[0].start
    for share in found.shares:
        assert abs(share.points - share.on_call / HOUR) < 1e-6
        assert share.night <= share.on_call
