"""What somebody half asleep sends back: `a 4821` in a text message, a key on the telephone.

Knows the words, the keys and the short code that ties an answer to a page. Refuses to know providers, people and what
becomes of an answer. Serves the texts of pages and the flow that takes answers in.

The code is not the incident's number: who can forge a sender's number could guess that one. Nor do the words collide
with those that carriers keep for themselves (STOP, END, QUIT, CANCEL, UNSUBSCRIBE, START, YES, HELP, INFO; Twilio:
"Twilio support for opt-out keywords").
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

CODE_DIGITS: Final = 4
TEXT_MAX: Final = 1_600  # the longest message Twilio hands on, in and out
_PURPOSE: Final = b"oncall-bot reply code 1\0"


class Verb(StrEnum):
    """What an answer from a telephone can ask for."""

    ACKNOWLEDGE = "acknowledge"
    ESCALATE = "escalate"
    RESOLVE = "resolve"


WORDS: Final[Mapping[str, Verb]] = {
    "a": Verb.ACKNOWLEDGE,
    "ack": Verb.ACKNOWLEDGE,
    "acknowledge": Verb.ACKNOWLEDGE,
    "e": Verb.ESCALATE,
    "esc": Verb.ESCALATE,
    "escalate": Verb.ESCALATE,
    "next": Verb.ESCALATE,
    "r": Verb.RESOLVE,
    "res": Verb.RESOLVE,
    "resolve": Verb.RESOLVE,
    "resolved": Verb.RESOLVE,
}
KEYS: Final[Mapping[str, Verb]] = {
    "4": Verb.ACKNOWLEDGE,
    "6": Verb.RESOLVE,
    "8": Verb.ESCALATE,
}
"""As PagerDuty has them, so that trained fingers find them; none is the key that a cheek presses first."""
REPEAT: Final = "*"

_FIRST_WORD = re.compile(r"([a-z]+)[ :#.,-]*([0-9]+)?(?![0-9a-z])", re.ASCII)
_FIRST_CODE = re.compile(r"([0-9]+)[ :#.,-]*([a-z]+)(?![0-9a-z])", re.ASCII)


@dataclass(frozen=True, slots=True)
class Reply:
    """A text message understood: what is wanted, and of which page. Without a code it is asked back."""

    verb: Verb
    code: str | None = None


def read_reply(text: str) -> Reply | None:
    """`a4821`, `A 4821`, `ack 4821`, `4821 a`; what stands behind it (a signature, a quoted message) is not read."""
    line = text[:TEXT_MAX].strip().casefold().lstrip("\"'“”‘’.,-(> ")
    if found := _FIRST_WORD.match(line):
        verb, code = WORDS.get(found[1]), found[2]
    elif found := _FIRST_CODE.match(line):
        verb, code = WORDS.get(found[2]), found[1]
    else:
        return None
    return Reply(verb, code) if verb is not None else None


def reply_code(secret: bytes, message: int, contact_ref: str) -> str:
    """The four digits by which this contact answers this message (its number in the outbox); the same each time.

    Four digits can be tried out: whoever takes answers in counts wrong ones.
    """
    body = _PURPOSE + f"{message}\0{contact_ref}".encode()
    number = int.from_bytes(hmac.new(secret, body, hashlib.sha256).digest()[:8], "big")
    return f"{number % 10**CODE_DIGITS:0{CODE_DIGITS}d}"
