"""The real thing: Prometheus evaluates a rule, Alertmanager tells the bot, people answer, the rule ends, it is over."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.world import CONFIG, TOKEN, WEBHOOK, World, free_port, http, shown, wait_until
from tests.shared import missing

FIRES = """
groups:
- name: checkout
  interval: 1s
  rules:
  - alert: CheckoutErrors
    expr: vector(1) > 0
    labels: {service: checkout, severity: critical}
    annotations:
      summary: Checkout answers with errors
      description: "{{ $value }} of 1 requests fail"
"""
BOOK = """---
title: Checkout answers with errors
match: alertname="CheckoutErrors"
---
## Mend it

1. Roll back.

```promql name="queue depth" unit="messages" expect="< 500"
vector(12431)
```

```promql name="replicas" expect="> 0"
up{service="$labels.service"}
```
"""
ENDS = FIRES.replace("vector(1) > 0", "vector(1) > 2")

ALERTMANAGER = """
route:
  receiver: oncall
  group_by: [alertname, service]
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 1h
receivers:
- name: oncall
  webhook_configs:
  - url: {url}
    send_resolved: true
    http_config:
      authorization: {{type: Bearer, credentials: {token}}}
"""
PROMETHEUS = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{folder}/rules.yml]
alerting:
  alertmanagers:
  - static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


def binary(name: str) -> str:
    """Where the program is; the test is skipped loudly, or fails where the real thing is required."""
    found = shutil.which(name)
    if found is None:
        missing(name)
        raise AssertionError
    return found


@contextlib.contextmanager
def running(log: Path, *command: str) -> Iterator[None]:
    """The program, until the end of the block."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=subprocess.STDOUT, env={"PATH": os.environ["PATH"]}
        )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)


def _is_ready(port: int) -> bool:
    with contextlib.suppress(OSError):
        return http(f"http://127.0.0.1:{port}/-/ready", timeout=1).status == 200
    return False


@contextlib.contextmanager
def alertmanager(folder: Path, port: int, url: str) -> Iterator[None]:
    program = binary("prometheus-alertmanager")
    (folder / "am.yml").write_text(ALERTMANAGER.format(url=url, token=TOKEN))
    with running(
        folder / "alertmanager.log",
        program,
        f"--config.file={folder}/am.yml",
        f"--storage.path={folder}/am",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ):
        wait_until(lambda: _is_ready(port), 20, why=(folder / "alertmanager.log").read_text)
        yield


@contextlib.contextmanager
def prometheus(folder: Path, port: int, alertmanager_port: int) -> Iterator[None]:
    program = binary("prometheus")
    (folder / "prom.yml").write_text(PROMETHEUS.format(folder=folder, port=alertmanager_port))
    with running(
        folder / "prometheus.log",
        program,
        f"--config.file={folder}/prom.yml",
        f"--storage.tsdb.path={folder}/tsdb",
        f"--web.listen-address=127.0.0.1:{port}",
        "--web.enable-lifecycle",
        "--rules.alert.resend-delay=1s",
    ):
        wait_until(lambda: _is_ready(port), 30, why=(folder / "prometheus.log").read_text)
        yield


@pytest.mark.timeout(180)
def test_a_rule_of_prometheus_pages_is_answered_and_ends(
    build: Callable[..., World], tmp_path: Path
) -> None:
    binary("prometheus-alertmanager")
    binary("prometheus")
    (tmp_path / "books").mkdir()
    (tmp_path / "books" / "checkout-errors.md").write_text(BOOK)
    am_port, prom_port = free_port(), free_port()
    world = build(
        config=CONFIG,
        known=False,
        env={
            "ONCALL_ALERTMANAGER_URL": f"http://127.0.0.1:{am_port}",
            "ONCALL_PROMETHEUS_URL": f"http://127.0.0.1:{prom_port}",
            "ONCALL_RUNBOOKS_DIR": str(tmp_path / "books"),
        },
    )
    rules = tmp_path / "rules.yml"
    rules.write_text(FIRES)
    with (
        alertmanager(tmp_path, am_port, world.serve.url + WEBHOOK),
        prometheus(tmp_path, prom_port, am_port),
    ):
        (ring,) = world.until(lambda: world.rings("alice-phone"), "the telephone", within=30)
        assert "Checkout errors" in ring["title"]
        world.until(lambda: world.channel(contains="Checkout errors"), "the card")
        world.until(lambda: world.dms("alice", "Checkout errors"), "the direct message")
        (card,) = world.until(lambda: world.channel(contains="1, limit 0"), "the measured value")
        world.until(lambda: _pictures(world), "the picture on the card")
        (book,) = world.until(
            lambda: world.thread(card, "12,431 messages"), "the values under the runbook"
        )
        said = shown(book)
        assert "*not as expected*: “Mend it” applies" in said
        assert "replicas  *could not be read* (the query selects nothing)" in said

        world.human("alice").click("incidents", text="Acknowledge")
        world.until(lambda: world.channel(contains="acknowledged by Alice Adams"), "she has it")

        rules.write_text(ENDS)
        assert http(f"http://127.0.0.1:{prom_port}/-/reload", b"").status == 200
        world.until(lambda: world.channel(contains="Resolved"), "the card is resolved", within=30)

    assert len(world.rings("alice-phone")) == 1
    assert len(world.channel()) == 1, "one live message"
    (occurrence,) = world.rows("SELECT ended_by, end_reason FROM occurrence")
    assert occurrence["end_reason"] == "told"
    world.judged_clean()


def _pictures(world: World) -> list[str]:
    blocks = [block for card in world.channel() for block in card["blocks"]]
    return [str(block["alt_text"]) for block in blocks if block["type"] == "image"]


@pytest.mark.timeout(180)
def test_with_the_bot_down_alertmanager_tells_it_when_it_is_back(
    build: Callable[..., World], tmp_path: Path
) -> None:
    """The outage is ours: Alertmanager retries, and the alert that fired meanwhile pages at the return."""
    program = binary("prometheus-alertmanager")
    assert program
    am_port = free_port()
    world = build()
    world.serve.stop()
    with alertmanager(tmp_path, am_port, world.serve.url + WEBHOOK):
        fires = b'[{"labels": {"alertname": "WhileAway", "service": "checkout", "severity": "critical"}}]'
        posted = http(
            f"http://127.0.0.1:{am_port}/api/v2/alerts", fires, {"Content-Type": "application/json"}
        )
        assert posted.status == 200
        world.start()
        world.until(lambda: world.rings("alice-phone", "While away"), "the telephone", within=40)
    assert len(world.rings("alice-phone")) == 1
