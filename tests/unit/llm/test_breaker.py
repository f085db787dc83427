"""A server that keeps failing is left alone, and tried again with one call."""

from __future__ import annotations

from oncall_bot.llm.breaker import LONGEST_PAUSE, Breaker


def _open(failures: int = 3) -> Breaker:
    breaker = Breaker(failures, 30.0)
    for _ in range(failures):
        breaker.failed(100.0)
    return breaker


def test_a_few_failures_are_forgiven() -> None:
    breaker = Breaker(3)
    breaker.failed(0.0)
    breaker.failed(1.0)
    breaker.succeeded()
    breaker.failed(2.0)
    breaker.failed(3.0)
    assert breaker.wait(3.0) == 0.0


def test_the_last_failure_of_a_row_begins_a_pause() -> None:
    breaker = _open()
    assert breaker.wait(100.0) == 30.0
    assert breaker.wait(129.0) == 1.0


def test_after_the_pause_one_call_is_the_trial_and_others_wait() -> None:
    breaker = _open()
    assert breaker.wait(130.0) == 0.0
    assert breaker.wait(130.0) > 0.0
    breaker.succeeded()
    assert breaker.wait(130.0) == 0.0


def test_a_failed_trial_doubles_the_pause_up_to_a_limit() -> None:
    breaker, now, waits = _open(), 130.0, []
    for _ in range(6):
        assert breaker.wait(now) == 0.0
        breaker.failed(now)
        waits.append(breaker.wait(now))
        now += waits[-1]
    assert waits == [60.0, 120.0, 240.0, LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE]


def test_a_trial_that_told_nothing_leaves_room_for_the_next() -> None:
    breaker = _open()
    assert breaker.wait(130.0) == 0.0
    breaker.given_up()
    assert breaker.wait(130.0) == 0.0
