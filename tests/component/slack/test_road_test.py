"""`/oncall test`: every road is tried, and one direct message says what became of each, edited as they answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest

from oncall_bot.core.outcomes import Actor
from oncall_bot.flows.contacts import RoadsTried, add_contact, send_test_page
from oncall_bot.flows.delivered import delivered
from oncall_bot.store import outbox, people
from oncall_bot.store.db import Store
from oncall_bot.store.outbox import Fate
from oncall_bot.store.transactions import Tx
from oncall_bot.store.tried import fates
from tests.component.slack.bot import Bot, running, until


@pytest.fixture
async def bot(slackcheck: ModuleType, store: Store) -> AsyncIterator[Bot]:
    async with running(slackcheck, store, "socket") as bot:
        yield bot
        bot.judged_clean()


ALICE = Actor("person", "alice", "Alice Adams")


async def with_push(bot: Bot) -> None:
    """Alice has one loud road beside Slack, verified."""

    def given(tx: Tx) -> None:
        person = tx.snapshot.people["alice"]
        for row in people.contacts(tx, person.id):
            people.verify(tx, row.id)

    await bot.store.write(add_contact, "alice", "push", "alice-phone", ALICE)
    await bot.store.write(given)
    await settle(bot, Fate("sent"))  # the code itself


async def settle(bot: Bot, fate: Fate, *roads: str) -> None:
    """What the engine does: claim what waits and write down what became of it; all of it, or these roads only."""
    for row in await claimed(bot):
        of_these = not roads or row.payload.get("road", "slack") in roads
        await bot.store.write(delivered, row.id, "engine", fate if of_these else Fate("sent"))


async def claimed(bot: Bot) -> Iterable[Any]:
    rows = await bot.store.write(outbox.claim, "engine", 20, timedelta(seconds=30))
    assert isinstance(rows, list)
    return rows


async def report(bot: Bot) -> str:
    """The direct message as it stands now; there is one, however often it was edited."""
    shown = [
        str(message)
        for message in await bot.slack.act_messages("dm", "alice")
        if "Your roads, tested" in str(message)
    ]
    assert len(shown) <= 1
    return shown[0] if shown else ""


async def test_each_road_is_told_as_it_answers_in_one_message(bot: Bot) -> None:
    await with_push(bot)
    await bot.slack.act_slash("alice", "incidents", "/oncall", "test")
    await bot.told("alice", "A test page is on its way by Slack, push.")

    async def waiting() -> bool:
        return "push waiting" in await report(bot)

    async def failing() -> bool:
        said = await report(bot)
        return "Slack sent" in said and "*push failed*, tried again (answered 503)" in said

    async def arrived() -> bool:
        said = await report(bot)
        return "push sent" in said and "I look on" not in said

    await until(waiting)
    assert "alice-phone" in await report(bot)
    later = timedelta(milliseconds=10)
    await settle(bot, Fate("failed", answer="answered 503", retry_after=later), "push")
    await until(failing)
    await until_claimed(bot)
    await until(arrived)


async def until_claimed(bot: Bot) -> None:
    """The second try goes out once its time has come."""

    async def sent() -> bool:
        rows = list(await claimed(bot))
        for row in rows:
            await bot.store.write(delivered, row.id, "engine", Fate("sent"))
        return bool(rows)

    await until(sent)


async def test_whoever_has_no_road_that_wakes_is_told_so(bot: Bot) -> None:
    await bot.slack.act_slash("alice", "incidents", "/oncall", "test")
    await bot.told("alice", "A test page is on its way")

    async def told() -> bool:
        return "None of them wakes you" in await report(bot)

    await until(told)
    assert "/oncall contact add push TOPIC" in await report(bot)


async def test_a_bot_that_stops_does_not_wait_for_roads_that_have_not_answered(bot: Bot) -> None:
    await with_push(bot)
    await bot.slack.act_slash("alice", "incidents", "/oncall", "test")
    await bot.told("alice", "A test page is on its way")
    await bot.edge.stop()
    assert "push waiting" in await report(bot) or await report(bot) == ""


async def test_a_road_that_is_refused_for_good_is_failed_and_a_key_nobody_knows_is_left_out(
    bot: Bot,
) -> None:
    await with_push(bot)
    tested = await bot.store.write(send_test_page, "alice", ALICE)
    assert isinstance(tested, RoadsTried)
    key = tested.tries[0].key
    assert (await bot.store.view(fates, [key, "no-such-key"]))[key].state == "waiting"
    await settle(bot, Fate("skipped", answer="no road"))
    found = await bot.store.view(fates, [key, "no-such-key"])
    assert list(found) == [key]
    assert (found[key].state, found[key].why) == ("failed", "no road")
