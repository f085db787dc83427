"""Adding a road in Slack: the form, the code that comes by it, the same form asking for it, and how it did since."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from types import ModuleType

import pytest

from oncall_bot.flows.delivered import delivered
from oncall_bot.store import outbox, views
from oncall_bot.store.db import Store
from oncall_bot.store.outbox import Fate
from tests.component.slack.bot import Bot, known, running


@pytest.fixture
async def bot(slackcheck: ModuleType, store: Store) -> AsyncIterator[Bot]:
    async with running(slackcheck, store, "socket") as bot:
        await known(bot, "alice")
        yield bot
        bot.judged_clean()


async def arrived(bot: Bot) -> str:
    """The text that came by the new road, once it is sent."""
    rows = await bot.store.write(outbox.claim, "engine", 20, timedelta(seconds=30))
    loud = [row for row in rows if row.kind == "loud"]
    for row in rows:
        await bot.store.write(delivered, row.id, "engine", Fate("sent", provider_id="1"))
    return str(loud[-1].payload["text"])


async def test_a_road_is_added_by_a_form_and_its_code(bot: Bot) -> None:
    await bot.slack.act_slash("alice", "incidents", "/oncall", "contact add")
    await bot.slack.act_wait(user="alice", view=True, contains="Add contact method")
    refused = await bot.slack.act_submit("alice", {"kind": "push", "address": "not a topic"})
    assert "can't read" in str(refused["errors"])
    await bot.slack.act_submit("alice", {"kind": "push", "address": "alice-topic"})
    await bot.slack.act_wait(user="alice", view=True, contains="Enter the code")
    found = re.search(r"The code is ([0-9]{6})", await arrived(bot))
    assert found is not None
    wrong = "000000" if found[1] != "000000" else "111111"
    assert "not right" in str((await bot.slack.act_submit("alice", {"code": wrong}))["errors"])
    await bot.slack.act_submit("alice", {"code": found[1]})
    await bot.slack.act_wait(user="alice", view=True, contains="Your push works")
    (shown,) = await bot.store.view(views.contacts, "alice")
    assert (shown.address, shown.verified) == ("alice-topic", True)
    await bot.slack.act_slash("alice", "incidents", "/oncall", "contact")
    assert "worked" in str(bot.whispered("alice")[-1]["blocks"])


async def test_codes_cannot_be_sent_to_somebody_else_again_and_again(bot: Bot) -> None:
    for n in range(5):
        await bot.slack.act_slash("alice", "incidents", "/oncall", f"contact add push topic-{n}")
    await bot.slack.act_slash("alice", "incidents", "/oncall", "contact add push topic-0")
    assert "within an hour" in str(bot.whispered("alice")[-1])
