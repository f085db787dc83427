"""The key inside an acknowledge link:

which page or pages it is for, whom it was sent to, until when it works.

Knows how such a key is made and read, and that an altered one is no key at all. Refuses to know
addresses, people and whether it was used before (the database does). Serves the pages' texts and
the page behind the link.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

MIN_SECRET_BYTES = 16
MAX_TOKEN_CHARACTERS = 200
MAX_REF_CHARACTERS = 64
_PURPOSE = b"oncall-bot ack link 1\0"  # the same secret signs nothing else in these words
_BUNDLE = "all-"
_MAC_BYTES = 16  # 128 bits: short enough for a text message, too many to guess


@dataclass(frozen=True, slots=True)
class AckClaim:
    """What a genuine link says: this page, sent to this contact, good until `expires_at`.

    With `bundle` the number is that of a message with several pages, and the link is for all of them.
    """

    page_id: int
    contact_ref: str
    expires_at: datetime
    bundle: bool = False


class Refusal(StrEnum):
    """Why a link does nothing. Its words are fit to show."""

    NOT_OURS = "This link is not complete. Open it again from the page you were sent."
    EXPIRED = "This link has expired."


def make_token(
    secret: bytes, page_id: int, contact_ref: str, expires_at: datetime, *, bundle: bool = False
) -> str:
    """A signed key of at most 200 URL-safe characters for this page, or bundle of pages, and contact.

    Instants to the second.
    """
    if len(secret) < MIN_SECRET_BYTES:
        raise ValueError(f"the signing secret has {len(secret)} bytes, needs {MIN_SECRET_BYTES}")
    if page_id < 0 or not contact_ref.isascii() or not 0 < len(contact_ref) <= MAX_REF_CHARACTERS:
        raise ValueError(f"no link can be made for page {page_id} to {contact_ref!r}")
    mark = _BUNDLE if bundle else ""
    body = f"{mark}{page_id:x}.{int(expires_at.timestamp()):x}.{contact_ref}".encode("ascii")
    return f"{_text(body)}.{_text(_mac(secret, body))}"


def read_token(secret: bytes, token: str, now: datetime) -> AckClaim | Refusal:
    """The claim of a token exactly as `make_token` wrote it, or why it does nothing."""
    claim = _decoded(token)
    if claim is None:
        return Refusal.NOT_OURS
    genuine = make_token(
        secret, claim.page_id, claim.contact_ref, claim.expires_at, bundle=claim.bundle
    )
    # compared whole and as written: a second spelling of the same bytes is refused too
    if not hmac.compare_digest(genuine.encode("ascii"), token.encode("ascii")):
        return Refusal.NOT_OURS
    return claim if now < claim.expires_at else Refusal.EXPIRED


def _decoded(token: str) -> AckClaim | None:
    """What the token claims, unproven."""
    if len(token) > MAX_TOKEN_CHARACTERS or not token.isascii():
        return None
    head, _, _ = token.partition(".")
    try:
        body = base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)).decode("ascii")
        page_id, expires, contact_ref = body.split(".", 2)
        number, seconds = int(page_id.removeprefix(_BUNDLE), 16), int(expires, 16)
        expires_at = datetime.fromtimestamp(seconds, UTC)
    except (binascii.Error, ValueError, OverflowError, OSError):
        return None
    if number < 0 or not 0 < len(contact_ref) <= MAX_REF_CHARACTERS:
        return None
    return AckClaim(number, contact_ref, expires_at, bundle=page_id.startswith(_BUNDLE))


def _mac(secret: bytes, body: bytes) -> bytes:
    return hmac.new(secret, _PURPOSE + body, hashlib.sha256).digest()[:_MAC_BYTES]


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
