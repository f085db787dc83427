"""Column types that mean the same on SQLite and PostgreSQL.

Knows instants (integer microseconds on SQLite, timestamptz on PostgreSQL), JSON and ids. Serves tables and statements.
Instants are never compared as text, and a naive datetime is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import JSON, BigInteger, Dialect, Integer
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.types import TypeDecorator, TypeEngine

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_micros(at: datetime) -> int:
    """Microseconds since 1970-01-01 UTC; raises ValueError for a naive datetime."""
    if at.tzinfo is None:
        raise ValueError(f"an instant needs a zone: {at!r}")
    return (at - EPOCH) // _MICROSECOND


def from_micros(value: int) -> datetime:
    return EPOCH + timedelta(microseconds=value)


class Instant(TypeDecorator[datetime]):
    """A moment, aware and in UTC."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(TIMESTAMP(timezone=True))
        return dialect.type_descriptor(BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if dialect.name == "postgresql":
            if value.tzinfo is None:
                raise ValueError(f"an instant needs a zone: {value!r}")
            return value
        return to_micros(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if isinstance(value, datetime):
            return value.astimezone(UTC)
        return from_micros(value)


Json = JSON().with_variant(JSONB(), "postgresql")
BigId = BigInteger().with_variant(Integer(), "sqlite")


class Payload(TypeDecorator[dict[str, Any]]):
    """What a message or a timer carries. One that cannot be read is empty: it fails by itself, and no row beside it."""

    impl = JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(JSONB() if dialect.name == "postgresql" else JSON())

    def result_processor(self, dialect: Dialect, coltype: Any) -> Callable[[Any], Any]:
        decode = super().result_processor(dialect, coltype)

        def process(value: Any) -> Any:
            try:
                found = decode(value) if decode is not None else value
            except ValueError:
                return {}
            return found if isinstance(found, dict) else {}

        return process
