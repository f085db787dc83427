"""The schema's way up and down: one at a time, in one transaction, forward only as far as this code knows.

Knows alembic, the two locks, foreign keys while tables are rebuilt, and which schema is too new. Refuses to know
tables: they are in `alembic/versions`. Serves `serve`, `migrate`, `restore` and the tests.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DBAPIError

import oncall_bot
from oncall_bot.core.errors import OncallError
from oncall_bot.store import rules
from oncall_bot.store.engines import engine_for
from oncall_bot.store.location import (
    file_lock,
    make_private,
    process_in,
    refuse_network,
    shown,
    sqlite_file,
)
from oncall_bot.store.snapshot import Snapshot
from oncall_bot.store.transactions import Tx

if TYPE_CHECKING:
    from alembic.config import (
        Config,
    )  # alembic itself is loaded only when there is something to change

log = structlog.get_logger(__name__)

ADVISORY = 0x6F6E63616C6C  # "oncall": the key of pg_advisory_lock, the same in every release
LOCK_TIMEOUT = (
    "2s"  # while we wait to change a table, everybody who wants to use it waits behind us
)
LOCK_TRIES = 15  # a backup may read for so long; each try lets the others through before the next
LOCK_PAUSE_S = 1.0
LOCK_NOT_AVAILABLE = "55P03"


def upgrade(url: str, scripts: Path | None = None) -> str:
    """Bring the schema up to this code, with the rows that must exist; answers the revision then in force.

    One process at a time, in one transaction: it is all done or not at all. A schema that is newer than this code is
    left as it is when `meta.min_code` allows us on it, and raises OncallError when it does not.
    `scripts`: another folder than this code's own, for a test of what is to come.
    """
    with locked(url):
        return upgrade_locked(url, scripts)


def upgrade_locked(url: str, scripts: Path | None = None, *, foreign: bool = False) -> str:
    """As `upgrade`, for who holds `locked` already. `foreign`: the rows came from elsewhere, so they are checked."""
    for _ in range(LOCK_TRIES - 1):
        try:
            return _upgraded(url, scripts, foreign=foreign)
        except OncallError as error:
            if not _met_a_reader(error):
                raise
            log.info("waiting_for_a_table")
            time.sleep(LOCK_PAUSE_S)
    return _upgraded(url, scripts, foreign=foreign)


def _met_a_reader(error: OncallError) -> bool:
    """Whether a table could not be changed because somebody uses it for long."""
    cause = error.__cause__
    return isinstance(cause, DBAPIError) and (
        getattr(cause.orig, "sqlstate", None) == LOCK_NOT_AVAILABLE
    )


def _upgraded(url: str, scripts: Path | None, *, foreign: bool) -> str:
    folder = scripts or _folder()
    with _transaction(url) as connection:
        before = _revision(connection)
        if _too_new(connection, folder, before):
            log.warning("schema_newer_than_code", revision=before)
            return str(before)
        is_behind = before != _revisions(folder)[-1]
        if is_behind:
            from alembic.command import upgrade as step_up

            step_up(_config(connection, folder), "head")
        if is_behind or foreign:  # it reads every row: not at every start
            _check_foreign_keys(connection)
        rules.prepare(Tx(connection, datetime.now(UTC), Snapshot.empty()))
        after = str(_revision(connection))
    if before != after:
        log.info("schema_upgraded", before=before, after=after)
    return after


def downgrade(url: str, revision: str, scripts: Path | None = None) -> None:
    """Back to `revision`, or to `base`, where nothing is left."""
    from alembic.command import downgrade as step_down
    from alembic.util import CommandError

    folder = scripts or _folder()
    with locked(url), _transaction(url) as connection:
        _too_new(connection, folder, _revision(connection))
        try:
            step_down(_config(connection, folder), revision)
        except CommandError as error:
            raise OncallError(f"There is no way back to revision {revision}: {error}") from error
        _check_foreign_keys(connection)


def current(url: str) -> str | None:
    """The revision in force; None for a database that was never migrated, or is not there."""
    file = sqlite_file(url)
    if file is not None and not file.exists():
        return None
    with _engine(url, writes=False) as engine, _asked(url), engine.connect() as connection:
        return _revision(connection)


def pending(url: str) -> bool:
    """Whether `upgrade` would change the schema."""
    revision = current(url)
    return revision is None or (revision != _revisions(_folder())[-1] and not is_newer(revision))


def is_newer(revision: str) -> bool:
    """Whether the revision was made by code that came after this."""
    return revision not in _revisions(_folder())


@contextlib.contextmanager
def locked(url: str) -> Iterator[None]:
    """To the end of the block nobody else migrates or restores this database; waits for who does."""
    file = sqlite_file(url)
    if file is None:
        with _locked_postgresql(url):
            yield
        return
    refuse_network(file.parent)
    lock = file.with_name(file.name + ".migrate.lock")
    with file_lock(lock, wait=False) as mine:
        if mine:
            yield
            return
    log.info("waiting_for_another_migration", process=process_in(lock))
    with file_lock(lock, wait=True):
        yield


@contextlib.contextmanager
def _locked_postgresql(url: str) -> Iterator[None]:
    # A connection of its own, so that the lock outlives the transactions inside. Autocommit: an open transaction
    # would keep vacuum from its work for as long as we take.
    with _engine(url, writes=True) as engine, _asked(url):
        own = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        with own:
            if not own.scalar(text(f"SELECT pg_try_advisory_lock({ADVISORY})")):
                log.info("waiting_for_another_migration")
                own.execute(text(f"SELECT pg_advisory_lock({ADVISORY})"))
            try:
                yield
            finally:
                own.execute(text(f"SELECT pg_advisory_unlock({ADVISORY})"))


@contextlib.contextmanager
def _transaction(url: str) -> Iterator[Connection]:
    """A transaction for changing tables; on SQLite with foreign keys off: rebuilding a parent would delete children."""
    file = sqlite_file(url)
    if file is not None:
        refuse_network(file.parent)
        make_private(file)
    with _engine(url, writes=True) as engine, _asked(url), engine.connect() as connection:
        if file is not None:
            _pragma(
                connection, "foreign_keys=OFF"
            )  # only outside a transaction does it take effect
        with connection.begin():
            if file is None:
                connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
            yield connection


@contextlib.contextmanager
def _engine(url: str, *, writes: bool) -> Iterator[Engine]:
    engine = engine_for(url, writes=writes, patient=True)
    try:
        yield engine
    finally:
        engine.dispose()


@contextlib.contextmanager
def _asked(url: str) -> Iterator[None]:
    """Faults of the database in words for people."""
    try:
        yield
    except DBAPIError as error:
        reason = str(error.orig).strip().splitlines()
        raise OncallError(
            f"The database {shown(url)} says: {reason[0] if reason else error}"
        ) from error


def _pragma(connection: Connection, pragma: str) -> None:
    cursor = connection.connection.cursor()
    cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _check_foreign_keys(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        return
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    if broken:
        tables = sorted({f"{row[0]} -> {row[2]}" for row in broken})
        raise OncallError(
            f"{len(broken)} rows would point to nothing ({', '.join(tables[:5])}). Nothing was changed."
        )


def _revision(connection: Connection) -> str | None:
    """What alembic wrote into its one table."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return None if found is None else str(found)


def _too_new(connection: Connection, folder: Path, revision: str | None) -> bool:
    """True for a newer schema that still takes this code; OncallError for one that does not."""
    if revision is None or revision in _revisions(folder):
        return False
    needed = connection.scalar(text("SELECT min_code FROM meta"))
    if needed is not None and version_key(str(needed)) <= version_key(code_version()):
        return True
    raise OncallError(
        f"The database was changed by a newer oncall-bot (schema {revision}) and needs version "
        f"{needed or 'unknown'} or later; this is {code_version()}. Install that version."
    )


def code_version() -> str:
    """This code's version; from a checkout that is not installed, the least that its own schema asks for."""
    try:
        return metadata.version("oncall-bot")
    except metadata.PackageNotFoundError:
        return rules.MIN_CODE


def version_key(version: str) -> tuple[int, ...]:
    """`1.12.3` in an order that puts it after `1.9`; what follows the numbers is not compared."""
    numbers: list[int] = []
    for part in version.split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        numbers.append(int(digits))
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _config(connection: Connection, folder: Path) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _folder() -> Path:
    """The scripts: in the wheel, or beside the package in a checkout."""
    package = Path(oncall_bot.__file__).parent
    for folder in (package / "_alembic", package.parent / "alembic"):
        if (folder / "env.py").is_file():
            return folder
    raise OncallError("The migrations are missing from this installation.")


def _revisions(folder: Path) -> list[str]:
    """Every revision of these scripts, the oldest first: the name of each begins with its own."""
    return sorted(script.name.partition("_")[0] for script in folder.glob("versions/*_*.py"))
