"""Pins in an incident's thread: by reaction and by the message's menu, set and taken back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import ModuleType
from typing import Any

import pytest

from oncall_bot.core.drafts import postmortem
from oncall_bot.core.records import parse_record
from oncall_bot.store import views
from oncall_bot.store.db import Store
from tests.component.slack.bot import Bot, running

SAID = "the batch job took every connection of the pool"


@pytest.fixture(params=["socket", "http"])
async def bot(slackcheck: ModuleType, store: Store, request: Any) -> AsyncIterator[Bot]:
    async with running(slackcheck, store, request.param) as bot:
        yield bot
        bot.judged_clean()


async def said(bot: Bot, text: str = SAID, *, by: str = "bob") -> str:
    """The ts of somebody's message in the incident's thread."""
    _, ts = await bot.incident()
    gesture = await bot.slack.act_post(by, "incidents", text, thread=ts)
    return str(gesture["ts"])


async def pins(bot: Bot, ts: str) -> list[tuple[str, str]]:
    channel = bot.slack.ws.channel("incidents")["id"]
    found = await bot.store.view(views.pins_on, channel, ts)
    return [(str(one.kind), one.by) for one in found or ()]


async def took_away(bot: Bot, user: str, ts: str, name: str) -> None:
    """The same reaction, removed."""
    uid, channel = bot.slack.ws.user(user)["id"], bot.slack.ws.channel("incidents")["id"]
    item = {"type": "message", "channel": channel, "ts": ts}
    await bot.slack.act_raw_event(
        {"type": "reaction_removed", "user": uid, "reaction": name, "item": item}
    )


async def drafted(bot: Bot) -> str:
    return postmortem(parse_record(await bot.store.view(views.record, 1)))


async def test_a_cause_by_reaction_is_told_in_drafts_until_it_is_taken_back(bot: Bot) -> None:
    ts = await said(bot)
    await bot.slack.act_react("alice", "incidents", ts, "dart")
    assert await pins(bot, ts) == [("cause", "@alice")]
    assert "Cause, confirmed by Alice Adams: the batch job took every connection" in await drafted(
        bot
    )
    log = await bot.store.view(views.work_log, 1)
    assert [(e.text, e.pinned_as) for e in log.entries if e.pinned] == [(SAID, "the cause")]

    await took_away(bot, "alice", ts, "dart")
    assert await pins(bot, ts) == []
    assert "Cause, confirmed" not in await drafted(bot)
    texts = [e["text"] for e in (await bot.store.view(views.record, 1))["events"]]
    assert any("Alice Adams took back the mark the cause" in text for text in texts)


@pytest.mark.parametrize(
    ("reaction", "kind"),
    [
        ("pushpin", "keep"),
        ("dart", "cause"),
        ("boom", "impact"),
        ("no_entry_sign", "hypothesis rejected"),
    ],
)
async def test_each_mark_means_one_thing_and_counts_once(
    bot: Bot, reaction: str, kind: str
) -> None:
    ts = await said(bot)
    uid, channel = bot.slack.ws.user("alice")["id"], bot.slack.ws.channel("incidents")["id"]
    await bot.slack.act_react("alice", "incidents", ts, reaction)
    item = {"type": "message", "channel": channel, "ts": ts}
    again = {"type": "reaction_added", "user": uid, "reaction": reaction, "item": item}
    await bot.slack.act_raw_event(again)
    assert await pins(bot, ts) == [(kind, "@alice")]
    events = (await bot.store.view(views.record, 1))["events"]
    assert len([e for e in events if e["kind"] == "pin"]) == 1


async def test_other_reactions_other_messages_and_guests_pin_nothing(bot: Bot) -> None:
    ts = await said(bot)
    outside = await bot.slack.act_post("bob", "incidents", "lunch?")
    bot.slack.ws.user("dave")["is_restricted"] = True
    await bot.slack.act_react("alice", "incidents", ts, "tada")
    await bot.slack.act_react("alice", "incidents", outside["ts"], "dart")
    await bot.slack.act_react("dave", "incidents", ts, "dart")
    events = (await bot.store.view(views.record, 1))["events"]
    assert [e for e in events if e["kind"] == "pin"] == []


async def test_the_form_of_a_message_pins_it_in_own_words_and_takes_it_back(bot: Bot) -> None:
    ts = await said(bot)
    await bot.slack.act_shortcut("alice", "pin_message", "incidents", ts)
    await bot.slack.act_wait(user="alice", view=True, contains="What is it?")
    better = "The nightly batch job held all 20 connections"
    await bot.slack.act_submit("alice", {"as": "cause", "words": better})
    assert await pins(bot, ts) == [("cause", "@alice")]
    assert "Cause, confirmed by Alice Adams: the nightly batch job held all 20" in await drafted(
        bot
    )

    await bot.slack.act_shortcut("carol", "pin_message", "incidents", ts)
    await bot.slack.act_wait(user="carol", view=True, contains="Pinned as the cause by Alice Adams")
    await bot.slack.act_submit("carol", {"as": "none"})
    assert await pins(bot, ts) == []


async def test_changing_ones_mind_leaves_one_pin(bot: Bot) -> None:
    ts = await said(bot)
    for kind in ("cause", "hypothesis rejected"):
        await bot.slack.act_shortcut("alice", "pin_message", "incidents", ts)
        await bot.slack.act_wait(user="alice", view=True, contains="What is it?")
        await bot.slack.act_submit("alice", {"as": kind})
    assert await pins(bot, ts) == [("hypothesis rejected", "@alice")]
    assert "Cause, confirmed" not in await drafted(bot)


async def test_a_message_that_is_no_incidents_is_refused_with_the_reason(bot: Bot) -> None:
    await said(bot)
    outside = await bot.slack.act_post("bob", "incidents", "lunch?")
    await bot.slack.act_shortcut("alice", "pin_message", "incidents", outside["ts"])
    await bot.slack.act_wait(user="alice", view=True, contains="Only what was said in an incident")


async def test_a_viewer_is_told_why_and_the_try_is_audited(bot: Bot) -> None:
    ts = await said(bot)
    bot.slack.ws.user("dave")["profile"]["email"] = "vera@example.com"
    await bot.slack.act_shortcut("dave", "pin_message", "incidents", ts)
    await bot.slack.act_wait(user="dave", view=True, contains="Your role is viewer")
    assert await pins(bot, ts) == []
