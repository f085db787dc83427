"""Recorded streams end in their written truth, and posted twice they change nothing and page nobody again."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url

from oncall_bot.engine.tick import Tick
from oncall_bot.files.oncall_yaml import read_config
from oncall_bot.flows.apply_config import apply_config
from oncall_bot.prometheus.webhook import Intake
from oncall_bot.store.db import Store
from oncall_bot.store.tables import METADATA
from oncall_bot.telemetry.metrics import Telemetry
from tests.databases import HandClock
from tests.e2e import streams
from tests.e2e.world import CONFIG, TOKEN, World

ALL = streams.names()
ALSO_ON_POSTGRESQL = [
    "fire-resolve",
    "flapping",
    "ha-disagree",
    "node-exporter",
    "pair-peered",
    "receivers-reload",
    "storm-5000-many-groups",
    "storm-5000-one-group",
]
CASES = [("sqlite", name) for name in ALL] + [("postgresql", name) for name in ALSO_ON_POSTGRESQL]
TABLES = ("alert", "occurrence", "alert_group", "group_member", "incident", "page", "outbox")


@dataclass
class Station:
    """The real webhook, flows and database in this process, by a hand clock: a stream takes no time."""

    intake: Intake
    store: Store
    tick: Tick
    clock: HandClock
    engine: Engine

    async def post(self, body: bytes) -> int:
        """The status that the sender is answered."""
        statuses: list[int] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        scope = {
            "type": "http",
            "method": "POST",
            "path": "/webhook/alertmanager",
            "headers": [(b"authorization", f"Bearer {TOKEN}".encode())],
        }
        await self.intake(scope, receive, send)
        return statuses[0]

    async def play(self, posts: Sequence[streams.Post], *, in_time: bool) -> None:
        """Post them all, each at its recorded moment or all at this one."""
        began = self.clock.now
        for post in posts:
            if in_time:
                self.clock.now = max(self.clock.now, began + timedelta(seconds=post.t))
                await self.tick.run()
            assert await self.post(post.body) == 200

    async def later(self, seconds: float) -> None:
        """Time passes, every timer strikes when it is due."""
        for _ in range(10):
            self.clock.advance(seconds / 10)
            await self.tick.run()

    def rows(self, sql: str) -> list[dict[str, Any]]:
        with self.engine.connect() as connection:
            return [dict(row._mapping) for row in connection.execute(text(sql))]

    def dump(self) -> dict[str, list[dict[str, Any]]]:
        """The tables of alerts and pages, but for the moment an occurrence was last seen."""
        found = {}
        for name in TABLES:
            keys = ", ".join(column.name for column in METADATA.tables[name].primary_key)
            found[name] = self.rows(f"SELECT * FROM {name} ORDER BY {keys}")
        for row in found["occurrence"]:
            del row["last_seen_at"]
        return found

    def pages(self) -> list[dict[str, Any]]:
        return self.rows("SELECT * FROM page ORDER BY id")

    def incidents(self) -> list[dict[str, Any]]:
        """Incidents that people see: what was merged into another one is that one."""
        return self.rows("SELECT * FROM incident WHERE status <> 'merged' ORDER BY id")


@pytest.fixture
def station(tmp_path: Path, database: str) -> Iterator[Station]:
    clock = HandClock(datetime(2026, 11, 22, 21, tzinfo=UTC))
    store = Store(database, clock=clock)
    store.open()
    file = tmp_path / "oncall.yaml"
    file.write_text(CONFIG.replace("@PHONE@", "127.0.0.1:9"))
    read = read_config(file)
    assert read.ok, read.faults
    token = hashlib.sha256(TOKEN.encode()).hexdigest()
    store.write(
        apply_config, read.document, read.sha256, "test", token_sha256={"default": token}
    ).result(10)
    with store.read():
        pass  # the rules just applied are in force
    url = make_url(database)
    driver = {"postgresql": "postgresql+psycopg"}.get(url.drivername, url.drivername)
    engine = create_engine(url.set(drivername=driver))
    telemetry = Telemetry()
    tick = Tick(store, instance="here", version="0", telemetry=telemetry)
    yield Station(Intake(store, telemetry, _nobody), store, tick, clock, engine)
    engine.dispose()
    store.close()


async def _nobody(*_: Any) -> None:
    raise AssertionError("nothing but the webhook is asked here")


def _stored(rows: Sequence[dict[str, Any]]) -> dict[streams.Key, tuple[str, datetime | None]]:
    return {
        (row["fingerprint"], _instant(row["starts_at"])): (
            _state(row),
            _instant(row["ended_at"]) if row["ended_at"] is not None else None,
        )
        for row in rows
    }


def _state(row: dict[str, Any]) -> str:
    if row["ended_at"] is None:
        return "firing"
    return "resolved" if row["end_reason"] == "told" else str(row["end_reason"])


def _instant(value: Any) -> datetime:
    """SQLite holds whole microseconds, PostgreSQL a timestamp."""
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=value)


OCCURRENCES = (
    "SELECT a.fingerprint, o.starts_at, o.ended_at, o.end_reason, o.doubted_at"
    " FROM occurrence o JOIN alert a ON a.id = o.alert_id"
)


def agrees_with_the_truth(name: str, rows: Sequence[dict[str, Any]]) -> None:
    """Occurrences, their states, their ends, and the counts that the truth concludes."""
    truth = streams.truth(name)
    conclude = truth["must_conclude"]
    stored = _stored(rows)
    wanted = streams.expected(truth)
    assert len({print_ for print_, _ in stored}) == conclude["distinct_fingerprints"]
    if conclude["alert_instances"] > len(
        wanted
    ):  # the list of a storm is cut, its counts are whole
        assert len(stored) == conclude["alert_instances"]
        assert {state for state, _ in stored.values()} == {"resolved"}
    else:
        assert stored.keys() == wanted.keys()
    for key, one in wanted.items():
        state, ended_at = stored[key]
        assert state == one.state, key
        assert ended_at in one.ends or state != "resolved", key
    firing = sorted(print_ for (print_, _), (state, _) in stored.items() if state == "firing")
    assert firing == sorted(conclude["firing_at_end"])


def counts_agree(station: Station) -> None:
    """What groups and incidents count as firing is what fires in them."""
    wrong = station.rows(
        "SELECT g.id, g.firing, count(o.id) AS counted FROM alert_group g"
        " LEFT JOIN group_member m ON m.group_id = g.id"
        " LEFT JOIN occurrence o ON o.id = m.occurrence_id AND o.ended_at IS NULL"
        " GROUP BY g.id, g.firing HAVING g.firing <> count(o.id)"
    )
    assert not wrong, wrong
    wrong = station.rows(
        "SELECT i.id, i.firing, sum(g.firing) AS counted FROM incident i"
        " JOIN alert_group g ON g.incident_id = i.id"
        " GROUP BY i.id, i.firing HAVING i.firing <> sum(g.firing)"
    )
    assert not wrong, wrong


@pytest.mark.parametrize(("server", "name"), CASES, indirect=["server"])
async def test_a_stream_at_once_ends_in_its_truth_and_again_changes_nothing(
    station: Station, name: str
) -> None:
    posts = streams.posts(name)
    await station.play(posts, in_time=False)
    agrees_with_the_truth(name, station.rows(OCCURRENCES))
    await station.later(6)  # what the storm brake held back has its incident now
    counts_agree(station)
    assert station.incidents()
    before = station.dump()
    await station.play(posts, in_time=False)
    after = station.dump()
    for table in TABLES:
        assert after[table] == before[table], table
    await asyncio.sleep(0)


@pytest.mark.parametrize(("server", "name"), [("sqlite", one) for one in ALL], indirect=["server"])
async def test_a_stream_in_its_own_time_ends_in_its_truth_and_nothing_opens_again_later(
    station: Station, name: str
) -> None:
    posts = streams.posts(name)
    await station.play(posts, in_time=True)
    await station.later(6)
    agrees_with_the_truth(name, station.rows(OCCURRENCES))
    counts_agree(station)
    await station.play(posts, in_time=False)
    paged, stood = len(station.pages()), station.rows(OCCURRENCES)
    await station.later(480)  # beyond the doubt of six minutes, before the second round
    assert station.rows(OCCURRENCES) == stood
    if not streams.truth(name)["must_conclude"]["firing_at_end"]:
        assert len(station.pages()) == paged, "it is over: nobody is paged"
        assert all(one["firing"] == 0 for one in station.incidents())


# --- what some of them are about ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["storm-500-many-groups", "storm-5000-many-groups"])
@pytest.mark.parametrize("server", ["sqlite", "postgresql"], indirect=True)
async def test_a_storm_of_groups_is_one_incident_and_one_page(station: Station, name: str) -> None:
    firing = [post for post in streams.posts(name) if b'"status":"resolved"' not in post.body]
    assert len(firing) >= 25
    await station.play(firing, in_time=True)
    await station.later(10)
    (storm,) = station.incidents()
    assert storm["origin"] == "storm"
    assert storm["firing"] == len(station.rows(OCCURRENCES))
    (page,) = station.pages()
    assert page["person"] == "alice"


async def _reopenings(station: Station, name: str) -> int:
    """How often an occurrence that had ended was firing again while the stream came in."""
    ended: set[Any] = set()
    count = 0
    began = station.clock.now
    for post in streams.posts(name):
        station.clock.now = max(station.clock.now, began + timedelta(seconds=post.t))
        await station.tick.run()
        await station.post(post.body)
        rows = station.rows(OCCURRENCES)
        now = {(r["fingerprint"], r["starts_at"]) for r in rows if r["ended_at"] is not None}
        count += len(ended - now)
        ended = now
    return count


@pytest.mark.parametrize("name", ["pair-failing", "pair-peered", "pair-slow", "pair-split"])
@pytest.mark.parametrize("server", ["sqlite"], indirect=True)
async def test_old_news_of_a_peer_never_opens_anything_again(station: Station, name: str) -> None:
    assert await _reopenings(station, name) == 0
    await station.later(480)
    stood = [row for row in station.rows(OCCURRENCES) if row["ended_at"] is None]
    assert len(stood) == len(streams.truth(name)["must_conclude"]["firing_at_end"])


@pytest.mark.parametrize("server", ["sqlite"], indirect=True)
async def test_replicas_that_disagree_do_open_it_again(station: Station) -> None:
    conclude = streams.truth("ha-disagree")["must_conclude"]
    assert await _reopenings(station, "ha-disagree") == conclude["reopened_with_the_same_startsAt"]


# --- through the real process ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "fire-resolve",
        "pair-peered",
        "storm-500-many-groups",
        "storm-5000-one-group",
    ],
)
def test_through_the_running_bot_a_stream_ends_in_its_truth_and_pages_once(
    build: Callable[..., World], name: str
) -> None:
    world = build()
    posts = streams.posts(name)
    for post in posts:
        assert world.post(post.body).status == 200
    agrees_with_the_truth(name, world.rows(OCCURRENCES))
    world.until(lambda: _all_sent(world), "everything is sent", within=30)
    rings = len(world.phone.rings())
    told = world.rows("SELECT count(*) AS n FROM outbox")
    for post in posts:
        assert world.post(post.body).status == 200
    agrees_with_the_truth(name, world.rows(OCCURRENCES))
    assert world.rows("SELECT count(*) AS n FROM outbox") == told
    assert len(world.phone.rings()) == rings <= 1
    world.judged_clean()


def _all_sent(world: World) -> bool:
    waiting = world.rows("SELECT count(*) AS n FROM outbox WHERE state IN ('pending', 'leased')")
    timers = world.rows(
        "SELECT count(*) AS n FROM timer WHERE kind = 'open_group' AND state = 'pending'"
    )
    return [waiting[0]["n"], timers[0]["n"]] == [0, 0]
