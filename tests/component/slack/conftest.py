"""A strict loopback Slack for the tests of this room: slackcheck, from the shared acceptance tools."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from oncall_bot.slack.sender import web_client
from oncall_bot.store.db import Store
from tests.databases import Sqlite, in_force
from tests.shared import shared


@pytest.fixture(scope="session")
def slackcheck() -> Iterator[ModuleType]:
    folder = str(shared("tools/slackcheck"))
    sys.path.insert(0, folder)
    import slackcheck

    yield slackcheck
    sys.path.remove(folder)


@pytest.fixture
async def slack(slackcheck: ModuleType) -> AsyncIterator[Any]:
    """A workspace with alice, bob, carol and dave; no manifest, so nothing about scopes is judged here."""
    async with slackcheck.Server() as server:
        yield server


@pytest.fixture
def client(slack: Any) -> AsyncWebClient:
    return web_client(slack.app.bot_token, f"{slack.base}/api/")


CONFIG = """
version: 1
defaults: {zone: Europe/Berlin, channel: "#incidents", fallback: [person:carol], last_resort: [carol]}
people:
  alice: {name: Alice Adams, email: alice@example.com}
  bob: {name: Bob Brown, email: bob@example.com, zone: America/New_York}
  carol: {name: Carol Chen, email: carol@example.com, role: admin}
  vera: {name: Vera Viewer, email: vera@example.com, role: viewer}
channels:
  push: {url: "ntfys://ntfy.example.com/{to}"}
teams:
  shop: {members: [alice, bob], channel: "#incidents"}
services:
  checkout: {team: shop, policy: shop-primary}
  search: {team: shop, policy: shop-primary}
schedules:
  shop-primary:
    team: shop
    zone: Europe/Berlin
    layers:
      - {name: week, start: "2026-01-05T09:00", rotation: {unit: week, every: 1}, users: [alice]}
policies:
  shop-primary:
    repeat: {times: 1, every: 15m}
    steps:
      - {after: 0m, page: [schedule:shop-primary]}
      - {after: 5m, page: [person:bob]}
routes:
  - {name: rest, group_by: [alertname, service], policy: shop-primary}
"""


@pytest.fixture
def store(sqlite_server: Sqlite, tmp_path: Path) -> Iterator[Store]:
    """An empty SQLite database with the file above in force."""
    with in_force(sqlite_server.fresh(), tmp_path, CONFIG) as store:
        yield store
