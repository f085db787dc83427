"""What is in force: oncall.yaml and the folder of runbooks, read and taken in when they changed.

Knows which file and which folder, when one need not be read again, and that a broken one leaves its last version in
force. Refuses to know what the content means (files read it, flows write it). Serves app, at the start and as a duty.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog

from oncall_bot import __version__
from oncall_bot.core.documents import built_in_document, normalised, sha256_of
from oncall_bot.core.errors import BadInput
from oncall_bot.core.runbooks import Runbook
from oncall_bot.files.oncall_yaml import as_it_was, read_config
from oncall_bot.files.runbooks import read_runbooks, starter_library
from oncall_bot.flows.apply_config import BUILT_IN, apply_config, stay
from oncall_bot.flows.import_runbooks import SLICE, Imported, import_runbooks
from oncall_bot.settings import Settings
from oncall_bot.store import rules
from oncall_bot.store.db import Store

log = structlog.get_logger(__name__)

RUNBOOK_SOURCE = "file"


class InForce:
    """Takes in the file and the runbooks that the settings name."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._store = store
        self._stamp: object = None

    async def apply_config(self) -> None:
        """The file, when its content is new; without a file the built-in last route."""
        settings, path = self._settings, self._settings.config
        has_file = path.exists()
        if settings.config_is_named and not has_file:
            raise BadInput(f"ONCALL_CONFIG: there is no file {path}")
        problem = settings.nobody_to_page(has_file=has_file)
        tokens = self._settings_tokens()
        latest = await self._store.view(lambda reader: reader.snapshot.applied_by)
        if not has_file:
            if latest not in ("", BUILT_IN):
                log.warning("no_config_file", in_force=latest)
                await self._store.write(rules.add_tokens, tokens)
                return
            if problem:
                raise BadInput(problem)
            document = normalised(built_in_document(settings.channel, settings.admins))
            await self._store.write(
                apply_config, document, sha256_of(document), BUILT_IN, token_sha256=tokens
            )
            return
        await self._apply_file(path, tokens)

    async def _apply_file(self, path: Path, tokens: dict[str, str]) -> None:
        before = await self._store.view(rules.file_read)
        if await asyncio.to_thread(_told_before, path, before):
            await self._store.write(stay, tokens)
            log.info("config", file=str(path), applied=False, unchanged=True)
            return
        found = await asyncio.to_thread(read_config, path)
        if not found.ok:
            for fault in found.faults[:20]:
                log.error("config_fault", fault=str(fault))
            in_force = await self._store.view(lambda reader: reader.snapshot.revision_id)
            if in_force is None:
                raise BadInput("\n".join(str(fault) for fault in found.faults[:20]))
            log.error("config_refused", in_force=in_force, faults=len(found.faults))
            await self._store.write(rules.add_tokens, tokens)
            return
        new = await self._store.write(
            apply_config,
            found.document,
            found.sha256,
            str(path),
            token_sha256=tokens,
            only_if_new=True,
        )
        read = {"version": __version__, "files": dict(found.read)}
        await self._store.write(rules.keep_file_read, read)
        log.info("config", file=str(path), applied=new, sha256=found.sha256[:12])

    def _settings_tokens(self) -> dict[str, str]:
        token = self._settings.webhook_token
        if token is None:
            return {}
        return {"default": hashlib.sha256(token.get_secret_value().encode()).hexdigest()}

    async def import_runbooks(self) -> None:
        """Read the folder when something in it changed; a broken file keeps its last version."""
        folder = self._runbooks_dir()
        if folder is None:
            return
        stamp = await asyncio.to_thread(_stamp, folder)
        if stamp == self._stamp:
            return
        books, problems = await asyncio.to_thread(read_runbooks, folder)
        for problem in problems:
            log.warning("runbook_problem", problem=str(problem))
        by_source: dict[str, list[Runbook]] = {RUNBOOK_SOURCE: []}
        for book in books:
            by_source.setdefault(book.source, []).append(book)
        broken = [Path(problem.file).stem for problem in problems]
        for source, mine in by_source.items():
            done = await self._take_in(source, mine, broken)
            log.info(
                "runbooks",
                source=source,
                added=done.added,
                changed=done.changed,
                archived=done.archived,
            )
        self._stamp = stamp

    async def _take_in(
        self, source: str, books: Sequence[Runbook], broken: Sequence[str]
    ) -> Imported:
        """A few at a time, so that pages pass between them."""
        done = Imported(left=1)
        while done.left:
            done = done.then(
                await self._store.write(import_runbooks, source, books, keep=broken, at_most=SLICE)
            )
        return done

    def _runbooks_dir(self) -> Path | None:
        """The folder of the settings, else of the file, else the library that comes with us."""
        if self._settings.runbooks_dir is not None:
            return self._settings.runbooks_dir
        named = self._store.snapshot.config.runbooks.dir
        if named is None:
            return starter_library()
        folder = Path(named)
        return folder if folder.is_absolute() else self._settings.config.parent / folder


def _told_before(path: Path, read: Mapping[str, Any]) -> bool:
    """Whether this code read the file before, as it is now: a large one takes seconds, and pages may be overdue."""
    files = read.get("files") or {}
    return read.get("version") == __version__ and str(path) in files and as_it_was(files)


def _stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """What changes when a file of the folder does."""
    found = []
    for path in sorted(folder.rglob("*.md")):
        with suppress(OSError):
            info = path.stat()
            found.append((str(path), info.st_mtime_ns, info.st_size))
    return tuple(found)
