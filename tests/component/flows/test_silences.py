"""Silences and maintenance: nobody is paged while they last, and what still fires at their end pages then."""

from __future__ import annotations

import copy
from datetime import timedelta

import pytest

from oncall_bot.core.situation import State
from oncall_bot.flows.silence_incident import end_silence, silence_incident
from tests.component.flows.world import DOCUMENT, World


def silence(world: World, minutes: int = 60, incident_id: int = 1) -> None:
    outcome = world.store.write(
        silence_incident,
        incident_id,
        timedelta(minutes=minutes),
        "database move",
        world.person("bo"),
    ).result()
    assert outcome.done, outcome.reason


def test_a_silenced_incident_pages_nobody_until_its_time_is_over_and_then_does(
    world: World,
) -> None:
    world.told(world.alert())
    world.run()
    silence(world, 60)
    began = world.clock.now
    world.pass_time(59 * 60)
    assert (world.rang(), world.shown().state) == (["ana-phone"], State.SILENCED)
    world.pass_time(2 * 60)
    assert world.rang() == ["ana-phone", "ana-phone"]
    assert world.phone[1].at - began == timedelta(minutes=60)


def test_what_ended_under_a_silence_does_not_page_at_its_end(world: World) -> None:
    start = world.clock.now
    world.told(world.alert(), starts_at=start)
    world.run()
    silence(world, 30)
    world.told(world.alert(), starts_at=start, ended=True)
    world.pass_time(40 * 60)
    assert world.rang() == ["ana-phone"]
    assert world.shown().state is State.RESOLVED


def test_new_alerts_that_match_are_held_back_and_fire_at_the_end(world: World) -> None:
    world.told(world.alert(instance="a"), world.alert(instance="b"))
    world.run()
    silence(world, 30)
    world.told(world.alert(instance="c"))
    world.run()
    assert world.rang() == ["ana-phone"]
    world.pass_time(31 * 60)
    assert world.rang()[:2] == ["ana-phone", "ana-phone"]
    assert world.shown().firing == 3


def test_ending_a_silence_early_pages_at_once(world: World) -> None:
    world.told(world.alert())
    world.run()
    silence(world, 60)
    shown = world.shown().silence
    assert shown is not None
    world.clock.advance(600)
    world.store.write(end_silence, shown.silence_id, world.person("ana")).result()
    world.run()
    assert world.rang() == ["ana-phone", "ana-phone"]


@pytest.mark.parametrize("minutes", [0, 4, 7 * 24 * 60 + 1])
def test_a_silence_has_bounds(world: World, minutes: int) -> None:
    world.told(world.alert())
    outcome = world.store.write(
        silence_incident, 1, timedelta(minutes=minutes), "x", world.person("bo")
    ).result()
    assert (outcome.done, outcome.reason) == (
        False,
        "A silence lasts from 5 minutes to 7 days. A longer one belongs into oncall.yaml, under maintenance.",
    )


def test_other_incidents_are_not_silenced(world: World) -> None:
    world.told(world.alert(service="checkout"))
    world.run()
    silence(world)
    world.clock.advance(120)
    world.told(world.alert(service="search"))
    world.run()
    assert world.rang() == ["ana-phone", "ana-phone"]


def test_maintenance_of_the_file_holds_alerts_back_and_releases_them(world: World) -> None:
    planned = copy.deepcopy(DOCUMENT)
    planned["maintenance"] = [
        {
            "name": "reindex",
            "match": ['service="search"'],
            "zone": "UTC",
            "days": [1],
            "from": "11:00",
            "to": "12:30",
        }
    ]
    world.apply(planned)
    began = world.clock.now  # Monday 12:00 UTC
    world.told(world.alert(service="search"))
    world.pass_time(31 * 60)
    assert [got.at - began for got in world.phone] == [timedelta(minutes=30)]
