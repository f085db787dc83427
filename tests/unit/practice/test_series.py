"""Signals move and keep their history; a counter never changes its past."""

from __future__ import annotations

from oncall_bot.practice.series import Scraped, Signal


def test_a_signal_goes_from_where_it_is_to_where_it_is_moved() -> None:
    signal = Signal(10.0)
    signal.move(100, 20.0, over=10)
    signal.move(105, 0.0, over=5)
    assert [signal.at(t) for t in (0, 100, 105, 110, 1000)] == [10.0, 10.0, 15.0, 0.0, 0.0]


def test_yesterday_stays_as_it_was_when_today_changes() -> None:
    scraped = Scraped()
    rate = Signal(2.0)
    scraped.counter("x_total", rate.at, since=0)
    (series,) = scraped.named("x_total")
    before = [series.sample(t) for t in (50, 100)]
    rate.move(100, 50.0)
    assert [series.sample(t) for t in (50, 100)] == before
    assert series.sample(110) == (110, 100 * 2 + 10 * 50)


def test_samples_stand_at_the_scrapes_and_none_before_the_beginning() -> None:
    scraped = Scraped()
    scraped.counter("x_total", lambda t: 1.0, since=20)
    (series,) = scraped.named("x_total")
    assert series.sample(17) is None
    assert series.between(20, 33) == [(25.0, 5), (30.0, 10)]
