"""The card of a wish: exactly what will happen, for whom, until when; and the signed key inside its button.

Knows how a proposal is worded, signed and read back, and who may press it. Refuses to know incidents and to act: a flow
does, and looks at everything again. Serves the Slack edge, the assistant's tools and flows.carry_out_proposal.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from oncall_bot.core.config import Config
from oncall_bot.core.outcomes import Actor
from oncall_bot.core.rights import Right, Rights
from oncall_bot.core.talk.orders import Act

EXPIRES_AFTER = timedelta(minutes=10)
TOKEN_MAX = 1900
_PURPOSE = b"oncall-bot proposal 1\0"
_MAC_BYTES = 16
RIGHT: Mapping[Act, Right] = {
    Act.ACK: Right.ACKNOWLEDGE,
    Act.TAKE: Right.ACKNOWLEDGE,
    Act.RESOLVE: Right.RESOLVE,
    Act.ESCALATE: Right.ESCALATE,
    Act.SEVERITY: Right.CHANGE_SEVERITY,
    Act.NOTE: Right.NOTE,
    Act.PAGE: Right.PAGE,
    Act.OVERRIDE: Right.OVERRIDE,
    Act.DECLARE: Right.DECLARE,
    Act.SILENCE: Right.SILENCE,
}
"""The right behind each act; the flow asks for it again."""

ONLY_ONESELF = frozenset({Act.ACK, Act.TAKE})
"""Nobody takes an incident in another's name, whatever their role."""

Part = str | datetime


@dataclass(frozen=True, slots=True)
class Offer:
    """What could be done: the act with its arguments, and the words that say exactly what it does.

    `says` and `effect` hold outside text unescaped and instants to be shown in the reader's zone.
    """

    act: Act
    incident: int | None
    args: Mapping[str, str]
    says: tuple[Part, ...]
    effect: tuple[Part, ...] = ()
    button: str = "Do it"


@dataclass(frozen=True, slots=True)
class Needs:
    """Something is missing before it can be offered: one question, and messages that answer it."""

    question: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Impossible:
    """It cannot be done, or not by this person; the sentence says why."""

    why: str
    refused: bool = False  # for want of a right


Prepared = Offer | Needs | Impossible


@dataclass(frozen=True, slots=True)
class Proposal:
    """An offer that waits for a press. `id` makes it count once; `asker` is the actor who wished it."""

    id: str
    act: Act
    incident: int | None
    asker: str
    expires_at: datetime
    args: Mapping[str, str] = field(default_factory=dict)


def signed(secret: bytes, proposal: Proposal) -> str:
    """The proposal as a key that a button carries, at most TOKEN_MAX characters. Instants to the second."""
    plain = [
        proposal.id,
        str(proposal.act),
        proposal.incident,
        proposal.asker,
        int(proposal.expires_at.timestamp()),
        dict(proposal.args),
    ]
    body = json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode()
    token = f"{_text(body)}.{_text(_mac(secret, body))}"
    if len(token) > TOKEN_MAX:
        raise ValueError(f"the proposal needs {len(token)} characters, a button holds {TOKEN_MAX}")
    return token


def opened(secret: bytes, token: str) -> Proposal | None:
    """The proposal of a key that `signed` made, None for any other. Whether it has expired is not judged here."""
    head, _, mac = token.partition(".")
    try:
        body = base64.urlsafe_b64decode(head + "=" * (-len(head) % 4))
        if not hmac.compare_digest(_text(_mac(secret, body)), mac):
            return None
        plain: Any = json.loads(body)
        proposal_id, act, incident, asker, expires, args = plain
        return Proposal(
            str(proposal_id),
            Act(act),
            incident,
            str(asker),
            datetime.fromtimestamp(expires, UTC),
            {str(name): str(value) for name, value in args.items()},
        )
    except (binascii.Error, ValueError, TypeError, AttributeError, OverflowError):
        return None


def may_press(proposal: Proposal, actor: Actor, rights: Rights, team: str | None) -> str | None:
    """None when the actor may press this card; else the sentence that says who may.

    Whether they may do what it says at all is for the flow behind it. `team`: that of the incident, if there is one.
    """
    if str(actor) == proposal.asker:
        return None
    name = name_of(rights.config, proposal.asker)
    if proposal.act in ONLY_ONESELF:
        return f"{name} asked to have it. Only {name} can press that; take it yourself on the card."
    kind, _, key = proposal.asker.partition(":")
    asker = rights.role_in(Actor(kind, key, name), team)
    if rights.role_in(actor, team).rank > asker.rank:
        return None
    return f"{name} asked for this. Only {name}, or somebody with a higher role, can press it."


def name_of(config: Config, actor: str) -> str:
    kind, _, key = actor.partition(":")
    person = config.people.get(key) if kind == "person" else None
    return person.name if person else "The one who asked"


def _mac(secret: bytes, body: bytes) -> bytes:
    return hmac.new(secret, _PURPOSE + body, hashlib.sha256).digest()[:_MAC_BYTES]


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
