"""One `serve` for one SQLite file.

Knows a lock beside the database that dies with its process. Refuses to know PostgreSQL, where any number may serve.
Serves `serve`, and whoever must not change a database under its feet.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from oncall_bot.core.errors import OncallError
from oncall_bot.store.location import file_lock, process_in, sqlite_file


def lock_path(file: Path) -> Path:
    return file.with_name(file.name + ".serve.lock")


@contextlib.contextmanager
def hold(url: str) -> Iterator[None]:
    """Hold the database to the end of the block; OncallError names the process that holds it already.

    On PostgreSQL nothing is held.
    """
    file = sqlite_file(url)
    if file is None:
        yield
        return
    lock = lock_path(file)
    with file_lock(lock, wait=False) as mine:
        if not mine:
            raise OncallError(
                f"{file} is held by another oncall-bot: process {process_in(lock)}. "
                "A SQLite database has one; stop that one first, or use PostgreSQL for several."
            )
        yield
