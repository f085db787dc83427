"""explain: the real intake runs on the real state, tells what it would do, and leaves no trace. On both databases."""

from __future__ import annotations

from sqlalchemy import text

from oncall_bot.core.alerts import Delivery, Notice, fingerprint
from oncall_bot.flows.explain import Explained, explain
from oncall_bot.store import views
from oncall_bot.store.tables import METADATA
from tests.component.flows.world import World


def rows(world: World) -> dict[str, int]:
    with world.store.read() as reader:
        return {
            name: reader.connection.execute(text(f'SELECT count(*) FROM "{name}"')).scalar_one()
            for name in METADATA.tables
        }


def would(world: World, *label_sets: dict[str, str], body: str = "a body") -> Explained:
    notices = tuple(Notice(fingerprint(s), s, {}, world.clock.now) for s in label_sets)
    return world.store.write(explain, [Delivery("default", "am", body, notices)]).result()


def test_it_tells_the_incident_the_page_and_what_comes_next_and_keeps_no_row(world: World) -> None:
    before = rows(world)
    found = would(world, world.alert())
    assert rows(world) == before
    (touched,) = found.incidents
    assert touched.is_new
    assert touched.pages == ["Ana Ruiz: Ana Ruiz is on call for primary"]
    assert touched.situation.next is not None
    assert touched.situation.next.names == ["Bo Lindt"]
    world.run()
    assert world.phone == []


def test_what_is_told_is_what_then_happens(world: World) -> None:
    (touched,) = would(world, world.alert()).incidents
    world.told(world.alert())
    world.run()
    (shown,) = world.store.look(views.open_incidents)  # its number may differ: see the flow
    assert [(p.name, p.step) for p in shown.paged] == [
        (p.name, p.step) for p in touched.situation.paged
    ]
    assert shown.title == touched.situation.title
    assert shown.next == touched.situation.next


def test_an_alert_that_joins_an_open_incident_touches_that_one_and_pages_nobody_anew(
    world: World,
) -> None:
    world.told(world.alert())
    world.run()
    (touched,) = would(world, world.alert(instance="b")).incidents
    assert (touched.situation.incident_id, touched.is_new) == (1, False)
    assert touched.situation.firing == 2
    assert touched.pages == []
    assert world.shown().firing == 1


def test_a_second_group_of_the_team_would_wait_for_the_brake(world: World) -> None:
    found = would(world, world.alert("A"), world.alert("B"))
    assert (len(found.incidents), found.waiting) == (1, 1)
