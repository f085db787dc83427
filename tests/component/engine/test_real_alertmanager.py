"""A real Alertmanager: what it lists, what a silence made there does here, its restart, and its end."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from oncall_bot.core.situation import State
from oncall_bot.engine.reconciler import Reconciler
from oncall_bot.prometheus.alertmanager import AlertmanagerApi
from oncall_bot.store.db import Store, anchored_clock
from oncall_bot.telemetry.metrics import Telemetry
from tests.component.flows.world import World
from tests.databases import HandClock
from tests.shared import missing

CONFIG = """
route: {receiver: oncall, group_wait: 0s, group_interval: 1s}
receivers: [{name: oncall}]
"""


@pytest.fixture
def world(store: Store, clock: HandClock) -> World:
    clock.now = anchored_clock()().replace(microsecond=0)
    return World(store, clock)


def call(url: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.loads(answer.read() or b"null")


@contextlib.contextmanager
def alertmanager(folder: Path, port: int) -> Iterator[str]:
    program = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    if program is None:
        missing("prometheus-alertmanager")
        raise AssertionError
    (folder / "am.yml").write_text(CONFIG)
    url = f"http://127.0.0.1:{port}"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                program,
                f"--config.file={folder}/am.yml",
                f"--storage.path={folder}/data",
                f"--web.listen-address=127.0.0.1:{port}",
                "--cluster.listen-address=",
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
            env={"PATH": os.environ["PATH"]},
        )
    try:
        deadline = time.monotonic() + 30
        while True:
            with contextlib.suppress(OSError):
                call(f"{url}/api/v2/status")
                break
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)


def end_silence(url: str, silence: str) -> None:
    request = urllib.request.Request(f"{url}/api/v2/silence/{silence}", method="DELETE")
    urllib.request.urlopen(request, timeout=5).close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def fires(url: str, labels: dict[str, str], since: datetime) -> None:
    alert = {"labels": labels, "startsAt": since.isoformat()}
    call(f"{url}/api/v2/alerts", [alert])


def reconciler(world: World, url: str) -> Reconciler:
    return Reconciler(
        world.store,
        AlertmanagerApi(),
        lambda source: [url],
        instance="me",
        telemetry=Telemetry(),
        now=lambda: world.clock.now,
    )


@pytest.mark.timeout(120)
async def test_a_silence_made_in_alertmanager_pauses_paging_and_its_end_resumes_it(
    world: World, tmp_path: Path
) -> None:
    since = world.clock.now
    labels = world.alert()
    world.told(labels, starts_at=since)
    world.run()
    with alertmanager(tmp_path, free_port()) as url:
        fires(url, labels, since)
        until = datetime.now(UTC) + timedelta(hours=1)
        silence = call(
            f"{url}/api/v2/silences",
            {
                "matchers": [{"name": "alertname", "value": labels["alertname"], "isRegex": False}],
                "startsAt": datetime.now(UTC).isoformat(),
                "endsAt": until.isoformat(),
                "createdBy": "ana",
                "comment": "moving",
            },
        )["silenceID"]
        compare = reconciler(world, url)
        deadline = time.monotonic() + 20
        while world.shown().held_why is None:
            assert time.monotonic() < deadline, call(f"{url}/api/v2/alerts")
            await compare.run()
        assert world.shown().held_why == f"held back by its source (silence {silence})"
        world.pass_time(9 * 60)
        assert world.rang() == ["ana-phone"]

        end_silence(url, silence)
        while world.shown().held_why is not None:
            assert time.monotonic() < deadline, call(f"{url}/api/v2/alerts")
            await compare.run()
        world.run()
    assert world.rang() == ["ana-phone", "ana-phone"]


@pytest.mark.timeout(120)
async def test_after_its_restart_the_empty_list_closes_nothing_until_it_is_up_long_enough(
    world: World, tmp_path: Path
) -> None:
    since = world.clock.now
    world.told(world.alert(), starts_at=since)
    with alertmanager(tmp_path, free_port()) as url:
        compare = reconciler(world, url)
        for _ in range(3):
            await compare.run()
            world.clock.advance(99)
        assert world.shown().state is State.FIRING, "it has been up for less than five minutes"
        for _ in range(3):
            world.clock.advance(301)
            await compare.run()
        assert world.shown().state is State.RESOLVED
