"""Statements written in SQLAlchemy Core, compiled once per dialect, run by the driver itself.

Knows how to turn values into what each driver wants and back. Refuses to know what the statements are for.
Serves the modules of `store`. Measured: 33-53 us an alert on the hot path this way, against 240-280 through
`Connection.execute` one by one (docs/decisions/0002).
"""

from __future__ import annotations

import json
import re
from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, cast

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    Dialect,
    Executable,
    Float,
    Numeric,
    Select,
    String,
    Text,
    bindparam,
    insert,
    literal_column,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.types import TypeDecorator, TypeEngine

from oncall_bot.core.alerts import Texts
from oncall_bot.store.types import Instant, from_micros, to_micros

_encode = json.JSONEncoder(separators=(",", ":")).encode
Processor = Callable[[Any], Any]
WIDE_MAX = 64
Row = Any  # a named tuple of the selected columns


class ListOf(TypeDecorator[list[Any]]):
    """A list bound as one parameter: a JSON text on SQLite, an array on PostgreSQL."""

    impl = Text
    cache_ok = True

    def __init__(self, item: type[TypeEngine[Any]]) -> None:
        super().__init__()
        self.item = item

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(ARRAY(self.item))
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: Sequence[Any] | None, dialect: Dialect) -> Any:
        values = list(value or ())
        return values if dialect.name == "postgresql" else json.dumps(values)


class _AnyOf(ColumnElement[bool]):
    inherit_cache = False

    def __init__(self, column: Any, values: Any) -> None:
        self.column, self.values = column, values


@compiles(_AnyOf, "sqlite")
def _any_sqlite(element: _AnyOf, compiler: Any, **kw: Any) -> str:
    column, values = compiler.process(element.column, **kw), compiler.process(element.values, **kw)
    return f"{column} IN (SELECT value FROM json_each({values}))"


@compiles(_AnyOf, "postgresql")
def _any_postgresql(element: _AnyOf, compiler: Any, **kw: Any) -> str:
    column, values = compiler.process(element.column, **kw), compiler.process(element.values, **kw)
    return f"{column} = ANY ({values})"


def any_of(column: Any, name: str) -> ColumnElement[bool]:
    """`column IN (the list bound as name)`, in one statement for any length."""
    item = Text if isinstance(column.type, Text) else BigInteger
    return _AnyOf(column, bindparam(name, type_=ListOf(item)))


def one_of(column: Any, values: Sequence[Any]) -> ColumnElement[bool]:
    """`column` is one of these constants; written out, so that an index over just these rows serves it."""
    return cast(
        "ColumnElement[bool]", column.in_([literal_column(_quoted(value)) for value in values])
    )


class Statement:
    """One statement for both dialects. `build(dialect_name)` is called once for each."""

    def __init__(self, build: Callable[[str], Executable]) -> None:
        self._build = build
        self._ready: dict[str, _Compiled] = {}

    def ready(self, dialect: Dialect) -> _Compiled:
        found = self._ready.get(dialect.name)
        if found is None:
            found = self._ready[dialect.name] = _Compiled(self._build(dialect.name), dialect)
        return found


def statement(built: Executable) -> Statement:
    """A statement that reads the same on both dialects."""
    return Statement(lambda _dialect: built)


def locking(query: Any, dialect: str, of: Any = None, *, skip_locked: bool = False) -> Executable:
    """The query FOR UPDATE on PostgreSQL; SQLite has one writer, and would silently drop the clause."""
    if dialect == "postgresql":
        query = query.with_for_update(of=of, skip_locked=skip_locked)
    locked: Executable = query
    return locked


def insert_of(table: Any, *columns: str, **constants: Any) -> Statement:
    """INSERT of these columns, bound by their names, and of constants."""
    return statement(insert(table).values({**{c: bindparam(c) for c in columns}, **constants}))


def upsert(
    table: Any, keys: Sequence[str], changes: Sequence[str] = (), *, also: Sequence[str] = ()
) -> Statement:
    """Insert `keys`, `changes` and `also`; on a conflict over `keys` take over `changes`, or nothing."""
    columns: dict[str, Any] = {
        name: bindparam(name)
        for name in dict.fromkeys((*keys, *changes, *also, *_bound(table, keys)))
    }

    def build(dialect: str) -> Executable:
        made: Any = (
            (postgresql if dialect == "postgresql" else sqlite).insert(table).values(columns)
        )
        if not changes:
            return cast("Executable", made.on_conflict_do_nothing(index_elements=list(keys)))
        taken = {name: made.excluded[name] for name in changes}
        return cast("Executable", made.on_conflict_do_update(index_elements=list(keys), set_=taken))

    return Statement(build)


def _bound(table: Any, keys: Sequence[str]) -> list[str]:
    """The primary key's other required columns, when the table has no id of its own."""
    return [
        column.name
        for column in table.columns
        if "id" not in table.columns and not column.nullable and column.name not in keys
    ]


class _Compiled:
    """SQL text, the processors of its parameters and of its rows."""

    def __init__(self, built: Any, dialect: Dialect) -> None:
        compiled = built.compile(dialect=dialect)
        self.sql = _with_constants(str(compiled), compiled, dialect)
        self._fixed: dict[str, Any] = {}
        self._binders: list[tuple[str, Processor]] = []
        for bind, key in compiled.bind_names.items():
            process = _bind_processor(bind.type, dialect)
            if process is not None:
                self._binders.append((key, process))
            if not bind.required:
                value = compiled.params[key]
                self._fixed[key] = value if process is None else process(value)
        self._rows = _row_maker(built, dialect)
        is_sqlite = dialect.name == "sqlite"
        self._wide = _Wide.of(self.sql, dict(self._binders), self._fixed) if is_sqlite else None

    def bind(self, values: Mapping[str, Any]) -> dict[str, Any]:
        bound = {**self._fixed, **values}
        for key, process in self._binders:
            if key in values:
                bound[key] = process(values[key])
        return bound

    def bind_all(self, many: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        return [self.bind(values) for values in many]

    def wide(self, many: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, Any]] | None:
        """On SQLite an INSERT of many rows as a few statements of many VALUES, each with its parameters.

        A thread gives up the interpreter for every step of a statement and has to queue for it again; so a batch
        should take few steps. Else None: the driver's executemany does better.
        """
        return None if self._wide is None else self._wide.statements(many)

    def rows(self, raw: Iterable[tuple[Any, ...]]) -> list[Row]:
        return [self._rows(row) for row in raw]


class _Wide:
    """An INSERT of one row, `head (row) tail`, made into one of many rows; a text for each length up to WIDE_MAX."""

    def __init__(
        self, parts: Sequence[str], binders: Mapping[str, Processor], fixed: Mapping[str, Any]
    ) -> None:
        self._head, row, self._tail = parts
        self._row = re.sub(r":\w+", "?", row)
        self._fixed = fixed
        self._columns = re.findall(r":(\w+)", row)
        self._processes = binders
        self._texts: dict[int, str] = {}

    @classmethod
    def of(
        cls, sql: str, binders: Mapping[str, Processor], fixed: Mapping[str, Any]
    ) -> _Wide | None:
        found = re.fullmatch(r"(INSERT INTO \w+ \([^()]+\) VALUES )(\([^()]+\))([^:]*)", sql)
        return cls(found.groups(), binders, fixed) if found else None

    def statements(self, many: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, Any]]:
        rows = list(many)
        bound = list(zip(*[self._column(name, rows) for name in self._columns], strict=True))
        at = 0
        while at < len(rows):
            length = min(WIDE_MAX, len(rows) - at)
            yield self._text(length), list(chain.from_iterable(bound[at : at + length]))
            at += length

    def _column(self, name: str, rows: Sequence[Mapping[str, Any]]) -> Sequence[Any]:
        """The column's value for each row, as the driver wants it."""
        if name in self._fixed:
            return [self._fixed[name]] * len(rows)
        process = self._processes.get(name)
        if process is None:
            return [row[name] for row in rows]
        return [process(row[name]) for row in rows]

    def _text(self, length: int) -> str:
        found = self._texts.get(length)
        if found is None:
            rows = ", ".join([self._row] * length)
            found = self._texts[length] = f"{self._head}{rows}{self._tail}"
        return found


def _with_constants(sql: str, compiled: Any, dialect: Dialect) -> str:
    """The texts a statement compares with, written out: a planner that sees only a parameter cannot know that
    an index over the pending rows holds all it needs, and reads the whole table instead."""
    for bind, key in compiled.bind_names.items():
        value = bind.value
        if bind.required or not isinstance(bind.type, String) or not _is_word(value):
            continue
        mark = (
            f"%\\({re.escape(key)}\\)s" if dialect.name == "postgresql" else f":{re.escape(key)}\\b"
        )
        text = _quoted(value)
        sql = re.sub(mark, text, sql)
    return sql


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and value.replace("_", "").isalnum()


def _quoted(word: str) -> str:
    assert _is_word(word), word  # our own words only; outside text is always bound
    return f"'{word}'"


def _bind_processor(type_: Any, dialect: Dialect) -> Processor | None:
    """What the driver wants for values of this type; SQLite's instants and JSON without SQLAlchemy's detours."""
    if dialect.name == "sqlite" and isinstance(type_, Instant):
        return _micros_or_none
    process: Processor | None = type_.dialect_impl(dialect).bind_processor(dialect)
    if isinstance(type_, JSON) and not type_.none_as_null:
        return _json_as_it_came(_encode if dialect.name == "sqlite" else process or _encode)
    return process


def _json_as_it_came(encode: Processor) -> Processor:
    """Texts bring their JSON with them."""
    return lambda value: value.json if type(value) is Texts else encode(value)


def _result_processor(type_: Any, dialect: Dialect) -> Processor | None:
    if dialect.name == "sqlite" and isinstance(type_, Instant):
        return _instant_or_none
    process: Processor | None = type_.dialect_impl(dialect).result_processor(dialect, None)
    return process


def _micros_or_none(value: datetime | None) -> int | None:
    return None if value is None else to_micros(value)


def _instant_or_none(value: int | None) -> datetime | None:
    return None if value is None else from_micros(value)


def _row_maker(built: Any, dialect: Dialect) -> Callable[[tuple[Any, ...]], Row]:
    if isinstance(built, Select):
        columns: Sequence[Any] = list(built.selected_columns)
    elif isinstance(built, UpdateBase):
        columns = list(built.exported_columns)
    else:
        columns = ()
    make = namedtuple("Row", [_field_name(c, n) for n, c in enumerate(columns)])  # type: ignore[misc]
    # numbers come as Python's own from both drivers, and SQLAlchemy wants PostgreSQL's type code for them
    processors = [
        (n, process)
        for n, column in enumerate(columns)
        if not isinstance(column.type, Numeric | Float)
        and (process := _result_processor(column.type, dialect)) is not None
    ]
    if not processors:
        return make._make

    def processed(row: tuple[Any, ...]) -> Row:
        values = list(row)
        for n, process in processors:
            values[n] = process(values[n])
        return make._make(values)

    return processed


def _field_name(column: Any, position: int) -> str:
    name = str(getattr(column, "key", "") or f"c{position}")
    return name if name.isidentifier() and not name.startswith("_") else f"c{position}"
