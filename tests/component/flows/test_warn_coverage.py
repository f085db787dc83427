"""Owners hear weeks ahead of what is wrong with a schedule, once for each fault; on both databases."""

from __future__ import annotations

from copy import deepcopy
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from oncall_bot.core.outcomes import Actor
from oncall_bot.flows.set_override import set_override
from oncall_bot.flows.warn_coverage import look_ahead, warn_coverage
from oncall_bot.store import outbox
from oncall_bot.store.transactions import Reader
from tests.component.flows.world import DOCUMENT, World

DEE = Actor("person", "dee", "Dee Marsh")

DAY = 86_400


def _told(reader: Reader) -> list[tuple[str, str]]:
    rows = reader.connection.execute(
        select(outbox.OUTBOX.c.destination, outbox.OUTBOX.c.payload, outbox.OUTBOX.c.dedupe_key)
        .where(outbox.OUTBOX.c.dedupe_key.like("coverage:%"))
        .order_by(outbox.OUTBOX.c.id)
    )
    return [(row.destination, row.payload["text"]) for row in rows]


def look(world: World) -> list[tuple[str, str]]:
    """What the daily duty leaves to be sent."""
    before = world.store.look(_told)
    found: Any = world.store.look(look_ahead)
    world.store.write(warn_coverage, found).result(10)
    return world.store.look(_told)[len(before) :]


def test_a_fault_is_told_to_the_admins_where_the_team_has_no_manager_and_only_once(
    world: World,
) -> None:
    [(whom, text)] = look(world)
    assert whom == "slack:U0DEEDEE1"
    assert "nobody: nobody is on call from " in text
    assert "every layer has ended" in text
    world.clock.advance(DAY)
    assert look(world) == []


def test_a_new_fault_is_told_the_day_it_comes_within_four_weeks(world: World) -> None:
    look(world)
    begin = world.clock.now + timedelta(days=30)
    end = begin + timedelta(hours=6)
    world.store.write(set_override, "primary", begin, end, None, DEE).result(10)
    assert look(world) == []
    world.clock.advance(3 * DAY)
    [(whom, text)] = look(world)
    assert whom == "slack:U0DEEDEE1"
    assert "primary: nobody is on call" in text
    assert "an override leaves it to nobody" in text
    world.clock.advance(DAY)
    assert look(world) == []


def test_the_teams_managers_are_the_owners(world: World) -> None:
    document = deepcopy(DOCUMENT)
    document["teams"]["shop"]["managers"] = ["bo"]
    world.apply(document)
    assert [whom for whom, _ in look(world)] == ["slack:U0BOBOBO1"]


def test_two_replicas_that_look_at_once_tell_once(world: World) -> None:
    found: Any = world.store.look(look_ahead)
    assert world.store.write(warn_coverage, found).result(10) == 1
    assert world.store.write(warn_coverage, found).result(10) == 0
    assert len(world.store.look(_told)) == 1
