"""The practice phone takes what the bot's pager sends, rings once for each page, and its buttons do what they say."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from oncall_bot.core.config import Channel
from oncall_bot.paging.roads import CurrentRoads
from oncall_bot.ports import DeliveryError, LoudPage
from oncall_bot.practice.feed import Feed
from oncall_bot.practice.phone import NotPressed, Phones
from tests.fakes.http import Answer, http_server

AT = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def page(key: str = "page:1:file:push:0", **more: object) -> LoudPage:
    given = {
        "key": key,
        "channel": "push",
        "address": "ana-phone",
        "title": "SEV2 High error rate on checkout",
        "text": "Firing since 02:00 UTC.",
        "ack_url": "http://127.0.0.1:1/ack/t",
        "urgent": True,
    }
    return LoudPage(**{**given, **more})  # type: ignore[arg-type]


@pytest.fixture
async def phones() -> AsyncIterator[tuple[Phones, str]]:
    found = Phones(
        now=lambda: AT,
        feed=Feed(),
        owner={"ana-phone": "U1", "ana@practice.example": "U1"}.get,
    )
    async with TestServer(found.app()) as server:
        yield found, f"127.0.0.1:{server.port}"


async def sent(at: str, *pages: LoudPage) -> None:
    channels = {
        "push": Channel("push", f"ntfy://{at}/{{to}}"),
        "mail": Channel("mail", f"webhook+http://{at}/page/mail"),
    }
    roads = CurrentRoads(lambda: channels)
    try:
        for one in pages:
            await roads.current().page(one)
    finally:
        await roads.aclose()


async def test_a_page_rings_on_its_owners_phone(phones: tuple[Phones, str]) -> None:
    found, at = phones
    await sent(at, page())
    (ring,) = found.of("U1")
    assert (ring.title, ring.priority, ring.state) == (page().title, 5, "ringing")
    assert [one.label for one in ring.actions] == ["Acknowledge", "Look first"]


async def test_the_same_page_again_rings_no_second_time(phones: tuple[Phones, str]) -> None:
    found, at = phones
    await sent(at, page(), page(), page(key="page:2:file:push:0"))
    assert [one.times for one in found.rings] == [2, 1]


async def test_mail_of_a_rehearsal_arrives_too(phones: tuple[Phones, str]) -> None:
    found, at = phones
    await sent(at, page(channel="mail", address="ana@practice.example"))
    assert found.of("U1")[0].message.startswith("By mail:")


async def test_acknowledge_sends_the_buttons_request_and_is_shown(
    phones: tuple[Phones, str],
) -> None:
    found, at = phones
    async with http_server() as bot:
        await sent(at, page(ack_url=f"http://{bot.at}/ack/token"))
        ring = found.rings[0]
        assert await found.press(ring.id, 0) == {"ok": True, "status": 200}
        assert [(one.method, one.path) for one in bot.got] == [("POST", "/ack/token")]
    assert found.rings[0].state == "acknowledged"


async def test_a_refused_acknowledgement_leaves_it_ringing(phones: tuple[Phones, str]) -> None:
    found, at = phones
    async with http_server() as bot:
        bot.answer = Answer(410)
        await sent(at, page(ack_url=f"http://{bot.at}/ack/token"))
        with pytest.raises(NotPressed, match="410"):
            await found.press(found.rings[0].id, 0)
    assert found.rings[0].state == "ringing"


async def test_opening_leads_to_the_page_and_sends_nothing(phones: tuple[Phones, str]) -> None:
    found, at = phones
    await sent(at, page())
    done = await found.press(found.rings[0].id, "open")
    assert done["open"] == page().ack_url
    assert found.rings[0].state == "opened"


async def test_a_button_never_leaves_this_machine(phones: tuple[Phones, str]) -> None:
    found, at = phones
    await sent(at, page(ack_url="http://example.com/ack/t"))
    with pytest.raises(NotPressed, match="outside this machine"):
        await found.press(found.rings[0].id, 0)


async def test_a_network_that_is_down_is_a_failure_the_bot_retries(
    phones: tuple[Phones, str],
) -> None:
    found, at = phones
    found.down = True
    with pytest.raises(DeliveryError) as error:
        await sent(at, page())
    assert not error.value.permanent
    assert not found.rings


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"message": "x"},
        {"topic": "a b"},
        {"topic": "a", "priority": 9},
        {"topic": "a", "actions": [{"action": "http", "label": "", "url": ""}]},
        {"topic": "a", "actions": [{"action": "view", "label": "x", "url": "y"}] * 4},
    ],
)
async def test_what_ntfy_refuses_is_refused(phones: tuple[Phones, str], body: object) -> None:
    found, at = phones
    async with aiohttp.ClientSession() as session:
        answer = await session.post(f"http://{at}/", json=body)
        assert answer.status == 400
    assert not found.rings
