"""The daily test page: one real page a day to one person, over once a loud road took it, loud only when none did."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

from oncall_bot.flows import canary
from oncall_bot.store import views
from tests.component.flows.world import DOCUMENT, World


def document(**more: Any) -> dict[str, Any]:
    """The hand clock begins at 12:00 UTC, 13:00 in Berlin."""
    plan = {"person": "bo", "at": "13:30", "zone": "Europe/Berlin", **more}
    return copy.deepcopy(DOCUMENT) | {"canary": plan}


def test_the_chosen_person_is_paged_once_a_day_by_every_road_and_it_is_over_by_itself(
    world: World,
) -> None:
    world.apply(document())
    began = world.clock.now
    world.pass_time(3 * 24 * 3600, step=300)
    assert [(got.to, got.at - began) for got in world.phone] == [
        ("bo-phone", timedelta(days=day, minutes=30)) for day in range(3)
    ]
    pages = [got.to for got in world.slack if got.kind == "page"]
    assert pages in (["U0BOBOBO1"] * 3, [])
    assert world.open() == []
    last = world.store.look(canary.last)
    assert last is not None
    assert (last.person, last.arrived_at) == ("bo", last.sent_at)
    assert world.timeline(3)[-1].startswith("Arrived by push after")


def test_nobody_but_the_chosen_person_hears_of_it(world: World) -> None:
    world.apply(document())
    world.pass_time(24 * 3600, step=300)
    assert {got.to for got in world.phone} == {"bo-phone"}
    assert {got.to for got in world.slack} <= {"U0BOBOBO1"}


def test_it_says_that_there_is_nothing_to_do(world: World) -> None:
    world.apply(document())
    world.clock.advance(1801)
    world.run()
    notice = world.store.look(views.page_notice, 1)
    assert notice is not None
    assert notice.situation.title == "Daily test of the paging road; nothing to do"


def test_a_file_without_it_ends_it_and_another_time_moves_it(world: World) -> None:
    world.apply(document())
    world.apply(document(at="14:00"))
    world.pass_time(3500, step=100)
    assert world.rang() == []
    world.pass_time(200, step=100)
    assert world.rang() == ["bo-phone"]
    world.apply(DOCUMENT)
    world.pass_time(2 * 24 * 3600, step=600)
    assert world.rang() == ["bo-phone"]


def test_somebody_without_a_loud_road_is_reached_by_slack(world: World) -> None:
    world.apply(document(person="cy"))
    world.clock.advance(1801)
    world.run()
    last = world.store.look(canary.last)
    assert last is not None
    assert last.arrived_at is not None
