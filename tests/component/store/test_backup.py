"""A backup is whole and checked; a restore never hurts a running database, and sends nothing before `resume`."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.engine import make_url

import oncall_bot
from oncall_bot.core.errors import OncallError
from oncall_bot.store import migrations, processes, rules
from oncall_bot.store import tables as t
from oncall_bot.store.backup import backup, restore
from oncall_bot.store.db import Store
from oncall_bot.store.hold import hold
from oncall_bot.store.statements import insert_of, statement
from oncall_bot.store.transactions import Tx
from tests.databases import NOON, Postgres, Sqlite, client_tools
from tests.shared import missing

ROOT = Path(oncall_bot.__file__).parent.parent
TEAM = t.Team.__table__  # type: ignore[attr-defined]
ADD = insert_of(TEAM, "key")
KEYS = statement(select(TEAM.c.key).order_by(TEAM.c.id))


@pytest.fixture(autouse=True)
def tools(server: Sqlite | Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    """pg_dump of the server's own version, where it came with the server."""
    folder = client_tools()
    if isinstance(server, Postgres) and folder is not None:
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def add(url: str, *keys: str) -> None:
    store = Store(url)
    store.open()
    for key in keys:
        store.write(lambda tx, key=key: tx.run(ADD, key=key)).result(20)
    store.close()


def state(url: str) -> tuple[list[str], bool]:
    """The teams, and whether sending is held."""
    store = Store(url)
    with store.read() as reader:
        found = [row.key for row in reader.all(KEYS)], reader.snapshot.held
    store.close()
    return found


def file_of(url: str) -> Path:
    return Path(str(make_url(url).database))


def test_what_was_saved_comes_back_and_nothing_is_sent_before_resume(
    database: str, tmp_path: Path
) -> None:
    add(database, "shop", "web")
    backup(database, tmp_path / "copy")
    add(database, "later")
    assert state(database) == (["shop", "web", "later"], False)
    restore(database, tmp_path / "copy")
    assert state(database) == (["shop", "web"], True)
    assert migrations.current(database) == "0016"

    store = Store(database)
    store.open()
    store.write(lambda tx: rules.hold_sending(tx, held=False)).result(20)
    store.close()
    add(database, "new")  # ids go on where the backup had them
    assert state(database) == (["shop", "web", "new"], False)


def test_a_backup_goes_into_a_database_that_is_not_there_yet(
    database: str, server: Sqlite | Postgres, tmp_path: Path
) -> None:
    add(database, "shop")
    backup(database, tmp_path / "copy")
    other = server.empty()
    restore(other, tmp_path / "copy")
    assert state(other) == (["shop"], True)
    server.drop(other)


def test_a_running_process_that_held_the_rules_sees_that_sending_is_held(
    database: str, tmp_path: Path
) -> None:
    """The number rises with the restore, so that no snapshot from before it is taken for the one in force."""
    add(database, "shop")
    store = Store(database)
    with store.read() as reader:
        before = reader.snapshot.number
    store.close()
    backup(database, tmp_path / "copy")
    restore(database, tmp_path / "copy")
    store = Store(database)
    with store.read() as reader:
        assert reader.snapshot.number > before
    store.close()


def test_a_backup_is_for_its_owner_only_and_leaves_nothing_else(
    database: str, tmp_path: Path
) -> None:
    backup(database, tmp_path / "copy")
    assert [one.name for one in tmp_path.iterdir()] == ["copy"]
    assert stat.S_IMODE((tmp_path / "copy").stat().st_mode) == 0o600


def test_an_earlier_backup_is_replaced_and_other_files_are_left_alone(
    database: str, tmp_path: Path
) -> None:
    backup(database, tmp_path / "copy")
    add(database, "shop")
    backup(database, tmp_path / "copy")
    restore(database, tmp_path / "copy")
    assert state(database)[0] == ["shop"]
    other = tmp_path / "oncall.yaml"
    other.write_text("version: 1\n")
    with pytest.raises(OncallError, match="no backup"):
        backup(database, other)
    with pytest.raises(OncallError, match="gone"):
        backup(database, tmp_path / "gone" / "copy")
    assert other.read_text() == "version: 1\n"


@pytest.mark.parametrize(
    "content", [b"", b"version: 1\n", b"SQLite format 3\x00 and no more", b"PGDMP?"]
)
def test_what_is_no_backup_is_refused_and_the_database_is_as_before(
    database: str, tmp_path: Path, content: bytes
) -> None:
    add(database, "shop")
    (tmp_path / "copy").write_bytes(content)
    with pytest.raises(OncallError):
        restore(database, tmp_path / "copy")
    with pytest.raises(OncallError, match="There is no backup"):
        restore(database, tmp_path / "nowhere")
    assert state(database) == (["shop"], False)


def test_a_backup_cut_short_is_refused_and_the_database_is_as_before(
    database: str, tmp_path: Path
) -> None:
    add(database, *(f"t{n}" for n in range(50)))
    backup(database, tmp_path / "copy")
    whole = (tmp_path / "copy").read_bytes()
    add(database, "later")
    for part in (0.3, 0.6, 0.95):
        (tmp_path / "cut").write_bytes(whole[: int(len(whole) * part)])
        with pytest.raises(OncallError):
            restore(database, tmp_path / "cut")
    keys, held = state(database)
    assert (len(keys), keys[-1], held) == (51, "later", False)


def test_a_backup_of_a_schema_that_is_too_new_is_refused(database: str, tmp_path: Path) -> None:
    add(database, "shop")
    _set_revision(database, "9999", "99.0")
    backup(database, tmp_path / "copy")
    _set_revision(database, "0001", "0.1.0")
    with pytest.raises(OncallError, match=r"newer oncall-bot \(schema 9999\)"):
        restore(database, tmp_path / "copy")
    assert state(database) == (["shop"], False)


def _set_revision(url: str, revision: str, min_code: str) -> None:
    store = Store(url)
    store.open()

    def write(tx: Tx) -> None:
        tx.connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{revision}'")
        tx.connection.exec_driver_sql(f"UPDATE meta SET min_code = '{min_code}'")

    store.write(write).result(20)
    store.close()


def test_a_backup_taken_under_writes_holds_whole_transactions(
    database: str, tmp_path: Path
) -> None:
    """Every transaction writes a pair; a copy with half of one would be no copy of any moment."""
    store = Store(database)
    store.open()
    written, stop = [0], threading.Event()

    def pair(tx: Tx, n: int) -> None:
        tx.run(ADD, key=f"{n} left")
        tx.run(ADD, key=f"{n} right")

    def go_on() -> None:
        while not stop.is_set():
            store.write(pair, written[0]).result(20)
            written[0] += 1

    writer = threading.Thread(target=go_on)
    writer.start()
    try:
        while written[0] < 20:
            assert writer.is_alive()
        before = written[0]
        backup(database, tmp_path / "copy")
        after = written[0] + 1
    finally:
        stop.set()
        writer.join(20)
        store.close()
    restore(database, tmp_path / "copy")
    keys = state(database)[0]
    assert len(keys) % 2 == 0
    assert before <= len(keys) // 2 <= after
    assert {key.split()[0] for key in keys} == {str(n) for n in range(len(keys) // 2)}


# --- SQLite -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def sqlite(sqlite_server: Sqlite) -> Iterator[str]:
    url = sqlite_server.fresh()
    yield url
    sqlite_server.drop(url)


pytestmark = pytest.mark.filterwarnings("error")
only_sqlite = pytest.mark.parametrize("server", ["sqlite"], indirect=True)
only_postgresql = pytest.mark.parametrize("server", ["postgresql"], indirect=True)


@only_sqlite
def test_a_second_serve_is_told_who_holds_the_database(sqlite: str) -> None:
    script = (
        "import sys, time; from oncall_bot.store.hold import hold\n"
        "with hold(sys.argv[1]): print('held', flush=True); time.sleep(60)"
    )
    first = subprocess.Popen(
        [sys.executable, "-c", script, sqlite],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert first.stdout
    assert first.stdout.readline() == "held\n"
    with pytest.raises(OncallError, match=f"process {first.pid}"), hold(sqlite):
        pass
    with pytest.raises(OncallError, match=f"process {first.pid}"):
        restore(sqlite, file_of(sqlite))
    first.send_signal(signal.SIGKILL)
    first.communicate(timeout=20)
    with hold(sqlite), pytest.raises(OncallError, match=f"process {os.getpid()}"), hold(sqlite):
        pass
    with hold(sqlite):
        pass


@only_sqlite
def test_a_restore_is_refused_while_serve_holds_the_database(sqlite: str, tmp_path: Path) -> None:
    backup(sqlite, tmp_path / "copy")
    add(sqlite, "shop")
    with hold(sqlite), pytest.raises(OncallError, match="is held by another"):
        restore(sqlite, tmp_path / "copy")
    assert state(sqlite) == (["shop"], False)


@only_sqlite
def test_a_backup_needs_no_stop_of_serve(sqlite: str, tmp_path: Path) -> None:
    with hold(sqlite):
        add(sqlite, "shop")
        backup(sqlite, tmp_path / "copy")
    restore(sqlite, tmp_path / "copy")
    assert state(sqlite)[0] == ["shop"]


@only_sqlite
def test_the_former_file_is_kept_with_what_was_only_in_its_journal(
    sqlite: str, tmp_path: Path
) -> None:
    backup(sqlite, tmp_path / "copy")
    file = file_of(sqlite)
    other = sqlite3.connect(file)  # while it is open, the last store leaves the journal as it is
    other.execute("SELECT count(*) FROM team").fetchone()
    add(sqlite, "only in the journal")
    assert file.with_name(file.name + "-wal").stat().st_size > 0
    restore(sqlite, tmp_path / "copy")
    other.close()
    assert state(sqlite) == ([], True)
    assert state(f"{sqlite}.before-restore") == (["only in the journal"], False)


@only_sqlite
def test_a_damaged_database_can_be_restored_over(sqlite: str, tmp_path: Path) -> None:
    add(sqlite, "shop")
    backup(sqlite, tmp_path / "copy")
    file = file_of(sqlite)
    file.write_bytes(file.read_bytes()[:4096] + b"\xff" * 8192)
    with pytest.raises(OncallError):
        backup(sqlite, tmp_path / "of damage")
    assert not (tmp_path / "of damage").exists()
    restore(sqlite, tmp_path / "copy")
    assert state(sqlite) == (["shop"], True)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@only_sqlite
def test_a_backup_whose_rows_point_to_nothing_is_refused(sqlite: str, tmp_path: Path) -> None:
    add(sqlite, "shop")
    backup(sqlite, tmp_path / "copy")
    with contextlib.closing(sqlite3.connect(tmp_path / "copy")) as copy, copy:
        copy.execute("INSERT INTO group_member (group_id, occurrence_id) VALUES (7, 7)")
    with pytest.raises(OncallError, match="point to nothing"):
        restore(sqlite, tmp_path / "copy")
    assert state(sqlite) == (["shop"], False)


@only_sqlite
def test_the_database_is_not_backed_up_onto_itself(sqlite: str) -> None:
    with pytest.raises(OncallError, match="the database itself"):
        backup(sqlite, file_of(sqlite))
    with pytest.raises(OncallError, match="There is no database"):
        backup(f"{sqlite}.none", file_of(sqlite).with_name("copy"))


@only_sqlite
def test_some_other_sqlite_file_is_no_backup(sqlite: str, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "other")
    other.execute("CREATE TABLE notes (text)")
    other.commit()
    other.close()
    with pytest.raises(OncallError, match="no database of oncall-bot"):
        restore(sqlite, tmp_path / "other")


# --- PostgreSQL -------------------------------------------------------------------------------------------------------


@only_postgresql
def test_a_restore_is_refused_while_a_replica_beats(database: str, tmp_path: Path) -> None:
    backup(database, tmp_path / "copy")
    store = Store(database)
    store.open()
    store.write(processes.beat, "replica-7", "0.1.0", NOON).result(20)
    with pytest.raises(OncallError, match="replica-7"):
        restore(database, tmp_path / "copy")
    store.write(processes.leave, "replica-7").result(20)
    store.close()
    restore(database, tmp_path / "copy")
    assert state(database) == ([], True)


@only_postgresql
def test_a_database_of_a_newer_release_is_not_restored_over(database: str, tmp_path: Path) -> None:
    add(database, "shop")
    backup(database, tmp_path / "copy")
    _set_revision(database, "9999", "0.1.0")
    with pytest.raises(OncallError, match="Restore into an empty database"):
        restore(database, tmp_path / "copy")
    assert state(database) == (["shop"], False)


@only_postgresql
def test_the_dump_of_another_program_is_no_backup(
    database: str, server: Postgres, tmp_path: Path
) -> None:
    other = server.empty()
    backup(other, tmp_path / "copy")
    server.drop(other)
    add(database, "shop")
    with pytest.raises(OncallError, match="no backup of oncall-bot"):
        restore(database, tmp_path / "copy")
    assert state(database) == (["shop"], False)


@only_postgresql
def test_a_missing_tool_is_named(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if client_tools() is None:
        missing("PostgreSQL's client tools")
    backup(database, tmp_path / "copy")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(OncallError, match="pg_dump is needed"):
        backup(database, tmp_path / "copy")
    with pytest.raises(OncallError, match="pg_restore is needed"):
        restore(database, tmp_path / "copy")


@only_postgresql
def test_a_password_goes_to_the_tools_by_the_environment_alone(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Arguments can be read by every user of the machine."""
    fake = tmp_path / "bin"
    fake.mkdir()
    (fake / "pg_dump").write_text('#!/bin/sh\necho "args: $*; password: $PGPASSWORD" >&2\nexit 1\n')
    (fake / "pg_dump").chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake}{os.pathsep}{os.environ['PATH']}")
    url = make_url(database).set(password="sesame/1").render_as_string(hide_password=False)
    with pytest.raises(OncallError) as said:
        backup(url, tmp_path / "copy")
    assert str(said.value).count("sesame") == 1
    assert "password: sesame/1" in str(said.value)
