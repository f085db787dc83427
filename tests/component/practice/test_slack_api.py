"""What a bot finds at the practice Slack's Web API: the same answers, refusals and limits as at Slack's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError

from oncall_bot.ports import ChatMessage, DeliveryError
from oncall_bot.slack.checkup import look
from oncall_bot.slack.manifest import manifest
from oncall_bot.slack.sender import SlackChat, SlackDirectory
from tests.component.practice.rehearsal import ANA, BO, CY, PEOPLE, Rehearsal, rehearsal


@pytest.fixture
async def r() -> AsyncIterator[Rehearsal]:
    async with rehearsal(rate_limits=False) as r:
        yield r


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


# --- who asks -----------------------------------------------------------------------------------------------------


async def test_the_doctor_finds_both_tokens_good_and_every_scope_granted(r: Rehearsal) -> None:
    found = await look(r.slack.bot_token, r.api, r.slack.app_token)
    assert (found.workspace, found.bot, found.missing) == ("Practice", "oncall-bot", ())


async def test_the_doctor_names_a_token_that_is_wrong(r: Rehearsal) -> None:
    with pytest.raises(DeliveryError, match="invalid_auth"):
        await look("xoxb-stolen", r.api)
    with pytest.raises(DeliveryError, match="app token"):
        await look(r.slack.bot_token, r.api, "xapp-stolen")


async def test_a_scope_that_the_manifest_does_not_ask_for_is_missing() -> None:
    poor = manifest()
    poor["oauth_config"]["scopes"]["bot"] = ["chat:write", "channels:read", "channels:history"]
    async with rehearsal(poor) as r:
        said = await r.call("conversations.join", channel=r.slack.find_channel("incidents"))
        assert (said["error"], said["needed"]) == ("missing_scope", "channels:join")
        assert said["provided"] == "channels:history,channels:read,chat:write"
        said = await r.ask("conversations.list", types="public_channel,private_channel")
        assert said["needed"] == "groups:read", "each kind of channel has a scope of its own"
        said = await r.call("conversations.history", channel=r.slack.direct("ana"))
        assert said["needed"] == "im:history"


async def test_addresses_are_shown_only_with_the_scope_for_them() -> None:
    shy = manifest()
    shy["oauth_config"]["scopes"]["bot"].remove("users:read.email")
    async with rehearsal(shy) as r:
        assert "email" not in (await r.ask("users.info", user=ANA))["user"]["profile"]
        assert (await r.ask("users.lookupByEmail", email="ana@example.com"))["needed"]


async def test_people_have_their_zone_and_its_offset_today(r: Rehearsal) -> None:
    bo = (await r.ask("users.info", user=BO))["user"]
    assert (bo["name"], bo["tz"], bo["tz_offset"]) == ("bo", "Asia/Kolkata", 19800)
    ana = (await r.ask("users.info", user=ANA))["user"]
    assert ana["tz_offset"] == 3600
    r.clock.at -= timedelta(days=120)
    assert (await r.ask("users.info", user=ANA))["user"]["tz_offset"] == 7200, "summer time"


async def test_a_person_is_found_by_address_as_the_bot_looks_for_them(r: Rehearsal) -> None:
    directory = SlackDirectory(r.client())
    assert await directory.slack_id("CY@example.com") == CY
    assert await directory.slack_id("nobody@example.com") is None


async def test_the_token_may_come_in_a_form_but_not_in_a_json_body(r: Rehearsal) -> None:
    async with r.http.post(r.api + "auth.test", data={"token": r.slack.bot_token}) as answer:
        assert (await answer.json())["ok"]
    async with r.http.post(r.api + "auth.test", json={"token": r.slack.bot_token}) as answer:
        assert (await answer.json())["error"] == "not_authed"


async def test_a_method_slack_does_not_have_is_unknown(r: Rehearsal) -> None:
    assert await r.error("chat.shout", channel="x") == "unknown_method"


async def test_a_method_that_reads_forms_does_not_see_a_json_body(r: Rehearsal) -> None:
    assert await r.error("users.info", user=ANA) == "invalid_arguments"


# --- messages -----------------------------------------------------------------------------------------------------


async def test_the_bot_finds_its_message_by_the_key_it_gave(r: Rehearsal) -> None:
    """After a doubt the bot looks for its key and adopts the message, and posts nothing twice."""
    channel = await r.in_channel()
    chat = SlackChat(r.client())
    message = ChatMessage("card:7:1", channel, "Incident 7")
    sent = await chat.put(message, first_tried_at=None)
    again = await chat.put(message, first_tried_at=r.clock.now())
    assert (sent.provider_id, "adopted") == (again.provider_id, again.answer)
    assert [m["text"] for m in r.slack.messages(channel)] == ["Incident 7"]


async def test_metadata_is_told_only_to_those_who_ask(r: Rehearsal) -> None:
    channel = await r.in_channel()
    metadata = {"event_type": "oncall_card", "event_payload": {"key": "k"}}
    await r.call("chat.postMessage", channel=channel, text="t", metadata=metadata)
    asked = {"channel": channel, "include_all_metadata": True}
    assert (await r.call("conversations.history", **asked))["messages"][0]["metadata"] == metadata
    plain_ = await r.call("conversations.history", channel=channel)
    assert "metadata" not in plain_["messages"][0]
    assert "metadata" not in r.sees("ana", channel)[0], "the page has no use for it"


async def test_a_thread_counts_its_replies(r: Rehearsal) -> None:
    channel = await r.in_channel()
    root = (await r.call("chat.postMessage", channel=channel, text="root"))["ts"]
    replies = [
        (await r.call("chat.postMessage", channel=channel, text=f"r{n}", thread_ts=root))["ts"]
        for n in range(3)
    ]
    said = await r.ask("conversations.replies", channel=channel, ts=root)
    assert [m["ts"] for m in said["messages"]] == [root, *replies]
    assert said["messages"][0]["reply_count"] == 3
    assert said["messages"][0]["latest_reply"] == replies[-1]
    history = await r.call("conversations.history", channel=channel)
    assert [m["ts"] for m in history["messages"]] == [root], "replies stay in their thread"
    await r.call("chat.delete", channel=channel, ts=replies[-1])
    assert r.sees("ana", channel)[0]["reply_count"] == 2


async def test_a_broadcast_reply_stands_in_the_channel_too(r: Rehearsal) -> None:
    channel = await r.in_channel()
    root = (await r.call("chat.postMessage", channel=channel, text="root"))["ts"]
    more = {"thread_ts": root, "reply_broadcast": True}
    await r.call("chat.postMessage", channel=channel, text="to all", **more)
    history = await r.call("conversations.history", channel=channel)
    assert [m["text"] for m in history["messages"]] == ["to all", "root"]


async def test_history_comes_in_pages_newest_first(r: Rehearsal) -> None:
    channel = await r.in_channel()
    for n in range(5):
        await r.call("chat.postMessage", channel=channel, text=str(n))
    texts, cursor = [], ""
    for _ in range(3):
        page = await r.call("conversations.history", channel=channel, limit=2, cursor=cursor)
        texts += [m["text"] for m in page["messages"]]
        cursor = page["response_metadata"]["next_cursor"]
    assert (texts, cursor) == (["4", "3", "2", "1", "0"], "")


async def test_no_two_messages_have_the_same_moment_even_when_the_clock_stands(
    r: Rehearsal,
) -> None:
    channel = await r.in_channel()
    stamps = [(await r.call("chat.postMessage", channel=channel, text="t"))["ts"] for _ in range(5)]
    assert sorted(set(stamps)) == stamps
    assert stamps[0].startswith(f"{int(r.clock.now().timestamp())}.")


async def test_an_edit_without_blocks_drops_them(r: Rehearsal) -> None:
    channel = await r.in_channel()
    held = [{"type": "section", "text": plain("b")}]
    ts = (await r.call("chat.postMessage", channel=channel, text="t", blocks=held))["ts"]
    await r.call("chat.update", channel=channel, ts=ts, text="only words")
    (message,) = r.sees("ana", channel)
    assert "blocks" not in message
    assert message["edited"]["user"] == r.slack.bot_user


async def test_very_many_words_in_blocks_are_too_long_together(r: Rehearsal) -> None:
    channel = await r.in_channel()
    held = [{"type": "section", "text": plain("x" * 2900)} for _ in range(5)]
    given = {"channel": channel, "text": "t", "blocks": held}
    assert await r.error("chat.postMessage", **given) == "msg_blocks_too_long"
    given["blocks"] = "words"
    assert await r.error("chat.postMessage", **given) == "invalid_blocks_format"


async def test_a_refused_block_is_named_by_its_place(r: Rehearsal) -> None:
    channel = await r.in_channel()
    held = [{"type": "divider"}, {"type": "header", "text": plain("x" * 151)}]
    said = await r.call("chat.postMessage", channel=channel, text="t", blocks=held)
    expected = "[ERROR] must be less than 151 characters [json-pointer:/blocks/1/text/text]"
    assert said["response_metadata"]["messages"] == [expected]


async def test_the_bot_sends_plain_words_when_its_blocks_are_refused(r: Rehearsal) -> None:
    """The page is not lost for its looks."""
    channel = await r.in_channel()
    broken = [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}]
    message = ChatMessage("card:1:1", channel, "Incident 1", broken)
    await SlackChat(r.client()).put(message, first_tried_at=None)
    (sent,) = r.slack.messages(channel)
    assert sent["text"].startswith("Incident 1")
    assert "blocks" not in sent


async def test_the_bot_joins_a_public_channel_it_was_not_in(r: Rehearsal) -> None:
    chat = SlackChat(r.client())
    sent = await chat.put(ChatMessage("card:1:1", "#incidents", "here"), first_tried_at=None)
    assert sent.channel == r.slack.find_channel("incidents")
    with pytest.raises(DeliveryError, match="channel"):
        await chat.put(ChatMessage("card:2:1", "#secret", "no"), first_tried_at=None)


async def test_a_file_goes_the_three_steps_into_a_thread_and_can_be_fetched(r: Rehearsal) -> None:
    channel = await r.in_channel()
    root = (await r.call("chat.postMessage", channel=channel, text="root"))["ts"]
    chat = SlackChat(r.client())
    await chat.upload(channel, b"# Postmortem\n", "postmortem-7.md", thread_ts=root)
    message = r.sees("ana", channel)[-1]
    (file,) = message["files"]
    assert (file["name"], file["mimetype"]) == ("postmortem-7.md", "text/markdown")
    assert message["thread_ts"] == root
    async with r.http.get(file["url"]) as answer:
        assert await answer.text() == "# Postmortem\n"
    async with r.http.get(file["url"][:-1] + "x") as answer:
        assert answer.status == 404, "an address can not be guessed"


async def test_an_uploaded_page_never_runs_as_a_page_of_the_demo(r: Rehearsal) -> None:
    channel = await r.in_channel()
    chat = SlackChat(r.client())
    await chat.upload(channel, b"<script>alert(1)</script>", "evil.html")
    (file,) = r.sees("ana", channel)[-1]["files"]
    async with r.http.get(file["url"]) as answer:
        assert answer.content_type == "text/plain"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]


async def test_an_upload_of_another_size_than_announced_is_refused(r: Rehearsal) -> None:
    said = await r.ask("files.getUploadURLExternal", filename="a.md", length="3")
    async with r.http.post(said["upload_url"], data=b"four") as answer:
        assert answer.status == 400
    files = [{"id": said["file_id"]}]
    assert await r.error("files.completeUploadExternal", files=files) == "file_not_found"


async def test_every_person_of_the_workspace_is_listed_and_so_is_the_bot(r: Rehearsal) -> None:
    members = (await r.ask("users.list"))["members"]
    assert [m["id"] for m in members] == [*(p.id for p in PEOPLE), r.slack.bot_user]
    assert members[-1]["is_bot"]


# --- how often ----------------------------------------------------------------------------------------------------


async def test_one_channel_takes_a_short_burst_and_then_one_message_a_second() -> None:
    async with rehearsal() as r:
        channel, other = await r.in_channel(), await r.in_channel("general")
        client = r.client()
        for _ in range(3):
            await client.chat_postMessage(channel=channel, text="t")
        with pytest.raises(SlackApiError) as refused:
            await client.chat_postMessage(channel=channel, text="t")
        assert refused.value.response.status_code == 429
        assert refused.value.response["error"] == "ratelimited"
        wait = int(refused.value.response.headers["Retry-After"])
        assert 1 <= wait <= 2
        await client.chat_postMessage(channel=other, text="other channels go on")
        r.clock.skip(wait)
        await client.chat_postMessage(channel=channel, text="t")


async def test_calling_again_before_the_time_is_over_stays_refused() -> None:
    async with rehearsal() as r:
        for _ in range(20):
            assert (await r.ask("conversations.list"))["ok"]
        for _ in range(3):
            assert await r.ask("conversations.list") == {"ok": False, "error": "ratelimited"}
        r.clock.skip(3)
        assert (await r.ask("conversations.list"))["ok"]


async def test_a_refused_call_is_counted_but_does_not_block_other_methods() -> None:
    async with rehearsal() as r:
        answers = [(await r.ask("conversations.list"))["ok"] for _ in range(21)]
        assert answers == [True] * 20 + [False]
        assert (await r.ask("users.info", user=ANA))["ok"]
