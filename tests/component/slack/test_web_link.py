"""`/oncall web`: a link that only its asker sees, works once, and that a mention or a guest does not get."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from types import ModuleType

import pytest
from sqlalchemy import text

from oncall_bot.core.outcomes import Actor
from oncall_bot.core.sign_in import Refusal, digest
from oncall_bot.store import views
from oncall_bot.store.db import Store
from oncall_bot.store.transactions import Reader
from tests.component.slack.bot import Bot, running, until

ADDRESS = "https://oncall.example.com/"


@pytest.fixture
async def bot(slackcheck: ModuleType, store: Store) -> AsyncIterator[Bot]:
    async with running(slackcheck, store, "socket", public_url=ADDRESS) as found:
        yield found
        found.judged_clean()


def links(store: Store) -> int:
    def count(reader: Reader) -> int:
        return int(
            reader.connection.execute(text("SELECT count(*) FROM sign_in_link")).scalar() or 0
        )

    return store.look(count)


async def key_told(bot: Bot, user: str) -> str:
    told = str(bot.whispered(user)[-1])
    found = re.search(r"https://oncall\.example\.com/sign-in/([A-Za-z0-9_-]{43})", told)
    assert found, told
    return found[1]


async def test_the_link_is_told_to_its_asker_alone_and_is_good(bot: Bot) -> None:
    await bot.slack.act_slash("alice", "incidents", "/oncall", "web")
    await until(lambda: whispered(bot, "alice"))
    key = await key_told(bot, "alice")
    found = await bot.store.view(views.waiting_link, digest(key))
    assert isinstance(found, Actor)
    assert (found.kind, found.key) == ("person", "alice")
    assert not bot.whispered("bob")


async def test_asking_again_gives_a_new_link_and_ends_the_old_one(bot: Bot) -> None:
    await bot.slack.act_slash("alice", "incidents", "/oncall", "web")
    await until(lambda: whispered(bot, "alice"))
    old = await key_told(bot, "alice")
    await bot.slack.act_slash("alice", "incidents", "/oncall", "web")
    await until(lambda: whispered(bot, "alice", 2))
    assert await bot.store.view(views.waiting_link, digest(old)) is Refusal.USED


async def whispered(bot: Bot, user: str, times: int = 1) -> bool:
    return len(bot.whispered(user)) >= times


async def test_a_guest_gets_none(bot: Bot) -> None:
    bot.slack.ws.user("dave")["is_restricted"] = True
    bot.slack.ws.channel("incidents")["members"].append(bot.slack.ws.user("dave")["id"])
    await bot.slack.act_slash("dave", "incidents", "/oncall", "web")
    await until(lambda: whispered(bot, "dave"))
    assert "sign-in/" not in str(bot.whispered("dave"))
    assert links(bot.store) == 0


async def test_without_a_public_address_it_says_what_to_set(
    slackcheck: ModuleType, store: Store
) -> None:
    async with running(slackcheck, store, "socket") as bot:
        await bot.slack.act_slash("alice", "incidents", "/oncall", "web")
        await until(lambda: whispered(bot, "alice"))
        assert "ONCALL_PUBLIC_URL" in str(bot.whispered("alice"))
        assert links(store) == 0
