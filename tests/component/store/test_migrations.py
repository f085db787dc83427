"""The schema goes up and down on both engines, keeps what is in it, and agrees with the models."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import JSON, Boolean, Float, Integer, LargeBinary, Text, insert, select, text
from sqlalchemy.engine import make_url

import oncall_bot
from oncall_bot.core.errors import OncallError
from oncall_bot.store import migrations
from oncall_bot.store.db import Store
from oncall_bot.store.engines import engine_for
from oncall_bot.store.location import network_file_system, refuse_network
from oncall_bot.store.tables import METADATA
from oncall_bot.store.types import Instant, Payload
from tests.databases import HandClock, Postgres, Sqlite

ROOT = Path(oncall_bot.__file__).parent.parent
HEAD = "0016"
AT = datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC)


def _value(column: Any) -> Any:
    """Something that fits the column, references pointing to row 1."""
    if column.foreign_keys or column.name == "id":
        return 1
    kind = column.type
    if isinstance(kind, Instant):
        return AT
    if isinstance(kind, JSON | Payload):
        return {"text": "é\n", "n": 1}
    if isinstance(kind, LargeBinary):
        return b"\x00\xff"
    if isinstance(kind, Boolean):
        return True
    if isinstance(kind, Float):
        return 0.5
    if isinstance(kind, Integer):
        return 7
    assert isinstance(kind, Text), kind
    return "00" if column.name == "signing_key" else f"a {column.name}"


def fill(url: str) -> None:
    """One row in every table."""
    engine = engine_for(url, writes=True)
    with engine.connect() as connection, connection.begin():
        for table in METADATA.sorted_tables:
            connection.execute(table.delete())
        for table in METADATA.sorted_tables:
            connection.execute(insert(table).values({c.name: _value(c) for c in table.columns}))
    engine.dispose()


def rows(url: str) -> dict[str, list[dict[str, Any]]]:
    engine = engine_for(url, writes=False)
    with engine.connect() as connection:
        found = {
            name: [dict(row) for row in connection.execute(select(table)).mappings()]
            for name, table in METADATA.tables.items()
        }
    engine.dispose()
    return found


def _words(definition: str) -> str:
    """Without layout; the constraints of a table in alphabetical order, columns as they are."""
    plain = " ".join(definition.split()).replace('"', "").removesuffix(" )")
    columns, *constraints = plain.split(", CONSTRAINT ")
    return " | ".join([columns, *sorted(constraints)])


def shape(url: str) -> list[tuple[Any, ...]]:
    """Everything the engine itself says about tables, columns, keys and indexes."""
    if make_url(url).get_backend_name() == "sqlite":
        asked = [
            "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE tbl_name <> 'alembic_version'"
        ]
    else:
        asked = [
            """SELECT table_name, column_name, data_type, is_nullable, column_default
            FROM information_schema.columns
            WHERE table_schema = 'public' AND table_name <> 'alembic_version'""",
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'",
            """SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
            WHERE connamespace = 'public'::regnamespace
            AND conrelid <> coalesce(to_regclass('alembic_version'), 0)""",
        ]
    engine = engine_for(url, writes=False)
    with engine.connect() as connection:
        found = [
            tuple(_words(str(value)) for value in row)
            for sql in asked
            for row in connection.execute(text(sql))
        ]
    engine.dispose()
    return sorted(found)


def scripts_with(folder: Path, body: str) -> Path:
    """A copy of our migrations with one more, as a later release would have it."""
    copy = folder / "later"
    shutil.copytree(ROOT / "alembic", copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "versions" / "9999_later.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\n"
        f"revision = '9999'\ndown_revision = '{HEAD}'\nbranch_labels = depends_on = None\n"
        f"def upgrade():\n    {body}\n"
        "def downgrade():\n    pass\n"
    )
    return copy


def test_an_empty_database_comes_up_with_the_rows_that_must_exist(empty_database: str) -> None:
    assert migrations.current(empty_database) is None
    assert migrations.pending(empty_database)
    assert migrations.upgrade(empty_database) == HEAD
    assert migrations.current(empty_database) == HEAD
    assert not migrations.pending(empty_database)
    store = Store(empty_database)
    with store.read() as reader:
        assert reader.snapshot.sources.keys() == {"default"}
        assert len(reader.snapshot.signing_key) == 32
    store.close()


def test_the_models_and_the_migrations_describe_the_same_tables(database: str) -> None:
    engine = engine_for(database, writes=False)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"target_metadata": METADATA})
        assert compare_metadata(context, METADATA) == []
    engine.dispose()


def test_the_migrated_schema_is_to_the_letter_what_the_models_would_create(
    database: str, empty_database: str
) -> None:
    """Alembic's comparison overlooks the conditions of partial indexes; the engine's own words do not."""
    engine = engine_for(empty_database, writes=True)
    with engine.connect() as connection, connection.begin():
        METADATA.create_all(connection)
    engine.dispose()
    migrated = shape(database)
    assert len(migrated) > len(METADATA.tables) * 2
    assert migrated == shape(empty_database)


def test_a_populated_database_goes_down_and_up_again(database: str) -> None:
    fill(database)
    migrations.downgrade(database, "base")
    assert migrations.current(database) is None
    assert [row for row in shape(database) if "alembic" not in str(row)] == []
    assert migrations.upgrade(database) == HEAD
    fill(database)


def test_upgrading_again_changes_nothing_that_people_wrote(database: str) -> None:
    fill(database)
    before = rows(database)
    assert migrations.upgrade(database) == HEAD
    assert migrations.upgrade(database) == HEAD
    after = rows(database)
    assert len(after["source"]) == 2  # the filled one, and `default` which must exist
    for one in (before, after):
        del one["source"], one["snapshot_revision"]
    assert after == before


def test_rebuilding_every_table_keeps_every_row(database: str, tmp_path: Path) -> None:
    """On SQLite a changed column means a new table: with foreign keys on, dropping a parent would hurt its children."""
    fill(database)
    before = rows(database)
    body = f"""how = "always" if op.get_bind().dialect.name == "sqlite" else "never"
    for table in {list(METADATA.tables)!r}:
        with op.batch_alter_table(table, recreate=how) as batch:
            batch.add_column(sa.Column("later", sa.Text(), nullable=True))"""
    assert migrations.upgrade(database, scripts_with(tmp_path, body)) == "9999"
    after = rows(database)
    for one in (before, after):
        del one["source"], one["snapshot_revision"]
    assert after == before


def test_a_migration_that_leaves_children_without_a_parent_is_undone_whole(
    database: str, tmp_path: Path
) -> None:
    fill(database)
    before = rows(database)
    body = 'op.execute("DELETE FROM person")'
    with pytest.raises(OncallError, match=r"point to nothing|violates foreign key"):
        migrations.upgrade(database, scripts_with(tmp_path, body))
    assert migrations.current(database) == HEAD
    assert rows(database) == before


def test_code_that_is_too_old_for_the_schema_refuses_and_names_the_version(
    database: str, tmp_path: Path
) -> None:
    body = "op.execute(\"UPDATE meta SET min_code = '99.1'\")"
    migrations.upgrade(database, scripts_with(tmp_path, body))
    assert not migrations.pending(database)
    with pytest.raises(OncallError, match=r"needs version 99\.1"):
        migrations.upgrade(database)
    with pytest.raises(OncallError, match=r"99\.1"):
        migrations.downgrade(database, "base")


def test_older_code_starts_on_a_newer_schema_that_allows_it(database: str, tmp_path: Path) -> None:
    migrations.upgrade(database, scripts_with(tmp_path, "pass"))
    assert migrations.upgrade(database) == "9999"
    assert migrations.current(database) == "9999"


def test_there_is_no_way_to_a_revision_that_does_not_exist(database: str) -> None:
    with pytest.raises(OncallError, match="no way back"):
        migrations.downgrade(database, "nowhere")
    assert migrations.current(database) == HEAD


def test_processes_that_start_together_migrate_once(empty_database: str) -> None:
    script = (
        "import sys; from oncall_bot.store.migrations import upgrade; print(upgrade(sys.argv[1]))"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", script, empty_database],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        for _ in range(2)
    ]
    said = [process.communicate(timeout=60)[0] for process in started]
    assert [process.returncode for process in started] == [0, 0], said
    assert all(words.strip().endswith(HEAD) for words in said), said
    assert sum("schema_upgraded" in words for words in said) == 1, said
    found = rows(empty_database)
    assert [len(found[table]) for table in ("meta", "snapshot_revision", "source")] == [1, 1, 1]


def test_nobody_migrates_while_another_holds_the_lock(empty_database: str) -> None:
    script = "import sys; from oncall_bot.store.migrations import upgrade; upgrade(sys.argv[1])"
    with migrations.locked(empty_database):
        waiting = subprocess.Popen(
            [sys.executable, "-c", script, empty_database],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert waiting.stdout
        said = waiting.stdout.readline()
        assert "waiting_for_another_migration" in said
        assert migrations.current(empty_database) is None
    out, _ = waiting.communicate(timeout=30)
    assert waiting.returncode == 0, out
    assert migrations.current(empty_database) == HEAD


def test_a_new_sqlite_file_is_for_its_owner_only(sqlite_server: Sqlite) -> None:
    url = sqlite_server.empty()
    migrations.upgrade(url)
    file = Path(str(make_url(url).database))
    store = Store(url, clock=HandClock())
    store.open()
    store.write(lambda tx: tx.new_ids("alert", 1)).result()
    modes = {
        one.name: stat.S_IMODE(one.stat().st_mode) for one in file.parent.glob(f"{file.name}*")
    }
    store.close()
    assert len(modes) >= 3  # the file, its journal and the lock
    assert set(modes.values()) == {0o600}, modes


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_in_memory_is_refused(url: str) -> None:
    with pytest.raises(OncallError, match="names no file"):
        migrations.upgrade(url)


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(OncallError, match="gone"):
        migrations.upgrade(f"sqlite:///{tmp_path}/gone/oncall.db")


def test_a_file_that_is_no_database_is_said_to_be_none(tmp_path: Path) -> None:
    file = tmp_path / "notes.db"
    file.write_text("shopping list\n" * 100)
    with pytest.raises(OncallError, match="not a database"):
        migrations.upgrade(f"sqlite:///{file}")
    assert file.read_text().startswith("shopping list")


def test_a_server_that_does_not_answer_is_named_without_its_password() -> None:
    with pytest.raises(OncallError) as said:
        migrations.upgrade("postgresql://oncall:sesame@127.0.0.1:1/oncall")
    assert "127.0.0.1" in str(said.value)
    assert "sesame" not in str(said.value)


MOUNTS = """\
/dev/vda / ext4 rw 0 0
nas:/home /home nfs4 rw 0 0
tmpfs /home/local tmpfs rw 0 0
//nas/share /mnt/a\\040share cifs rw 0 0
nas: /mnt/ssh fuse.sshfs rw 0 0
host /mnt/host 9p rw 0 0
/dev/vdb /srv ext4 rw 0 0
nas:/srv /srv nfs rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/data/oncall.db", None),
        ("/home/oncall.db", "nfs4"),
        ("/home/local/oncall.db", None),
        ("/homes/oncall.db", None),
        ("/mnt/a share/oncall.db", "cifs"),
        ("/mnt/ssh/x/y/oncall.db", "fuse.sshfs"),
        ("/mnt/host/oncall.db", "9p"),
        ("/srv/oncall.db", "nfs"),
    ],
)
def test_a_network_file_system_is_told_by_its_mount(path: str, kind: str | None) -> None:
    assert network_file_system(Path(path), MOUNTS) == kind


def test_sqlite_on_a_network_file_system_is_refused(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"nas:/x {tmp_path} nfs4 rw 0 0\n")
    with pytest.raises(OncallError, match=r"network file system \(nfs4\)"):
        refuse_network(tmp_path / "oncall.db", mounts)


@pytest.mark.parametrize(
    ("older", "newer"), [("0.1.0", "0.2"), ("1.9", "1.12.3"), ("0.9.9", "1"), ("1.0", "1.0.1rc1")]
)
def test_versions_are_ordered_as_numbers(older: str, newer: str) -> None:
    assert migrations.version_key(older) < migrations.version_key(newer)
    assert migrations.version_key("1.0") == migrations.version_key("1")


def test_migrations_import_nothing_of_ours() -> None:
    """An old migration must run for ever, whatever becomes of today's modules."""
    for script in (ROOT / "alembic" / "versions").glob("*.py"):
        source = script.read_text()
        assert "import oncall_bot" not in source
        assert "from oncall_bot" not in source
        assert "sqlmodel" not in source


def test_foreign_keys_are_on_again_after_a_migration(sqlite_server: Sqlite) -> None:
    store = Store(sqlite_server.fresh(), clock=HandClock())
    store.open()
    table = METADATA.tables["team_member"]
    with pytest.raises(Exception, match="FOREIGN KEY") as error:
        store.write(
            lambda tx: tx.connection.execute(insert(table).values(team_id=1, person_id=1, role="x"))
        ).result()
    store.close()
    assert isinstance(error.value.__cause__, sqlite3.IntegrityError)


def test_who_waits_for_a_table_lets_everybody_else_go_on_meanwhile(
    postgres_server: Postgres,
) -> None:
    """A backup reads every table for minutes; behind a migration that waits for it nobody could read."""
    url = postgres_server.fresh()
    migrations.downgrade(url, "0001")
    try:
        with psycopg.connect(url) as backup:
            backup.execute("SELECT count(*) FROM incident")
            migrating = threading.Thread(target=migrations.upgrade, args=(url,))
            migrating.start()
            slowest = 0.0
            with psycopg.connect(url, autocommit=True) as other:
                for _ in range(25):
                    began = time.monotonic()
                    other.execute("SELECT count(*) FROM incident")
                    slowest = max(slowest, time.monotonic() - began)
                    time.sleep(0.1)
            assert slowest < 15, "it waits behind the migration, and not for long"
            assert migrating.is_alive()
        migrating.join(30)
        assert migrations.current(url) == HEAD
    finally:
        postgres_server.drop(url)
