"""A person trying to be woken, with an old telephone: text messages and calls through the whole product."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from oncall_bot.practice.feed import Feed
from oncall_bot.practice.phone import Phones, Ring
from oncall_bot.practice.telephone import ACCOUNT, NUMBER, TOKEN, TelephoneNetwork, sign
from tests.e2e.world import CONFIG, World, alert, body, http, wait_until

ALICE, BOB = "+4915550100001", "+4915550100002"
RULES = """
personal_rules:
  high: [{after: 0m, by: slack}, {after: 0m, by: sms}, {after: 1s, by: voice}]
  low: [{after: 0m, by: slack}]
"""


class Network:
    """The telephone network on a thread of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self.phones = Phones(now=lambda: datetime.now(UTC), feed=Feed())
        self.telephone = TelephoneNetwork(self.phones)
        self.run(self._open())

    def run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(20)

    async def _open(self) -> None:
        app = web.Application()
        self.telephone.add_routes(app)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.at = f"127.0.0.1:{self._runner.addresses[0][1]}"

    def close(self) -> None:
        self.run(self.telephone.close())
        self.run(self._runner.cleanup())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)
        self.loop.close()

    def rings(self, to: str, contains: str = "", *, call: bool | None = None) -> list[Ring]:
        return [
            one
            for one in self.phones.rings
            if one.topic == to
            and contains in one.title + one.message
            and call in (None, one.title == "Incoming call")
        ]

    def press(self, ring: Ring, label: str) -> str:
        index = next(n for n, one in enumerate(ring.actions) if label in one.label)
        return str(self.run(self.phones.press(ring.id, index))["said"])


@pytest.fixture
def network() -> Iterator[Network]:
    found = Network()
    yield found
    found.close()


@pytest.fixture
def world(build: Callable[..., World], network: Network) -> World:
    """Alice and Bob have no other road than their telephones; the account stands in the environment."""
    road = f"twilio+http://{ACCOUNT}:{TOKEN}@{network.at}/{NUMBER}/{{to}}"
    config = CONFIG.replace(
        "  push: {", "  sms: {url_env: ROAD_SMS}\n  voice: {url_env: ROAD_VOICE}\n  push: {"
    )
    for whom, number in (("alice", ALICE), ("bob", BOB)):
        config = config.replace(
            f"contacts: {{push: {whom}-phone}}", f'contacts: {{sms: "{number}", voice: "{number}"}}'
        )
    env = {"ROAD_SMS": road, "ROAD_VOICE": f"{road}?method=call"}
    made = build(config=config + RULES, env=env)
    network.telephone.text_url = lambda: f"{made.serve.url}/phone/sms/text"
    return made


def code_in(ring: Ring) -> str:
    found = re.search(r"Reply A([0-9]{4})", ring.message)
    assert found is not None, ring.message
    return found[1]


def test_somebody_without_an_app_is_woken_and_answers(world: World, network: Network) -> None:
    assert world.post(body(alert())).status == 200
    (text,) = world.until(
        lambda: network.rings(ALICE, "HighErrorRate", call=False), "the text message"
    )
    world.until(lambda: world.channel(contains="SMS delivered"), "the receipt on the card")
    (call,) = world.until(lambda: network.rings(ALICE, call=True), "the call")
    world.until(lambda: world.channel(contains="phone rang"), "that it rings on the card")

    code = code_in(text)
    url = f"{world.serve.url}/phone/sms/text"
    forged = {"MessageSid": "SMforged", "From": ALICE, "To": NUMBER, "Body": f"A{code}"}
    for signature in (sign("another token", url, forged), "", "AAAA"):
        status, _ = network.run(network.telephone.post(url, forged, signature=signature or "-"))
        assert status == 403
    assert not world.channel(contains="cknowledged")
    assert network.run(network.telephone.text("+4915550999999", f"A{code}")) == "", "a stranger"
    assert network.run(network.telephone.text(ALICE, "a")).startswith(f"Reply A{code} takes 1")

    said = network.run(network.telephone.text(ALICE, f"a {code} thanks"))
    assert said == "You have incident 1. Nobody else is paged."
    world.until(lambda: world.channel(contains="Alice Adams is on it"), "the card says who has it")
    assert "You already have incident 1." in network.press(call, "to take it"), (
        "kind to who is late"
    )
    acked = world.rows("SELECT text FROM incident_event WHERE kind = 'ack'")
    assert [row["text"] for row in acked] == ["Alice Adams acknowledged by text message"]

    assert world.post(body(alert("DiskFull"))).status == 200
    (call,) = world.until(
        lambda: network.rings(ALICE, "DiskFull", call=True), "the call about the next one"
    )
    assert network.press(call, "to take it") == "You have incident 2. Nobody else is paged."
    world.until(lambda: world.channel(contains="phone picked up"), "that she picked up")
    world.judged_clean()


def test_a_number_that_is_no_more_is_told_and_the_next_road_goes(
    world: World, network: Network
) -> None:
    network.telephone.refuse[ALICE] = 21610
    assert world.post(body(alert())).status == 200
    world.until(lambda: world.channel(contains="SMS failed"), "the failure on the card")
    world.until(lambda: world.dms("alice", "does not reach you"), "the word to its owner")
    world.until(lambda: world.dms("carol", "does not reach Alice"), "the word to the manager")
    network.telephone.refuse.clear()
    (said,) = [http(f"{world.serve.url}/phone/nosuch/text", b"a=b", method="POST")]
    assert said.status == 404
    world.judged_clean()


def test_the_network_is_down_and_the_page_goes_out_when_it_is_back(
    world: World, network: Network
) -> None:
    network.phones.down = True
    assert world.post(body(alert())).status == 200
    world.until(lambda: world.dms("alice", "HighErrorRate"), "Slack goes on")
    world.until(lambda: world.channel(contains="SMS failed"), "that it fails")
    network.phones.down = False
    wait_until(lambda: network.rings(ALICE, "HighErrorRate", call=False), 30)
