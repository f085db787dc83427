"""Cover and swaps as people live them: who is asked, who is on call afterwards, who hears of it."""

from __future__ import annotations

import copy
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from oncall_bot.flows.absence import be_back, be_out
from oncall_bot.flows.answer_cover import accept, decline, undo, withdraw
from oncall_bot.flows.ask_cover import ask_cover, ask_swap
from oncall_bot.flows.cover_shown import Piece
from oncall_bot.store import views
from oncall_bot.store.db import Store
from tests.component.flows.world import DOCUMENT, World

HOUR = timedelta(hours=1)
TODAY = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday, Ana's week has begun at 08:00 UTC
NEXT_MONDAY = datetime(2026, 3, 9, 8, tzinfo=UTC)


def rota() -> dict[str, Any]:
    """Ana, Bo and Cy take weeks, hand-off Mondays 09:00 in Berlin; Dee leads from outside the team."""
    document = copy.deepcopy(DOCUMENT)
    layer = document["schedules"]["primary"]["layers"][0]
    layer |= {"start": "2026-03-02T09:00", "users": ["ana", "bo", "cy"]}
    document["people"]["eve"] = {"name": "Eve Elm", "slack": "U0EVEEVE1"}
    document["people"]["vic"] = {"name": "Vic View", "slack": "U0VICVIC1", "role": "viewer"}
    return document


@pytest.fixture
def world(world: World) -> World:
    world.apply(rota())
    return world


def asks(world: World, *named: str, who: str = "ana", start: datetime | None = None,
         hours: float = 6, note: str = "") -> Any:  # fmt: skip
    begins = start or TODAY + 2 * HOUR
    piece = Piece("primary", begins, begins + timedelta(hours=hours))
    return world.store.write(ask_cover, who, piece, named, note, world.person(who)).result()


def says(world: World, flow: Any, request_id: int, who: str) -> Any:
    return world.store.write(flow, request_id, world.person(who)).result()


def on_call(world: World, at: datetime) -> str | None:
    world.store.look(lambda reader: None)
    return world.store.snapshot.on_call("primary", at)


def dms(world: World, slack_id: str) -> list[str]:
    return [got.what for got in world.slack if got.to == slack_id]


def test_cover_is_asked_of_the_team_and_the_first_yes_changes_who_is_paged(world: World) -> None:
    put = asks(world)
    world.run()
    assert put.reason.startswith("Bo Lindt and Cy Okafor are asked: primary, Mon 2 Mar 15:00 to")
    assert {got.to for got in world.slack} == {"U0ANAANA1", "U0BOBOBO1", "U0CYCYCY1"}
    assert on_call(world, TODAY + 3 * HOUR) == "ana"
    said = says(world, accept, put.request_id, "bo")
    assert (
        said.reason == "You cover primary, Mon 2 Mar 15:00 to 21:00 (Europe/Berlin) for Ana Ruiz."
    )
    assert on_call(world, TODAY + 3 * HOUR) == "bo"
    assert on_call(world, TODAY + 8 * HOUR) == "ana"
    world.run()
    assert any("Bo Lindt covers primary" in text for text in dms(world, "U0ANAANA1"))
    world.pass_time(2.5 * 3600)
    world.told(world.alert())
    world.run()
    assert world.rang() == ["bo-phone"]


def test_a_lost_race_names_the_winner_and_changes_nothing(world: World) -> None:
    put = asks(world)
    says(world, accept, put.request_id, "cy")
    late = says(world, accept, put.request_id, "bo")
    assert (late.done, late.winner) == (False, "cy")
    assert late.reason.startswith("Cy Okafor has taken primary")
    assert on_call(world, TODAY + 3 * HOUR) == "cy"
    assert len(world.rows("SELECT id FROM override")) == 1


@pytest.mark.parametrize("server", ["postgresql"], indirect=True)
def test_two_who_accept_at_the_same_instant_on_two_processes(world: World, database: str) -> None:
    put = asks(world)
    other = Store(database, clock=world.clock)
    other.open()
    try:
        gate, said = threading.Barrier(2), []

        def press(store: Store, who: str) -> None:
            gate.wait(5)
            said.append(store.write(accept, put.request_id, world.person(who)).result())

        both = [
            threading.Thread(target=press, args=(world.store, "bo")),
            threading.Thread(target=press, args=(other, "cy")),
        ]
        for one in both:
            one.start()
        for one in both:
            one.join(20)
        assert sorted(one.done for one in said) == [False, True]
        assert len(world.rows("SELECT id FROM override")) == 1
        winner = on_call(world, TODAY + 3 * HOUR)
        assert [one.winner for one in said if not one.done] == [winner]
    finally:
        other.close()


def test_nobody_says_yes_and_the_asker_is_told_at_the_start(world: World) -> None:
    put = asks(world, "bo")
    world.pass_time(3 * 3600)
    assert any("Nobody took primary" in text for text in dms(world, "U0ANAANA1"))
    late = says(world, accept, put.request_id, "bo")
    assert late.reason == "That request is over: nobody answered in time."
    assert on_call(world, TODAY + 3 * HOUR) == "ana"


def test_everybody_declines_and_the_asker_is_told_at_once(world: World) -> None:
    put = asks(world)
    says(world, decline, put.request_id, "bo")
    says(world, decline, put.request_id, "cy")
    world.run()
    assert any("Nobody can take primary" in text for text in dms(world, "U0ANAANA1"))
    shown = world.store.look(views.cover_notice, f"cover:{put.request_id}:bo")
    assert shown is not None
    assert shown.state == "declined"


def test_a_request_is_withdrawn_by_its_asker_and_by_who_leads_but_by_nobody_else(
    world: World,
) -> None:
    put = asks(world)
    assert not says(world, withdraw, put.request_id, "bo").done
    assert says(world, withdraw, put.request_id, "ana").done
    assert says(world, accept, put.request_id, "bo").reason == (
        "That request is over: it was withdrawn."
    )
    again = asks(world)
    assert says(world, withdraw, again.request_id, "dee").done


def test_a_cover_is_undone_before_it_begins_and_both_hear_of_it(world: World) -> None:
    put = asks(world)
    says(world, accept, put.request_id, "bo")
    assert says(world, undo, put.request_id, "bo").done
    world.run()
    assert on_call(world, TODAY + 3 * HOUR) == "ana"
    assert any("took it back" in text for text in dms(world, "U0ANAANA1"))


def test_a_cover_taken_back_while_it_runs_keeps_what_was(world: World) -> None:
    put = asks(world)
    says(world, accept, put.request_id, "bo")
    world.pass_time(4 * 3600)
    assert not says(world, undo, put.request_id, "bo").done
    assert says(world, undo, put.request_id, "ana").done
    assert on_call(world, TODAY + 3 * HOUR) == "bo"
    assert on_call(world, TODAY + 5 * HOUR) == "ana"


def test_a_swap_changes_both_shifts_with_one_yes_and_is_undone_as_one(world: World) -> None:
    give = Piece("primary", TODAY + 24 * HOUR, TODAY + 48 * HOUR)
    take = Piece("primary", NEXT_MONDAY, NEXT_MONDAY + 24 * HOUR)
    put = world.store.write(
        ask_swap, "ana", give, take, "bo", "dentist", world.person("ana")
    ).result()
    assert on_call(world, give.starts_at) == "ana"
    assert says(world, accept, put.request_id, "bo").done
    assert (on_call(world, give.starts_at), on_call(world, take.starts_at)) == ("bo", "ana")
    assert says(world, undo, put.request_id, "ana").done
    assert (on_call(world, give.starts_at), on_call(world, take.starts_at)) == ("ana", "bo")


def test_a_swap_whose_other_half_is_gone_changes_nothing(world: World) -> None:
    give = Piece("primary", TODAY + 24 * HOUR, TODAY + 48 * HOUR)
    take = Piece("primary", NEXT_MONDAY, NEXT_MONDAY + 24 * HOUR)
    put = world.store.write(ask_swap, "ana", give, take, "bo", "", world.person("ana")).result()
    other = asks(world, "cy", who="bo", start=NEXT_MONDAY, hours=24)
    says(world, accept, other.request_id, "cy")
    said = says(world, accept, put.request_id, "bo")
    assert said.reason == "You are no longer on call for primary then, so it is no swap any more."
    assert (on_call(world, give.starts_at), on_call(world, take.starts_at)) == ("ana", "cy")


@pytest.mark.parametrize(
    ("named", "start", "says_"),
    [
        (("ana",), TODAY, "You can't cover for yourself"),
        (("vic",), TODAY, "vic is not somebody of oncall.yaml who can be on call"),
        (("nobody-here",), TODAY, "nobody-here is not somebody"),
        ((), NEXT_MONDAY, "Ana Ruiz is not on call for primary then"),
        ((), TODAY - 24 * HOUR, "That time ends before it begins, is over"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_the_reason(
    world: World, named: tuple[str, ...], start: datetime, says_: str
) -> None:
    put = asks(world, *named, start=start)
    assert not put.done
    assert says_ in put.reason
    assert world.rows("SELECT id FROM cover_request") == []


def test_the_same_shift_is_asked_for_once(world: World) -> None:
    asks(world)
    assert "already" in asks(world, "cy").reason


def test_somebody_of_another_team_may_be_asked_by_name(world: World) -> None:
    put = asks(world, "eve")
    assert says(world, accept, put.request_id, "bo").reason == (
        "Ana Ruiz asked others. Only they can answer."
    )
    assert says(world, accept, put.request_id, "eve").done
    assert on_call(world, TODAY + 3 * HOUR) == "eve"


def test_a_request_survives_a_restart_and_is_audited(world: World, database: str) -> None:
    put = asks(world, note="Kid's surgery <!channel>")
    again = Store(database, clock=world.clock)
    again.open()
    try:
        waits = again.look(views.waits_for, "bo")
        assert [(one.request_id, one.note) for one in waits] == [
            (put.request_id, "Kid's surgery <!channel>")
        ]
        assert again.write(accept, put.request_id, world.person("bo")).result().done
    finally:
        again.close()
    verbs = world.rows("SELECT verb FROM audit WHERE verb LIKE 'cover%' ORDER BY id")
    assert [row[0] for row in verbs] == ["cover_ask", "cover_yes"]


def test_who_is_out_asks_for_each_shift_and_hears_of_those_nobody_can_be_asked_for(
    world: World,
) -> None:
    """Ana's week runs already, and she has a second rota alone: her fallback is not asked by itself."""
    document = rota()
    document["teams"]["solo"] = {"members": ["ana"]}
    document["schedules"]["alone"] = {
        "team": "solo",
        "layers": [
            {
                "start": "2026-03-03T09:00",
                "end": "2026-03-04T09:00",
                "rotation": {"unit": "day"},
                "users": ["ana"],
            }
        ],
    }
    world.apply(document)
    until = TODAY + timedelta(days=4)
    done = world.store.write(be_out, "ana", TODAY, until, "flu", world.person("ana")).result()
    assert done.reason == "2 shifts in that time: cover is asked for 1. For 1 nobody is asked."
    assert [(one.piece.schedule, one.asked) for one in done.shifts] == [
        ("primary", ("Bo Lindt", "Cy Okafor")),
        ("alone", ()),
    ]
    assert done.shifts[0].piece.starts_at == TODAY
    assert "Nobody who could cover can be asked" in done.shifts[1].why
    assert on_call(world, TODAY + HOUR) == "ana", "being out takes nobody off the rota"
    waits = world.store.look(views.waits_for, "bo")
    assert says(world, accept, waits[0].request_id, "bo").done
    assert on_call(world, TODAY + HOUR) == "bo"


def test_who_is_back_withdraws_what_nobody_has_accepted(world: World) -> None:
    ana = world.person("ana")
    until = TODAY + timedelta(days=30)
    world.store.write(be_out, "ana", TODAY, until, "", ana).result()
    first, second = world.store.look(views.asked_for, "ana")
    says(world, accept, first.request_id, "bo")
    back = world.store.write(be_back, "ana", ana).result()
    assert back.reason == (
        "Your holiday is over. 1 request is withdrawn, those shifts are yours."
        " 1 accepted before stay; undo them one by one."
    )
    assert says(world, accept, second.request_id, "cy").reason.endswith("it was withdrawn.")
    now_on = world.store.look(views.who, schedule="primary")[0]
    assert (now_on.name, now_on.covers_for) == ("Bo Lindt", "Ana Ruiz")
    assert not world.store.write(be_back, "ana", ana).result().done


def test_being_out_without_a_shift_asks_nobody(world: World) -> None:
    bo = world.person("bo")
    until = TODAY + timedelta(days=2)
    done = world.store.write(be_out, "bo", TODAY, until, "", bo).result()
    assert done.reason == "You have no shift in that time, so nothing has to be covered."
    late = world.store.write(be_out, "bo", TODAY, TODAY + timedelta(days=90), "", bo).result()
    assert not late.done
