"""Who runs: one row for each process, beating; leases for work that one of them should do.

Knows rows. A lease of a process that stopped beating is free. Serves the engine.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import and_, bindparam, delete, not_, or_, select, text, update

from oncall_bot.store import tables as t
from oncall_bot.store.listening import LIVES
from oncall_bot.store.statements import statement, upsert
from oncall_bot.store.transactions import Tx

BEAT_STALE_AFTER = timedelta(seconds=5)
"""Who gave no sign of life for so long is taken for dead, and what it held is free."""

SEEN = "seen-"
"""How the names begin of those who hold a lock of PostgreSQL while they live (store.listening)."""

GONE_AFTER = timedelta(seconds=1)
"""One of them whose lock is free is taken for dead after so long without a sign of life."""

PROCESS, LEASE = t.Process.__table__, t.Lease.__table__  # type: ignore[attr-defined]

_BEAT = upsert(PROCESS, ("instance",), ("beat_at", "revision"), also=("started_at", "version"))
_FORGET = statement(delete(PROCESS).where(PROCESS.c.beat_at < bindparam("before")))
_LEAVE = statement(delete(PROCESS).where(PROCESS.c.instance == bindparam("me")))
_GIVE_UP = statement(delete(LEASE).where(LEASE.c.owner == bindparam("me")))
LIVE = select(PROCESS.c.instance).where(PROCESS.c.beat_at > bindparam("beat_after"))
"""Who gave a sign of life after `beat_after`."""
_GONE = statement(
    delete(PROCESS).where(
        and_(
            PROCESS.c.instance.like(f"{SEEN}%"),
            PROCESS.c.instance != bindparam("me"),
            PROCESS.c.beat_at < bindparam("before"),
            text(
                "NOT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted"
                f" AND classid = {LIVES} AND objid = (hashtext(process.instance)::bigint & 4294967295)::oid"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
            ),
        )
    )
)
_MAKE = upsert(LEASE, ("name",), also=("owner", "until"))
_TAKE = statement(
    update(LEASE)
    .where(
        LEASE.c.name == bindparam("which"),
        or_(
            LEASE.c.owner == bindparam("me"),
            LEASE.c.until <= bindparam("now"),
            LEASE.c.until > bindparam("for_ever"),
            not_(LEASE.c.owner.in_(LIVE)),
        ),
    )
    .values(owner=bindparam("me"), until=bindparam("new_until"))
)


def beat(tx: Tx, instance: str, version: str, started_at: datetime) -> None:
    """I am alive; who has not said so for a day is forgotten."""
    tx.run(
        _BEAT,
        instance=instance,
        beat_at=tx.now,
        started_at=started_at,
        version=version,
        revision=tx.snapshot.revision_id,
    )
    tx.run(_FORGET, before=tx.now - timedelta(days=1))


def start(tx: Tx, instance: str, *, alone: bool) -> None:
    """A new process begins. Alone on its database, it forgets all others, so that their leases are free at once."""
    if alone:
        tx.run(_FORGET, before=tx.now + timedelta(days=1))
    tx.run(
        _BEAT,
        instance=instance,
        beat_at=tx.now,
        started_at=tx.now,
        version="",
        revision=tx.snapshot.revision_id,
    )


def bury(tx: Tx, instance: str) -> int:
    """PostgreSQL only: forget the processes that are gone, so that what they held is free. Answers how many.

    PostgreSQL frees the lock of a process in the moment it dies. For who asks it must be true that the lock of a living
    one can be seen: not just after the server was away.
    """
    return tx.run(_GONE, me=instance, before=tx.now - GONE_AFTER)


def leave(tx: Tx, instance: str) -> None:
    """I stop: the work I led is free for another at once."""
    tx.run(_GIVE_UP, me=instance)
    tx.run(_LEAVE, me=instance)


def take_lease(tx: Tx, name: str, instance: str, lease_for: timedelta) -> bool:
    """True when this process may do the work of that name until the lease is over.

    A lease of a process that no longer beats is free, and so is one that ends later than anybody leases for.
    """
    tx.run(_MAKE, name=name, owner=instance, until=tx.now)
    taken = tx.run(
        _TAKE,
        which=name,
        me=instance,
        now=tx.now,
        for_ever=tx.now + 2 * lease_for,
        beat_after=tx.now - BEAT_STALE_AFTER,
        new_until=tx.now + lease_for,
    )
    return taken > 0
