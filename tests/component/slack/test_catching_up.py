"""Catch me up, and words for an update: seen by one person, posted only when that person accepts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import ModuleType
from typing import Any

import pytest

from oncall_bot.slack.catching_up import audience_in
from oncall_bot.store import views
from oncall_bot.store.db import Store
from tests.component.slack.bot import Bot, running, until


@pytest.fixture(params=["socket", "http"])
async def bot(slackcheck: ModuleType, store: Store, request: Any) -> AsyncIterator[Bot]:
    async with running(slackcheck, store, request.param) as bot:
        yield bot
        bot.judged_clean()


async def test_a_late_joiner_reads_where_it_stands_and_their_look_is_remembered(bot: Bot) -> None:
    incident_id, _ = await bot.incident()
    await bot.slack.act_slash("bob", "incidents", "/oncall", "catchup")
    told = str(await bot.told("bob", "Who has it"))
    assert "Nobody has answered yet" in told
    assert "What is next" in told
    assert "In the last 15 min" in told

    async def remembered() -> bool:
        text = await bot.store.view(views.catch_up, incident_id, "person:bob")
        return "Since you were here" in (text or "")

    await until(remembered)
    assert len(await bot.slack.act_messages("incidents")) == 1, "nothing is posted"


async def test_somebody_who_may_only_look_may_catch_up_but_not_write_an_update(bot: Bot) -> None:
    await bot.incident()
    bot.slack.ws.user("dave")["profile"]["email"] = "vera@example.com"
    await bot.slack.act_slash("dave", "incidents", "/oncall", "catchup 1")
    await bot.told("dave", "Who has it")
    await bot.slack.act_slash("dave", "incidents", "/oncall", "update 1")
    await bot.told("dave", "Your role is viewer")


async def test_an_update_is_a_suggestion_until_its_asker_accepts(bot: Bot) -> None:
    await bot.incident()
    await bot.slack.act_slash("alice", "incidents", "/oncall", "update 1 customers")
    told = str(await bot.told("alice", "Suggested status update"))
    assert "for customers" in told
    assert "Accept posts it" in told
    assert await bot.store.view(views.drafts_decided, (await bot.situation(1)).opened_at) == {}
    await bot.slack.act_slash("alice", "incidents", "/oncall", "update 1 press")
    await bot.told("alice", "to get the words of an update")


@pytest.mark.parametrize(
    ("words", "audience"),
    [
        ("", "internal"),
        ("internal", "internal"),
        ("for customers", "customers"),
        ("to the customer", "customers"),
        ("team", "internal"),
        ("press", None),
        ("customers now", None),
    ],
)
def test_whom_an_update_is_for(words: str, audience: str | None) -> None:
    assert audience_in(words.split()) == audience
