"""Where migrations meet a connection. `oncall_bot.store.migrations` hands one over, with the lock and the transaction.

For whoever writes a migration there is also `alembic -x url=... revision --autogenerate -m "..."` in the checkout.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger

from alembic import context
from oncall_bot.store.tables import METADATA
from oncall_bot.store.types import Instant


def rendered(kind: str, item: Any, autogen: Any) -> str | bool:
    """Our types by the names that every migration defines for itself: an old one never imports ours."""
    if kind != "type":
        return False
    if isinstance(item, Instant):
        return "INSTANT"
    if isinstance(item, JSON):
        return "JSON_"
    if type(item) is BigInteger:
        return "BIG_ID"
    return False


def run(connection: Any) -> None:
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        render_item=rendered,
        render_as_batch=connection.dialect.name == "sqlite",
        user_module_prefix="sa.",
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    from oncall_bot.store.engines import engine_for

    url = context.get_x_argument(as_dictionary=True).get("url", "sqlite:///oncall.db")
    with engine_for(url, writes=True).connect() as own, own.begin():
        run(own)
