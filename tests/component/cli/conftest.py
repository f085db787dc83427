"""The command line as people call it: an environment of its own, a migrated SQLite database, and what was printed."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner

from oncall_bot.cli import app
from oncall_bot.store.db import Store
from tests.databases import Sqlite

CONFIG = """\
version: 1
defaults: {zone: Europe/Berlin, channel: "#alerts", fallback: [person:dee], last_resort: [dee]}
people:
  ana: {name: Ana Ruiz, email: ana@example.com, contacts: {push: ana-phone}}
  bo: {name: Bo Lindt, email: bo@example.com}
  dee: {name: Dee Marsh, email: dee@example.com, role: admin, contacts: {push: dee-phone}}
channels:
  push: {url: "ntfys://ntfy.example.com/{to}"}
teams:
  shop: {members: [ana, bo], channel: "#shop"}
services:
  checkout: {team: shop, policy: shop, label_values: [checkout]}
schedules:
  shop:
    team: shop
    zone: Europe/Berlin
    layers:
      - {name: week, start: "2026-01-05T09:00", rotation: {unit: week, every: 1}, users: [ana, bo]}
policies:
  shop:
    steps:
      - {after: 0m, page: [schedule:shop]}
      - {after: 5m, page: [person:dee]}
routes:
  - {name: rest, group_by: [alertname, service], policy: shop, wait: 0s}
"""


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Said]


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    """Commands take the process's log over; a test gives it back."""
    root = logging.getLogger()
    before = list(root.handlers), root.level
    yield
    root.handlers[:], root.level = before
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, with no setting of ours in the environment."""
    for name in [name for name in os.environ if name.startswith("ONCALL_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(home: Path) -> Run:
    """`run("who", "--json")`; a traceback in place of a sentence fails the test."""

    def call(*words: str, stdin: str | bytes | None = None) -> Said:
        done = CliRunner().invoke(app, words, input=stdin)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Said(done.exit_code, done.stdout, done.stderr)

    return call


@pytest.fixture
def url(home: Path, sqlite_server: Sqlite, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A migrated database that ONCALL_DATABASE_URL names."""
    found = sqlite_server.fresh()
    monkeypatch.setenv("ONCALL_DATABASE_URL", found)
    yield found
    sqlite_server.drop(found)


@pytest.fixture
def config(home: Path) -> Path:
    path = home / "oncall.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


@pytest.fixture
def applied(run: Run, url: str, config: Path) -> Run:
    """`run`, with the configuration above in force."""
    done = run("apply", str(config))
    assert done.code == 0, done.err
    return run


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = Store(url)
    opened.open()
    yield opened
    opened.close()


def body(*alerts: dict[str, Any]) -> str:
    """A webhook body of Alertmanager."""
    return json.dumps(
        {
            "version": "4",
            "groupKey": "{}",
            "receiver": "oncall",
            "externalURL": "http://am-1:9093",
            "alerts": list(alerts),
        }
    )


def alert(name: str, *, starts_at: str = "2026-03-02T12:00:00Z", **labels: str) -> dict[str, Any]:
    return {
        "status": "firing",
        "labels": {"alertname": name, **labels},
        "annotations": {},
        "startsAt": starts_at,
        "endsAt": "0001-01-01T00:00:00Z",
    }
