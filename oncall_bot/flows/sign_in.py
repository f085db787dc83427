"""Signing in and out of the web pages; each is audited.

Knows that a link signs in once, and only the person it was made for. Refuses to see a key: only its SHA-256 comes here.
Serves slack (which gives out links) and web (which takes them).
"""

from __future__ import annotations

from datetime import datetime

from oncall_bot.core.outcomes import Actor
from oncall_bot.core.sign_in import LINK_FOR, SESSION_FOR, Refusal, SignedIn
from oncall_bot.store import incidents, sign_in
from oncall_bot.store.transactions import Tx
from oncall_bot.store.views.signing_in import waiting_link

NAME_MAX = 200


def offer_sign_in(tx: Tx, actor: Actor, link_sha256: str) -> datetime:
    """A link for this person, good for one use until the answer; an earlier one is worth nothing from now on."""
    until = tx.now + LINK_FOR
    sign_in.add_link(tx, link_sha256, str(actor), actor.name[:NAME_MAX], until)
    incidents.audit(tx, str(actor), "sign_in_link", "web", after={"by": actor.by})
    return until


def use_link(
    tx: Tx, link_sha256: str, session_sha256: str, former_sha256: str | None = None
) -> SignedIn | Refusal:
    """Spend the link and begin a session under a new key; the browser's former session ends with it."""
    found = waiting_link(tx, link_sha256)
    if isinstance(found, Refusal):
        return found
    if not sign_in.spend(tx, link_sha256):
        return Refusal.USED
    if former_sha256 is not None:
        sign_in.end_session(tx, former_sha256)
    until = tx.now + SESSION_FOR
    sign_in.add_session(tx, session_sha256, str(found), found.name, until)
    incidents.audit(tx, str(found), "sign_in", "web")
    return SignedIn(found, until)


def sign_out(tx: Tx, actor: Actor, session_sha256: str) -> None:
    """This session is over; once more changes nothing."""
    if sign_in.end_session(tx, session_sha256):
        incidents.audit(tx, str(actor), "sign_out", "web")


def sign_out_everywhere(tx: Tx, actor: Actor) -> int:
    """All sessions of this person are over; how many there were."""
    ended = sign_in.end_sessions(tx, str(actor))
    if ended:
        incidents.audit(tx, str(actor), "sign_out", "web", after={"sessions": ended})
    return ended
