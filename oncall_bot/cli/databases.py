"""The database behind a command: the one of the settings, or a scratch one for a file that is tried.

Knows settings, logs and which schema is needed. Refuses to make or migrate the real database: `serve` and
`migrate` do. Serves the commands that look or write.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oncall_bot.core.errors import BadInput, OncallError

if TYPE_CHECKING:
    from oncall_bot.settings import Settings
    from oncall_bot.store.db import Store


def settings_now() -> Settings:
    """The settings of this process; logs go to stderr, warnings only, so that stdout holds the answer."""
    from oncall_bot.settings import load_settings

    settings = load_settings(os.environ)
    quiet_logs()
    return settings


def quiet_logs() -> None:
    from oncall_bot.telemetry import logs

    logs.configure("warning", "console")


def address(settings: Settings) -> str:
    return settings.database_url.get_secret_value()


@contextmanager
def database(settings: Settings | None = None) -> Iterator[Store]:
    """The settings' database, open; OncallError says what to do when it is missing or of an older version."""
    url = address(settings or settings_now())
    check_schema(url)
    with opened(url) as store:
        yield store


def check_schema(url: str) -> None:
    from oncall_bot.store import migrations
    from oncall_bot.store.location import shown

    if migrations.current(url) is None:
        raise OncallError(
            f"There is no database at {shown(url)} yet; `oncall-bot migrate` makes it, and so does"
            " `oncall-bot serve`. Is ONCALL_DATABASE_URL set?"
        )
    if migrations.pending(url):
        raise OncallError(
            f"The database {shown(url)} is of an older version; run `oncall-bot migrate`."
        )


@contextmanager
def opened(url: str) -> Iterator[Store]:
    from oncall_bot.store.db import Store

    store = Store(url)
    store.open()
    try:
        yield store
    finally:
        store.close()


@contextmanager
def rules_of(config: Path | None) -> Iterator[Store]:
    """What is in force; or with a file, that file alone in a database which is gone afterwards."""
    if config is None:
        with database() as store:
            yield store
        return
    quiet_logs()
    with scratch(config) as store:
        yield store


@contextmanager
def scratch(config: Path) -> Iterator[Store]:
    """A migrated database in a temporary folder with the file applied and its runbooks imported."""
    import tempfile

    from oncall_bot.cli.folders import folder_beside, import_folder
    from oncall_bot.flows.apply_config import apply_config
    from oncall_bot.store import migrations

    document, sha256 = read_document(config, read_secrets=False)
    with tempfile.TemporaryDirectory(prefix="oncall-bot-") as folder:
        url = f"sqlite:///{folder}/scratch.db"
        migrations.upgrade(url)
        with opened(url) as store:
            store.write(apply_config, document, sha256, str(config)).result()
            books = folder_beside(config, document.get("runbooks", {}).get("dir"))
            if books is not None and books.is_dir():
                import_folder(store, books)
            yield store


def read_document(config: Path, *, read_secrets: bool = True) -> tuple[dict[str, Any], str]:
    """The document of a file and its sha256; BadInput holds every fault, one a line."""
    from oncall_bot.files.oncall_yaml import read_config

    found = read_config(config, read_secrets=read_secrets)
    if not found.ok:
        raise BadInput("\n".join(str(one) for one in found.faults))
    return found.document, found.sha256
