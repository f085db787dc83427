"""The outside watcher hears a beat, and a beat it did not take is not believed."""

from __future__ import annotations

import time

import pytest

from oncall_bot.paging.heartbeat import HttpHeartbeat
from oncall_bot.ports import DeliveryError
from tests.fakes.http import Answer, http_server


async def test_a_beat_is_one_get_of_the_whole_address() -> None:
    async with http_server() as server:
        heart = HttpHeartbeat(f"http://{server.at}/ping/7c1?from=bot")
        await heart.beat()
        await heart.beat()
        await heart.aclose()
        assert [(g.method, g.path, g.query) for g in server.got] == [
            ("GET", "/ping/7c1", "from=bot")
        ] * 2


@pytest.mark.parametrize("status", [302, 404, 500])
async def test_a_beat_that_was_not_taken_is_a_fault_without_the_address(status: int) -> None:
    async with http_server() as server:
        server.answer = Answer(status=status, headers={"Location": "/login"})
        heart = HttpHeartbeat(f"http://{server.at}/ping/verysecret")
        with pytest.raises(DeliveryError) as caught:
            await heart.beat()
        await heart.aclose()
        assert "verysecret" not in str(caught.value)
        assert len(server.got) == 1


async def test_a_watcher_that_hangs_is_left_after_five_seconds() -> None:
    async with http_server() as server:
        server.answer = Answer(never=True)
        heart = HttpHeartbeat(f"http://{server.at}/ping")
        began = time.monotonic()
        with pytest.raises(DeliveryError):
            await heart.beat()
        await heart.aclose()
        assert 4.5 < time.monotonic() - began < 7
