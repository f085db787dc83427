"""The runbook in the thread is judged by one press, through a real Bolt app, a strict Slack and a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from types import ModuleType
from typing import Any

import pytest

from oncall_bot.core.situation import RunbookNotice
from oncall_bot.files.runbooks import read_runbooks, starter_library
from oncall_bot.flows.find_runbook import found, look_for
from oncall_bot.flows.import_runbooks import import_runbooks
from oncall_bot.ports import ChatMessage
from oncall_bot.slack.rendering import render
from oncall_bot.store import timers
from oncall_bot.store.db import Store
from tests.component.slack.bot import Bot, running, until


@pytest.fixture
async def bot(slackcheck: ModuleType, store: Store) -> AsyncIterator[Bot]:
    async with running(slackcheck, store, "socket") as bot:
        yield bot
        bot.judged_clean()


async def offered(bot: Bot) -> int:
    """An incident for which runbooks may fit and none does, and their message in the channel."""
    await bot.store.write(import_runbooks, "file", read_runbooks(starter_library())[0])
    incident_id = await bot.told_of("TooManyRestarts", "a pod restarts")
    (search,) = await bot.store.view(timers.searches, limit=10)
    about = incident_id, int(search.data["group"])
    matches = await bot.store.view(look_for, *about)
    await bot.store.write(found, search.id, *about, matches)
    await shown(bot, incident_id)
    return incident_id


async def posted(bot: Bot, text: str, blocks: Sequence[Mapping[str, object]]) -> str:
    message = ChatMessage(f"test:{text}", "#incidents", text, blocks)
    return (await bot.edge.chat.put(message, first_tried_at=None)).provider_id


async def shown(bot: Bot, incident_id: int) -> list[dict[str, Any]]:
    """The runbook message as the engine draws it now."""
    s = await bot.situation(incident_id)
    text, blocks = render(RunbookNotice(s, s.runbook), s.updated_at)
    await posted(bot, text, blocks)
    messages: list[dict[str, Any]] = await bot.slack.act_messages("incidents")
    return messages


async def test_use_it_attaches_the_runbook_and_undo_takes_the_word_back(bot: Bot) -> None:
    incident_id = await offered(bot)
    first = (await bot.situation(incident_id)).possible[0]
    await bot.slack.act_click(
        "alice", "incidents", "runbook.right", value=f"{incident_id}:{first.runbook_id}"
    )

    async def attached() -> bool:
        return (await bot.situation(incident_id)).runbook is not None

    await until(attached)
    s = await bot.situation(incident_id)
    assert s.runbook is not None
    assert (s.runbook.title, s.runbook.why) == (first.title, "Alice Adams chose it")
    *_, last = await shown(bot, incident_id)
    assert "Alice Adams called" in str(last["blocks"])
    await bot.slack.act_click("bob", "incidents", "runbook.undo", ts=last["ts"])

    async def forgotten() -> bool:
        return not (await bot.situation(incident_id)).judged

    await until(forgotten)


async def test_none_of_these_leaves_none_and_is_remembered(bot: Bot) -> None:
    incident_id = await offered(bot)
    await bot.slack.act_click("alice", "incidents", "runbook.none")

    async def barred() -> bool:
        return not (await bot.situation(incident_id)).possible

    await until(barred)
    *_, last = await shown(bot, incident_id)
    assert "No runbook fits" in str(last["blocks"])


async def test_a_guest_and_a_viewer_judge_no_runbook(bot: Bot) -> None:
    bot.slack.ws.user("dave")["is_restricted"] = True
    bot.slack.ws.channel("incidents")["members"].append(bot.slack.ws.user("dave")["id"])
    incident_id = await offered(bot)
    await bot.slack.act_click("dave", "incidents", "runbook.none")
    await bot.told("dave", "You are a guest here")
    assert (await bot.situation(incident_id)).possible


@pytest.mark.parametrize("value", ["", "x", "1:", "1:99999", "99999:1", "1:<!channel>"])
async def test_a_value_that_means_nothing_changes_nothing(bot: Bot, value: str) -> None:
    incident_id = await offered(bot)
    before = await bot.situation(incident_id)
    blocks = [
        {
            "type": "actions",
            "elements": [
                {
                    "type": "button",
                    "action_id": "runbook.wrong",
                    "text": {"type": "plain_text", "text": "Old"},
                    "value": value or " ",
                }
            ],
        }
    ]
    ts = await posted(bot, "An old one", blocks)
    await bot.slack.act_click("alice", "incidents", "runbook.wrong", ts=ts)
    assert (await bot.situation(incident_id)).possible == before.possible
