"""The practice page's server with the real bot beside it: what a page gets, what it may do, and who gets nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from oncall_bot.app import App
from oncall_bot.practice.director import Director
from oncall_bot.practice.server import PageServer
from oncall_bot.practice.stage import Stage
from oncall_bot.practice.stories import STORIES
from oncall_bot.practice.stories.cast import PEOPLE, SETTING
from oncall_bot.settings import load_settings
from oncall_bot.slack.manifest import manifest

ANA, BO = PEOPLE[0].id, PEOPLE[1].id


class Page:
    """A browser's side of the page, without the browser."""

    def __init__(self, url: str, session: aiohttp.ClientSession, stage: Stage) -> None:
        self.url = url
        self.session = session
        self.stage = stage

    async def state(self, who: str = ANA) -> dict[str, Any]:
        async with self.session.get(f"{self.url}/practice/state", params={"as": who}) as answer:
            return dict(await answer.json())

    async def post(self, path: str, **body: Any) -> dict[str, Any]:
        async with self.session.post(f"{self.url}/practice/{path}", json=body) as answer:
            return {"status": answer.status, **await answer.json()}

    async def status(self, path: str, **headers: str) -> int:
        async with self.session.get(self.url + path, headers=headers) as answer:
            return answer.status

    async def until(self, look: Callable[[dict[str, Any]], Any], within: float = 20) -> Any:
        """What `look` finds in the state once it finds something."""
        async with asyncio.timeout(within):
            while not (found := look(await self.state())):  # noqa: ASYNC110 - as a page looks
                await asyncio.sleep(0.1)
            return found


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[Page]:
    stage = Stage(
        SETTING,
        lambda env, clock: App(load_settings(env), clock=clock),
        lambda url: manifest(request_url=url),
        tmp_path,
        begins_at=datetime.now(UTC),
    )
    director = Director(stage, STORIES)
    server = PageServer(stage, director)
    try:
        await server.start(0)
        await director.free()
        async with aiohttp.ClientSession() as session:
            yield Page(server.url, session, stage)
    finally:
        await director.close()
        await server.stop()
        await stage.stop()


@asynccontextmanager
async def listening(page: Page, who: str) -> AsyncIterator[Callable[[str], Awaitable[Any]]]:
    """The page's event stream; call it with a kind for the next event of that kind."""
    async with page.session.get(f"{page.url}/practice/feed", params={"as": who}) as stream:

        async def following(kind: str) -> Any:
            async with asyncio.timeout(20):
                seen = ""
                while True:
                    line = (await stream.content.readline()).decode().rstrip("\n")
                    if line.startswith("event: "):
                        seen = line.removeprefix("event: ")
                    elif line.startswith("data: ") and seen == kind:
                        return json.loads(line.removeprefix("data: "))

        yield following


async def test_a_page_gets_everything_one_person_sees_and_the_stories(page: Page) -> None:
    state = await page.state(BO)
    assert state["me"] == BO
    assert state["bot_state"] == "up"
    assert state["command"]["name"] == "/oncall"
    assert {one["name"] for one in state["channels"] if one["kind"] == "channel"} >= {"incidents"}
    assert [one["name"] for one in state["stories"]] == [story.name for story in STORIES]
    assert state["story"] is None
    assert state["clock"]["speed"] == 1


async def test_a_command_is_answered_by_the_real_bot_to_the_one_who_asked(page: Page) -> None:
    incidents = page.stage.slack.find_channel("incidents")
    async with listening(page, ANA) as following:
        assert (await following("state"))["me"] == ANA
        done = await page.post(
            "act", **{"as": ANA, "do": "slash", "channel": incidents, "text": "/oncall who"}
        )
        assert done["ok"] is True
        assert "error" not in done
        message = await following("message")
    assert message["ephemeral"] is True
    assert "Ana" in json.dumps(message)
    whispered = [m for m in (await page.state(BO))["messages"][incidents] if m.get("ephemeral")]
    assert not whispered


async def test_a_newcomer_is_paged_and_acknowledges_on_the_phone(page: Page) -> None:
    assert (await page.post("story", name="outage"))["ok"] is True
    ring = await page.until(lambda state: state["phones"])
    assert ring[0]["owner"] == ANA
    assert (await page.post("phone", id=ring[0]["id"], action=0))["ok"] is True

    def taken(state: dict[str, Any]) -> Any:
        told = state["story"]
        return (
            told if len(told["marks"]) >= 3 and state["phones"][0]["state"] != "ringing" else None
        )

    story = await page.until(taken)
    assert "acknowledgement" in story["marks"][2]["text"]
    assert [one["id"] for one in story["actions"]] == ["roll_back"]
    assert (await page.post("story", do="roll_back"))["ok"] is True
    assert (await page.post("story", stop=True))["ok"] is True
    state = await page.state()
    assert (state["story"], state["phones"]) == (None, [])


async def test_the_clock_is_sped_up_and_skipped_and_the_page_hears_of_it(page: Page) -> None:
    before = (await page.state())["clock"]["now"]
    async with listening(page, ANA) as following:
        assert (await page.post("clock", speed=30))["speed"] == 30
        assert (await following("clock"))["speed"] == 30
    assert (await page.post("clock", speed=1))["ok"] is True
    told = await page.post("clock", skip=300)
    assert told["now"] - before >= 300
    assert (await page.post("clock", speed=2))["status"] == 400
    assert (await page.post("clock", skip=10**9))["status"] == 400


async def test_skip_next_goes_to_what_happens_next(page: Page) -> None:
    await page.post("story", name="unanswered")
    await page.until(lambda state: state["phones"])
    await page.post("clock", skip=8)
    for _ in range(12):
        await page.post("clock", skip="next")
        if any(ring["owner"] == BO for ring in (await page.state())["phones"]):
            break
    else:
        raise AssertionError("Bo was never paged")


async def test_a_chart_is_drawn_and_its_style_comes_from_here(page: Page) -> None:
    async with page.session.get(f"{page.url}/prometheus/graph", params={"expr": "up"}) as answer:
        text = await answer.text()
        policy = answer.headers["Content-Security-Policy"]
    assert "graph.css" in text
    assert "style=" not in text
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert await page.status("/prometheus/graph.css") == 200


async def test_another_name_for_this_address_gets_nothing(page: Page) -> None:
    """DNS rebinding: a foreign name that points at loopback."""
    assert await page.status("/practice/state", Host="evil.example") == 421
    assert await page.status("/practice/state") == 200


@pytest.mark.parametrize("path", ["act", "phone", "story", "clock"])
async def test_a_page_of_another_origin_can_do_nothing(page: Page, path: str) -> None:
    async with page.session.post(
        f"{page.url}/practice/{path}",
        json={"stop": True},
        headers={"Origin": "http://evil.example"},
    ) as answer:
        assert answer.status == 403
    async with page.session.post(f"{page.url}/practice/{path}", data=b'{"stop": true}') as answer:
        assert answer.status == 400  # a form or plain text needs no permission to be sent from afar


async def test_what_a_person_cannot_do_is_told_in_one_line(page: Page) -> None:
    for body in ({"do": "fly"}, {"do": "post", "channel": "C0", "text": "x"}):
        told = await page.post("act", **{"as": ANA, **body})
        assert told["status"] == 400
        assert told["error"].strip()
        assert "\n" not in told["error"]
    assert (await page.post("story", name="nosuch"))["error"] == "There is no such story."
    assert (await page.post("phone", id="nosuch", action=0))["status"] == 400


async def test_no_file_but_the_pages_own_is_served(page: Page) -> None:
    for path in ("/server.py", "/..%2fserver.py", "/page/..%2fstage.py", "/nosuch"):
        assert await page.status(path) == 404
