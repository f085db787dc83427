"""A revision of the file comes into force: identities, tokens, versions of policies and schedules.

Knows what a revision touches and that what people own is never touched. Refuses to read YAML: it gets a checked
document. Serves `apply`, `serve` and the demo.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oncall_bot.core.documents import config_of, definition_of
from oncall_bot.flows import canary, shifts, watchdog
from oncall_bot.store import incidents, rules
from oncall_bot.store.transactions import Tx

BUILT_IN = "built-in"
DEFAULT = "default"
"""The source whose token stands in the settings."""


def apply_config(
    tx: Tx,
    document: Mapping[str, Any],
    sha256: str,
    applied_by: str,
    *,
    token_sha256: Mapping[str, str] | None = None,
    only_if_new: bool = False,
) -> bool:
    """Put the document into force; True when it was not already.

    `token_sha256` are tokens from the settings (source -> hash); the file's own stand in the document. None: who
    applies knows no settings of the processes that serve, and the token of the source `default` stays what it is.
    With `only_if_new` a content that was ever in force before is left alone (a replica with an older file).
    """
    rules.line_up(tx)
    latest = rules.latest(tx)
    keep = DEFAULT if token_sha256 is None else ""
    tokens = {**_tokens(document), **(token_sha256 or {})}
    if latest is not None and latest.sha256 == sha256:
        _set_tokens(tx, tokens, keep)
        return False
    if only_if_new and latest is not None and rules.has_seen(tx, sha256):
        stay(tx, token_sha256 or {}, keep=keep)
        return False
    revision = rules.append(tx, sha256, document, applied_by)
    _name_all(tx, document, revision)
    _set_tokens(tx, tokens, keep)
    incidents.audit(tx, applied_by, "apply", f"config:{revision}", after={"sha256": sha256})
    rules.changed(tx)
    config = config_of(document)
    watchdog.expect_all(tx, config)
    shifts.plan_first(tx, config)
    canary.plan(tx, config)
    return True


def stay(tx: Tx, token_sha256: Mapping[str, str], *, keep: str = "") -> None:
    """The file tells nothing new: what is in force stays, with the tokens of these settings."""
    latest = rules.latest(tx)
    document = latest.document if latest is not None else {}
    wanted = {**_tokens(document), **token_sha256}
    if keep or wanted != {key: sha for sha, key in tx.snapshot.tokens.items()}:
        _set_tokens(tx, wanted, keep)


def _tokens(document: Mapping[str, Any]) -> dict[str, str]:
    sources = document.get("sources") or {}
    return {
        key: source["token_sha256"] for key, source in sources.items() if source.get("token_sha256")
    }


def _set_tokens(tx: Tx, tokens: Mapping[str, str], keep: str) -> None:
    rules.name(tx, "sources", tokens, None)
    rules.set_tokens(tx, tokens, keep=keep)
    rules.changed(tx)


def _name_all(tx: Tx, document: Mapping[str, Any], revision: int) -> None:
    for kind in ("teams", "people", "services", "schedules", "policies"):
        content: Mapping[str, Any] = document.get(kind) or {}
        ids = rules.name(tx, kind, content, revision)
        rules.archive_missing(tx, kind, content)
        for key, definition in content.items():
            if kind == "policies":
                rules.keep_policy(tx, ids[key], definition)
            elif kind == "schedules":
                rules.keep_schedule(tx, ids[key], definition_of(document, key))
    rules.name(tx, "routes", [route["name"] for route in document.get("routes") or []], revision)
    rules.name(tx, "sources", ["default", *(document.get("sources") or {})], revision)
    people: Mapping[str, Any] = document.get("people") or {}
    rules.set_emails(tx, {key: one["email"] for key, one in people.items() if one.get("email")})
