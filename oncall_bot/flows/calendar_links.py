"""Calendar links are given out and taken back; both are audited.

Knows that a link belongs to a person and shows one person, schedule or team. Refuses to see a token: only its SHA-256
and first letters come here. Serves Slack; `oncall-bot tokens revoke` takes back by prefix as well.
"""

from __future__ import annotations

from oncall_bot.core.outcomes import Actor, Outcome
from oncall_bot.store import incidents, tokens
from oncall_bot.store.transactions import Tx
from oncall_bot.store.views import feeds

LINKS_MAX = 10
"""Of one person at a time: each device that asks may have its own."""


def create_link(
    tx: Tx, owner: str, kind: str, key: str, actor: Actor, *, sha256: str, prefix: str
) -> Outcome:
    """A link to the calendar of that person, schedule or team, for the owner."""
    if owner not in tx.snapshot.config.people or not feeds.exists(tx, kind, key):
        return Outcome(False, f"There is no {kind} {key[:60]!r} whose calendar could be shown.")
    if len(tokens.of_person(tx, owner)) >= LINKS_MAX:
        return Outcome(
            False, f"You have {LINKS_MAX} calendar links; revoke one that you no longer use."
        )
    name = f"calendar link {prefix}"
    tokens.insert(
        tx,
        name,
        sha256=sha256,
        prefix=prefix,
        scope=f"{feeds.SCOPE}{kind}:{key}",
        expires_at=None,
        person=owner,
    )
    after = {"prefix": prefix, "of": f"{kind}:{key}"}
    incidents.audit(tx, str(actor), "create_calendar_link", f"person:{owner}", after=after)
    return Outcome(True, f"The link {prefix} is valid now.")


def revoke_link(tx: Tx, owner: str, prefix: str, actor: Actor) -> Outcome:
    """The owner's link is worth nothing from now on; that of somebody else is left alone."""
    found = [row for row in tokens.of_person(tx, owner) if row.prefix == prefix]
    if not found:
        return Outcome(
            False, f"You have no calendar link {prefix[:20]!r}; it may be revoked already."
        )
    for row in found:
        tokens.revoke(tx, row.id)
        incidents.audit(tx, str(actor), "revoke_calendar_link", f"token:{row.name}")
    return Outcome(
        True, f"The calendar link {prefix} is revoked; calendars lose it at their next look."
    )
