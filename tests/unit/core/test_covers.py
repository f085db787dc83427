"""The life of a cover request: whoever does what in whichever order, one yes wins and nothing happens twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncall_bot.core.covers import NO, YES, Act, Kind, Request, State, Why, act, expiry

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
PEOPLE = ("ana", "bo", "cy", "dee", "zoe")


def asked(**more: object) -> Request:
    """Ana asks Bo and Cy for the time from 14 to 20; Dee leads the team."""
    values = {
        "kind": Kind.COVER,
        "asker": "ana",
        "starts_at": NOON + 2 * HOUR,
        "ends_at": NOON + 8 * HOUR,
        "expires_at": NOON + 2 * HOUR,
        "asked": {"bo": None, "cy": None},
        "trusted": frozenset({"dee"}),
        **more,
    }
    return Request(**values)  # type: ignore[arg-type]  # a table of overrides


def does(request: Request | Why, what: Act, by: str, at: datetime = NOON) -> Request:
    assert isinstance(request, Request)
    after = act(request, what, by, at)
    assert isinstance(after, Request), after
    return after


def test_the_first_yes_wins_and_the_second_is_told_it_is_over() -> None:
    taken = does(asked(), Act.ACCEPT, "cy")
    assert (taken.state, taken.taken_by) == (State.TAKEN, "cy")
    assert act(taken, Act.ACCEPT, "bo", NOON) is Why.IS_OVER


def test_who_declined_may_still_accept_while_nobody_else_did() -> None:
    declined = does(asked(), Act.DECLINE, "bo")
    assert declined.state is State.OPEN
    assert does(declined, Act.ACCEPT, "bo").taken_by == "bo"


def test_when_everybody_declined_it_is_over() -> None:
    one = does(asked(), Act.DECLINE, "bo")
    assert does(one, Act.DECLINE, "cy").state is State.DECLINED


@pytest.mark.parametrize("by", ["ana", "dee", "zoe"])
def test_only_those_who_were_asked_can_answer(by: str) -> None:
    assert act(asked(), Act.ACCEPT, by, NOON) is Why.NOT_ASKED
    assert act(asked(), Act.DECLINE, by, NOON) is Why.NOT_ASKED


def test_the_asker_and_who_leads_may_withdraw_and_nobody_else() -> None:
    assert does(asked(), Act.WITHDRAW, "ana").state is State.WITHDRAWN
    assert does(asked(), Act.WITHDRAW, "dee").state is State.WITHDRAWN
    assert act(asked(), Act.WITHDRAW, "bo", NOON) is Why.NOT_YOURS


def test_a_yes_at_the_start_of_the_shift_is_too_late() -> None:
    start = asked().expires_at
    assert act(asked(), Act.ACCEPT, "bo", start) is Why.TOO_LATE
    assert does(asked(), Act.EXPIRE, "oncall-bot", start).state is State.EXPIRED
    assert act(asked(), Act.EXPIRE, "oncall-bot", start - HOUR) is Why.TOO_EARLY


def test_a_request_for_a_shift_that_runs_waits_until_its_end() -> None:
    assert expiry(NOON, NOON + HOUR, NOON) == NOON + HOUR
    assert expiry(NOON + HOUR, NOON + 2 * HOUR, NOON) == NOON + HOUR


def test_a_cover_that_has_begun_is_taken_back_by_the_asker_only() -> None:
    taken, during = does(asked(), Act.ACCEPT, "bo"), NOON + 3 * HOUR
    assert does(taken, Act.UNDO, "bo").state is State.UNDONE
    assert act(taken, Act.UNDO, "bo", during) is Why.HAS_BEGUN
    assert does(taken, Act.UNDO, "ana", during).state is State.UNDONE
    assert act(taken, Act.UNDO, "ana", taken.ends_at) is Why.TOO_LATE
    assert act(taken, Act.UNDO, "cy", NOON) is Why.NOT_YOURS


def test_a_swap_of_which_one_half_has_begun_stays() -> None:
    swap = asked(kind=Kind.SWAP, asked={"bo": None}, back_starts_at=NOON + HOUR)
    taken = does(swap, Act.ACCEPT, "bo")
    assert act(taken, Act.UNDO, "ana", NOON + HOUR) is Why.HAS_BEGUN
    assert does(taken, Act.UNDO, "ana").state is State.UNDONE


@given(
    st.lists(
        st.tuples(st.sampled_from(list(Act)), st.sampled_from(PEOPLE), st.integers(0, 30)),
        max_size=25,
    ),
    st.sampled_from(list(Kind)),
)
def test_whatever_people_do_the_request_stays_true_to_itself(
    done: list[tuple[Act, str, int]], kind: Kind
) -> None:
    """One taker, among those asked, before it began; what is over stays over; a refused act changes nothing."""
    request, at = asked(kind=kind), NOON
    history = [request.state]
    for what, by, minutes in done:
        at += timedelta(minutes=minutes)
        after = act(request, what, by, at)
        if isinstance(after, Why):
            continue
        if after.state is State.TAKEN:
            assert at < request.expires_at
            assert by in request.asked
            assert request.state is State.OPEN
        assert (after.taken_by is not None) == (after.state in {State.TAKEN, State.UNDONE})
        assert set(after.asked) == set(request.asked)
        assert set(after.asked.values()) <= {None, YES, NO}
        request = after
        history.append(after.state)
    ends = [state for state in history if state is not State.OPEN]
    assert ends in (
        [],
        [State.TAKEN],
        [State.TAKEN, State.UNDONE],
        [State.DECLINED],
        [State.WITHDRAWN],
        [State.EXPIRED],
    )
