"""Both databases for every test that asks for one."""

from tests.databases import (  # noqa: F401 - fixtures
    clock,
    database,
    empty_database,
    postgres_server,
    server,
    sqlite_server,
    store,
)
