"""Connections as the store wants them, and what the database's errors mean for trying again.

Knows pragmas, pools and SQLSTATEs. Refuses to know flows. Serves `store.db`, migrations and backups.
"""

from __future__ import annotations

import sqlite3
from typing import Any

import psycopg
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import QueuePool

RETRY_STATES = frozenset({"40001", "40P01", "23505", "25P03"})
STANDS_STILL_FOR_MS = 10_000
"""A process that stands still inside a transaction (frozen, swapped out) holds its rows: PostgreSQL undoes it after so
long, so that the others go on; it runs that transaction again once it is awake."""
POSTGRES_WRITERS = 4
READERS = 4


def engine_for(url: str, *, writes: bool, patient: bool = False) -> Engine:
    """Connections as the store wants them: pragmas and BEGIN IMMEDIATE on SQLite; no write on a reading one.

    `patient`: transactions may last; else PostgreSQL undoes one that stands still.
    """
    if make_url(url).get_backend_name() == "sqlite":
        engine = create_engine(
            url,
            poolclass=QueuePool,
            pool_size=1 if writes else READERS,
            max_overflow=0 if writes else READERS,
            paramstyle="named",
            connect_args={"check_same_thread": False, "timeout": 10, "cached_statements": 512},
        )
        event.listen(engine, "connect", _sqlite_pragmas)
        if not writes:
            event.listen(engine, "connect", _sqlite_query_only)
        begin = "BEGIN IMMEDIATE" if writes else "BEGIN"
        event.listen(engine, "begin", lambda connection: connection.connection.execute(begin))
        return engine
    address = make_url(url).set(drivername="postgresql+psycopg")
    return create_engine(
        address,
        pool_size=POSTGRES_WRITERS + READERS,
        max_overflow=4,
        pool_pre_ping=True,
        connect_args={"connect_timeout": 3, "options": _options(address, patient=patient)},
    )


def _options(address: URL, *, patient: bool) -> str:
    """Those of the address, and how long a transaction may stand still."""
    given = address.query.get("options", "")
    own = "" if patient else f"-c idle_in_transaction_session_timeout={STANDS_STILL_FOR_MS}"
    return f"{given if isinstance(given, str) else ' '.join(given)} {own}".strip()


def is_away(error: BaseException) -> bool:
    """Whether the database itself is away: nothing is wrong with what was to be written, and trying again may help."""
    orig = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(orig, sqlite3.OperationalError):
        words = ("locked", "full", "readonly", "unable to open", "disk I/O")
        return any(word in str(orig) for word in words)
    if isinstance(orig, psycopg.OperationalError):
        return orig.sqlstate is None or orig.sqlstate[:2] in ("08", "53", "57")
    return isinstance(error, PoolTimeout)


def _sqlite_pragmas(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are opened by us, never by the driver
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "busy_timeout=10000",
        "temp_store=MEMORY",
        "cache_size=-32000",
        "wal_autocheckpoint=16000",  # 64 MB: a page that many batches touch is copied back once
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _sqlite_query_only(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA query_only=ON").close()


def may_work_again(error: BaseException | None) -> bool:
    """Whether the same transaction, run from the start, may do what it could not do now."""
    state = getattr(error, "sqlstate", None)
    if state is not None:
        return state in RETRY_STATES
    return isinstance(error, sqlite3.OperationalError) and "locked" in str(error)
