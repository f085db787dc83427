"""How one is woken, set in Slack: words, buttons and forms, through a strict Slack and a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import ModuleType
from typing import Any

import pytest

from oncall_bot.store import views
from oncall_bot.store.db import Store
from tests.component.slack.bot import Bot, known, running


@pytest.fixture
async def bot(slackcheck: ModuleType, store: Store) -> AsyncIterator[Bot]:
    async with running(slackcheck, store, "socket") as bot:
        await known(bot, *("alice", "bob", "carol"))
        yield bot
        bot.judged_clean()


async def asks(bot: Bot, who: str, text: str, part: str) -> None:
    before = len(bot.whispered(who))
    await bot.slack.act_slash(who, "incidents", "/oncall", text)
    said = bot.whispered(who)[before:]
    assert said, f"{text!r} was not answered"
    shown = str(said[-1].get("blocks") or said[-1]["text"])
    assert part in shown, shown


async def reach(bot: Bot) -> Any:
    return await bot.store.view(views.reach, "alice")


async def test_rules_are_shown_typed_and_taken_back(bot: Bot) -> None:
    await asks(bot, "alice", "rules", "If you were paged now: Slack at 0:00.")
    await asks(bot, "alice", "rules", "Not working: push, there is no topic")
    await asks(bot, "alice", "rules high slack 0m, push 5m", "for high urgency are set")
    assert (await reach(bot)).high.typed == "slack 0m, push 5m"
    await asks(bot, "alice", "rules high fax 0m", "Roads: slack, push.")
    await asks(bot, "alice", "rules high slack soon", "as a road and its delay")
    await asks(bot, "alice", "rules loud slack", "rules high slack 0m")
    await asks(bot, "bob", "rules reset alice", "Only Alice Adams")
    await asks(bot, "carol", "rules reset alice", "has the rules of the file again")
    await asks(bot, "alice", "rules reset", "no rules of their own")


async def test_the_form_has_a_row_for_each_road_and_wants_at_least_one(bot: Bot) -> None:
    await bot.slack.act_slash("alice", "incidents", "/oncall", "rules")
    await bot.slack.act_click("alice", "incidents", "rules.change.high")
    await bot.slack.act_wait(user="alice", view=True, contains="High urgency")
    refused = await bot.slack.act_submit("alice", {"road:slack": "no", "road:push": "no"})
    assert "at least one road" in str(refused["errors"])
    done = await bot.slack.act_submit("alice", {"road:slack": "120", "road:push": "0"})
    assert not done["errors"]
    assert (await reach(bot)).high.typed == "push 0m, slack 2m"


async def test_quiet_hours_by_word_and_by_form(bot: Bot) -> None:
    await asks(bot, "alice", "quiet 22:00-07:00 mon-fri", "Mon to Fri 22:00 to 07:00")
    await asks(bot, "alice", "quiet at night", "quiet 22:00 to 07:00 every day")
    await bot.slack.act_slash("alice", "incidents", "/oncall", "quiet")
    await bot.slack.act_wait(user="alice", view=True, contains="Quiet hours")
    filled = {"from": "23:30", "until": "06:00", "days": "every day"}
    assert not (await bot.slack.act_submit("alice", filled))["errors"]
    assert (await reach(bot)).quiet.startswith("every day 23:30 to 06:00")
    await asks(bot, "alice", "quiet off", "comes at once")
    await asks(bot, "alice", "quiet off", "You have no quiet hours")


async def test_a_holiday_is_told_shown_at_home_and_ended_there(bot: Bot) -> None:
    await asks(bot, "bob", "holiday from now to 2099-01-01 09:00", "within 60 days")
    await asks(bot, "alice", "out until tomorrow 18:00", "*On holiday until <!date^")
    await asks(bot, "bob", "who", "nobody covers")
    await bot.slack.act_home("alice")
    view = await bot.slack.act_wait(user="alice", home=True)
    assert "You are on holiday until" in str(view)
    assert "If you were paged now: Slack at 0:00." in str(view)
    await bot.slack.act_click("alice", home=True, action_id="holiday.end")
    assert not (await reach(bot)).away
    await asks(bot, "alice", "back", "You are not on holiday")


async def test_app_home_leads_to_the_rules(bot: Bot) -> None:
    await bot.slack.act_home("alice")
    await bot.slack.act_wait(user="alice", home=True)
    await bot.slack.act_click("alice", home=True, action_id="rules.open")
    view = await bot.slack.act_wait(user="alice", view=True, contains="High urgency")
    await bot.slack.act_click("alice", action_id="quiet.open", view=view["id"])
    await bot.slack.act_wait(user="alice", view=True, contains="Beginning on")
