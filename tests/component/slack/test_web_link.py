"""`/oncall web`: a link that only its asker sees, works once, and that a mention or a guest does not get."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from types import ModuleType

import pytest
from sqlalchemy import text

from oncall_bot.core.outcomes import Actor
from oncall_bot.core.sign_in import Refusal, digest
from oncall_bot.slack.callers import Caller
from oncall_bot.slack.edge import Edge
from oncall_bot.slack.web_link import web_link
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


async def test_a_mention_gets_no_link(bot: Bot) -> None:
    """Its answer is seen by everybody in the channel, and the link would sign all of them in as the asker."""
    await bot.incident()
    await bot.slack.act_mention("alice", "incidents", "web")
    await bot.slack.act_mention("alice", "incidents", "who is on call?")
    await bot.slack.act_wait("incidents", "shop-primary")
    said = await bot.slack.act_messages("incidents", user="alice")
    assert "sign-in/" not in str(said)
    assert links(bot.store) == 0


async def test_a_word_without_a_press_of_its_own_gets_no_link(bot: Bot) -> None:
    """Whatever way to the word is added later: only what Slack answers to one person carries a trigger."""
    caller = Caller("U1", Actor("person", "alice", "Alice Adams"))
    edge = Edge(bot.store, None, None, None, public_url=ADDRESS)  # type: ignore[arg-type]
    told = await web_link(edge, caller, "")
    assert told is not None
    assert "Type `/oncall web`" in str(told.blocks)
    assert links(bot.store) == 0


async def test_without_a_public_address_it_says_what_to_set(
    slackcheck: ModuleType, store: Store
) -> None:
    async with running(slackcheck, store, "socket", public_url=None) as bot:
        await bot.slack.act_slash("alice", "incidents", "/oncall", "web")
        await until(lambda: whispered(bot, "alice"))
        assert "ONCALL_PUBLIC_URL" in str(bot.whispered("alice"))
        assert links(store) == 0
