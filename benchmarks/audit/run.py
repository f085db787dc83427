"""What an audit costs when a million rows of history lie beside a few hundred open ones.

Fills a SQLite file in a temporary folder with closed incidents, their runs, pages, timers, messages, ended occurrences
and closed groups, then opens some incidents as a busy night has them, and times `flows.checks.look_all` and each check
alone. Run it as `python -m benchmarks.audit.run` in the repository; it exits 1 if the audit misses its target.
"""

from __future__ import annotations

import argparse
import os
import platform
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from oncall_bot.core.alerts import Delivery, Notice, fingerprint
from oncall_bot.core.documents import built_in_document, normalised, sha256_of
from oncall_bot.core.faults import Pulse
from oncall_bot.flows import checks
from oncall_bot.flows.apply_config import apply_config
from oncall_bot.flows.receive_alerts import receive_alerts
from oncall_bot.store import migrations, processes
from oncall_bot.store.db import Store

TARGET_MS = 100.0
ROUNDS = 15
CHUNK = 20_000
SOURCE = 1
Rows = Iterator[tuple[Any, ...]]


def micros(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000)


class History:
    """`n` rows of each kind, all over, spread over the past."""

    def __init__(self, database: sqlite3.Connection, n: int) -> None:
        self.database, self.n = database, n
        self.began = micros(datetime.now(UTC) - timedelta(days=365))
        self.step = 365 * 86_400 * 1_000_000 // (n + 1)

    def at(self, row: int) -> int:
        return self.began + row * self.step

    def write(self) -> None:
        for table, rows in (
            ("alert", self.alerts()),
            ("occurrence", self.occurrences()),
            ("incident", self.incidents()),
            ("alert_group", self.groups()),
            ("page_run", self.runs()),
            ("page", self.pages()),
            ("timer", self.timers()),
            ("outbox", self.outbox()),
            ("slack_message", self.messages()),
        ):
            began = time.monotonic()
            self._insert(table, rows)
            say(f"{self.n:,} rows of {table} in {time.monotonic() - began:.0f} s")

    def _insert(self, table: str, rows: Rows) -> None:
        columns = [row[1:] for row in self.database.execute(f"PRAGMA table_info({table})")]
        first = next(rows)
        given: dict[str, Any] = first[0]
        blanks = {
            name: None if not required or default is not None else _blank(kind)
            for name, kind, required, default, _ in columns
        }
        names = list(blanks)
        marks = ", ".join("?" * len(names))
        sql = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})"

        def full(row: dict[str, Any]) -> list[Any]:
            return [row.get(name, blanks[name]) for name in names]

        chunk = [full(given)]
        with self.database:
            for (row,) in rows:
                chunk.append(full(row))
                if len(chunk) == CHUNK:
                    self.database.executemany(sql, chunk)
                    chunk.clear()
            self.database.executemany(sql, chunk)

    def _rows(self) -> Iterator[int]:
        yield from range(1, self.n + 1)

    def alerts(self) -> Rows:
        for n in self._rows():
            yield (
                {
                    "id": n,
                    "source_id": SOURCE,
                    "fingerprint": f"f{n}",
                    "name": "x",
                    "occurrence_id": n,
                },
            )

    def occurrences(self) -> Rows:
        for n in self._rows():
            muted = "silence:1" if n % 50 == 0 else None
            yield (
                {
                    "id": n,
                    "alert_id": n,
                    "starts_at": self.at(n),
                    "ended_at": self.at(n),
                    "muted_by": muted,
                },
            )

    def incidents(self) -> Rows:
        for n in self._rows():
            row = {
                "id": n,
                "origin": "alert",
                "status": "resolved",
                "severity": "SEV2",
                "urgency": "high",
            }
            yield (row | {"opened_at": self.at(n), "resolved_at": self.at(n), "next_seq": 5},)

    def groups(self) -> Rows:
        for n in self._rows():
            row = {"id": n, "source_id": SOURCE, "route_key": "last", "group_key": f"g{n % 1000}"}
            yield (
                row
                | {"incident_id": n, "opened_at": self.at(n), "closed_at": self.at(n), "loud": 1},
            )

    def runs(self) -> Rows:
        for n in self._rows():
            yield (
                {"id": n, "incident_id": n, "policy_key": "everybody", "state": "done", "epoch": 2},
            )

    def pages(self) -> Rows:
        for n in self._rows():
            row = {"id": n, "run_id": n, "incident_id": n, "epoch": 1, "target": "person:admin-1"}
            yield (row | {"person": "admin-1", "decided_at": self.at(n)},)

    def timers(self) -> Rows:
        for n in self._rows():
            row = {"id": n, "kind": "escalate", "subject": f"run:{n}", "due_at": self.at(n)}
            yield (
                row
                | {
                    "state": "done",
                    "done_at": self.at(n),
                    "dedupe_key": f"escalate:{n}:1:0:0:step",
                },
            )

    def outbox(self) -> Rows:
        for n in self._rows():
            state = "dead" if n % 100 == 0 else "sent"
            row = {"id": n, "lane": 0, "kind": "loud", "destination": "push:admin-1", "page_id": n}
            row |= {"incident_id": n, "epoch": 1, "state": state, "next_attempt_at": self.at(n)}
            yield (row | {"done_at": self.at(n), "attempts": 1, "dedupe_key": f"page:{n}:c1:0"},)

    def messages(self) -> Rows:
        for n in self._rows():
            row = {
                "id": n,
                "incident_id": n,
                "role": "root",
                "channel": "#alerts",
                "channel_id": "C1",
            }
            yield (row | {"ts": f"{n}.0", "generation": 3, "rendered_generation": 3},)


def _blank(kind: str) -> Any:
    if kind == "JSON":
        return "{}"
    return "" if kind == "TEXT" else 0


def open_some(store: Store, count: int) -> None:
    """A busy night: so many incidents of their own, each paged, none acknowledged."""
    for n in range(count):
        labels = {"alertname": f"Open{n}", "service": f"s{n}", "severity": "critical"}
        now = datetime.now(UTC)
        notice = Notice(fingerprint(labels), labels, {}, now)
        told = Delivery("default", "http://am|x", f"body{n}", (notice,))
        store.write(receive_alerts, [told]).result()


def timed(call: Any) -> list[float]:
    took = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        call()
        took.append((time.perf_counter() - began) * 1000)
    return took


def measure(store: Store) -> tuple[float, float]:
    pulse = Pulse("bench", has_chat=True)
    found = store.look(checks.look_all, pulse)
    say(f"found: {({name: len(faults) for name, faults in found.items()}) or 'nothing'}")
    whole = timed(lambda: store.look(checks.look_all, pulse))
    print("| check | median ms | most ms |\n|---|---|---|")
    for check in checks.CHECKS:
        alone = timed(lambda look=check.look: store.look(look, pulse))
        print(f"| `{check.name}` | {statistics.median(alone):.2f} | {max(alone):.2f} |")
    print(f"| **all of them** | **{statistics.median(whole):.1f}** | **{max(whole):.1f}** |")
    return statistics.median(whole), max(whole)


def say(text: str) -> None:
    print(f"# {text}", file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="of each kind of history")
    parser.add_argument("--open", type=int, default=20, help="incidents that are open")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "audit.db"
        url = f"sqlite:///{file}"
        migrations.upgrade(url)
        store = Store(url)
        store.open()
        document = normalised(built_in_document("#alerts", ["U0ADMIN01"]))
        store.write(apply_config, document, sha256_of(document), "benchmark").result()
        store.write(processes.start, "bench", alone=True).result()
        database = sqlite3.connect(file)
        database.execute("PRAGMA foreign_keys=OFF")
        database.execute("PRAGMA synchronous=OFF")
        History(database, asked.rows).write()
        database.close()
        open_some(store, asked.open)
        say(f"{file.stat().st_size / 2**20:,.0f} MiB, {asked.open} incidents open")
        print(
            f"{asked.rows:,} rows of each kind, {asked.open} incidents open; {os.cpu_count()} cores, "
            f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {ROUNDS} rounds\n"
        )
        median, most = measure(store)
        store.close()
    print(f"\naudit: {median:.1f} ms (most {most:.1f}), target {TARGET_MS:.0f} ms")
    return 0 if median <= TARGET_MS else 1


if __name__ == "__main__":
    sys.exit(main())
