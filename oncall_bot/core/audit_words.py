"""A row of the audit as a sentence: who did what to which thing, or was refused and why.

Knows the words of every verb we write. Refuses to know rows. Serves `/oncall audit` and `oncall-bot audit`: both read
the same words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

WORDS: Mapping[str, str] = {
    "acknowledge": "acknowledged {}",
    "escalate": "escalated {}",
    "page": "paged somebody for {}",
    "hand_over": "handed over {}",
    "mitigate": "called {} mitigated",
    "resolve": "resolved {}",
    "declare": "declared {}",
    "change_severity": "changed the severity of {}",
    "note": "wrote into {}",
    "silence": "silenced {}",
    "end_silence": "ended the silence of {}",
    "pin": "pinned a message of {}",
    "unpin": "took back a pin of {}",
    "runbook.right": "called a runbook right for {}",
    "runbook.wrong": "called a runbook wrong for {}",
    "runbook.none": "said that no runbook fits {}",
    "runbook.undo": "took back a word on a runbook of {}",
    "suggest_update": "asked for an update of {}",
    "draft_accepted": "accepted a draft of {}",
    "draft_edited": "edited and accepted a draft of {}",
    "draft_discarded": "discarded a draft of {}",
    "sentence_drop": "dropped a sentence in a draft of {}",
    "sentence_guess": "kept a sentence as a guess in a draft of {}",
    "sentence_confirm": "confirmed a sentence in a draft of {}",
    "override": "set who is on call for {}",
    "override_cancel": "cancelled an override of {}",
    "handoff_skipped": "skipped a hand-off of {}",
    "calendar_covers": "took covers of {} from a calendar",
    "cover_ask": "asked for cover: {}",
    "swap_ask": "asked for a swap: {}",
    "cover_yes": "took {}",
    "swap_yes": "took {}",
    "cover_no": "declined {}",
    "swap_no": "declined {}",
    "contact_add": "added a contact of {}",
    "contact_verify": "verified a contact of {}",
    "contact_remove": "removed a contact of {}",
    "test_page": "sent a test page to {}",
    "remind": "set reminders of {}",
    "create_calendar_link": "made a calendar link of {}",
    "revoke_calendar_link": "revoked {}",
    "create_token": "created {}",
    "revoke_token": "revoked {}",
    "sign_in_link": "asked for a link to {}",
    "sign_in": "signed in to {}",
    "sign_out": "signed out of {}",
    "apply": "applied {}",
}
THINGS: Mapping[str, str] = {
    "incident": "incident {}",
    "cover": "cover request {}",
    "schedule": "schedule {}",
    "silence": "silence {}",
    "token": "token {}",
    "config": "revision {} of oncall.yaml",
    "team": "team {}",
}
WHOLE: Mapping[str, str] = {"web": "the web pages", "slack": "", "incident:new": "a new incident"}
DETAILS = ("severity", "target", "to", "person", "from", "kind", "audience", "scope", "what")
"""What of `after` is worth a reader's time, in this order."""
DETAIL_MAX = 120

Name = Callable[[str], str]


def sentence(
    verb: str,
    object_: str,
    after: Mapping[str, Any] | None,
    name: Name,
    *,
    refused: bool,
) -> str:
    """What was done, without who did it: it follows their name. `name` makes a name of a person's key."""
    about, told = thing(object_, name), after or {}
    if refused:
        why = str(told.get("why") or "")
        return f"was refused: {_plain(verb)} {about}".rstrip() + (f". {why}" if why else ".")
    did = WORDS.get(verb, f"{_plain(verb)} {{}}").format(about).strip()
    details = [
        f"{key} {str(told[key])[:DETAIL_MAX]}" for key in DETAILS if told.get(key) not in (None, "")
    ]
    seconds = told.get("seconds")
    if isinstance(seconds, int):
        details.append(f"for {seconds // 60} min")
    road = told.get("by")
    road = f", by {road}" if isinstance(road, str) and road != "slack" else ""
    return did + (f" ({', '.join(details)})" if details else "") + road + "."


def thing(object_: str, name: Name) -> str:
    """`incident:42` as `incident 42`, `person:ana` as her name."""
    if object_ in WHOLE:
        return WHOLE[object_]
    kind, _, key = object_.partition(":")
    if kind == "person":
        return name(key)
    return THINGS[kind].format(key) if kind in THINGS else object_


def who(actor: str, name: Name) -> str:
    """`person:ana` as her name, `system:cli/root` as `root at the terminal`."""
    kind, _, key = actor.partition(":")
    if kind == "person":
        return name(key)
    if kind == "slack":
        return f"Slack user {key}"
    if key.startswith("cli/"):
        return f"{key.removeprefix('cli/')} at the terminal"
    return key or actor


def _plain(verb: str) -> str:
    return verb.replace("_", " ").replace(".", " ")
