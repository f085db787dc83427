"""Whether Slack signed these very bytes just now: its `v0` scheme over the body as it came.

Knows the scheme (docs.slack.dev/authentication/verifying-requests-from-slack). Refuses to read the body: bytes of a
stranger are decoded by nobody, not even to be refused. Serves connection, in HTTP mode.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

GOOD_FOR_S = 300
STAMP, SIGNATURE = "x-slack-request-timestamp", "x-slack-signature"


def signed_by(secret: str, body: bytes, headers: Mapping[str, str], now: float) -> bool:
    """`now` in seconds since 1970; a stamp more than five minutes away, before or behind, is refused."""
    stamp, given = headers.get(STAMP, ""), headers.get(SIGNATURE, "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 12 and given.isascii()):
        return False
    if abs(now - int(stamp)) > GOOD_FOR_S or not secret.strip():
        return False
    return hmac.compare_digest(signature(secret, body, stamp), given)


def signature(secret: str, body: bytes, stamp: str) -> str:
    text = b":".join((b"v0", stamp.encode(), body))
    return f"v0={hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()}"
