"""How the practice Slack reaches a bot: sockets with tickets, signed requests, and events that are sent again."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import parse_qs

from aiohttp import WSServerHandshakeError
from slack_sdk.signature import SignatureVerifier

from tests.component.practice.rehearsal import Rehearsal, listening, rehearsal, until
from tests.fakes.http import Answer, Got, http_server


async def ticket(r: Rehearsal) -> str:
    headers = {"Authorization": f"Bearer {r.slack.app_token}"}
    async with r.http.post(r.api + "apps.connections.open", headers=headers) as answer:
        return str((await answer.json())["url"])


async def refused(r: Rehearsal, url: str) -> bool:
    try:
        async with r.http.ws_connect(url):
            return False
    except WSServerHandshakeError as error:
        return error.status == 404


# --- sockets ------------------------------------------------------------------------------------------------------


async def test_a_ticket_opens_one_socket_and_not_for_long() -> None:
    async with rehearsal() as r:
        url = await ticket(r)
        async with r.http.ws_connect(url) as socket:
            hello = await socket.receive_json()
            assert (hello["type"], hello["num_connections"]) == ("hello", 1)
            assert await refused(r, url)
        r.clock.skip(60)
        stale = await ticket(r)
        r.clock.skip(31)
        assert await refused(r, stale)


async def test_an_eleventh_socket_is_sent_away() -> None:
    async with rehearsal(rate_limits=False) as r:
        sockets = [await r.http.ws_connect(await ticket(r)) for _ in range(11)]
        hellos = [(await socket.receive_json())["type"] for socket in sockets]
        assert hellos == ["hello"] * 10 + ["disconnect"]
        for socket in sockets:
            await socket.close()


async def test_each_event_goes_to_one_of_several_sockets() -> None:
    async with rehearsal(rate_limits=False) as r, listening(r) as one, listening(r) as other:
        for n in range(20):
            await r.act("ana", "post", channel=r.slack.direct("ana"), text=f"m{n}")
        await r.slack.settled()
        got = [e["text"] for bot in (one, other) for e in bot.events("message")]
        assert sorted(got) == sorted(f"m{n}" for n in range(20))
        assert one.got
        assert other.got


async def test_a_refreshed_bot_comes_back_and_misses_nothing() -> None:
    changes: list[int] = []  # each coming and going is told
    async with rehearsal(rate_limits=False, on_connection=lambda: changes.append(1)) as r:
        async with listening(r):
            await r.slack.wire.refresh()
            assert not r.slack.wire.sockets
            assert not await r.slack.connected(0.01)
        await r.act("ana", "post", channel=r.slack.direct("ana"), text="meanwhile")
        async with listening(r) as bot:
            await until(lambda: bot.events("message"))
        await until(lambda: len(changes) == 4)


async def test_an_event_nobody_takes_is_sent_again_three_times() -> None:
    waits: list[float] = []

    async def wait(seconds: float) -> None:
        waits.append(seconds)

    async with rehearsal(ack_within=0.03, wait=wait) as r, listening(r) as bot:
        bot.silent = True
        await r.act("ana", "post", channel=r.slack.direct("ana"), text="anyone?")
        await r.slack.settled()
        assert [one["retry_attempt"] for one in bot.got] == [0, 1, 2, 3]
        assert bot.got[1]["retry_reason"] == "http_timeout"
        assert len({one["payload"]["event_id"] for one in bot.got}) == 1
        assert waits == [0, 60, 300]


async def test_nonsense_on_a_socket_hurts_nobody() -> None:
    async with rehearsal() as r, listening(r) as bot:
        for frame in ("{", "[]", '"x"', '{"envelope_id": ["a"]}', '{"envelope_id": "unknown"}'):
            await bot.socket.send_str(frame)
        await bot.socket.send_bytes(b"\x00")
        await r.act("ana", "post", channel=r.slack.direct("ana"), text="still here?")
        await until(lambda: bot.events("message"))


# --- HTTP mode ----------------------------------------------------------------------------------------------------


def good(secret: str, got: Got) -> bool:
    headers = {key.lower(): value for key, value in got.headers.items()}
    return SignatureVerifier(secret).is_valid_request(got.body, headers)


def answers(got: Got) -> Answer:
    """As a bot: the challenge is echoed, everything else taken."""
    said = json.loads(got.body) if got.body.startswith(b"{") else {}
    return Answer(body=str(said.get("challenge", "")).encode())


async def test_over_http_everything_is_signed_and_shaped_as_slack_does() -> None:
    async with http_server() as server, rehearsal(rate_limits=False) as r:
        server.answer = answers
        r.slack.request_url = f"http://{server.at}/slack/events"
        assert await r.slack.connected(5)
        channel = r.slack.find_channel("incidents")
        await r.act("ana", "slash", channel=channel, text="/oncall who")
        await r.act("ana", "shortcut", callback_id="declare_incident")
        await r.act("ana", "post", channel=r.slack.direct("ana"), text="hello")
        await r.slack.settled()
        assert all(good(r.slack.signing_secret, got) for got in server.got)
        challenge, command, shortcut, event = server.got
        assert challenge.json["type"] == "url_verification"
        assert parse_qs(command.body.decode())["text"] == ["who"]
        payload = json.loads(parse_qs(shortcut.body.decode())["payload"][0])
        assert payload["callback_id"] == "declare_incident"
        assert event.json["type"] == "event_callback"
        assert event.headers["Content-Type"] == "application/json"


async def test_over_http_a_refusal_is_told_and_an_event_comes_again_unless_told_not_to() -> None:
    async def wait(seconds: float) -> None:
        await asyncio.sleep(0)

    async with http_server() as server, rehearsal(rate_limits=False, wait=wait) as r:
        server.answer = Answer(status=500)
        r.slack.request_url = f"http://{server.at}/"
        assert not await r.slack.connected(0.05)
        server.got.clear()
        channel = r.slack.find_channel("incidents")
        done = await r.act("ana", "slash", channel=channel, text="/oncall who")
        assert done["error"] == "The bot answered with status 500."
        assert len(server.got) == 1, "a command is never sent again"

        async def sent() -> list[dict[str, Any]]:
            server.got.clear()
            await r.act("ana", "post", channel=r.slack.direct("ana"), text="hello")
            await r.slack.settled()
            return [got.headers for got in server.got]

        assert [h.get("X-Slack-Retry-Num") for h in await sent()] == [None, "1", "2", "3"]
        server.answer = Answer(status=500, headers={"X-Slack-No-Retry": "1"})
        assert len(await sent()) == 1


async def test_over_http_a_bot_that_is_gone_is_told() -> None:
    async with rehearsal(request_url="http://127.0.0.1:9/") as r:
        channel = r.slack.find_channel("incidents")
        done = await r.act("ana", "slash", channel=channel, text="/oncall who")
        assert done["error"] == "The bot is not connected."
