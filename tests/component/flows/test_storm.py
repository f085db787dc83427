"""A storm is one incident and one page, and every alert of it is stored."""

from __future__ import annotations

from tests.component.flows.world import World


def gale(world: World, count: int) -> list[dict[str, str]]:
    return [
        world.alert(f"Broken{n}", service=f"svc-{n}", instance=f"web-{n}") for n in range(count)
    ]


def test_many_groups_in_many_deliveries_are_one_incident_and_one_page(world: World) -> None:
    for labels in gale(world, 40):
        world.told(labels)
        world.clock.advance(0.01)
        world.run()
    world.pass_time(120, step=1)
    assert world.rang() == ["ana-phone"]
    assert [shown.origin for shown in world.open()] == ["storm"]
    assert world.open()[0].firing == 40
    assert world.rows("SELECT count(*) FROM incident") == [(1,)]


def test_many_groups_in_one_delivery_are_one_incident_and_one_page(world: World) -> None:
    world.told(*gale(world, 60))
    world.pass_time(120, step=1)
    assert world.rang() == ["ana-phone"]
    assert world.open()[0].firing == 60
    assert world.rows("SELECT count(*) FROM incident") == [(1,)]


def test_a_second_problem_within_a_minute_pages_two_seconds_later(world: World) -> None:
    world.told(world.alert("First"))
    world.run()
    world.clock.advance(20)
    began = world.clock.now
    world.told(world.alert("Second"))
    world.pass_time(5, step=0.5)
    assert world.rang() == ["ana-phone", "ana-phone"]
    assert (world.phone[1].at - began).total_seconds() == 2.0


def test_a_storm_ends_when_its_last_alert_does(world: World) -> None:
    start, alerts = world.clock.now, gale(world, 30)
    world.told(*alerts, starts_at=start)
    world.pass_time(10, step=1)
    world.told(*alerts[:15], starts_at=start, ended=True)
    world.run()
    assert world.open()[0].firing == 15
    world.told(*alerts[15:], starts_at=start, ended=True)
    world.run()
    assert world.open() == []


def test_a_storm_that_gets_louder_pages_again(world: World) -> None:
    mild = [{**labels, "severity": "warning"} for labels in gale(world, 30)]
    world.told(*mild)
    world.pass_time(10, step=1)
    assert world.rang() == []
    world.told(world.alert("Broken3", service="svc-3", instance="other"))
    world.run()
    assert world.rang() == ["ana-phone"]
