"""Runbook folders: which one is meant, and bringing its content into the database as `serve` does.

Knows where the folder is named. Refuses to read files and to write rows itself. Serves `runbooks`, `doctor`
and scratch databases.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oncall_bot.core.runbooks import Runbook
    from oncall_bot.files.runbooks import Problem
    from oncall_bot.settings import Settings
    from oncall_bot.store.db import Store

SOURCE = "file"  # of runbooks that lie directly in the folder, even when there is none


def runbooks_folder(settings: Settings, named: str | None) -> Path | None:
    """ONCALL_RUNBOOKS_DIR, else what the file names, relative to it, else the library that comes with the bot."""
    if settings.runbooks_dir is not None:
        return settings.runbooks_dir
    return folder_beside(settings.config, named)


def folder_beside(config: Path, named: str | None) -> Path | None:
    """The folder that a configuration names, else the library that comes with the bot."""
    from oncall_bot.files.runbooks import starter_library

    if named is None:
        return starter_library()
    folder = Path(named)
    return folder if folder.is_absolute() else config.parent / folder


def import_folder(store: Store, folder: Path) -> tuple[dict[str, int], list[Problem]]:
    """Added, changed, unchanged and archived runbooks; a file that cannot be read keeps its last version."""
    from oncall_bot.files.runbooks import read_runbooks
    from oncall_bot.flows.import_runbooks import SLICE, Imported, import_runbooks

    books, problems = read_runbooks(folder)
    by_source: dict[str, list[Runbook]] = {SOURCE: []}
    for book in books:
        by_source.setdefault(book.source, []).append(book)
    broken = [Path(problem.file).stem for problem in problems]
    counts = {"added": 0, "changed": 0, "unchanged": 0, "archived": 0}
    for source, mine in by_source.items():
        done = Imported(left=1)
        while done.left:
            part = store.write(import_runbooks, source, mine, keep=broken, at_most=SLICE)
            done = done.then(part.result())
        for name in counts:
            counts[name] += getattr(done, name)
    return counts, problems
