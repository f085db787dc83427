"""API tokens in SQL: a name, a prefix to tell them apart, and the SHA-256; the token itself is never stored.

Knows rows. Refuses to make secrets. Serves flows.api_tokens and the command `tokens`.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import and_, bindparam, or_, select, update

from oncall_bot.store import tables as t
from oncall_bot.store.statements import Row, insert_of, statement
from oncall_bot.store.transactions import Reader, Tx

TOKEN = t.ApiToken.__table__  # type: ignore[attr-defined]
USE_WRITTEN_EVERY = timedelta(minutes=1)
"""So exactly is kept when a token was used last: a busy source need not write at each request."""

_INSERT = insert_of(
    TOKEN,
    *("name", "hash", "prefix", "scope", "created_at", "expires_at", "person"),
    used_at=None,
    revoked_at=None,
)
_LISTED = statement(
    select(
        TOKEN.c.name,
        TOKEN.c.prefix,
        TOKEN.c.scope,
        TOKEN.c.created_at,
        TOKEN.c.expires_at,
        TOKEN.c.used_at,
        TOKEN.c.revoked_at,
    ).order_by(TOKEN.c.id)
)
_NAMED = statement(
    select(TOKEN.c.id, TOKEN.c.name, TOKEN.c.prefix, TOKEN.c.hash).where(
        or_(TOKEN.c.name == bindparam("wanted"), TOKEN.c.prefix == bindparam("wanted")),
        TOKEN.c.revoked_at.is_(None),
    )
)
_REVOKE = statement(
    update(TOKEN).where(TOKEN.c.id == bindparam("token_id")).values(revoked_at=bindparam("at"))
)
_VALID = statement(
    select(
        *(TOKEN.c.id, TOKEN.c.name, TOKEN.c.scope, TOKEN.c.hash, TOKEN.c.person, TOKEN.c.used_at)
    ).where(
        TOKEN.c.hash == bindparam("sha256"),
        and_(
            TOKEN.c.revoked_at.is_(None),
            or_(TOKEN.c.expires_at.is_(None), TOKEN.c.expires_at > bindparam("now")),
        ),
    )
)
_USED = statement(
    update(TOKEN)
    .where(
        TOKEN.c.hash == bindparam("sha256"),
        or_(TOKEN.c.used_at.is_(None), TOKEN.c.used_at < bindparam("before")),
    )
    .values(used_at=bindparam("at"))
)
_OF_PERSON = statement(
    select(TOKEN.c.id, TOKEN.c.name, TOKEN.c.prefix, TOKEN.c.scope, TOKEN.c.created_at)
    .where(TOKEN.c.person == bindparam("of_person"), TOKEN.c.revoked_at.is_(None))
    .order_by(TOKEN.c.id)
)


def insert(
    tx: Tx,
    name: str,
    *,
    sha256: str,
    prefix: str,
    scope: str,
    expires_at: datetime | None,
    person: str | None = None,
) -> None:
    tx.run(
        _INSERT,
        name=name,
        hash=sha256,
        prefix=prefix,
        scope=scope,
        created_at=tx.now,
        expires_at=expires_at,
        person=person,
    )


def listed(reader: Reader) -> list[Row]:
    """Every token, revoked ones too, oldest first; without hashes."""
    return reader.all(_LISTED)


def named(reader: Reader, name_or_prefix: str) -> list[Row]:
    """Tokens of this name or prefix that are not revoked."""
    return reader.all(_NAMED, wanted=name_or_prefix)


def revoke(tx: Tx, token_id: int) -> None:
    tx.run(_REVOKE, token_id=token_id, at=tx.now)


def valid(reader: Reader, sha256: str) -> Row | None:
    """The token with this hash, if it is neither revoked nor expired: id, name, scope, hash, person, used_at."""
    return reader.first(_VALID, sha256=sha256, now=reader.now)


def used(tx: Tx, sha256: str, *, at_most_every: timedelta) -> None:
    """The token was used now; not written again so soon."""
    tx.run(_USED, sha256=sha256, at=tx.now, before=tx.now - at_most_every)


def of_person(reader: Reader, person: str) -> list[Row]:
    """A person's calendar links that are not revoked, oldest first."""
    return reader.all(_OF_PERSON, of_person=person)
