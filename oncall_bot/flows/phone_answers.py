"""Somebody answers from a telephone: a text message with a code, a key pressed during a call.

Knows whose answer it is, which page it is for, and that an answer to a page which something overtook answers nothing.
Refuses to know providers and to decide what an answer does: the flows of Slack's buttons do. Serves `paging.callbacks`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from oncall_bot.core.ack_links import AckClaim, Refusal, read_token
from oncall_bot.core.incidents import OPEN
from oncall_bot.core.outcomes import Actor, Outcome
from oncall_bot.core.page_words import bundle_text_of, bundle_title_of, text_of, title_of
from oncall_bot.core.paging import Contact
from oncall_bot.core.replies import KEYS, REPEAT, Verb, read_reply, reply_code
from oncall_bot.flows import inbound
from oncall_bot.flows.acknowledge import acknowledge
from oncall_bot.flows.escalate import escalate
from oncall_bot.flows.resolve import resolve
from oncall_bot.store import bundling, incidents, outbox, runs, views
from oncall_bot.store.statements import Row
from oncall_bot.store.transactions import Tx

CODE_LASTS = timedelta(hours=24)
WRONG_MAX, WRONG_WITHIN = 10, timedelta(hours=1)
"""Four digits could be tried out; after so many wrong ones an hour only links and Slack answer."""
SHOWN = 3
_DO: Mapping[Verb, Callable[[Tx, int, Actor], Outcome]] = {
    Verb.ACKNOWLEDGE: acknowledge,
    Verb.ESCALATE: escalate,
    Verb.RESOLVE: resolve,
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What one message asks one person: its code, and the pages in it."""

    person: str
    code: str
    page_ids: tuple[int, ...]


def answer_by_text(
    tx: Tx, secret: bytes, roads: Sequence[str], number: str, text: str, message_id: str
) -> str | None:
    """Do what the text message says; the words to text back, None for silence.

    `roads` are those that send texts from the number it was sent to, `number` the sender. Nobody we know gets silence;
    so does a message that is delivered a second time.
    """
    senders = _senders(tx, roads, number)
    if not senders or inbound.seen(tx, "text", message_id):
        return None
    waiting = [one for sender in senders for one in _waiting(tx, secret, *sender)]
    person = senders[0][0]
    actor = _actor(tx, person, "text message")
    if _tried_out(tx, actor):
        return "Too many wrong codes. Use the link in the message, or Slack."
    reply = read_reply(text)
    if reply is None:
        return f"I can't read that. {_what_waits(tx, waiting)}"
    if reply.code is None:
        return _what_waits(tx, waiting)
    fits = [one for one in waiting if one.code == reply.code]
    if not fits:
        incidents.audit(tx, str(actor), "reply", "text", after={"by": actor.by}, refused=True)
        return f"No page of yours has the code {reply.code}. {_what_waits(tx, waiting)}"
    if len(fits) > 1:
        return "Two pages of yours have this code. Use the link in the message, or Slack."
    return _carry_out(tx, reply.verb, fits[0].page_ids, _actor(tx, fits[0].person, "text message"))


@dataclass(frozen=True, slots=True)
class Spoken:
    """What the voice says next; `again`: it waits for another key on the same call."""

    words: str
    again: bool = False


def answer_by_key(tx: Tx, secret: bytes, token: str, key: str, call_id: str) -> Spoken:
    """Do what the key says for the call that `token` was made for.

    A key that is posted a second time for the same call does nothing new.
    """
    claim = read_token(secret, token, tx.now)
    if isinstance(claim, Refusal):
        return Spoken("This call is too old to be answered. Answer in Slack.")
    pages = _pages_of(tx, claim)
    person = next((page.person for page in pages if page.person), None)
    if person is None:
        return Spoken("This page is no longer kept. Look in Slack for what is open now.")
    if key == REPEAT:
        return Spoken(_page_words(tx, claim), again=True)
    verb = KEYS.get(key)
    if verb is None:
        return Spoken("That key does nothing.", again=True)
    if inbound.seen(tx, "key", f"{call_id}:{key}"):
        return Spoken("That was already taken.")
    ids = [page.id for page in pages]
    return Spoken(_carry_out(tx, verb, ids, _actor(tx, person, "phone")))


def _page_words(tx: Tx, claim: AckClaim) -> str:
    """What the call told, as it stands now."""
    if claim.bundle and (bundle := views.bundle_of_row(tx, claim.page_id)) is not None:
        return f"{bundle_title_of(bundle)}. {bundle_text_of(bundle)}"
    notice = None if claim.bundle else views.page_notice(tx, claim.page_id, to_speak=True)
    if notice is None:
        return "This page is no longer kept."
    return f"{title_of(notice)}. {text_of(notice)}"


def _carry_out(tx: Tx, verb: Verb, page_ids: Sequence[int], actor: Actor) -> str:
    """One verb for every incident that the message still asks about."""
    standing = runs.standing(tx, page_ids)
    asked = sorted({row.incident_id for row in standing if runs.is_asked(row)})
    if not asked:
        return _too_late(tx, standing, actor, verb)
    outcomes = [_DO[verb](tx, incident_id, actor) for incident_id in asked]
    if len(outcomes) == 1:
        return outcomes[0].reason
    done = [str(one.incident_id) for one in outcomes if one.done]
    if not done:
        return outcomes[0].reason
    said = {
        Verb.ACKNOWLEDGE: "You have incidents {}. Nobody else is paged.",
        Verb.ESCALATE: "The next step of incidents {} is paged now.",
        Verb.RESOLVE: "Incidents {} are resolved.",
    }
    return said[verb].format(", ".join(done))


def _too_late(tx: Tx, standing: Sequence[Row], actor: Actor, verb: Verb) -> str:
    """Kind words for who answers after somebody else, after the end, or a page that something overtook."""
    again = [row.incident_id for row in standing if runs.fires(row)]
    if again:
        return (
            f"That page is older than what fires now. Incident {again[0]} fires again:"
            " answer the newest message, or in Slack."
        )
    if len({row.incident_id for row in standing}) != 1:
        return "Nothing is left to do: somebody has each of them, or it is over."
    incident = incidents.get(tx, standing[0].incident_id)
    if incident is None or incident.status not in OPEN:
        return f"Incident {standing[0].incident_id} is over. Nothing is left to do."
    if incident.acked_by == str(actor):  # who has it may resolve it, or ask for more people
        return _DO[verb](tx, incident.id, actor).reason
    if incident.acked_by_name is None:
        return f"Nobody is asked for incident {incident.id} now: it is held back, or pages others."
    return f"{incident.acked_by_name} already has incident {incident.id}. Nothing is left to do."


def _senders(tx: Tx, roads: Sequence[str], number: str) -> list[tuple[str, Contact]]:
    """The people whose number that is; several may share a telephone."""
    found = [one for road in roads for one in tx.snapshot.by_address.get((road, number), ())]
    return sorted(found, key=lambda one: (one[0], one[1].ref))


def _waiting(tx: Tx, secret: bytes, person: str, contact: Contact) -> Iterator[Asked]:
    """What was sent to this contact lately and still asks, each message once, newest first."""
    messages: dict[int, list[int]] = {}
    for row in outbox.sent_to(tx, f"{contact.kind}:{person}", tx.now - CODE_LASTS):
        if row.payload.get("contact") == contact.ref:
            messages.setdefault(row.bundle_id or row.id, []).append(row.page_id)
    for message, page_ids in messages.items():
        yield Asked(person, reply_code(secret, message, contact.ref), tuple(page_ids))


def _pages_of(tx: Tx, claim: AckClaim) -> list[Row]:
    if claim.bundle:
        ids = [row.page_id for row in bundling.members(tx, claim.page_id)]
        return [page for one in ids if (page := runs.page(tx, one)) is not None]
    page = runs.page(tx, claim.page_id)
    return [page] if page is not None else []


def _what_waits(tx: Tx, waiting: Sequence[Asked]) -> str:
    """Which codes are good now. Goes to the telephone the pages went to, whoever forged its number."""
    lines = []
    for one in waiting:
        asked = [row.incident_id for row in runs.standing(tx, one.page_ids) if runs.is_asked(row)]
        if asked:
            what = ", ".join(str(number) for number in sorted(set(asked))[:SHOWN])
            lines.append(f"A{one.code} takes {what}")
    if not lines:
        return "No page waits for your answer."
    return f"Reply {'; '.join(lines[:SHOWN])}."


def _tried_out(tx: Tx, actor: Actor) -> bool:
    wrong = incidents.refused_lately(tx, str(actor), "reply", WRONG_MAX)
    return len(wrong) >= WRONG_MAX and tx.now - wrong[-1].at < WRONG_WITHIN


def _actor(tx: Tx, person: str, by: str) -> Actor:
    return Actor("person", person, tx.snapshot.name(person), by=by)
