"""Runbooks of a folder come into SQL, with versions and search terms.

Refuses to read files. Serves `serve` and the CLI."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from oncall_bot.core.runbooks import Runbook
from oncall_bot.core.search import page_of
from oncall_bot.store import postings, rules, runbooks
from oncall_bot.store.snapshot import runbook_document
from oncall_bot.store.statements import Row
from oncall_bot.store.transactions import Tx

SLICE = 5
"""Runbooks taken in by one transaction of `serve`: so many keep a page waiting for less than 50 ms or so."""


@dataclass(frozen=True, slots=True)
class Imported:
    """`left` are waiting for another call."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    archived: int = 0
    left: int = 0

    def then(self, next_: Imported) -> Imported:
        """Both calls together; what the first took in is unchanged to the second."""
        return Imported(
            self.added + next_.added,
            self.changed + next_.changed,
            next_.unchanged - self.added - self.changed,
            self.archived + next_.archived,
            next_.left,
        )


def import_runbooks(
    tx: Tx,
    source: str,
    books: Sequence[Runbook],
    *,
    keep: Sequence[str] = (),
    at_most: int | None = None,
) -> Imported:
    """Bring this source's runbooks to what the folder holds. A runbook that is gone is archived.

    `keep`: slugs whose file could not be read now; their last version stays. `at_most`: so many are taken in now; call
    again with the same while some are `left`. What was taken in is in force with the last call.
    """
    known = runbooks.known(tx, source)
    if any(not _stands(known.get(book.slug), book) for book in books):
        runbooks.alone(tx)
        known = runbooks.known(tx, source)
    waiting = [book for book in books if not _stands(known.get(book.slug), book)]
    now = waiting[:at_most]
    for book in now:
        row = known.get(book.slug)
        _take_in(tx, source, book, row.id if row else None)
    added = sum(1 for book in now if book.slug not in known)
    done = Imported(
        added, len(now) - added, len(books) - len(waiting), left=len(waiting) - len(now)
    )
    if done.left:
        return done
    present = {book.slug for book in books} | set(keep)
    gone = [row for slug, row in known.items() if slug not in present and row.archived_at is None]
    for row in gone:
        runbooks.archive(tx, row.id)
        postings.forget(tx, row.id)
    if now or gone:
        rules.changed(tx)
    return Imported(done.added, done.changed, done.unchanged, len(gone))


def _stands(row: Row | None, book: Runbook) -> bool:
    """Whether the row holds this text already, and has been read for the search."""
    if row is None or row.archived_at is not None:
        return False
    return bool(row.sha256 == book.sha256 and row.is_searched)


def _take_in(tx: Tx, source: str, book: Runbook, known_id: int | None) -> None:
    version = runbooks.add_version(
        tx,
        source,
        book.slug,
        known_id,
        sha256=book.sha256,
        text=book.text,
        document=runbook_document(book),
    )
    page = page_of(book)
    owner = runbooks.runbook_of_version(tx, version)
    runbooks.keep_page(tx, owner, version, page.plain())
    postings.replace(tx, owner, runbooks.sections_of(tx, version), page.sections)
