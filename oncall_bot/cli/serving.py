"""The life of an installation: serve, migrate, backup, restore, resume.

Knows the order of a start. Refuses to know what is served. `ONCALL_TEST_KILL_AT` names a fault point at which
the process ends as by kill -9: for the tests that prove nothing is lost.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from oncall_bot.cli.databases import address, database, settings_now
from oncall_bot.cli.terminal import say

BackupFile = Annotated[Path, typer.Argument(metavar="FILE", help="The backup's file.")]


def add_to(app: typer.Typer) -> None:
    for command in (serve, migrate, backup, restore, resume):
        app.command()(command)


def serve() -> None:
    """Run the bot until it is stopped.

    Migrates the database under a lock, applies ONCALL_CONFIG if its content is new, imports the runbooks, then
    takes alerts, pages, and talks to Slack. Without Slack tokens it pages by the other roads and says so.

    On SQLite one process serves a database; on PostgreSQL any number may.

    Example: ONCALL_CONFIG=oncall.yaml oncall-bot serve
    """
    import asyncio
    import gc

    gc.disable()  # of what is loaded nothing goes away again: looking for it is a tenth of a start
    from oncall_bot import app as wiring
    from oncall_bot.core.fault_points import ignore
    from oncall_bot.settings import load_settings
    from oncall_bot.telemetry import logs

    settings = load_settings(os.environ)
    logs.configure(settings.log_level, settings.log_format)
    point = os.environ.get("ONCALL_TEST_KILL_AT")
    at_fault_point = wiring.kill_at(point) if point else ignore
    with asyncio.Runner(loop_factory=wiring.new_loop) as runner:
        runner.run(wiring.run(settings, at_fault_point=at_fault_point))


def migrate() -> None:
    """Bring the database to this version, or make it.

    One process at a time, in one transaction: all of it or nothing. `serve` does the same at its start; this is
    for those who migrate in a step of its own.

    Example: oncall-bot migrate
    """
    from oncall_bot.store import migrations
    from oncall_bot.store.location import shown

    url = address(settings_now())
    before = migrations.current(url)
    after = migrations.upgrade(url)
    done = "was current already" if before == after else f"is now at revision {after}"
    say(f"The database {shown(url)} {done}.")


def backup(file: BackupFile) -> None:
    """Write a consistent copy of the database while the bot goes on.

    SQLite: a SQLite file. PostgreSQL: what pg_dump writes (its client tools must be on PATH). An earlier backup of
    that name is replaced at the end; any other file is left alone.

    Example: oncall-bot backup /backups/oncall-monday.db
    """
    from oncall_bot.store.backup import backup as write

    write(address(settings_now()), file)
    say(f"Backed up to {file} ({file.stat().st_size:,} bytes).")


def restore(file: BackupFile) -> None:
    """Put a backup in place; nothing is sent before `resume`.

    Stop the bot first. The backup is brought up to this version. On SQLite the former database is kept beside it as
    NAME.before-restore. Then start the bot, look at what is open, and let it page again with `resume`.

    Example: oncall-bot restore /backups/oncall-monday.db
    """
    from oncall_bot.store.backup import restore as put_back

    put_back(address(settings_now()), file)
    say(f"Restored {file}. Nothing is sent until you run: oncall-bot resume")


def resume() -> None:
    """Send again after a restore.

    What became due meanwhile is decided and sent then; look at `oncall-bot incidents list` before.

    Example: oncall-bot resume
    """
    from oncall_bot.store import rules

    with database() as store:
        if not store.look(lambda reader: reader.snapshot.held):
            say("Nothing was held back; the bot sends as usual.")
            return
        store.write(rules.hold_sending, held=False).result()
    say("The bot sends again.")
