"""What people do and see in the practice Slack, and who hears of it."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import Any

import pytest

from oncall_bot.practice.feed import WAITING_MAX, Feed
from oncall_bot.practice.slack import Refused
from tests.component.practice.rehearsal import (
    ANA,
    BO,
    CY,
    Deaf,
    Rehearsal,
    heard,
    listening,
    rehearsal,
    until,
)


@pytest.fixture
async def r() -> AsyncIterator[Rehearsal]:
    async with rehearsal(rate_limits=False) as r:
        yield r


def channels_of(r: Rehearsal, who: str) -> dict[str, dict[str, Any]]:
    state = r.slack.state(r.slack.find_person(who))
    return {channel["name"]: channel for channel in state["channels"]}


# --- seeing -------------------------------------------------------------------------------------------------------


async def test_a_page_shows_who_is_here_and_what_the_bot_offers(r: Rehearsal) -> None:
    state = r.slack.state(ANA)
    assert [one["name"] for one in state["people"]] == ["ana", "bo", "cy", "oncall-bot"]
    assert state["command"]["name"] == "/oncall"
    assert "who" in state["command"]["hint"]
    assert state["shortcuts"][0]["callback_id"] == "declare_incident"
    assert (state["me"], state["bot"]) == (ANA, r.slack.bot_user)
    assert state["view"] is None
    assert channels_of(r, "ana")["incidents"]["topic"] == "What is on fire"


async def test_private_channels_and_direct_messages_are_seen_by_their_members_alone(
    r: Rehearsal,
) -> None:
    assert "secret" not in channels_of(r, "ana")
    assert channels_of(r, "cy")["secret"]["kind"] == "private"
    secret = r.slack.find_channel("secret")
    await r.act("cy", "post", channel=secret, text="the password")
    await r.act("cy", "post", channel=r.slack.direct("cy"), text="the password")
    together = (await r.act("bo", "open_dm", **{"with": CY}))["channel"]
    await r.act("bo", "post", channel=together, text="the password")
    assert "password" not in str(r.slack.state(ANA))
    for what in ("post", "read", "join"):
        with pytest.raises(Refused, match="no such channel"):
            await r.act("ana", what, channel=secret, text="hello?")


async def test_a_public_channel_can_be_read_but_only_members_speak(r: Rehearsal) -> None:
    channel = r.slack.find_channel("incidents")
    await r.act("ana", "post", channel=channel, text="down again")
    assert [m["text"] for m in r.sees("cy", channel)] == ["down again"]
    with pytest.raises(Refused, match="Join #incidents first"):
        await r.act("cy", "post", channel=channel, text="where?")
    await r.act("cy", "join", channel=channel)
    await r.act("cy", "post", channel=channel, text="where?")
    assert channels_of(r, "cy")["incidents"]["member"]


async def test_unread_messages_are_counted_until_one_looks(r: Rehearsal) -> None:
    channel = r.slack.find_channel("incidents")
    for text in ("one", "two"):
        await r.act("ana", "post", channel=channel, text=text)
    assert channels_of(r, "bo")["incidents"]["unread"] == 2
    assert channels_of(r, "ana")["incidents"]["unread"] == 0, "one has read one's own words"
    assert channels_of(r, "cy")["incidents"]["unread"] == 0, "not a member"
    await r.act("bo", "read", channel=channel)
    assert channels_of(r, "bo")["incidents"]["unread"] == 0


# --- the feed -----------------------------------------------------------------------------------------------------


async def test_a_page_hears_what_its_person_may_see_and_nothing_else(r: Rehearsal) -> None:
    ana, bo = r.feed.subscribe(ANA), r.feed.subscribe(BO)
    incidents, secret = await r.in_channel(), r.slack.find_channel("secret")
    await r.act("cy", "post", channel=secret, text="hidden")
    await r.call("chat.postEphemeral", channel=incidents, user=ANA, text="for ana")
    await r.act("bo", "post", channel=incidents, text="for all")
    first, second = await heard(ana, "message"), await heard(ana, "message")
    assert (first["text"], first["ephemeral"]) == ("for ana", True)
    assert second["text"] == "for all"
    assert (await heard(bo, "message"))["text"] == "for all"


async def test_a_page_hears_edits_reactions_and_deletions(r: Rehearsal) -> None:
    channel = r.slack.find_channel("incidents")
    ts = (await r.act("ana", "post", channel=channel, text="doun"))["ts"]
    bo = r.feed.subscribe(BO)
    where = {"channel": channel, "ts": ts}
    await r.act("ana", "edit", **where, text="down")
    edited = await heard(bo, "message")
    assert (edited["ts"], edited["text"], edited["edited"]["user"]) == (ts, "down", ANA)
    await r.act("bo", "react", **where, name="eyes")
    assert (await heard(bo, "message"))["reactions"][0]["users"] == [BO]
    await r.act("bo", "react", **where, name="eyes", off=True)
    assert (await heard(bo, "message"))["reactions"] == []
    await r.act("ana", "delete", **where)
    gone = await heard(bo, "message")
    assert (gone["ts"], gone["channel"], gone["deleted"]) == (ts, channel, True)
    assert r.sees("bo", channel) == []


async def test_a_reply_refreshes_its_parent_on_every_page(r: Rehearsal) -> None:
    channel = r.slack.find_channel("incidents")
    root = (await r.act("ana", "post", channel=channel, text="root"))["ts"]
    bo = r.feed.subscribe(BO)
    await r.act("ana", "post", channel=channel, text="reply", thread_ts=root)
    assert (await heard(bo, "message"))["text"] == "reply"
    assert (await heard(bo, "message"))["reply_count"] == 1
    assert (await heard(bo, "channel"))["unread"] == 2


async def test_a_form_appears_on_one_page_only(r: Rehearsal) -> None:
    async with listening(r) as bot:
        ana, bo = r.feed.subscribe(ANA), r.feed.subscribe(BO)
        channel = r.slack.find_channel("incidents")
        await r.act("ana", "slash", channel=channel, text="/oncall x")
        title = {"type": "plain_text", "text": "Form"}
        view = {"type": "modal", "title": title, "blocks": []}
        trigger = bot.last("/oncall")["trigger_id"]
        await r.call("views.open", trigger_id=trigger, view=view)
        assert (await heard(ana, "view"))["view"]["title"] == title
        r.feed.publish("clock", {"now": 1})
        assert (await heard(bo, "clock")) == {"now": 1}, "bo heard of no form before the clock"


async def test_a_page_too_slow_to_listen_is_told_to_start_anew() -> None:
    feed = Feed()
    slow = feed.subscribe("U1")
    for n in range(WAITING_MAX + 1):
        feed.publish("message", {"n": n})
    assert await anext(slow) == {"kind": "reset", "data": {}}
    slow.close()
    with pytest.raises(StopAsyncIteration):
        await anext(slow)
    feed.publish("message", {})
    assert [event async for event in slow] == []


async def test_closing_the_feed_lets_every_listener_go() -> None:
    feed = Feed()
    waiting = asyncio.ensure_future(anext(feed.subscribe("U1")))
    await asyncio.sleep(0)
    feed.close()
    with pytest.raises(StopAsyncIteration):
        await waiting


# --- talking ------------------------------------------------------------------------------------------------------


async def test_what_is_typed_reaches_others_as_references_and_escaped(r: Rehearsal) -> None:
    channel = r.slack.find_channel("general")
    typed = "@here @bo. #incidents <b>&amp;</b> @oncall-bot #99 me@bo.com <@U0000ANA> <@UNOBODY>"
    ts = (await r.act("ana", "post", channel=channel, text=typed))["ts"]
    incidents = r.slack.find_channel("incidents")
    (message,) = [m for m in r.sees("bo", channel) if m["ts"] == ts]
    assert message["text"] == (
        f"<!here> <@{BO}>. <#{incidents}|incidents> &lt;b&gt;&amp;amp;&lt;/b&gt;"
        f" <@{r.slack.bot_user}> #99 me@bo.com <@{ANA}> &lt;@UNOBODY&gt;"
    )


async def test_nobody_names_a_private_channel_by_typing(r: Rehearsal) -> None:
    channel = r.slack.find_channel("general")
    secret = r.slack.find_channel("secret")
    await r.act("ana", "post", channel=channel, text=f"#secret <#{secret}>")
    assert secret not in r.sees("bo", channel)[0]["text"].replace(f"&lt;#{secret}&gt;", "")


@pytest.mark.parametrize("text", ["", "   ", "x" * 12_001])
async def test_nothing_and_too_much_cannot_be_sent(r: Rehearsal, text: str) -> None:
    with pytest.raises(Refused):
        await r.act("ana", "post", channel=r.slack.find_channel("general"), text=text)


@pytest.mark.parametrize(
    "gesture",
    [
        {"do": "dance"},
        {"do": None},
        {"do": "post"},
        {"do": "post", "channel": "C0"},
        {"do": "post", "channel": 7, "text": "x"},
        {"do": "react", "channel": "$", "ts": 7, "name": "eyes"},
        {"do": "submit", "view": "V0"},
        {"do": "upload", "channel": "$", "name": "a"},
        {"do": "upload", "channel": "$", "name": "a", "content": "%", "encoding": "base64"},
        {"do": "open_dm", "with": "U0"},
        {"do": "invite", "channel": "$", "with": "U0"},
        {"do": "slash", "channel": "$", "text": "hello"},
        {"do": "post", "channel": "$", "text": "x", "thread_ts": "1.1"},
        {"do": "suggest", "channel": "$", "ts": "1.1", "action_id": "a"},
        {"do": "shortcut"},
        {"do": "click"},
    ],
)
async def test_what_makes_no_sense_is_refused_in_one_line(
    r: Rehearsal, gesture: dict[str, Any]
) -> None:
    channel = r.slack.find_channel("general")
    filled = {key: channel if value == "$" else value for key, value in gesture.items()}
    with pytest.raises(Refused) as refused:
        await r.slack.act({"as": ANA, **filled})
    assert "\n" not in str(refused.value)
    with pytest.raises(Refused):
        await r.slack.act({**filled, "as": "U0STRANGER"})


async def test_one_changes_only_ones_own_words(r: Rehearsal) -> None:
    channel = r.slack.find_channel("general")
    ts = (await r.act("ana", "post", channel=channel, text="mine"))["ts"]
    for do in ("edit", "delete"):
        with pytest.raises(Refused, match="own messages"):
            await r.act("bo", do, channel=channel, ts=ts, text="yours")


async def test_a_person_shares_a_picture(r: Rehearsal) -> None:
    channel = r.slack.find_channel("general")
    content = base64.b64encode(b"\x89PNG not really").decode()
    given = {"name": "graph.png", "content": content, "encoding": "base64"}
    await r.act("ana", "upload", channel=channel, **given)
    (file,) = r.sees("bo", channel)[-1]["files"]
    assert (file["mimetype"], file["thumb"]) == ("image/png", file["url"])
    async with r.http.get(file["url"]) as answer:
        assert (answer.content_type, await answer.read()) == ("image/png", b"\x89PNG not really")


# --- what the bot hears -------------------------------------------------------------------------------------------


@pytest.fixture
async def bot(r: Rehearsal) -> AsyncIterator[Deaf]:
    async with listening(r) as bot:
        yield bot


async def test_the_bot_hears_a_channel_only_once_it_is_in_it(r: Rehearsal, bot: Deaf) -> None:
    channel = r.slack.find_channel("incidents")
    await r.act("ana", "mention", channel=channel, text="are you there?")
    await r.act("ana", "invite", channel=channel, **{"with": r.slack.bot_user})
    await r.act("ana", "mention", channel=channel, text="and now?")
    await until(lambda: bot.events("app_mention"))
    (mention,) = bot.events("app_mention")
    assert mention["text"] == f"<@{r.slack.bot_user}> and now?"
    assert (mention["user"], mention["channel"]) == (ANA, channel)
    (message,) = bot.events("message")
    assert message["channel_type"] == "channel"


async def test_the_bot_hears_direct_messages_to_it_and_no_others(r: Rehearsal, bot: Deaf) -> None:
    together = (await r.act("ana", "open_dm", **{"with": BO}))["channel"]
    await r.act("ana", "post", channel=together, text="between us")
    await r.act("ana", "post", channel=r.slack.direct("ana"), text="who is on call?")
    await until(lambda: bot.events("message"))
    await r.slack.settled()
    assert [event["text"] for event in bot.events("message")] == ["who is on call?"]
    assert bot.events("message")[0]["channel_type"] == "im"


async def test_the_bot_hears_of_edits_deletions_files_and_reactions(
    r: Rehearsal, bot: Deaf
) -> None:
    channel = await r.in_channel()
    ts = (await r.act("ana", "post", channel=channel, text="doun"))["ts"]
    await r.act("ana", "edit", channel=channel, ts=ts, text="down")
    await r.act("bo", "react", channel=channel, ts=ts, name="pushpin")
    await r.act("ana", "upload", channel=channel, name="log.txt", content="line")
    await r.act("ana", "delete", channel=channel, ts=ts)
    await r.slack.settled()
    kinds = [event.get("subtype") for event in bot.events("message")]
    assert sorted(map(str, kinds)) == ["None", "file_share", "message_changed", "message_deleted"]
    changed = next(e for e in bot.events("message") if e.get("subtype") == "message_changed")
    assert (changed["message"]["text"], changed["previous_message"]["text"]) == ("down", "doun")
    (reaction,) = bot.events("reaction_added")
    assert (reaction["reaction"], reaction["item"]["ts"], reaction["item_user"]) == (
        "pushpin",
        ts,
        ANA,
    )


async def test_the_bot_does_not_hear_of_events_it_did_not_subscribe_to(
    r: Rehearsal, bot: Deaf
) -> None:
    channel = await r.in_channel()
    ts = (await r.act("ana", "post", channel=channel, text="x"))["ts"]
    await r.act("bo", "react", channel=channel, ts=ts, name="eyes")
    await r.act("bo", "react", channel=channel, ts=ts, name="eyes", off=True)
    await r.act("cy", "join", channel=channel)
    await r.slack.settled()
    assert bot.events("reaction_added")
    assert bot.events("reaction_removed")
    assert not bot.events("member_joined_channel")


# --- anew ---------------------------------------------------------------------------------------------------------


async def test_a_reset_brings_back_the_first_day_and_keeps_the_connection(
    r: Rehearsal, bot: Deaf
) -> None:
    channel = await r.in_channel()
    before = (await r.act("ana", "post", channel=channel, text="old"))["ts"]
    await r.slack.settled()
    ana = r.feed.subscribe(ANA)
    r.slack.reset()
    assert await heard(ana, "reset") == {}
    assert r.sees("ana", channel) == []
    assert r.slack.find_channel("incidents") == channel
    assert await r.error("chat.postMessage", channel=channel, text="x") == "not_in_channel"
    channel = await r.in_channel()
    after = (await r.act("ana", "mention", channel=channel, text="new"))["ts"]
    assert after > before, "no moment comes twice"
    await until(lambda: [e for e in bot.events("message") if "new" in e["text"]])
