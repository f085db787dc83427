"""API tokens are given out and taken back; both are audited.

Knows that one name stands for one token at a time, and when each was used last. Refuses to see a token: only its
SHA-256 and prefix come here. Serves the command `tokens`, and the doors that open by a token.
"""

from __future__ import annotations

from datetime import timedelta

from oncall_bot.core.outcomes import Actor, Outcome
from oncall_bot.core.rights import Right
from oncall_bot.flows.answering import refused
from oncall_bot.store import incidents, rules, tokens
from oncall_bot.store.transactions import Tx

NAME_MAX = 64


def create_token(
    tx: Tx,
    name: str,
    actor: Actor,
    *,
    sha256: str,
    prefix: str,
    scope: str,
    valid_for: timedelta | None = None,
) -> Outcome:
    """A new token; refused while another of its name is valid."""
    may_not = refused(tx, actor, Right.MANAGE_TOKENS, f"token:{name[:NAME_MAX]}", None)
    if may_not is not None:
        return may_not
    if not name.strip() or len(name) > NAME_MAX or not name.isprintable():
        return Outcome(False, f"A token's name has 1 to {NAME_MAX} printable characters.")
    if tokens.named(tx, name):
        return Outcome(
            False, f"There is a token {name} already; revoke it first, or take another name."
        )
    expires_at = tx.now + valid_for if valid_for is not None else None
    tokens.insert(tx, name, sha256=sha256, prefix=prefix, scope=scope, expires_at=expires_at)
    after = {"prefix": prefix, "scope": scope}
    incidents.audit(tx, str(actor), "create_token", f"token:{name}", after=after)
    return Outcome(True, f"The token {name} is valid now.")


def revoke_token(tx: Tx, name_or_prefix: str, actor: Actor) -> Outcome:
    """The token of this name or prefix is worth nothing from now on."""
    about = f"token:{name_or_prefix[:NAME_MAX]}"
    may_not = refused(tx, actor, Right.MANAGE_TOKENS, about, None)
    if may_not is not None:
        return may_not
    found = tokens.named(tx, name_or_prefix)
    if not found:
        return Outcome(False, f"There is no valid token {name_or_prefix}.")
    for row in found:
        tokens.revoke(tx, row.id)
        incidents.audit(tx, str(actor), "revoke_token", f"token:{row.name}")
    source = next((tx.snapshot.tokens[r.hash] for r in found if r.hash in tx.snapshot.tokens), None)
    if source is None:
        return Outcome(True, f"The token {found[0].name} is revoked.")
    rules.changed(tx)
    return Outcome(
        True,
        f"The token {found[0].name} is revoked. The source {source} still names it and is refused from now on: put a"
        " new one into its token_file and apply the configuration.",
    )


def token_used(tx: Tx, sha256: str) -> None:
    """Keep when the token was used last, to the minute."""
    tokens.used(tx, sha256, at_most_every=tokens.USE_WRITTEN_EVERY)
