"""The load of a schedule by what was written down then: the file in force, covers, pages; on both databases."""

from __future__ import annotations

from copy import deepcopy
from datetime import timedelta

from oncall_bot.core.outcomes import Actor
from oncall_bot.flows.set_override import set_override
from oncall_bot.store.views.fairness import fairness
from tests.component.flows.world import DOCUMENT, World

DEE = Actor("person", "dee", "Dee Marsh")

HOUR = timedelta(hours=1)


def shares(world: World, hours: float) -> dict[str, tuple[float, int]]:
    now = world.clock.now
    found = world.store.look(fairness, "primary", now - hours * HOUR, now)
    return {one.person: (one.on_call / HOUR, one.pages) for one in found.shares}


def test_an_edit_of_the_file_moves_no_hour_that_is_past_and_covers_count(world: World) -> None:
    world.clock.advance(10 * 3600)
    begin = world.clock.now
    done = world.store.write(set_override, "primary", begin, begin + 4 * HOUR, "cy", DEE)
    assert done.result(10).done
    world.clock.advance(10 * 3600)
    document = deepcopy(DOCUMENT)
    document["schedules"]["primary"]["layers"][0]["users"] = ["bo"]
    world.apply(document)
    world.clock.advance(5 * 3600)
    world.run()
    assert shares(world, 25) == {"ana": (16, 0), "cy": (4, 0), "bo": (5, 0)}


def test_pages_of_the_schedule_are_counted_for_whom_they_woke(world: World) -> None:
    world.told(world.alert())
    world.run()
    world.clock.advance(3600)
    assert shares(world, 1) == {"ana": (1, 1)}


def test_the_teams_weights_of_the_file_are_used(world: World) -> None:
    document = deepcopy(DOCUMENT)
    document["teams"]["shop"]["fairness"] = {"night": 2.5}
    world.apply(document)
    now = world.clock.now
    found = world.store.look(fairness, "primary", now, now + 24 * HOUR)
    [ana] = found.shares
    assert (ana.on_call, ana.night, ana.points) == (24 * HOUR, 8 * HOUR, 16 + 8 * 2.5)
    assert ana.planned == 24 * HOUR
