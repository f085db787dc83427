"""A consistent copy of the database, and the way back.

Knows SQLite's online backup and PostgreSQL's own tools. Refuses to send: a restored database is held until `resume`.
Serves `backup` and `restore`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import make_url

from oncall_bot.core.errors import OncallError
from oncall_bot.store import migrations, rules
from oncall_bot.store.engines import engine_for
from oncall_bot.store.hold import hold
from oncall_bot.store.location import make_private, shown, sqlite_file
from oncall_bot.store.snapshot import Snapshot
from oncall_bot.store.tables import METADATA
from oncall_bot.store.transactions import Tx

SQLITE_MAGIC, PG_DUMP_MAGIC = b"SQLite format 3\x00", b"PGDMP"
ALIVE_FOR = timedelta(seconds=30)  # a serve beats every second or so; this one is surely gone
TOOLS = "Install PostgreSQL's client tools of the server's version and put them on PATH."


def backup(url: str, path: Path) -> None:
    """Write a checked copy to `path`, while others go on writing. An earlier backup there is replaced at the end.

    Whatever else lies at `path` is left alone: OncallError.
    """
    path = path.absolute()
    if not path.parent.is_dir():
        raise OncallError(f"The folder {path.parent} for the backup does not exist.")
    if path.exists() and not _is_backup(path):
        raise OncallError(f"{path} is there already and is no backup. Choose another name.")
    file = sqlite_file(url)
    if file is not None:
        if not file.exists():
            raise OncallError(f"There is no database at {file}.")
        if path.exists() and path.samefile(file):
            raise OncallError(f"{path} is the database itself. Choose another name.")
    with _put_in_place(path) as partial:
        if file is not None:
            _copy_sqlite(file, partial)
        else:
            _dump_postgresql(url, partial)


def restore(url: str, path: Path) -> None:
    """Put the backup in the database's place, brought up to this code; nothing is sent before `resume`.

    OncallError, with nothing changed, for a file that is no sound backup of this kind of database, or while a
    `serve` holds the database. On SQLite the former file is kept beside it as `NAME.before-restore`.
    """
    if not path.is_file():
        raise OncallError(f"There is no backup at {path}.")
    file = sqlite_file(url)
    wanted = SQLITE_MAGIC if file is not None else PG_DUMP_MAGIC
    if not _starts_with(path, wanted):
        kind = "SQLite" if file is not None else "PostgreSQL"
        raise OncallError(f"{path} is no backup of a {kind} database.")
    if file is not None:
        with hold(url), migrations.locked(url):
            _restore_sqlite(file, path)
    else:
        with migrations.locked(url):
            _restore_postgresql(url, path)


# --- SQLite -----------------------------------------------------------------------------------------------------------


def _copy_sqlite(source: Path, target: Path) -> None:
    """In one step: under WAL that hinders no writer, and no writer makes it begin again."""
    try:
        with (
            contextlib.closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as read,
            contextlib.closing(sqlite3.connect(target, isolation_level=None)) as write,
        ):
            read.backup(write, pages=-1)
            write.execute(
                "PRAGMA journal_mode=DELETE"
            ).fetchone()  # one file, without -wal beside it
            _check_sqlite(write, source)
    except sqlite3.Error as error:
        raise OncallError(f"{source} cannot be copied: {error}.") from error


def _check_sqlite(copy: sqlite3.Connection, source: Path) -> None:
    faults = [row[0] for row in copy.execute("PRAGMA integrity_check(5)") if row[0] != "ok"]
    if faults:
        raise OncallError(f"{source} is damaged: {'; '.join(faults)[:300]}")
    if not copy.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
        raise OncallError(f"{source} is no database of oncall-bot.")


def _restore_sqlite(file: Path, path: Path) -> None:
    with _put_in_place(file) as partial:
        _copy_sqlite(path.absolute(), partial)
        copy = f"sqlite:///{partial}"
        migrations.upgrade_locked(copy, foreign=True)
        _hold_sending(copy)
        _single_file(partial)
        _set_aside(file)


def _single_file(file: Path) -> None:
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE").fetchone()


def _set_aside(file: Path) -> None:
    """Keep the former database under another name, its journal with it: an old -wal must not meet the new file."""
    aside = file.with_name(file.name + ".before-restore")
    for suffix in ("", "-wal", "-shm"):
        Path(f"{aside}{suffix}").unlink(missing_ok=True)
    if file.exists():
        os.link(file, aside)  # the name stays until the new file takes it: a crash leaves no gap
    for suffix in ("-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            Path(f"{file}{suffix}").rename(f"{aside}{suffix}")


def _hold_sending(url: str) -> None:
    engine = engine_for(url, writes=True)
    try:
        with engine.connect() as connection, connection.begin():
            rules.hold_sending(Tx(connection, datetime.now(UTC), Snapshot.empty()), held=True)
    finally:
        engine.dispose()


# --- PostgreSQL -------------------------------------------------------------------------------------------------------


def _dump_postgresql(url: str, target: Path) -> None:
    address, environment = _for_tools(url)
    _run(
        _tool("pg_dump"),
        *("--format=custom", "--no-owner", "--no-privileges"),
        *(f"--file={target}", f"--dbname={address}"),
        environment=environment,
    )


def _restore_postgresql(url: str, path: Path) -> None:
    _refuse_served(url)
    _refuse_newer(path)
    _pour_in(url, path)
    migrations.upgrade_locked(url)


def _pour_in(url: str, path: Path) -> None:
    """Old tables out, the backup in, sending held: one transaction of psql, which we end only if all was read."""
    address, environment = _for_tools(url)
    read = [_tool("pg_restore"), "--clean", "--if-exists", "--no-owner", "--no-privileges"]
    write = [_tool("psql"), "--no-psqlrc", "--quiet", "--single-transaction"]
    write += ["--set=ON_ERROR_STOP=1", "--output=/dev/null", f"--dbname={address}", "--file=-"]
    with (
        tempfile.TemporaryFile() as words,
        subprocess.Popen([*read, "--file=-", str(path)], stdout=subprocess.PIPE) as reading,  # noqa: S603
        subprocess.Popen(  # noqa: S603 - the tool found on PATH, arguments of our own
            write, stdin=subprocess.PIPE, stderr=words, env=environment
        ) as writing,
    ):
        assert reading.stdout
        assert writing.stdin
        with contextlib.suppress(BrokenPipeError):  # psql stopped at a fault: its words follow
            writing.stdin.write(_DROP.encode())
            shutil.copyfileobj(reading.stdout, writing.stdin)
            if reading.wait() != 0:
                writing.kill()  # before the end of its input: nothing was committed
                raise OncallError(f"{path} cannot be read to its end. Nothing was changed.")
            writing.stdin.write(_HOLD.encode())
            writing.stdin.flush()
        with contextlib.suppress(BrokenPipeError):
            writing.stdin.close()
        if writing.wait() != 0:
            words.seek(0)
            said = words.read(4000).decode(errors="replace")
            raise OncallError(
                f"psql could not restore the backup: {said.strip()[:500]} Nothing was changed."
            )


_DROP = "SET lock_timeout = '30s';\nSET client_min_messages = warning;\n" + "".join(
    f'DROP TABLE IF EXISTS "{table}" CASCADE;\n' for table in [*METADATA.tables, "alembic_version"]
)
# The dump empties search_path; the table is found in whichever schema it was restored to.
_HOLD = """
RESET search_path;
UPDATE meta SET held_since = clock_timestamp();
UPDATE snapshot_revision SET n = n + 1;
"""


def _refuse_newer(path: Path) -> None:
    """The schema of the backup is asked before anything is touched: SQLite's is tried on a copy, here there is none."""
    named = ("--data-only", "--table=alembic_version", "--file=-")
    lines = iter(_run(_tool("pg_restore"), *named, str(path), environment=os.environ).splitlines())
    revision = next((next(lines, "") for line in lines if line.startswith("COPY ")), "").strip()
    if not revision or revision == "\\.":
        raise OncallError(f"{path} is no backup of oncall-bot.")
    if migrations.is_newer(revision):
        raise OncallError(
            f"{path} was made by a newer oncall-bot (schema {revision}). Install that version first."
        )


def _refuse_served(url: str) -> None:
    """A running serve beats in `process`; a database left by newer code has tables that we would not clear away."""
    revision = migrations.current(url)
    if revision is None:
        return
    if migrations.is_newer(revision):
        raise OncallError(
            f"The database {shown(url)} was last used by a newer oncall-bot. Restore into an empty database."
        )
    engine = engine_for(url, writes=False)
    try:
        with engine.connect() as connection:
            beating = connection.execute(
                text("SELECT instance FROM process WHERE beat_at > clock_timestamp() - :alive"),
                {"alive": ALIVE_FOR},
            ).scalars()
            alive = list(beating)
    finally:
        engine.dispose()
    if alive:
        raise OncallError(
            f"oncall-bot is running on this database ({', '.join(alive)[:200]}). "
            "Stop it, wait half a minute, restore then."
        )


def _for_tools(url: str) -> tuple[str, Mapping[str, str]]:
    """The address for libpq without its password, which goes by the environment and so never shows in `ps`."""
    address = make_url(url)
    environment = dict(os.environ)
    if address.password:
        environment["PGPASSWORD"] = str(address.password)
    plain = address._replace(drivername="postgresql", password=None)
    return plain.render_as_string(hide_password=False), environment


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise OncallError(f"{name} is needed for this and was not found. {TOOLS}")
    return found


def _run(*arguments: str, environment: Mapping[str, str]) -> str:
    done = subprocess.run(  # noqa: S603 - the tool found on PATH, arguments of our own
        arguments,
        env=dict(environment),
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        hint = f" {TOOLS}" if "version mismatch" in done.stderr else ""
        name = Path(arguments[0]).name
        raise OncallError(f"{name} failed: {done.stderr.strip()[:500]}{hint}")
    return done.stdout


# --- files ------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _put_in_place(path: Path) -> Iterator[Path]:
    """A private file beside `path` that takes its name when the block is through, and is gone when it is not."""
    partial = path.with_name(f"{path.name}.partial-{os.getpid()}")
    partial.unlink(missing_ok=True)
    make_private(partial)
    try:
        yield partial
        _to_disk(partial)
        partial.replace(path)
        _to_disk(path.parent)
    finally:
        for suffix in ("", "-wal", "-shm", "-journal"):
            Path(f"{partial}{suffix}").unlink(missing_ok=True)


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_backup(path: Path) -> bool:
    return path.is_file() and (
        path.stat().st_size == 0
        or _starts_with(path, SQLITE_MAGIC)
        or _starts_with(path, PG_DUMP_MAGIC)
    )


def _starts_with(path: Path, magic: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(magic)) == magic
