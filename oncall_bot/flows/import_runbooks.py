"""Runbooks of a folder come into SQL, with versions and search terms.

Refuses to read files. Serves `serve` and the CLI."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from oncall_bot.core.runbooks import Runbook
from oncall_bot.core.search import section_words
from oncall_bot.store import rules, runbooks
from oncall_bot.store.snapshot import runbook_document
from oncall_bot.store.transactions import Tx


@dataclass(frozen=True, slots=True)
class Imported:
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    archived: int = 0


def import_runbooks(
    tx: Tx, source: str, books: Sequence[Runbook], *, keep: Sequence[str] = ()
) -> Imported:
    """Bring this source's runbooks to what the folder holds. A runbook that is gone is archived.

    `keep`: slugs whose file could not be read now; their last version stays.
    """
    known = runbooks.known(tx, source)
    added = changed = unchanged = 0
    for book in books:
        row = known.get(book.slug)
        if row is not None and row.sha256 == book.sha256 and row.archived_at is None:
            unchanged += 1
            continue
        _add(tx, source, book, row.id if row else None)
        added, changed = (added, changed + 1) if row else (added + 1, changed)
    present = {book.slug for book in books} | set(keep)
    gone = [row for slug, row in known.items() if slug not in present and row.archived_at is None]
    for row in gone:
        runbooks.archive(tx, row.id)
    if added or changed or gone:
        rules.changed(tx)
    return Imported(added, changed, unchanged, len(gone))


def _add(tx: Tx, source: str, book: Runbook, known_id: int | None) -> None:
    version = runbooks.add_version(
        tx,
        source,
        book.slug,
        known_id,
        sha256=book.sha256,
        text=book.text,
        document=runbook_document(book),
    )
    sections = runbooks.sections_of(tx, version)
    postings = [
        (term, sections[n], times)
        for n in range(min(len(book.sections), len(sections)))
        for term, times in section_words(book, n).items()
    ]
    runbooks.add_postings(tx, runbooks.runbook_of_version(tx, version), postings)
