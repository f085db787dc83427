"""Signing in to the web pages: what a key looks like, what is kept of it, how long it is good, where it may lead.

Knows that keys are only ever stored as hashes and that a form carries a proof of its session. Refuses to make keys
(chance is an argument) and to know cookies. Serves slack (which gives out links), the flows and web.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from oncall_bot.core.config import Config
from oncall_bot.core.outcomes import Actor

LINK_FOR = timedelta(minutes=10)
SESSION_FOR = timedelta(hours=12)
KEY_BYTES = 32
_KEY = re.compile(r"[A-Za-z0-9_-]{43}")  # 32 bytes as secrets.token_urlsafe writes them
_INSIDE = re.compile(r"/(schedules|incidents)(/[A-Za-z0-9][A-Za-z0-9._~-]{0,99})?")
_PURPOSE = b"oncall-bot form 1\0"  # the same secret signs nothing else in these words


class Refusal(StrEnum):
    """Why a link signs nobody in. Its words are fit to show."""

    UNKNOWN = "This link is not complete, or a newer one was made."
    USED = "This link was used before."
    EXPIRED = "This link has expired."
    GONE = "You are no longer in the configuration."


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who looks, until when."""

    actor: Actor
    until: datetime


def digest(key: str) -> str:
    """What is stored of a key: enough to know it again, of no use to anybody else."""
    return hashlib.sha256(key.encode()).hexdigest()


def is_key(text: str) -> bool:
    """Whether it can be a key of ours at all; asked before the database is."""
    return _KEY.fullmatch(text) is not None


def form_proof(secret: bytes, session_sha256: str) -> str:
    """What every form of a session carries: another site cannot know it."""
    return hmac.new(secret, _PURPOSE + session_sha256.encode(), hashlib.sha256).hexdigest()


def is_proof(secret: bytes, session_sha256: str, given: str) -> bool:
    genuine = form_proof(secret, session_sha256)
    return hmac.compare_digest(genuine.encode(), given.encode("utf-8", "replace"))


def inside(path: str | None) -> str | None:
    """The page to go to after signing in, if it is one of ours; nothing else is ever followed."""
    return path if path and _INSIDE.fullmatch(path) else None


def may_look(config: Config, actor: Actor) -> bool:
    """Everybody of the file may, viewers too, as long as they are in it; full members of the workspace may as well."""
    return actor.kind == "slack" or (actor.kind == "person" and actor.key in config.people)
