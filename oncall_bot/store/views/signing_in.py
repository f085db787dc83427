"""Who looks at a page, and whether a sign-in link can still be used.

Knows that rights are looked up at every request: who leaves the file is out at once. Writes nothing. Serves web.
"""

from __future__ import annotations

from oncall_bot.core.outcomes import Actor
from oncall_bot.core.sign_in import Refusal, SignedIn, may_look
from oncall_bot.store import sign_in
from oncall_bot.store.statements import Row
from oncall_bot.store.transactions import Reader


def signed_in(reader: Reader, session_sha256: str) -> SignedIn | None:
    """The person of this session, while it lasts and they may look."""
    row = sign_in.session(reader, session_sha256)
    if row is None:
        return None
    actor = _actor(row)
    return SignedIn(actor, row.expires_at) if may_look(reader.snapshot.config, actor) else None


def waiting_link(reader: Reader, link_sha256: str) -> Actor | Refusal:
    """Whom this link would sign in now, or why it signs nobody in."""
    row = sign_in.link(reader, link_sha256)
    if row is None:
        return Refusal.UNKNOWN
    if row.used_at is not None:
        return Refusal.USED
    if row.expires_at <= reader.now:
        return Refusal.EXPIRED
    actor = _actor(row)
    return actor if may_look(reader.snapshot.config, actor) else Refusal.GONE


def _actor(row: Row) -> Actor:
    kind, _, key = row.actor.partition(":")
    return Actor(kind, key, row.name, by="web")
