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
from collections.abc import Mapping
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


def micros(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000)


# What one row of history looks like: SQL over its number `n` and its instant `at`. Columns not named are blank.
HISTORY: Mapping[str, Mapping[str, str]] = {
    "alert": {"source_id": "1", "fingerprint": "'f' || n", "name": "'x'", "occurrence_id": "n"},
    "occurrence": {
        "alert_id": "n",
        "starts_at": "at",
        "ended_at": "at",
        "muted_by": "CASE WHEN n % 50 = 0 THEN 'silence:1' END",
    },
    "incident": {
        "origin": "'alert'",
        "status": "'resolved'",
        "severity": "'SEV2'",
        "urgency": "'high'",
        "opened_at": "at",
        "resolved_at": "at",
        "next_seq": "5",
    },
    "alert_group": {
        "source_id": "1",
        "route_key": "'last'",
        "group_key": "'g' || n % 1000",
        "incident_id": "n",
        "opened_at": "at",
        "closed_at": "at",
    },
    "page_run": {"incident_id": "n", "policy_key": "'everybody'", "state": "'done'", "epoch": "2"},
    "page": {
        "run_id": "n",
        "incident_id": "n",
        "epoch": "1",
        "target": "'person:admin-1'",
        "person": "'admin-1'",
        "decided_at": "at",
    },
    "timer": {
        "kind": "'escalate'",
        "subject": "'run:' || n",
        "due_at": "at",
        "state": "'done'",
        "done_at": "at",
        "dedupe_key": "'escalate:' || n || ':1:0:0:step'",
    },
    "outbox": {
        "kind": "'loud'",
        "destination": "'push:admin-1'",
        "page_id": "CASE WHEN n % 3 THEN n END",
        "incident_id": "n",
        "epoch": "1",
        "state": "CASE WHEN n % 100 THEN 'sent' ELSE 'dead' END",
        "next_attempt_at": "at",
        "done_at": "at",
        "attempts": "1",
        "dedupe_key": "'page:' || n || ':c1:0'",
    },
    "slack_message": {
        "incident_id": "n",
        "role": "'root'",
        "channel": "'#alerts'",
        "channel_id": "'C1'",
        "ts": "n || '.0'",
        "generation": "3",
        "rendered_generation": "3",
    },
}


def write_history(database: sqlite3.Connection, count: int) -> None:
    """So many rows of each kind, all over, spread over the past year."""
    began = micros(datetime.now(UTC) - timedelta(days=365))
    step = 365 * 86_400 * 1_000_000 // (count + 1)
    database.execute("CREATE TEMP TABLE row (n INTEGER PRIMARY KEY, at INTEGER)")
    database.execute(
        "WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ?)"
        " INSERT INTO row SELECT n, ? + n * ? FROM number",
        (count, began, step),
    )
    for table, given in HISTORY.items():
        started = time.monotonic()
        values = {"id": "n", **_blanks(database, table), **given}
        sql = f"INSERT INTO {table} ({', '.join(values)}) SELECT {', '.join(values.values())} FROM row"
        with database:
            database.execute(sql)
        say(f"{count:,} rows of {table} in {time.monotonic() - started:.0f} s")


def _blanks(database: sqlite3.Connection, table: str) -> dict[str, str]:
    columns = database.execute(f"PRAGMA table_info({table})").fetchall()
    blank = {"JSON": "'{}'", "TEXT": "''"}
    return {
        name: blank.get(kind, "0")
        for _, name, kind, required, default, key in columns
        if required and default is None and not key
    }


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
        database.execute("PRAGMA cache_size=-400000")
        write_history(database, asked.rows)
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
