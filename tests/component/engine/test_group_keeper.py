"""A team's Slack user group follows the rota; where the workspace refuses, people are told once and paging goes on."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from oncall_bot.engine.group_keeper import GroupKeeper
from oncall_bot.flows.set_override import set_override
from oncall_bot.ports import DeliveryError
from oncall_bot.store import views
from tests.component.flows.world import DOCUMENT, World


class Groups:
    """A workspace that keeps groups, or refuses with these words."""

    def __init__(self) -> None:
        self.put_in: list[tuple[str, tuple[str, ...]]] = []
        self.refusal: DeliveryError | None = None

    async def put(self, handle: str, members: Sequence[str]) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.put_in.append((handle, tuple(members)))


@pytest.fixture
def world(world: World) -> World:
    document: dict[str, Any] = copy.deepcopy(DOCUMENT)
    document["teams"]["shop"]["usergroup"] = "oncall-shop"
    world.apply(document)
    return world


async def test_the_group_holds_whoever_is_on_call_and_is_not_asked_for_in_vain(
    world: World,
) -> None:
    groups = Groups()
    keeper = GroupKeeper(world.store, groups)
    await keeper.run()
    await keeper.run()
    assert groups.put_in == [("oncall-shop", ("U0ANAANA1",))]
    now = world.clock.now
    cy = world.person("cy")
    await world.store.write(set_override, "primary", now, now + timedelta(hours=2), "cy", cy)
    await keeper.run()
    assert groups.put_in[-1] == ("oncall-shop", ("U0CYCYCY1",))
    world.clock.advance(3600)
    await keeper.run()
    assert len(groups.put_in) == 3, "what somebody changed by hand is put right within the hour"


async def test_with_nobody_on_call_the_group_holds_the_fallback(world: World) -> None:
    groups = Groups()
    now, cy = world.clock.now, world.person("cy")
    await world.store.write(set_override, "primary", now, now + timedelta(hours=2), None, cy)
    await GroupKeeper(world.store, groups).run()
    assert groups.put_in == [("oncall-shop", ("U0DEEDEE1",))]


async def test_a_refusal_is_told_to_admins_once_and_said_by_who(world: World) -> None:
    groups = Groups()
    groups.refusal = DeliveryError("user groups need a paid plan of Slack", permanent=True)
    keeper = GroupKeeper(world.store, groups)
    for _ in range(4):
        await keeper.run()
        world.clock.advance(601)
    world.run()
    told = [got for got in world.slack if "not kept in step" in got.what]
    assert [got.to for got in told] == ["U0DEEDEE1"]
    assert world.rang() == [], "nobody is woken for it"
    shown = world.store.look(views.who, schedule="primary")
    assert shown[0].group_problem == "user groups need a paid plan of Slack"
    groups.refusal = None
    world.clock.advance(601)
    await keeper.run()
    assert world.store.look(views.who, schedule="primary")[0].group_problem is None


async def test_trouble_that_passes_is_no_refusal(world: World) -> None:
    groups = Groups()
    groups.refusal = DeliveryError("Slack has trouble (http_500)")
    keeper = GroupKeeper(world.store, groups)
    await keeper.run()
    assert world.store.look(views.who, schedule="primary")[0].group_problem is None
    groups.refusal = None
    await keeper.run()
    assert groups.put_in == [("oncall-shop", ("U0ANAANA1",))]
