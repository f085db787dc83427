"""A person's own roads: add one, prove it by a code that came over it, remove it, test them all.

Knows codes and their bounds. Refuses to send: the engine does. Serves `/oncall contact` and `/oncall test`.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta

from oncall_bot.core import phone_numbers
from oncall_bot.core.outcomes import Actor, Outcome
from oncall_bot.core.paging import Reach, is_loud
from oncall_bot.core.rights import Right
from oncall_bot.flows.answering import refused, turned_down
from oncall_bot.store import incidents, outbox, people, road_health
from oncall_bot.store.outbox import Lane
from oncall_bot.store.transactions import Tx

NOT_IN_FILE = "You are not in oncall.yaml; ask an admin to add you there first."
CODE_LASTS = timedelta(minutes=15)
CODE_TRIES = 5
ADDRESS_MAX = 300
CONTACTS_MAX = 20
CODES_MAX, CODES_WITHIN = 5, timedelta(hours=1)
"""So many codes go out for one person: a code goes to a number that nobody has proven to be theirs."""
CODE_AGAIN = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Try:
    """One message of a test page: the road, where it goes, and the key under which its fate is found.

    `receipts`: its provider tells more after it took the message.
    """

    road: str
    address: str
    key: str
    receipts: bool = False


@dataclass(frozen=True, slots=True)
class RoadsTried(Outcome):
    tries: tuple[Try, ...] = ()


def add_contact(tx: Tx, person_key: str, kind: str, address: str, actor: Actor) -> Outcome:
    """Send a code by the new road; it counts from the moment the code comes back."""
    config, address = tx.snapshot.config, address.strip()
    person = tx.snapshot.people.get(person_key)
    if person is None:
        return Outcome(False, NOT_IN_FILE)
    if (turned_down := _may_not(tx, person_key, actor)) is not None:
        return turned_down
    if kind not in config.channels:
        known = ", ".join(config.channels) or "none yet"
        return Outcome(False, f"There is no channel {kind[:40]!r} in the file. Channels: {known}.")
    if phone_numbers.takes_numbers(config.channels[kind]):
        number = phone_numbers.normal(address)
        if number is None:
            return Outcome(
                False,
                f"I can't read {address[:40]!r} as a number. Write it with its country: +49 30 5550100.",
            )
        address = number
    if not address or len(address) > ADDRESS_MAX or not address.isprintable() or " " in address:
        return Outcome(False, f"I can't read that as an address for {kind}.")
    if (problem := _too_many(tx, person.id, kind, address)) is not None:
        return Outcome(False, problem)
    code = f"{secrets.randbelow(1_000_000):06d}"
    people.put_contact(tx, person.id, kind, address, _hash(person_key, code))
    _send(
        tx,
        person_key,
        kind,
        address,
        "Your code for oncall-bot",
        f"The code is {code}. Enter it in Slack: /oncall contact verify {code}",
        key=f"code:{person_key}:{kind}:{secrets.token_hex(8)}",
    )
    incidents.audit(tx, str(actor), "contact_add", f"person:{person_key}", after={"kind": kind})
    return Outcome(True, f"A code is on its way by {kind}. Enter it with: contact verify CODE")


def _too_many(tx: Tx, person_id: int, kind: str, address: str) -> str | None:
    """Why no code goes out just now."""
    rows = people.contacts(tx, person_id)
    known = any((row.kind, row.address) == (kind, address) for row in rows)
    if len(rows) >= CONTACTS_MAX and not known:
        return f"You have {CONTACTS_MAX} contacts already; remove one first."
    asked = [row for row in rows if row.code_sent_at is not None]
    lately = [row for row in asked if tx.now - row.code_sent_at < CODES_WITHIN]
    if len(lately) >= CODES_MAX:
        return "You asked for many codes within an hour. Enter the last one, or wait a while."
    same = [row for row in lately if (row.kind, row.address) == (kind, address)]
    if any(tx.now - row.code_sent_at < CODE_AGAIN for row in same):
        return "A code went there a moment ago. Look for it, or ask again in a minute."
    return None


def verify_contact(tx: Tx, person_key: str, code: str, actor: Actor) -> Outcome:
    """The code came back: the road is the person's from now on."""
    person = tx.snapshot.people.get(person_key)
    if person is None:
        return Outcome(False, NOT_IN_FILE)
    for row in people.contacts(tx, person.id):
        if row.code_sha256 is None or row.code_sent_at is None:
            continue
        if row.code_tries >= CODE_TRIES or tx.now - row.code_sent_at > CODE_LASTS:
            continue
        people.count_try(tx, row.id)
        if hmac.compare_digest(row.code_sha256, _hash(person_key, code.strip())):
            people.verify(tx, row.id)
            road_health.worked(tx, person.id, f"c{row.id}", row.address)
            incidents.audit(
                tx, str(actor), "contact_verify", f"person:{person_key}", after={"kind": row.kind}
            )
            loud = row.kind in tx.snapshot.config.channels and is_loud(
                tx.snapshot.config.channels[row.kind]
            )
            more = "" if loud else " It is not a loud road: add one that can wake you."
            return Outcome(True, f"Your {row.kind} works.{more}")
    return Outcome(
        False, "That code is not right or is too old. Ask for a new one with: contact add"
    )


def remove_contact(
    tx: Tx, person_key: str, kind: str, address: str | None, actor: Actor
) -> Outcome:
    """Forget the person's contacts of that kind, or the one with that address."""
    if (turned_down := _may_not(tx, person_key, actor)) is not None:
        return turned_down
    person = tx.snapshot.people.get(person_key)
    rows = [] if person is None else people.contacts(tx, person.id)
    gone = [row for row in rows if row.kind == kind and address in (None, row.address)]
    for row in gone:
        people.remove(tx, row.id)
    if not gone:
        return Outcome(False, f"You have no {kind} contact of your own.")
    incidents.audit(tx, str(actor), "contact_remove", f"person:{person_key}", after={"kind": kind})
    return Outcome(True, f"Your {kind} is removed.")


def send_test_page(tx: Tx, person_key: str, actor: Actor) -> RoadsTried:
    """One test message on every road the person has."""
    if (turned_down := _may_not(tx, person_key, actor)) is not None:
        return RoadsTried(False, turned_down.reason, refused=True)
    config, reach = tx.snapshot.config, tx.snapshot.reach.get(person_key, Reach(None))
    stamp = f"test:{person_key}:{int(tx.now.timestamp())}"
    tries = []
    if reach.slack_id:
        tries.append(Try("slack", "", f"{stamp}:slack"))
        outbox.add(
            tx,
            lane=Lane.ANSWER,
            kind="notice",
            destination=f"slack:{reach.slack_id}",
            dedupe_key=tries[-1].key,
            payload={"what": "test", "person": person_key, "channel": reach.slack_id},
        )
    for contact in reach.contacts:
        channel = config.channels.get(contact.kind)
        receipts = channel is not None and phone_numbers.takes_numbers(channel)
        tries.append(Try(contact.kind, contact.address, f"{stamp}:{contact.ref}", receipts))
        text = f"This is a test page. It reached you by {contact.kind}. Nothing is broken."
        _send(
            tx,
            person_key,
            contact.kind,
            contact.address,
            "Test page",
            text,
            key=tries[-1].key,
            contact=contact.ref,
        )
    if not tries:
        return RoadsTried(False, "You have no road. Add one with: contact add push TOPIC")
    incidents.audit(tx, str(actor), "test_page", f"person:{person_key}")
    names = ", ".join("Slack" if one.road == "slack" else one.road for one in tries)
    return RoadsTried(True, f"A test page is on its way by {names}.", tries=tuple(tries))


def _may_not(tx: Tx, person_key: str, actor: Actor) -> Outcome | None:
    """Roads are their owner's alone, and a viewer has none to be paged by."""
    if (actor.kind, actor.key) != ("person", person_key):
        why = "Only the person themselves can change their roads."
        return turned_down(tx, actor, str(Right.OWN_ROADS), why, None, f"person:{person_key}")
    return refused(tx, actor, Right.OWN_ROADS, f"person:{person_key}", None)


def _hash(person: str, code: str) -> str:
    return hashlib.sha256(f"{person}:{code}".encode()).hexdigest()


def _send(
    tx: Tx,
    person: str,
    kind: str,
    address: str,
    title: str,
    text: str,
    *,
    key: str,
    contact: str | None = None,
) -> None:
    """`contact`: a road that is the person's already, whose health this shows."""
    payload = {"road": kind, "address": address, "title": title, "text": text, "urgent": False}
    outbox.add(
        tx,
        lane=Lane.ANSWER,
        kind="loud",
        destination=f"{kind}:{person}",
        dedupe_key=key,
        payload=payload | ({"contact": contact} if contact else {}),
    )
