"""F, the floor: the least an honest Python service must do to say that an alert is stored.

A plain ASGI callable, msgspec, SQLite in WAL with synchronous=FULL, one writer thread: it takes whatever waits, upserts
it by unique fingerprint in one transaction, and answers only after the commit. It judges, groups and pages nothing.
Ours is measured against it. Run by `benchmarks.intake.run`; alone: `python -m benchmarks.intake.floor DATABASE PORT`.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import threading
from collections import deque
from typing import Any

import msgspec
import uvicorn


class Alert(msgspec.Struct):
    labels: dict[str, str]
    annotations: dict[str, str]
    startsAt: str  # noqa: N815 - the wire's own names
    endsAt: str  # noqa: N815
    status: str
    fingerprint: str


class Body(msgspec.Struct):
    alerts: list[Alert]


SCHEMA = """CREATE TABLE IF NOT EXISTS alert (id INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL UNIQUE,
    status TEXT, labels TEXT, annotations TEXT, starts_at TEXT, ends_at TEXT)"""
UPSERT = """INSERT INTO alert (fingerprint, status, labels, annotations, starts_at, ends_at) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (fingerprint) DO UPDATE SET status = excluded.status, labels = excluded.labels,
    annotations = excluded.annotations, starts_at = excluded.starts_at, ends_at = excluded.ends_at"""
BATCH_MAX = 256
DECODE = msgspec.json.Decoder(Body).decode
ENCODE = msgspec.json.Encoder().encode
Waiting = tuple[list[tuple[Any, ...]], asyncio.Future[None]]


class Floor:
    """The app and its writer."""

    def __init__(self, database: str) -> None:
        self.db = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-32000"):
            self.db.execute(f"PRAGMA {pragma}")
        self.db.execute(SCHEMA)
        self.waiting: deque[Waiting] = deque()
        self.changed = threading.Condition()
        threading.Thread(target=self.write, daemon=True).start()

    def write(self) -> None:
        while True:
            with self.changed:
                while not self.waiting:
                    self.changed.wait()
                taken = [self.waiting.popleft() for _ in range(min(BATCH_MAX, len(self.waiting)))]
            self.db.execute("BEGIN IMMEDIATE")
            self.db.executemany(UPSERT, [row for rows, _ in taken for row in rows])
            self.db.execute("COMMIT")
            answers = [answer for _, answer in taken]
            answers[0].get_loop().call_soon_threadsafe(settle, answers)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        body = message["body"]
        while message.get("more_body"):
            message = await receive()
            body += message["body"]
        rows = [
            (a.fingerprint, a.status, ENCODE(a.labels), ENCODE(a.annotations), a.startsAt, a.endsAt)
            for a in DECODE(body).alerts
        ]
        answer = asyncio.get_running_loop().create_future()
        with self.changed:
            self.waiting.append((rows, answer))
            self.changed.notify()
        await answer
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        await send({"type": "http.response.body", "body": b"ok"})


HEADERS = [(b"content-type", b"text/plain"), (b"content-length", b"2")]


def settle(answers: list[asyncio.Future[None]]) -> None:
    for answer in answers:
        if not answer.done():
            answer.set_result(None)


if __name__ == "__main__":
    uvicorn.run(
        Floor(sys.argv[1]),
        port=int(sys.argv[2]),
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
    )
