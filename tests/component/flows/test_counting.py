"""In a storm of alerts counters move every few seconds; nobody is told less, and nothing ends too early for it."""

from __future__ import annotations

import pytest

from oncall_bot.core.outcomes import Actor
from oncall_bot.core.situation import State
from oncall_bot.flows.resolve import resolve
from tests.component.flows.world import World
from tests.databases import HandClock

ANA = Actor("person", "ana", "Ana Ruiz")
START = HandClock().now


@pytest.fixture
def busy(world: World) -> World:
    """An incident in which alerts follow each other: b0 to b9 came in the last second."""
    world.told(world.alert(instance="a"), starts_at=START)
    world.run()
    for n in range(10):
        world.clock.advance(0.1)
        world.told(world.alert(instance=f"b{n}"), starts_at=START)
    return world


def stored(world: World) -> tuple[int, int]:
    """What the incident's own counter says, and how many groups are still to be counted."""
    ((firing,),) = world.rows("SELECT firing FROM incident WHERE id = 1")
    ((waiting,),) = world.rows("SELECT count(*) FROM alert_group WHERE counted_to IS NOT NULL")
    return firing, waiting


def test_the_card_knows_all_that_fires_before_the_counters_do(busy: World) -> None:
    firing, waiting = stored(busy)
    assert firing < 11
    assert waiting == 1
    assert busy.shown().firing == 11


def test_three_seconds_later_all_are_counted_and_told_in_one_line(busy: World) -> None:
    busy.pass_time(3)
    assert stored(busy)[0] == 11
    assert "10 alerts fire: HighErrorRate" in busy.timeline()


def test_while_more_keeps_coming_it_is_counted_every_three_seconds(busy: World) -> None:
    for n in range(70):
        busy.clock.advance(0.1)
        busy.told(busy.alert(instance=f"c{n}"))
        busy.run()
    busy.pass_time(7, step=1)
    told = [line for line in busy.timeline() if "fire" in line]
    assert stored(busy) == (81, 0)
    assert busy.shown().firing == 81
    assert 3 <= len(told) <= 5


def test_once_it_is_calm_the_next_alert_is_counted_at_once(busy: World) -> None:
    busy.pass_time(10, step=1)
    assert stored(busy) == (11, 0)
    busy.told(busy.alert(instance="late"))
    assert stored(busy) == (12, 0)


def test_an_incident_is_not_over_while_uncounted_alerts_fire(busy: World) -> None:
    """Those that are counted end; the others still fire, so nobody may be told that all is well."""
    busy.told(*[busy.alert(instance=f"b{n}") for n in range(5)], starts_at=START, ended=True)
    busy.run()
    assert busy.shown().state is State.FIRING
    assert busy.shown().firing == 6
    assert stored(busy)[0] == 6


def test_when_all_of_them_end_it_is_over(busy: World) -> None:
    names = ["a", *[f"b{n}" for n in range(10)]]
    busy.told(*[busy.alert(instance=name) for name in names], starts_at=START, ended=True)
    busy.pass_time(5)
    assert busy.shown().state is State.RESOLVED
    assert stored(busy) == (0, 0)


def test_who_resolves_it_finds_every_alert_in_the_record(busy: World) -> None:
    busy.store.write(resolve, 1, ANA).result()
    assert busy.timeline()[-2:] == ["10 alerts fire: HighErrorRate", "Ana Ruiz resolved it"]
    assert stored(busy) == (11, 0)


def test_an_alert_after_the_resolve_opens_it_again(busy: World) -> None:
    busy.store.write(resolve, 1, ANA).result()
    busy.told(busy.alert(instance="anew"))
    assert busy.shown().state is State.FIRING


def test_a_worse_alert_is_never_left_for_later(world: World) -> None:
    for n in range(5):
        world.told(world.alert(instance=f"a{n}", severity="warning"))
        world.clock.advance(0.1)
    world.run()
    assert world.rang() == []
    world.told(world.alert(instance="worse"))
    world.run()
    assert world.rang() == ["ana-phone"]
