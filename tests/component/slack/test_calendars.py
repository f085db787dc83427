"""`/oncall calendar` as people meet it: a link that is theirs alone, opens their calendar, is revoked by a press."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from types import ModuleType
from typing import Any

import pytest

from oncall_bot.core.feeds import link_digest
from oncall_bot.store.db import Store
from oncall_bot.store.views import feeds
from tests.component.slack.bot import Bot, running

LINK = re.compile(r"webcal://oncall\.example\.com/ical/(cal_[A-Za-z0-9_-]{43})\.ics")


@pytest.fixture
async def bot(slackcheck: ModuleType, store: Store) -> AsyncIterator[Bot]:
    async with running(slackcheck, store, "socket") as bot:
        yield bot
        bot.judged_clean()


async def answer(bot: Bot, words: str, user: str = "alice") -> Any:
    before = len(bot.whispered(user))
    await bot.slack.act_slash(user, "incidents", "/oncall", words)
    return bot.whispered(user)[before]


async def opened(bot: Bot, token: str) -> feeds.Link | None:
    return await bot.store.view(feeds.calendar_link, link_digest(token))


async def test_a_link_to_ones_own_shifts_is_whispered_and_revoked_by_its_button(bot: Bot) -> None:
    shown = await answer(bot, "calendar")
    found = LINK.search(str(shown["blocks"]))
    assert found is not None
    link = await opened(bot, found[1])
    assert link is not None
    assert (link.kind, link.key) == ("person", "alice")
    assert found[1] not in str(bot.slack.ws.channel("incidents"))
    await bot.slack.act_click("alice", "incidents", "calendar.revoke")
    assert await opened(bot, found[1]) is None


async def test_a_schedule_a_team_and_a_word_that_is_neither(bot: Bot) -> None:
    for words, of in (("calendar shop-primary", "schedule"), ("calendar team shop", "team")):
        found = LINK.search(str((await answer(bot, words))["blocks"]))
        assert found is not None
        link = await opened(bot, found[1])
        assert link is not None
        assert link.kind == of
    shown = await answer(bot, "calendar shop-primry")
    assert "Did you mean `/oncall calendar shop-primary`?" in str(shown["blocks"])


async def test_ones_links_are_listed_by_their_first_letters_only(bot: Bot) -> None:
    found = LINK.search(str((await answer(bot, "calendar"))["blocks"]))
    assert found is not None
    listed = str((await answer(bot, "calendar list"))["blocks"])
    assert f"{found[1][:10]}…" in listed
    assert found[1] not in listed
    assert "You have no calendar link" in str((await answer(bot, "calendar list", "bob"))["blocks"])


async def test_how_the_load_is_shared_is_told_in_words_and_bars(bot: Bot) -> None:
    shown = str((await answer(bot, "fairness shop-primary 30d"))["blocks"])
    assert "How shop-primary is shared" in shown
    assert "oncall-bot schedule fairness shop-primary --csv FILE" in shown
    assert "fairness shop-primary 90d" in str((await answer(bot, "fairness shop-primry"))["blocks"])
    assert "1 to 366 days" in str((await answer(bot, "fairness shop-primary 999d"))["blocks"])
