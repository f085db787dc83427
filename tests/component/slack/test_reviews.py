"""A suggestion in Slack: its buttons, its form, and who is told what."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import ModuleType
from typing import Any

import pytest

from oncall_bot.core.outcomes import Actor
from oncall_bot.flows.drafting import request_draft
from oncall_bot.ports import ChatMessage
from oncall_bot.slack import drafts
from oncall_bot.store import views
from oncall_bot.store.db import Store
from tests.component.slack.bot import Bot, running

ALICE = Actor("person", "alice", "Alice Adams")


@pytest.fixture(params=["socket", "http"])
async def bot(slackcheck: ModuleType, store: Store, request: Any) -> AsyncIterator[Bot]:
    async with running(slackcheck, store, request.param) as bot:
        yield bot
        bot.judged_clean()


async def offered(bot: Bot) -> int:
    """A suggested summary in the incident's thread, as the engine posts it."""
    incident_id, ts = await bot.incident()
    await bot.store.write(request_draft, incident_id, "summary", ALICE)
    notice = await bot.store.view(views.suggestion, incident_id, "summary")
    assert notice is not None
    drawn = drafts.suggestion(notice, notice.situation.updated_at)
    channel = bot.slack.ws.channel("incidents")["id"]
    message = ChatMessage("draft:1", channel, drawn.text, drawn.blocks, thread_ts=ts)
    await bot.edge.chat.put(message, first_tried_at=None)
    return notice.draft_id


async def state(bot: Bot, draft_id: int) -> tuple[str, str | None]:
    notice = await bot.store.view(views.draft_by_id, draft_id)
    assert notice is not None
    return notice.state, notice.decided_by


async def test_accepting_is_silent_and_the_second_is_told_who_was_first(bot: Bot) -> None:
    draft_id = await offered(bot)
    await bot.slack.act_click("bob", "incidents", "draft.accept")
    assert await state(bot, draft_id) == ("accepted", "Bob Brown")
    assert not bot.whispered("bob")
    await bot.slack.act_click("carol", "incidents", "draft.discard")
    await bot.told("carol", "Bob Brown accepted this summary at")
    assert await state(bot, draft_id) == ("accepted", "Bob Brown")


async def test_editing_opens_a_form_with_the_prose_and_saving_accepts_it(bot: Bot) -> None:
    draft_id = await offered(bot)
    await bot.slack.act_click("alice", "incidents", "draft.edit")
    view = await bot.slack.act_wait(user="alice", view=True, contains="Edit summary")
    assert "Checkout fails" in str(view)
    assert "Key times" not in str(view), "what is computed is not offered"
    sent = await bot.slack.act_submit(
        "alice", {"Summary": "Logged in with password: Blau3rElefant, all is well."}
    )
    assert "secret" in str(sent["errors"])
    await bot.slack.act_submit("alice", {"Summary": "Checkout failed for <some> & is well."})
    assert await state(bot, draft_id) == ("edited", "Alice Adams")
    text = await bot.store.view(views.draft, 1, "summary")
    assert "Checkout failed for <some> & is well." in (text or "")


async def test_a_guest_decides_on_nothing(bot: Bot) -> None:
    draft_id = await offered(bot)
    bot.slack.ws.user("dave")["is_restricted"] = True
    await bot.slack.act_click("dave", "incidents", "draft.accept")
    await bot.told("dave", "You are a guest here")
    assert await state(bot, draft_id) == ("facts", None)
