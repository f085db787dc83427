"""How long the ranked search takes as the library grows, on SQLite and PostgreSQL.

    python -m benchmarks.runbooks.run [--runbooks 10000] [--queries 300] [--seed 1] [--database URL]

Runbooks are made of the starter library: each is one of its pages under another name, with sentences of others between.
Prints p50 and p99 of one search in milliseconds, and the same for a library of the size of the starter library: the
ratio is the figure that counts.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from oncall_bot.core.runbooks import Runbook
from oncall_bot.core.search import query_of
from oncall_bot.files.runbooks import read_runbooks, starter_library
from oncall_bot.flows.import_runbooks import import_runbooks
from oncall_bot.store import migrations, runbook_search
from oncall_bot.store.db import Store

AREAS = (
    *("billing", "search", "mail", "maps", "video", "audio", "stock", "orders", "login", "chat"),
    *("export", "import", "report", "ledger", "risk"),
)


def library(count: int, seed: int) -> list[Runbook]:
    chance = random.Random(seed)
    pages = read_runbooks(starter_library())[0]
    made = []
    for n in range(count):
        page, other = pages[n % len(pages)], chance.choice(pages)
        area = f"{chance.choice(AREAS)} {chance.choice(AREAS)} {n // len(pages)}"
        sections = (*page.sections[:3], *chance.sample(other.sections, min(2, len(other.sections))))
        name = f"{page.slug}-{n}"
        title = f"{page.title} in {area}"
        made.append(
            replace(
                page,
                slug=name,
                title=title,
                sha256=name,
                sections=sections,
                aliases=(),
                matchers=(),
            )
        )
    return made


def measured(store: Store, books: Sequence[Runbook], queries: int, seed: int) -> list[float]:
    """Milliseconds of each search, sorted; the first is not counted."""
    chance = random.Random(seed)
    took = []
    for _ in range(queries + 1):
        book = chance.choice(books)
        words = " ".join(section.text[:160] for section in chance.sample(book.sections, 2))
        query = query_of({"alertname": book.title.title().replace(" ", "")}, {"summary": words})
        began = time.perf_counter()
        store.look(runbook_search.ranked, query, 5)
        took.append((time.perf_counter() - began) * 1000)
    return sorted(took[1:])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runbooks", type=int, default=10_000)
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", help="an empty database; by default a SQLite file of its own")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="oncall-runbooks-") as folder:
        url = given.database or f"sqlite:///{Path(folder) / 'oncall.db'}"
        migrations.upgrade(url)
        store = Store(url)
        store.open()
        books = library(given.runbooks, given.seed)
        for count in (30, given.runbooks):
            began = time.perf_counter()
            store.write(import_runbooks, "file", books[:count]).result()
            built = time.perf_counter() - began
            took = measured(store, books[:count], given.queries, given.seed)
            p50, p99 = statistics.median(took), took[int(len(took) * 0.99) - 1]
            sys.stdout.write(
                f"{count:>6} runbooks: stored in {built:.1f} s; p50 {p50:.1f} ms, p99 {p99:.1f} ms\n"
            )
        store.close()


if __name__ == "__main__":
    main()
