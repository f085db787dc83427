"""What is said outside incidents leaves no word behind, and everybody may have what is stored about themselves."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from types import ModuleType
from typing import Any

import pytest

from oncall_bot.store.db import Store
from tests.component.slack.bot import Bot, running, until
from tests.dumps import dumped


@pytest.fixture
async def bot(slackcheck: ModuleType, store: Store) -> AsyncIterator[Bot]:
    async with running(slackcheck, store, "socket") as found:
        yield found
        found.judged_clean()


def kept(bot: Bot, word: str) -> list[tuple[str, str]]:
    return [(where, text) for where, text in dumped(bot.store) if word in text]


async def test_only_what_is_said_in_an_incidents_thread_is_stored(bot: Bot) -> None:
    _, ts = await bot.incident()
    other = await bot.slack.act_post("bob", "incidents", "zebra one: lunch?")
    await bot.slack.act_post("alice", "incidents", "zebra two", thread=other["ts"])
    await bot.slack.act_react("alice", "incidents", other["ts"], "pushpin")
    await bot.slack.act_post("alice", "dm", "zebra three, who is on call?")
    await bot.slack.act_mention("alice", "incidents", "zebra four, who is on call?")
    await bot.slack.act_slash("alice", "incidents", "/oncall", "zebra five")
    for channel_type in ("im", "mpim"):  # a talk between others, should Slack ever tell of it
        said = {
            "type": "message",
            "channel": "D0OTHERS1",
            "channel_type": channel_type,
            "ts": "1.1",
        }
        await bot.slack.act_raw_event({**said, "user": "U0BOB", "text": "zebra six"})
    await bot.slack.act_post("bob", "incidents", "giraffe: it is the pool", thread=ts)

    async def written() -> bool:
        return bool(kept(bot, "giraffe"))

    await until(written)
    assert kept(bot, "zebra") == []
    assert {where for where, _ in kept(bot, "giraffe")} == {"incident_event.text"}


async def test_everybody_may_have_what_is_stored_about_themselves_and_nobody_else(bot: Bot) -> None:
    _, ts = await bot.incident()
    await bot.slack.act_post("alice", "incidents", "it is the pool", thread=ts)
    await bot.slack.act_post("bob", "incidents", "giraffes are tall", thread=ts)
    await bot.slack.act_slash("alice", "incidents", "/oncall", "my-data bob")

    async def arrived() -> bool:
        return bool(files(bot))

    await until(arrived)
    (file,) = files(bot)
    found = json.loads(file)
    assert found["person"]["key"] == "alice"
    assert "it is the pool" in [one["text"] for one in found["timeline"]]
    assert b"giraffes" not in file
    assert [m for m in await bot.slack.act_messages("dm", "alice") if m.get("files")]
    assert not [m for m in await bot.slack.act_messages("dm", "bob") if m.get("files")]


def files(bot: Bot) -> list[bytes]:
    """What was uploaded whole."""
    known: list[dict[str, Any]] = list(bot.slack.ws.files.values())
    return [one["data"] for one in known if one["done"]]


async def test_a_guest_is_given_nothing(bot: Bot) -> None:
    bot.slack.ws.user("dave")["is_restricted"] = True
    bot.slack.ws.channel("incidents")["members"].append(bot.slack.ws.user("dave")["id"])
    await bot.slack.act_slash("dave", "incidents", "/oncall", "my-data")

    async def told() -> bool:
        return bool(bot.whispered("dave"))

    await until(told)
    assert not files(bot)
