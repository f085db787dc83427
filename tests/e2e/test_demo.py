"""`oncall-bot demo` as a person runs it: the stories scripted, the page's address, and how it ends."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from oncall_bot.app import App
from oncall_bot.practice.playbill import ALL, Playbill
from oncall_bot.practice.plot import Expectation, Look
from oncall_bot.practice.stage import Stage
from oncall_bot.practice.stories import STORIES
from oncall_bot.practice.stories.cast import SETTING
from oncall_bot.practice.transcript import Overheard
from oncall_bot.settings import load_settings
from oncall_bot.slack.manifest import manifest
from tests.e2e.world import REPOSITORY, http

OWN = """
version: 1
defaults: {zone: Asia/Kolkata, channel: C0REALCHAN, fallback: [person:zoe]}
people:
  zoe: {name: Zoe Z, slack: U0REALZOE, email: zoe@real.example, contacts: {voice: "+4915112345678"}}
  yan: {name: Yan Y}
personal_rules:
  high: [{after: 0m, by: slack}, {after: 0m, by: voice}, {after: 1m, by: mail}]
channels:
  voice: {url: "ntfys://ntfy.real.example/{to}"}
  mail: {url_file: /run/secrets/smtp}
teams:
  core: {members: [zoe, yan], channel: "#core", fallback: [person:yan]}
services:
  billing: {team: core, policy: core, label_values: [billing-api]}
schedules:
  core:
    zone: Asia/Kolkata
    layers: [{name: all, start: "2026-01-05T09:00", rotation: {unit: week, every: 1}, users: [zoe]}]
policies:
  core:
    steps:
      - {after: 0m, page: [schedule:core]}
      - {after: 3m, page: [person:yan]}
routes:
  - {name: dead-man, match: ['alertname="Watchdog"'], heartbeat: {every: 1m, grace: 1m, policy: core}}
  - {name: billing, match: ['service=~"billing.*"', 'severity="critical"'], policy: core}
  - {name: rest, policy: core}
sources:
  prod: {token_file: /run/secrets/prod, prometheus: "http://prom.real.example:9090"}
runbooks: {dir: books}
"""
BOOK = """---
title: Billing is down
slug: billing-down
match: ['alertname="ExampleBilling"']
---

## Steps

1. Call finance.
"""


def run(
    *args: str, within: float = 100, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "oncall_bot", "demo", *args],
        env=clean(env),
        cwd=cwd or REPOSITORY,
        capture_output=True,
        text=True,
        timeout=within,
    )


def clean(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """No settings of this machine: demo needs none."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ONCALL_", "DISPLAY"))}
    return {**kept, "PYTHONPATH": str(REPOSITORY), **(more or {})}


# --- scripted -------------------------------------------------------------------------------------------------------


def test_every_story_is_played_in_under_a_minute_and_everything_expected_comes_true(
    tmp_path: Path,
) -> None:
    began = time.monotonic()
    done = run("--scripted", env={"TMPDIR": str(tmp_path)})
    took = time.monotonic() - began
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    assert took < 60
    for story in STORIES:
        assert f"— {story.title} —" in done.stdout
    assert "✗" not in done.stdout
    assert "Ana's phone" in done.stdout
    assert "Bo, DM" in done.stdout
    assert "(edited)" in done.stdout
    assert "Postmortem draft" in done.stdout
    assert not re.search(r'"type":|<!date|block_id', done.stdout)
    assert done.stderr == ""
    assert not list(tmp_path.iterdir())


@pytest.mark.long
def test_a_program_reads_the_same_as_json() -> None:
    done = run("--scripted", "--story", "dst-handoff", "--json")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    told = json.loads(done.stdout)
    (story,) = told["stories"]
    assert told["ok"] is True
    assert story["name"] == "dst-handoff"
    assert all(one["held"] for one in story["expected"])
    assert {"Ana, DM", "Bo, DM"} <= {one["where"] for one in story["seen"]}


@pytest.mark.long
def test_http_mode_plays_the_same_story() -> None:
    done = run("--scripted", "--story", "outage", "--http")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr


async def test_an_expectation_that_does_not_come_true_is_told_and_fails(tmp_path: Path) -> None:
    lines: list[str] = []
    stage = Stage(
        SETTING,
        lambda env, clock: App(load_settings(env), clock=clock),
        lambda url: manifest(request_url=url),
        tmp_path,
        begins_at=datetime.now(UTC),
        feed=Overheard(),
    )

    def cy_was_paged(look: Look) -> bool:
        return "cy" in look.paged()

    also = {ALL: [Expectation("Cy was paged too", cy_was_paged, lambda look: str(look.paged()))]}
    (story,) = (one for one in STORIES if one.name == "storm")
    (played,) = await Playbill(stage, [story], tell=lines.append, also=also).perform()
    assert not played.held
    assert "✗ Cy was paged too (['ana'])" in lines
    assert lines[-1].startswith("✗ 1 story")


@pytest.mark.long
def test_a_failing_expectation_is_exit_1(tmp_path: Path) -> None:
    """With a policy that pages one person only, nobody can be next when they do not answer."""
    file = tmp_path / "oncall.yaml"
    alone = OWN.replace("      - {after: 3m, page: [person:yan]}\n", "")
    alone = alone.replace(
        "      - {after: 0m, page: [schedule:core]}", "      - {after: 0m, page: [person:zoe]}"
    )
    alone = alone.replace("fallback: [person:yan]", "fallback: [person:zoe]")
    file.write_text(alone)
    done = run("--scripted", "--config", str(file), "--story", "unanswered")
    assert done.returncode == 1, done.stdout[-3000:] + done.stderr
    assert "✗ the next person is paged because nobody answered" in done.stdout


# --- with one's own configuration -----------------------------------------------------------------------------------


@pytest.mark.long
def test_a_team_rehearses_with_its_own_file_people_and_runbooks(tmp_path: Path) -> None:
    file = tmp_path / "oncall.yaml"
    file.write_text(OWN)
    (tmp_path / "books").mkdir()
    (tmp_path / "books" / "billing-down.md").write_text(BOOK)
    kept = tmp_path / "kept"
    done = run("--scripted", "--config", str(file), "--keep", str(kept))
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    assert "the route dead-man" in done.stderr
    assert "ExampleBilling" in done.stdout
    assert "Billing is down" in done.stdout
    assert "Zoe's phone" in done.stdout
    assert "By mail:" in done.stdout
    assert "#core" in done.stdout
    written = next(kept.glob("demo-*/run-1/oncall.yaml")).read_text()
    assert "real.example" not in written.replace("zoe@real.example", "")
    assert "/run/secrets" not in written
    assert next(kept.glob("demo-*/bot.log")).stat().st_size > 0


def test_a_broken_file_is_told_with_line_and_field(tmp_path: Path) -> None:
    file = tmp_path / "oncall.yaml"
    file.write_text(OWN.replace("policy: core, label_values", "polcy: core, label_values"))
    for how in ("--scripted", "--no-open"):
        done = run(how, "--config", str(file))
        assert done.returncode == 1
        line = OWN.splitlines().index(next(x for x in OWN.splitlines() if "billing-api" in x)) + 1
        assert f"{file}:{line}: services.billing.polcy" in done.stderr
        assert "Traceback" not in done.stderr


# --- the page -------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def serving(tmp_path: Path, *args: str) -> Iterator[tuple[subprocess.Popen[str], str, float]]:
    """The demo as a process, its address, and how long it took to say it."""
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "oncall_bot", "demo", "--port", "0", *args],
        env=clean({"TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}),
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        ready, _, _ = select.select([process.stdout], [], [], 30)
        assert ready, "no address within 30 s"
        url = process.stdout.readline().strip()
        assert "choose a story" in process.stdout.readline()
        yield process, url, time.monotonic() - began
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=10)


@pytest.mark.parametrize("sign", [signal.SIGTERM])
def test_one_address_is_printed_and_a_signal_leaves_nothing_behind(
    tmp_path: Path, sign: signal.Signals
) -> None:
    with serving(tmp_path) as (process, url, _):
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", url)
        state = http(f"{url}/practice/state").json
        assert state["bot_state"] == "up"
        process.send_signal(sign)
        _, err = process.communicate(timeout=20)
        assert process.returncode == 0, err
        assert err == ""
    assert not list(tmp_path.iterdir())
    with pytest.raises(OSError):
        http(f"{url}/practice/state", timeout=2)


@pytest.mark.long
def test_ctrl_c_in_the_middle_of_a_story_ends_it_as_well(tmp_path: Path) -> None:
    with serving(tmp_path, "--story", "outage") as (process, url, _):
        assert http(f"{url}/practice/state").json["story"]["name"] == "outage"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
        assert (process.returncode, err) == (0, "")
    assert not list(tmp_path.iterdir())


def test_a_port_that_is_taken_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run("--no-open", "--port", str(port), env={"TMPDIR": str(tmp_path)})
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"127.0.0.1:{port}" in done.stderr
    assert "--port 0" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    done = run("--scripted", "--keep", str(file / "sub"))
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "choose another folder" in done.stderr


def test_an_unknown_story_names_those_there_are() -> None:
    done = run("--scripted", "--story", "outgae")
    assert done.returncode == 1
    assert "did you mean outage?" in done.stderr
