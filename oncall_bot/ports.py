"""What leaves the process: one-method promises that the edges keep and the engine calls.

Knows the words of each promise and the one error they may raise. Refuses to know who keeps them.
Serves engine (which calls), app (which wires) and the edges (which implement).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from oncall_bot.core.errors import OncallError
from oncall_bot.core.records import Record
from oncall_bot.core.situation import Content
from oncall_bot.core.verification import Claim


class DeliveryError(OncallError):
    """A message could not be handed over.

    `permanent`: trying again cannot help (unknown user, channel gone). `retry_after`: seconds the provider asked
    for. `plain_text_helps`: the payload was refused and may be sent again without its blocks.
    """

    def __init__(
        self,
        message: str,
        *,
        permanent: bool = False,
        retry_after: float | None = None,
        rate_limited: bool = False,
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after = retry_after
        self.rate_limited = rate_limited


@dataclass(frozen=True, slots=True)
class Sent:
    """Proof of a hand-over: what the provider calls the message, and where it lies now."""

    provider_id: str
    channel: str | None = None
    answer: str = ""


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """A rendered message. `key` is written into the message's metadata so that a retry can find it again."""

    key: str
    channel: str  # channel id or name, or user id for a direct message
    text: str
    blocks: Sequence[Mapping[str, object]] = ()
    thread_ts: str | None = None
    ts: str | None = None  # set: edit this message
    file: bytes | None = None
    file_name: str | None = None


class Render(Protocol):
    def __call__(
        self, content: Content, now: datetime
    ) -> tuple[str, Sequence[Mapping[str, object]]]:
        """Push line and blocks of what is to be shown. Pure."""
        ...


class Chat(Protocol):
    async def put(self, message: ChatMessage, *, first_tried_at: datetime | None) -> Sent:
        """Post the message, or edit it when `ts` is set.

        With `first_tried_at` an earlier try may have gone through: its key is looked for and adopted first.
        """
        ...


@dataclass(frozen=True, slots=True)
class LoudPage:
    """A page for a road outside Slack: short words, one key, one signed link."""

    key: str
    channel: str  # name of the road in the file: push, voice, mail
    address: str  # {to} of that road
    title: str
    text: str
    ack_url: str | None
    urgent: bool
    first_tried_at: datetime | None = None  # set: an earlier try may have gone through


class Pager(Protocol):
    async def page(self, page: LoudPage) -> Sent:
        """Hand the page over.

        With `first_tried_at` a road that can look does so first, and adopts what carries the page's key.
        """
        ...


class Directory(Protocol):
    async def slack_id(self, email: str) -> str | None:
        """The Slack user with that e-mail address, or None when there is none."""
        ...


class UserGroups(Protocol):
    async def put(self, handle: str, members: Sequence[str]) -> None:
        """These Slack users and no others are in the group with that handle.

        Raises DeliveryError; a permanent one says why this workspace refuses.
        """
        ...


@dataclass(frozen=True, slots=True)
class SourceAlert:
    """One alert as its source lists it now."""

    fingerprint: str
    starts_at: datetime
    state: str  # active, suppressed, unprocessed
    receivers: tuple[str, ...]
    held_by: str | None = None


@dataclass(frozen=True, slots=True)
class SourceList:
    """One Alertmanager's whole list and how long it has been up; its list is empty after a restart."""

    address: str
    up_since: datetime
    alerts: Sequence[SourceAlert]


class AlertSource(Protocol):
    def list_alerts(self, address: str, *, timeout: float) -> SourceList:
        """What this Alertmanager says fires now. Blocking; raises DeliveryError when it does not answer."""
        ...


class Metrics(Protocol):
    def value(self, promql: str, *, at: datetime) -> float | None: ...


class Drafter(Protocol):
    def draft(self, record: Record, kind: str) -> Sequence[Claim]:
        """Sentences with the event ids they rest on; never verified here. Blocking. Raises DeliveryError."""
        ...


class Heartbeat(Protocol):
    async def beat(self) -> None: ...
