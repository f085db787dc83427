"""A message reaches Slack once, wherever it was meant for, and is found again after a doubt."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from oncall_bot.ports import ChatMessage, DeliveryError
from oncall_bot.slack.blocks import image
from oncall_bot.slack.cards import card
from oncall_bot.slack.sender import SlackChat, SlackDirectory, web_client
from tests.component.slack.bot import until
from tests.unit.slack.situations import FIRING

DRAWN = card(FIRING, FIRING.updated_at)


def message(**changed: Any) -> ChatMessage:
    given = {"key": "card:1:1", "channel": "#incidents", "text": DRAWN.text, "blocks": DRAWN.blocks}
    return ChatMessage(**(given | changed))


def earlier() -> datetime:
    return datetime.now(UTC) - timedelta(seconds=5)


async def posted(slack: Any, channel: str = "incidents") -> list[dict[str, Any]]:
    found = await slack.act_messages(channel)
    return [one for one in found if one["user"] == slack.app.bot_user]


def calls(slack: Any, method: str) -> list[dict[str, Any]]:
    return [entry for entry in slack.log if entry["kind"] == "api" and entry["method"] == method]


@pytest.fixture
def chat(client: AsyncWebClient) -> SlackChat:
    return SlackChat(client)


async def test_a_public_channel_is_joined_by_name_and_looked_up_once(
    slack: Any, chat: SlackChat
) -> None:
    first = await chat.put(message(), first_tried_at=None)
    second = await chat.put(message(key="card:2:1", channel="#Incidents"), first_tried_at=None)
    assert first.channel == second.channel == slack.ws.channel("incidents")["id"]
    assert [one["ts"] for one in await posted(slack)] == [first.provider_id, second.provider_id]
    assert len(calls(slack, "conversations.list")) == 1
    assert len(calls(slack, "conversations.join")) == 1
    assert slack.report()["ok"], slack.violations


async def test_a_person_gets_a_direct_message(slack: Any, chat: SlackChat) -> None:
    alice = slack.ws.user("alice")["id"]
    sent = await chat.put(message(key="page:7:slack", channel=alice), first_tried_at=None)
    found = await slack.act_messages("dm", "alice")
    assert [one["ts"] for one in found] == [sent.provider_id]
    assert found[0]["metadata"] == {
        "event_type": "oncall_page",
        "event_payload": {"key": "page:7:slack"},
    }


async def test_a_retry_adopts_what_the_first_try_had_posted(slack: Any, chat: SlackChat) -> None:
    first = await chat.put(message(), first_tried_at=None)
    again = await chat.put(message(), first_tried_at=earlier())
    assert again.provider_id == first.provider_id
    assert again.answer == "adopted"
    assert len(await posted(slack)) == 1


async def test_a_retry_in_a_thread_and_in_a_direct_message_adopts_too(
    slack: Any, chat: SlackChat
) -> None:
    root = await chat.put(message(), first_tried_at=None)
    in_thread = message(key="work_log:1", thread_ts=root.provider_id)
    to_alice = message(key="page:1:1", channel=slack.ws.user("alice")["id"])
    for one in (in_thread, to_alice):
        first = await chat.put(one, first_tried_at=None)
        assert (await chat.put(one, first_tried_at=earlier())).provider_id == first.provider_id


async def test_a_retry_whose_first_try_never_arrived_posts(slack: Any, chat: SlackChat) -> None:
    await chat.put(message(key="other"), first_tried_at=None)
    sent = await chat.put(message(), first_tried_at=earlier())
    assert sent.answer == "posted"


async def test_when_the_look_up_fails_the_page_goes_out(slack: Any, chat: SlackChat) -> None:
    await chat.put(message(), first_tried_at=None)
    await slack.act_fault("http500", "conversations.history", 1)
    assert (await chat.put(message(), first_tried_at=earlier())).answer == "posted"
    assert len(await posted(slack)) == 2


async def test_an_edit_stays_one_message_and_keeps_its_push_line(
    slack: Any, chat: SlackChat
) -> None:
    first = await chat.put(message(), first_tried_at=None)
    edit = message(
        text="Incident 42 SEV2 acknowledged by Ana.", ts=first.provider_id, channel=first.channel
    )
    again = await chat.put(edit, first_tried_at=None)
    assert again.provider_id == first.provider_id
    assert [one["text"] for one in await posted(slack)] == ["Incident 42 SEV2 acknowledged by Ana."]


async def test_a_deleted_card_is_posted_anew(
    slack: Any, chat: SlackChat, client: AsyncWebClient
) -> None:
    first = await chat.put(message(), first_tried_at=None)
    await client.chat_delete(channel=str(first.channel), ts=first.provider_id)
    again = await chat.put(
        message(ts=first.provider_id, channel=first.channel), first_tried_at=None
    )
    assert again.provider_id != first.provider_id
    assert again.answer == "posted"


async def test_blocks_that_slack_refuses_are_sent_again_as_words(
    slack: Any, chat: SlackChat
) -> None:
    await slack.act_fault("error", "chat.postMessage", 1, error="invalid_blocks")
    sent = await chat.put(message(), first_tried_at=None)
    (found,) = await posted(slack)
    assert found["ts"] == sent.provider_id
    assert "blocks" not in found
    assert "Nobody has answered yet." in found["text"]
    assert found["metadata"]["event_payload"] == {"key": "card:1:1"}


async def test_a_card_whose_picture_slack_refuses_keeps_its_buttons(
    slack: Any, chat: SlackChat
) -> None:
    await slack.act_fault("error", "chat.postMessage", 1, error="invalid_blocks")
    pictured = [*DRAWN.blocks, image("F0PICTURE1", "Errors: 8.4 %, limit 2 %")]
    await chat.put(message(blocks=pictured), first_tried_at=None)
    (found,) = await posted(slack)
    assert [one["type"] for one in found["blocks"]] == [
        *(one["type"] for one in DRAWN.blocks),
        "context",
    ]
    assert "Picture: Errors: 8.4 %, limit 2 %" in str(found["blocks"][-1])


@pytest.mark.parametrize(
    ("fault", "permanent", "limited"),
    [
        ({"kind": "http500"}, False, False),
        ({"kind": "ratelimited", "delay": 7}, False, True),
        ({"kind": "error", "error": "internal_error"}, False, False),
        ({"kind": "error", "error": "token_revoked"}, False, False),
        ({"kind": "error", "error": "is_archived"}, True, False),
        ({"kind": "error", "error": "restricted_action"}, True, False),
    ],
)
async def test_a_failed_post_is_tried_once_and_says_what_kind_of_failure_it_was(
    slack: Any, chat: SlackChat, fault: dict[str, Any], permanent: bool, limited: bool
) -> None:
    await slack.act_fault(fault.pop("kind"), "chat.postMessage", 9, **fault)
    with pytest.raises(DeliveryError) as info:
        await chat.put(message(), first_tried_at=None)
    assert (info.value.permanent, info.value.rate_limited) == (permanent, limited)
    assert info.value.retry_after == (7.0 if limited else None)
    assert len(calls(slack, "chat.postMessage")) == 1


async def test_a_channel_that_is_not_there_is_permanent_and_not_listed_again_at_once(
    slack: Any, chat: SlackChat
) -> None:
    for _ in range(3):
        with pytest.raises(DeliveryError, match="no channel #nowhere") as info:
            await chat.put(message(channel="#nowhere"), first_tried_at=None)
        assert info.value.permanent
    assert len(calls(slack, "conversations.list")) == 1


async def test_a_postmortem_comes_with_its_file_once(slack: Any, chat: SlackChat) -> None:
    with_file = message(
        key="draft:1", file=b"# Postmortem\n", file_name="incident-42-postmortem.md"
    )
    root = await chat.put(with_file, first_tried_at=None)

    async def files() -> list[str]:
        thread = await slack.act_messages("incidents", thread=root.provider_id)
        return [file["name"] for one in thread for file in one.get("files") or ()]

    async def arrived() -> bool:
        return bool(await files())

    await until(arrived)
    await chat.put(with_file, first_tried_at=earlier())
    assert await files() == ["incident-42-postmortem.md"]


async def test_slack_being_away_is_no_permanent_failure() -> None:
    gone = AsyncWebClient(
        "xoxb-x", base_url="http://127.0.0.1:1/api/", timeout=2, retry_handlers=[]
    )
    with pytest.raises(DeliveryError) as info:
        await SlackChat(gone).put(message(channel="C0CHECKOUT"), first_tried_at=None)
    assert not info.value.permanent


async def test_every_call_is_counted(slack: Any) -> None:
    counted: list[tuple[str, str]] = []
    client = web_client(
        slack.app.bot_token, f"{slack.base}/api/", lambda *call: counted.append(call)
    )
    chat = SlackChat(client)
    await chat.put(message(), first_tried_at=None)
    await slack.act_fault("error", "chat.postMessage", 1, error="is_archived")
    with pytest.raises(DeliveryError):
        await chat.put(message(), first_tried_at=None)
    assert counted == [
        ("conversations.list", "ok"),
        ("conversations.join", "ok"),
        ("chat.postMessage", "ok"),
        ("chat.postMessage", "is_archived"),
    ]


async def test_people_are_found_by_mail(slack: Any, client: AsyncWebClient) -> None:
    directory = SlackDirectory(client)
    assert await directory.slack_id("Alice@example.com") == slack.ws.user("alice")["id"]
    assert await directory.slack_id("nobody@example.com") is None
    await slack.act_fault("http500", "users.lookupByEmail", 1)
    with pytest.raises(DeliveryError):
        await directory.slack_id("alice@example.com")
