"""The practice Alertmanager groups, waits, repeats and retries as Alertmanager does; the bot reads its posts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from oncall_bot.practice.alertmanager import PracticeAlertmanager, Routing
from oncall_bot.practice.prometheus import PracticePrometheus, Rule
from oncall_bot.practice.series import Scraped, Signal
from oncall_bot.prometheus.alertmanager import AlertmanagerApi
from oncall_bot.prometheus.decode import decode
from tests.fakes.http import Answer, FakeHttp, http_server

AT = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
ROUTING = Routing(
    group_wait=timedelta(seconds=10),
    group_interval=timedelta(minutes=1),
    repeat_interval=timedelta(hours=1),
)


class Place:
    """Two hosts that may be up or down, and a bot that writes down what it is told."""

    def __init__(self, bot: FakeHttp) -> None:
        self.bot = bot
        self.at = AT
        self.hosts = {"a": Signal(1.0), "b": Signal(1.0)}
        scraped = Scraped()
        for name, signal in self.hosts.items():
            scraped.gauge("up", signal, instance=name, service="node")
        prometheus = PracticePrometheus(now=lambda: self.at)
        prometheus.load(scraped, [Rule("HostDown", "up == 0", labels={"severity": "critical"})])
        self.alertmanager = PracticeAlertmanager(prometheus, now=lambda: self.at)
        self.alertmanager.reset(ROUTING)
        self.alertmanager.receiver_url = f"http://{bot.at}/webhook/alertmanager"
        self.alertmanager.token = "sesame"
        self.alertmanager.url = "http://127.0.0.1:9093"

    def goes(self, host: str, value: float) -> None:
        self.hosts[host].move(self.at.timestamp(), value)

    async def passes(self, seconds: float) -> None:
        """So much time, a step of five seconds after the other."""
        for _ in range(int(seconds / 5)):
            self.at += timedelta(seconds=5)
            await self.alertmanager.step()

    def told(self) -> list[tuple[str, list[str]]]:
        """Each post: its status, and its alerts as `firing a`."""
        return [
            (
                str(got.json["status"]),
                sorted(f"{one['status']} {one['labels']['instance']}" for one in _alerts(got.json)),
            )
            for got in self.bot.got
        ]


def _alerts(body: dict[str, object]) -> list[dict[str, Any]]:
    found = body["alerts"]
    assert isinstance(found, list)
    return found


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    async with http_server() as bot:
        found = Place(bot)
        yield found
        await found.alertmanager.close()


async def test_the_first_post_waits_for_group_wait_and_holds_what_came_meanwhile(
    place: Place,
) -> None:
    place.goes("a", 0)
    await place.passes(5)
    place.goes("b", 0)
    assert place.told() == []
    await place.passes(10)
    assert place.told() == [("firing", ["firing a", "firing b"])]


async def test_a_change_is_told_at_the_next_interval_and_an_end_once(place: Place) -> None:
    place.goes("a", 0)
    await place.passes(15)
    place.goes("b", 0)
    await place.passes(30)
    assert len(place.told()) == 1
    await place.passes(35)
    assert place.told()[1] == ("firing", ["firing a", "firing b"])
    place.goes("a", 1)
    place.goes("b", 1)
    await place.passes(65)
    assert place.told()[2] == ("resolved", ["resolved a", "resolved b"])
    await place.passes(300)
    assert len(place.told()) == 3


async def test_what_goes_on_is_repeated_after_repeat_interval_and_not_before(place: Place) -> None:
    place.goes("a", 0)
    await place.passes(3500)
    assert len(place.told()) == 1
    await place.passes(200)
    assert len(place.told()) == 2


async def test_a_bot_that_is_down_is_told_until_it_listens(place: Place) -> None:
    place.bot.answer = Answer(503)
    place.goes("a", 0)
    await place.passes(60)
    failed = len(place.bot.got)
    assert failed >= 3
    place.bot.answer = Answer(200)
    await place.passes(60)
    assert len(place.bot.got) == failed + 1
    assert [one.status for one in place.alertmanager.posted][-1] == 200


async def test_nobody_there_is_no_crash(place: Place) -> None:
    place.alertmanager.receiver_url = "http://127.0.0.1:1/webhook/alertmanager"
    place.goes("a", 0)
    await place.passes(20)
    assert place.alertmanager.posted[0].status == 0


async def test_the_bot_reads_its_posts_and_knows_the_token(place: Place) -> None:
    place.goes("a", 0)
    await place.passes(15)
    (got,) = place.bot.got
    assert got.headers["Authorization"] == "Bearer sesame"
    (delivery,) = decode(got.body, "default", place.at)
    assert not delivery.unreadable
    (notice,) = delivery.notices
    assert notice.name == "HostDown"
    assert notice.labels["severity"] == "critical"
    assert notice.ended_at is None


async def test_an_alert_posted_by_hand_stays_until_it_is_ended(place: Place) -> None:
    labels = {"alertname": "Mine", "service": "x", "instance": "h"}
    place.alertmanager.fire(labels, {"summary": "by hand"})
    await place.passes(100)
    assert place.told() == [("firing", ["firing h"])]
    place.alertmanager.end(labels)
    await place.passes(65)
    assert place.told()[-1] == ("resolved", ["resolved h"])


async def test_the_bots_reconciler_reads_its_list_and_believes_it(place: Place) -> None:
    app = web.Application()
    place.alertmanager.add_routes(app, "/alertmanager")
    place.goes("a", 0)
    await place.passes(15)
    async with TestServer(app) as server:
        url = str(server.make_url("/alertmanager"))
        listed = await asyncio.to_thread(AlertmanagerApi().list_alerts, url, timeout=3.0)
    assert [one.state for one in listed.alerts] == ["active"]
    assert listed.up_since < place.at - timedelta(hours=1)
