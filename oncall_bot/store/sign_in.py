"""Sign-in links and web sessions in SQL: who, until when, and the SHA-256 of the key; the key itself is never stored.

Knows rows, and that a link is spent by the one who comes first. Refuses to make keys. Serves flows.sign_in and views.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, select, update

from oncall_bot.store import tables as t
from oncall_bot.store.statements import Row, insert_of, statement
from oncall_bot.store.transactions import Reader, Tx

LINK, SESSION = t.SignInLink.__table__, t.WebSession.__table__  # type: ignore[attr-defined]

_COLUMNS = ("token_sha256", "actor", "name", "created_at", "expires_at")
_ADD_LINK = insert_of(LINK, *_COLUMNS, used_at=None)
_ADD_SESSION = insert_of(SESSION, *_COLUMNS, ended_at=None)
_LINK = statement(select(LINK).where(LINK.c.token_sha256 == bindparam("sha256")))
_SPEND = statement(
    update(LINK)
    .where(LINK.c.token_sha256 == bindparam("sha256"), LINK.c.used_at.is_(None))
    .values(used_at=bindparam("at"))
)
_SPEND_OLDER = statement(
    update(LINK)
    .where(LINK.c.actor == bindparam("whose"), LINK.c.used_at.is_(None))
    .values(used_at=bindparam("at"))
)
_SESSION = statement(
    select(SESSION.c.actor, SESSION.c.name, SESSION.c.expires_at).where(
        SESSION.c.token_sha256 == bindparam("sha256"),
        SESSION.c.ended_at.is_(None),
        SESSION.c.expires_at > bindparam("now"),
    )
)
_END = statement(
    update(SESSION)
    .where(SESSION.c.token_sha256 == bindparam("sha256"), SESSION.c.ended_at.is_(None))
    .values(ended_at=bindparam("at"))
)
_END_ALL = statement(
    update(SESSION)
    .where(
        SESSION.c.actor == bindparam("whose"),
        SESSION.c.ended_at.is_(None),
        SESSION.c.expires_at > bindparam("at"),
    )
    .values(ended_at=bindparam("at"))
)


def add_link(tx: Tx, sha256: str, actor: str, name: str, expires_at: datetime) -> None:
    """A new link of this person; those given out before are worth nothing from now on."""
    tx.run(_SPEND_OLDER, whose=actor, at=tx.now)
    tx.run(
        _ADD_LINK,
        token_sha256=sha256,
        actor=actor,
        name=name,
        created_at=tx.now,
        expires_at=expires_at,
    )


def link(reader: Reader, sha256: str) -> Row | None:
    return reader.first(_LINK, sha256=sha256)


def spend(tx: Tx, sha256: str) -> bool:
    """Whether it was this transaction that used the link."""
    return tx.run(_SPEND, sha256=sha256, at=tx.now) == 1


def add_session(tx: Tx, sha256: str, actor: str, name: str, expires_at: datetime) -> None:
    tx.run(
        _ADD_SESSION,
        token_sha256=sha256,
        actor=actor,
        name=name,
        created_at=tx.now,
        expires_at=expires_at,
    )


def session(reader: Reader, sha256: str) -> Row | None:
    """The session of this key, if it is neither over nor ended: actor, name, expires_at."""
    return reader.first(_SESSION, sha256=sha256, now=reader.now)


def end_session(tx: Tx, sha256: str) -> bool:
    return tx.run(_END, sha256=sha256, at=tx.now) == 1


def end_sessions(tx: Tx, actor: str) -> int:
    """End all of a person's sessions; how many went on until now."""
    return tx.run(_END_ALL, whose=actor, at=tx.now)
