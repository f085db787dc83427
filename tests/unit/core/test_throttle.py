"""How often a phone rings: at once, then together; capped, never dropped; the urgent never behind the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from oncall_bot.core.config import Cap
from oncall_bot.core.throttle import (
    ALONE_AFTER,
    GAP,
    GATHER_LATE,
    Rung,
    Waiting,
    horizon,
    is_late,
    plan,
)

NIGHT = datetime(2026, 3, 29, 0, 55, tzinfo=UTC)
CAP = Cap(3, timedelta(minutes=15))


def at(seconds: float) -> datetime:
    return NIGHT + timedelta(seconds=seconds)


def page(number: int, due: float = 0, **more: object) -> Waiting:
    return Waiting(number, at(due), at(due), **more)  # type: ignore[arg-type]


def rang(*seconds: float, **more: bool) -> list[Rung]:
    return [Rung(at(s), **more) for s in seconds]


def test_the_first_page_goes_at_once() -> None:
    assert plan([page(1)], [], CAP, at(0)).send == (1,)


def test_what_follows_an_unanswered_page_waits_a_moment_and_goes_as_one() -> None:
    waits = plan([page(2, 1)], rang(0), None, at(1))
    assert waits.send == ()
    assert [(hold.ids, hold.until) for hold in waits.holds] == [((2,), at(3))]
    assert plan([page(2, 1), page(3, 2)], rang(0), None, at(3)).send == (2, 3)


def test_however_many_are_unanswered_another_incident_pages_within_the_gap() -> None:
    for count in (1, 2, 10):
        (hold,) = plan([page(9, 40)], rang(*range(40 - count + 1, 41)), None, at(40)).holds
        assert hold.until - at(40) == GAP


def test_a_page_that_was_answered_holds_nothing_back() -> None:
    assert plan([page(2, 1)], rang(0, asks=False), None, at(1)).send == (2,)


def test_a_second_phone_of_the_person_is_not_made_to_wait_for_the_first() -> None:
    first = [Rung(at(0), contact="c1")]
    assert plan([page(2, 1, contact="c2")], first, None, at(1)).send == (2,)


def test_past_the_cap_all_waits_until_one_more_message_is_allowed() -> None:
    answered = rang(0, 100, 200, asks=False)
    waits = plan([page(4, 300)], answered, CAP, at(300))
    assert [(hold.until, hold.why) for hold in waits.holds] == [(at(900), "at most 3 in 15 min")]
    assert plan([page(4, 300), page(5, 600)], answered, CAP, at(900)).send == (4, 5)


def test_a_cap_counts_every_phone_of_the_person() -> None:
    three = [Rung(at(n), contact=f"c{n}", asks=False) for n in range(3)]
    assert plan([page(4, 10, contact="c9")], three, CAP, at(10)).send == ()


def test_neither_gap_nor_cap_of_low_urgency_stops_the_urgent_which_takes_the_rest_along() -> None:
    low = rang(0, 1, 2, urgent=False)
    waiting = [page(4, 3, urgent=False), page(5, 4)]
    assert plan(waiting[:1], low, CAP, at(3)).send == ()
    assert plan(waiting, low, CAP, at(4)).send == (5, 4)


def test_late_pages_are_gathered_for_a_moment() -> None:
    late = Waiting(1, at(-3600), at(0))
    assert is_late(late.due_at, at(0))
    assert plan([late], [], None, at(0)).holds[0].until == at(0) + GATHER_LATE
    other = Waiting(2, at(-1800), at(1))
    assert plan([late, other], [], None, at(2)).send == (1, 2)


def test_what_may_have_gone_out_goes_again_with_the_same_companions_only() -> None:
    waiting = [page(1, tried_in=1), page(2, tried_in=1), page(3)]
    decided = plan(waiting, rang(0), CAP, at(1))
    assert (decided.send, decided.bundle) == ((1, 2), 1)


def test_a_page_that_ended_processes_travels_alone() -> None:
    poison = page(1, tried_in=1, failures=ALONE_AFTER)
    decided = plan([poison, page(2, 1)], [], None, at(2))
    assert (decided.send, decided.bundle) == ((1,), None)
    assert plan([page(2, 1)], [], None, at(2)).send == (2,)


# --- whatever comes, and whenever ---------------------------------------------------------------------------------


@dataclass
class Coming:
    number: int
    at: datetime
    urgent: bool
    over_at: datetime | None


@dataclass
class Phone:
    """One road of one person, fed by the rules, second by second."""

    cap: Cap | None
    rung: list[Rung] = field(default_factory=list)
    waiting: dict[int, Waiting] = field(default_factory=dict)
    not_before: dict[int, datetime] = field(default_factory=dict)
    sent: list[tuple[datetime, tuple[int, ...]]] = field(default_factory=list)

    def step(self, now: datetime, over: set[int]) -> None:
        for number in over & set(self.waiting):
            del self.waiting[number]
        if not any(self.not_before[n] <= now for n in self.waiting):
            return
        lately = [one for one in self.rung if one.at > now - horizon(self.cap)]
        decided = plan(list(self.waiting.values()), lately, self.cap, now)
        for hold in decided.holds:
            self.not_before |= dict.fromkeys(hold.ids, hold.until)
        if decided.send:
            urgent = any(self.waiting[n].urgent for n in decided.send)
            self.rung.append(Rung(now, urgent))
            self.sent.append((now, decided.send))
            for number in decided.send:
                del self.waiting[number]


pages = st.lists(
    st.tuples(st.integers(0, 1500), st.booleans(), st.none() | st.integers(0, 600)), max_size=25
)
caps = st.none() | st.builds(
    Cap, st.integers(1, 4), st.sampled_from([timedelta(minutes=1), timedelta(minutes=10)])
)


def lived(
    told: Sequence[tuple[int, bool, int | None]], cap: Cap | None
) -> tuple[Phone, list[Coming]]:
    coming = [
        Coming(n, at(s), urgent, None if over is None else at(s + over))
        for n, (s, urgent, over) in enumerate(told)
    ]
    phone = Phone(cap)
    for second in range(2400):
        now = at(second)
        for one in coming:
            if one.at == now:
                phone.waiting[one.number] = Waiting(one.number, now, now, one.urgent)
                phone.not_before[one.number] = now
        over = {one.number for one in coming if one.over_at is not None and one.over_at <= now}
        phone.step(now, over)
    return phone, coming


@given(pages, caps)
def test_every_page_is_told_once_in_time_unless_its_incident_is_over(
    told: list[tuple[int, bool, int | None]], cap: Cap | None
) -> None:
    phone, coming = lived(told, cap)
    most = (cap.within if cap else timedelta(0)) + GAP
    for one in coming:
        messages = [sent_at for sent_at, numbers in phone.sent if one.number in numbers]
        assert len(messages) <= 1
        if not messages:
            assert one.over_at is not None
            assert one.over_at - one.at <= most
        else:
            assert messages[0] - one.at <= most
            assert one.over_at is None or messages[0] < one.over_at or messages[0] == one.at


@given(pages, caps)
def test_no_cap_is_ever_passed_and_the_urgent_come_first(
    told: list[tuple[int, bool, int | None]], cap: Cap | None
) -> None:
    phone, coming = lived(told, cap)
    urgent = {one.number: one.urgent for one in coming}
    for _, numbers in phone.sent:
        assert [urgent[n] for n in numbers] == sorted((urgent[n] for n in numbers), reverse=True)
    if cap is None:
        return
    high = [sent_at for sent_at, numbers in phone.sent if urgent[numbers[0]]]
    for sent_at in high:
        assert sum(sent_at - cap.within < other <= sent_at for other in high) <= cap.count
    for sent_at, numbers in phone.sent:
        if not urgent[numbers[0]]:
            among = [t for t, _ in phone.sent if sent_at - cap.within < t <= sent_at]
            assert len(among) <= cap.count


@given(pages)
def test_nobody_who_does_not_answer_is_rung_more_often_than_the_gap_allows(
    told: list[tuple[int, bool, int | None]],
) -> None:
    phone, _ = lived([(s, True, None) for s, _, _ in told], None)
    ats = [sent_at for sent_at, _ in phone.sent]
    for sent_at in ats:
        assert not [other for other in ats if sent_at < other < sent_at + GAP]
