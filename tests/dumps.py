"""Every column of every table of a store, as text: for tests that say what must stand nowhere."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import MetaData, select

from oncall_bot.store.db import Store


def dumped(store: Store) -> Iterator[tuple[str, str]]:
    """Where it stands (`table.column`), and what; read from the database itself, not from our models."""
    with store.read() as reader:
        found = MetaData()
        found.reflect(reader.connection)
        for table in found.tables.values():
            for row in reader.connection.execute(select(table)).mappings():
                for column, value in row.items():
                    raw = bytes(value) if isinstance(value, memoryview) else value
                    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
                    yield f"{table.name}.{column}", text
