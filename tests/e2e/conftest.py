"""What every end-to-end test asks for: a strict Slack, a database, and a world in which the bot runs."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.databases import (  # noqa: F401 - fixtures
    Postgres,
    Sqlite,
    clock,
    database,
    postgres_server,
    server,
    sqlite_server,
    store,
)
from tests.e2e.fleet import Fleet
from tests.e2e.world import World, world
from tests.shared import shared


@pytest.fixture(scope="session")
def slackcheck() -> ModuleType:
    """The strict loopback Slack of the shared acceptance tools."""
    folder = str(shared("tools/slackcheck"))
    if folder not in sys.path:
        sys.path.append(folder)
    return importlib.import_module("slackcheck")


@pytest.fixture
def sqlite_database(sqlite_server: Sqlite) -> Iterator[str]:  # noqa: F811
    url = sqlite_server.fresh()
    yield url
    sqlite_server.drop(url)


@pytest.fixture
def build(
    tmp_path: Path, slackcheck: ModuleType, sqlite_database: str
) -> Iterator[Callable[..., World]]:
    """`build(config=..., mode=..., ...)`: a world, taken down after the test."""
    with ExitStack() as stack:

        def built(**options: Any) -> World:
            given = {"database": sqlite_database, "slackcheck": slackcheck, **options}
            return stack.enter_context(world(tmp_path, **given))

        yield built


@pytest.fixture
def postgres_database(postgres_server: Postgres) -> Iterator[str]:  # noqa: F811
    url = postgres_server.fresh()
    yield url
    postgres_server.drop(url)


@pytest.fixture
def fleet(build: Callable[..., World], postgres_database: str) -> Iterator[Callable[..., Fleet]]:
    """`fleet(3, config=...)`: replicas on one PostgreSQL, running, each with its own folder and port."""
    made: list[Fleet] = []

    def started(count: int, **options: Any) -> Fleet:
        env = options.pop("env", {})
        world = build(database=postgres_database, start=False, env=env, **options)
        made.append(Fleet(world))
        return made[-1].start(count)

    yield started
    for one in made:
        one.stop()


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """A line of figures for whoever runs the test, for the record in benchmarks/."""

    def told(line: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n{line}\n")

    return told
