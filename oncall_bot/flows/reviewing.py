"""A person decides on a suggested text: accepts it, edits it, discards it, or answers for a sentence to check.

Knows that one decision counts and names who took it when a second comes. Refuses a text with what looks
like a secret. Nothing is published by itself: only an accepted status update is posted, as the accepter's words.
Serves the Slack edge.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oncall_bot.core.drafts import HEADINGS
from oncall_bot.core.drafts.editing import edited, with_sentence
from oncall_bot.core.drafts.prose import harmless
from oncall_bot.core.drafts.wording import cite
from oncall_bot.core.outcomes import Actor, Outcome
from oncall_bot.core.pins import PinKind
from oncall_bot.core.redaction import holds_secret
from oncall_bot.core.rights import Right
from oncall_bot.core.timeline import TEXT_MAX, Entry, Kind
from oncall_bot.flows import showing
from oncall_bot.flows.answering import audited, refused_on
from oncall_bot.store import drafts, incidents, messages
from oncall_bot.store.statements import Row
from oncall_bot.store.transactions import Tx

UPDATE = "update-"
NAMES = {
    "summary": "summary",
    "postmortem": "postmortem",
    "update-internal": "status update",
    "update-customers": "status update for customers",
}
DID = {"accepted": "accepted", "edited": "edited and accepted", "discarded": "discarded"}
LEAKS = "That text holds what looks like a secret. Take it out; nothing was stored."


def accept(tx: Tx, draft_id: int, actor: Actor) -> Outcome:
    """The suggestion as it stands is what the person says; sentences nobody answered for stay out."""
    found = _open(tx, draft_id, actor)
    if isinstance(found, Outcome):
        return found
    return _decide(tx, found, "accepted", actor, found.markdown)


def edit(tx: Tx, draft_id: int, bodies: Mapping[str, str], actor: Actor) -> Outcome:
    """The suggestion with these sections in the person's words, accepted thereby."""
    found = _open(tx, draft_id, actor)
    if isinstance(found, Outcome):
        return found
    if any(holds_secret(body) for body in bodies.values()):
        return Outcome(False, LEAKS, found.incident_id)
    markdown = edited(found.markdown, bodies)
    if not markdown.strip():
        return Outcome(False, "There is nothing left to accept; discard it instead.")
    state = "edited" if markdown != found.markdown else "accepted"
    return _decide(tx, found, state, actor, markdown)


def discard(tx: Tx, draft_id: int, actor: Actor) -> Outcome:
    """Nobody wants it; a new one may be asked for."""
    found = _open(tx, draft_id, actor)
    if isinstance(found, Outcome):
        return found
    return _decide(tx, found, "discarded", actor, found.markdown)


def _open(tx: Tx, draft_id: int, actor: Actor) -> Row | Outcome:
    """The suggestion, its incident locked; or why it is nothing to decide on."""
    row = drafts.get(tx, draft_id)
    if row is None:
        return Outcome(False, "That suggestion is no longer there.")
    incident = incidents.lock(tx, row.incident_id)
    row = drafts.get(tx, draft_id)
    assert row is not None
    assert incident is not None
    name = NAMES.get(row.kind, row.kind)
    if row.decided_at is not None:
        at = f"{row.decided_at:%H:%M} UTC"
        reason = (
            f"{row.decided_by_name} {DID[row.state]} this {name} at {at}. Nothing is left to do."
        )
        return Outcome(False, reason, row.incident_id, row.decided_by_name)
    newest = drafts.latest(tx, row.incident_id, row.kind)
    if newest is not None and newest.n > row.n and not row.kind.startswith(UPDATE):
        return Outcome(False, f"There is a newer {name}; decide on that one.", row.incident_id)
    return refused_on(tx, incident, actor, Right.DRAFT) or row


def _decide(tx: Tx, row: Row, state: str, actor: Actor, markdown: str) -> Outcome:
    drafts.decide(tx, row, state, by=str(actor), by_name=actor.name, markdown=markdown)
    name = NAMES.get(row.kind, row.kind)
    audited(tx, actor, f"draft_{state}", row.incident_id, draft=row.kind, n=row.n)
    tx.observe("drafts_decided", state)
    said = f"{actor.name} {DID[state]} the {name}"
    if row.kind.startswith(UPDATE):
        return _posted(tx, row, state, actor, markdown)
    incidents.write(tx, row.incident_id, [Entry(Kind.SYSTEM, said, tx.now, actor)])
    _show(tx, row)
    showing.changed(tx, row.incident_id)
    return Outcome(
        True, f"You {DID[state]} the {name} of incident {row.incident_id}.", row.incident_id
    )


def _posted(tx: Tx, row: Row, state: str, actor: Actor, markdown: str) -> Outcome:
    """An accepted update goes into the incident's thread once, as the words of the one who accepted it."""
    if state == "discarded":
        return Outcome(True, "Discarded; nothing was posted.", row.incident_id)
    incident = incidents.get(tx, row.incident_id)
    words = " ".join(markdown.split())[:TEXT_MAX]
    said = Entry(Kind.NOTE, words, tx.now, actor, {"update": row.kind.removeprefix(UPDATE)})
    incidents.write(tx, row.incident_id, [said])
    if incident is None or not incident.channel:
        return Outcome(
            True, "Accepted. The incident has no channel to post it in.", row.incident_id
        )
    role = f"update:{row.id}"
    messages.create(tx, incident_id=row.incident_id, role=role, channel=incident.channel)
    message = messages.role_of(tx, row.incident_id, role)
    if message is not None:
        messages.touch(tx, message, at_once=True)
    showing.changed(tx, row.incident_id)
    return Outcome(True, "Posted in the incident's thread.", row.incident_id)


# --- sentences to check -------------------------------------------------------------------------------------------

ANSWERS = {"drop": "dropped it", "guess": "kept it as a guess", "confirm": "confirmed it"}


def answer_check(tx: Tx, draft_id: int, check_id: str, answer: str, actor: Actor) -> Outcome:
    """Drop the sentence, keep it as a guess, or confirm it; a confirmed cause is pinned as one."""
    found = _open(tx, draft_id, actor)
    if isinstance(found, Outcome):
        return found
    checks = drafts.sentences_of(found)
    check = next((one for one in checks if one["id"] == check_id), None)
    if check is None or answer not in ANSWERS:
        return Outcome(False, "That sentence is no longer there.", found.incident_id)
    if check.get("answer"):
        by = str(check.get("by"))
        reason = f"{by} {ANSWERS[check['answer']]} already. Nothing is left to do."
        return Outcome(False, reason, found.incident_id, by)
    check |= {"answer": answer, "by": actor.name}
    markdown = _with_answer(found.markdown, check, answer, actor)
    drafts.set_text(tx, draft_id, markdown, found.state, checks)
    if answer == "confirm":
        _pin_if_cause(tx, found, check, actor)
    audited(tx, actor, f"sentence_{answer}", found.incident_id, draft=found.kind, n=found.n)
    _show(tx, found)
    return Outcome(True, f"You {ANSWERS[answer]}.", found.incident_id)


def _with_answer(markdown: str, check: Mapping[str, Any], answer: str, actor: Actor) -> str:
    if answer == "drop":
        return markdown
    told = harmless(str(check["text"]))
    sources = cite(*check["cites"])
    if answer == "guess":
        sentence = f"A guess, kept by {actor.name}: {told}{sources}."
    else:
        sentence = f"{told} (confirmed by {actor.name}){sources}."
    return with_sentence(markdown, HEADINGS.get(str(check["section"]), ""), sentence)


def _pin_if_cause(tx: Tx, row: Row, check: Mapping[str, Any], actor: Actor) -> None:
    """A person stands for the cause from now on: later drafts may name it."""
    if "cause" not in str(check["reason"]):
        return
    data = {"as": str(PinKind.CAUSE), "own_words": True, "draft": row.id}
    text = str(check["text"])[:TEXT_MAX]
    incidents.write(tx, row.incident_id, [Entry(Kind.PIN, text, tx.now, actor, data)])
    showing.changed(tx, row.incident_id)


def _show(tx: Tx, row: Row) -> None:
    message = messages.role_of(tx, row.incident_id, f"draft:{row.kind}")
    if message is not None:
        messages.touch(tx, message, at_once=True)
