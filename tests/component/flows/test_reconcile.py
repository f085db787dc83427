"""What the source lists, against what is believed: ends nobody told, re-openings, doubts, and when a list counts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from oncall_bot.core.alerts import fingerprint
from oncall_bot.core.situation import State
from oncall_bot.flows.reconcile import Listed, Lists, confirmed, reconcile, reopen_listed
from tests.component.flows.world import World


def lists(
    *alerts: tuple[Mapping[str, str], datetime], whole: bool = True, held_by: str | None = None
) -> Lists:
    found = [Listed(fingerprint(labels), starts_at, held_by) for labels, starts_at in alerts]
    return Lists("default", whole, {one.fingerprint: one for one in found})


def compare(world: World, answer: Lists) -> None:
    world.store.write(reopen_listed, answer, sorted(answer.alerts)).result()
    world.store.write(reconcile, answer).result()


def test_an_alert_missing_for_five_minutes_in_two_lists_has_ended(world: World) -> None:
    world.told(world.alert())
    world.run()
    compare(world, lists())
    assert world.shown().state is State.FIRING
    world.clock.advance(299)
    compare(world, lists())
    assert world.shown().state is State.FIRING
    world.clock.advance(2)
    compare(world, lists())
    assert world.shown().state is State.RESOLVED


def test_a_list_of_a_source_that_just_started_closes_nothing(world: World) -> None:
    world.told(world.alert())
    for _ in range(5):
        compare(world, lists(whole=False))
        world.clock.advance(300)
    assert world.shown().state is State.FIRING


def test_seen_again_between_two_lists_begins_the_count_anew(world: World) -> None:
    start = world.clock.now
    world.told(world.alert(), starts_at=start)
    compare(world, lists())
    world.clock.advance(200)
    compare(world, lists((world.alert(), start)))
    world.clock.advance(200)
    compare(world, lists())
    assert world.shown().state is State.FIRING


def test_ended_for_us_but_still_listed_is_open_again(world: World) -> None:
    start = world.clock.now
    world.told(world.alert(), starts_at=start)
    world.run()
    world.told(world.alert(), starts_at=start, ended=True)
    world.clock.advance(400)
    compare(world, lists((world.alert(), start)))
    world.run()
    assert world.shown().state is State.FIRING
    assert world.rang() == ["ana-phone", "ana-phone"]


def test_what_the_source_silences_is_not_opened_again(world: World) -> None:
    start = world.clock.now
    world.told(world.alert(), starts_at=start)
    world.told(world.alert(), starts_at=start, ended=True)
    compare(world, lists((world.alert(), start), held_by="silence-1"))
    assert world.shown().state is State.RESOLVED


def test_a_doubt_that_the_source_confirms_pages_at_once(world: World) -> None:
    start = world.clock.now
    world.told(world.alert(), starts_at=start)
    world.run()
    world.clock.advance(400)
    world.told(world.alert(), starts_at=start, ended=True)
    world.told(world.alert(), starts_at=start, sender="http://am-2:9093|oncall|{}")
    world.store.write(confirmed, 1, listed=True).result()
    world.run()
    assert world.rang() == ["ana-phone", "ana-phone"]


def test_a_doubt_that_the_source_denies_is_forgotten(world: World) -> None:
    start = world.clock.now
    world.told(world.alert(), starts_at=start)
    world.run()
    world.told(world.alert(), starts_at=start, ended=True)
    world.told(world.alert(), starts_at=start, sender="http://am-2:9093|oncall|{}")
    world.store.write(confirmed, 1, listed=False).result()
    world.pass_time(600)
    assert world.rang() == ["ana-phone"]
    assert world.shown().state is State.RESOLVED
