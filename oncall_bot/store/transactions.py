"""A look at the database, and an open transaction: what flows and views read and write through.

Knows how a statement is run by the driver, the snapshot in force and the one clock of decisions. Refuses to open or
commit anything: `store.db` does. Serves every flow and every view.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Dialect

from oncall_bot.store.listening import CHANNEL
from oncall_bot.store.snapshot import Snapshot
from oncall_bot.store.statements import Row, Statement


class Reader:
    """A look at the database: statements, the snapshot in force, and the time."""

    def __init__(self, connection: Connection, now: datetime, snapshot: Snapshot) -> None:
        self.connection = connection
        self.now = now
        self.snapshot = snapshot
        self.dialect: Dialect = connection.dialect
        self._cursor = connection.connection.cursor()

    @property
    def postgresql(self) -> bool:
        return self.dialect.name == "postgresql"

    def all(self, statement: Statement, **params: Any) -> list[Row]:
        ready = statement.ready(self.dialect)
        self._cursor.execute(ready.sql, ready.bind(params))
        return ready.rows(self._cursor.fetchall())

    def first(self, statement: Statement, **params: Any) -> Row | None:
        ready = statement.ready(self.dialect)
        self._cursor.execute(ready.sql, ready.bind(params))
        row = self._cursor.fetchone()
        return None if row is None else ready.rows([row])[0]

    def one(self, statement: Statement, **params: Any) -> Row:
        row = self.first(statement, **params)
        if row is None:
            raise LookupError(f"no row for {params}")
        return row

    def scalar(self, statement: Statement, **params: Any) -> Any:
        row = self.first(statement, **params)
        return None if row is None else row[0]


class Tx(Reader):
    """An open transaction. A flow reads and writes through it, and never commits it.

    `nudge()` says that work was left for the engine: after the commit it is woken, and so are the other processes
    unless it is work that this one goes on with by itself.
    """

    def __init__(self, connection: Connection, now: datetime, snapshot: Snapshot) -> None:
        super().__init__(connection, now, snapshot)
        self.nudged = False
        self.for_others = False
        self.observed: list[tuple[str, str]] = []
        self._handed_out: dict[str, int] = {}

    def observe(self, metric: str, label: str) -> None:
        """Count one event under a label of our own, once it is committed."""
        self.observed.append((metric, label))

    def nudge(self, *, others: bool = True) -> None:
        self.nudged = True
        self.for_others |= others

    def tell_others(self, sender: str) -> None:
        """PostgreSQL only: whoever listens hears of this transaction once it is committed."""
        self._cursor.execute("SELECT pg_notify(%s, %s)", (CHANNEL, sender))

    def run(self, statement: Statement, **params: Any) -> int:
        """Execute once; the number of rows changed."""
        ready = statement.ready(self.dialect)
        self._cursor.execute(ready.sql, ready.bind(params))
        return int(self._cursor.rowcount)

    def many(self, statement: Statement, rows: Iterable[Mapping[str, Any]]) -> None:
        """Execute for every row in one call of the driver, or few; nothing when there is none."""
        ready = statement.ready(self.dialect)
        wide = ready.wide(rows)
        if wide is not None:
            for sql, params in wide:
                self._cursor.execute(sql, params)
            return
        bound = ready.bind_all(rows)
        if bound:
            self._cursor.executemany(ready.sql, bound)

    def new_ids(self, table: str, count: int) -> Sequence[int]:
        """Ids for `count` new rows, so that they can be written together. Valid inside this transaction."""
        if not count:
            return ()
        if self.postgresql:
            self._cursor.execute(
                f"SELECT nextval(pg_get_serial_sequence('{table}', 'id')) FROM generate_series(1, {count})"
            )
            return [int(row[0]) for row in self._cursor.fetchall()]
        self._cursor.execute(f"SELECT coalesce(max(id), 0) FROM {table}")
        row = self._cursor.fetchone()
        first = max(int(row[0] if row else 0), self._handed_out.get(table, 0)) + 1
        self._handed_out[table] = first + count - 1
        return range(first, first + count)

    @contextlib.contextmanager
    def undone(self) -> Iterator[None]:
        """Whatever is written inside is rolled back: `explain` runs the real flow this way."""
        self._cursor.execute("SAVEPOINT undone")
        try:
            yield
        finally:
            self._cursor.execute("ROLLBACK TO SAVEPOINT undone")
            self._cursor.execute("RELEASE SAVEPOINT undone")
