"""What leaves the process: one-method promises that the edges keep and the engine calls.

Knows the words of each promise and the one error they may raise. Refuses to know who keeps them.
Serves engine (which calls), app (which wires) and the edges (which implement).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from oncall_bot.core.board import Board
from oncall_bot.core.disclosure import Disclosure
from oncall_bot.core.errors import OncallError
from oncall_bot.core.fairness import Report
from oncall_bot.core.graphs import Graph, Series, Window
from oncall_bot.core.outcomes import Actor
from oncall_bot.core.records import Record
from oncall_bot.core.situation import Content
from oncall_bot.core.spending import Judged, Usage
from oncall_bot.core.talk.about import About
from oncall_bot.core.talk.proposals import Needs, Offer
from oncall_bot.core.verification import Claim


class Blame(StrEnum):
    """What of a message cannot work when it is refused for good."""

    MESSAGE = "message"  # or anything else: the provider alone knows
    ADDRESS = (
        "address"  # of this person on this road: it will not work until its owner does something
    )
    ROAD = "road"  # for everybody: the installation's own settings


class DeliveryError(OncallError):
    """A message could not be handed over.

    `permanent`: trying again cannot help (unknown user, channel gone). `retry_after`: seconds the provider asked
    for. `blame`: what is wrong when it is permanent.
    """

    def __init__(
        self,
        message: str,
        *,
        permanent: bool = False,
        retry_after: float | None = None,
        rate_limited: bool = False,
        blame: Blame = Blame.MESSAGE,
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.blame = blame
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
    """A page for a road outside Slack: short words, one key, one signed link, and ways to answer where it has any.

    `reply_code` ties an answer by text to it; a key pressed goes to `keys_url`, what became of it to `receipt_url`.
    """

    key: str
    channel: str  # name of the road in the file: push, voice, mail
    address: str  # {to} of that road
    title: str
    text: str
    ack_url: str | None
    urgent: bool
    first_tried_at: datetime | None = None  # set: an earlier try may have gone through
    reply_code: str | None = None
    keys_url: str | None = None
    receipt_url: str | None = None


class Pager(Protocol):
    async def page(self, page: LoudPage) -> Sent:
        """Hand the page over.

        With `first_tried_at` a road that can look does so first, and adopts what carries the page's key.
        """
        ...


@dataclass(frozen=True, slots=True)
class Posted:
    """A form that a telephone provider posted: the path and query it called, its fields in order, its signature."""

    address: str
    form: Sequence[tuple[str, str]]
    signature: str

    @property
    def fields(self) -> Mapping[str, str]:
        """The last value of each field."""
        return dict(self.form)


@dataclass(frozen=True, slots=True)
class Returned:
    """What to answer it."""

    status: int
    body: str = ""
    media_type: str = "text/plain"


class Telephone(Protocol):
    async def take(self, road: str, what: str, about: str, posted: Posted) -> Returned:
        """Do what was posted, once its signature fits the road. `what`: text, key or receipt."""
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


class GroupMembers(Protocol):
    async def members(self, group: str) -> Sequence[str]:
        """The Slack users in the group with that handle or id. Raises DeliveryError when they cannot be read."""
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


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of an instant query, with its labels; it may be NaN."""

    labels: Mapping[str, str]
    value: float


class Metrics(Protocol):
    """A Prometheus at an address. Bounded in time, points, series and bytes.

    Raises DeliveryError with a sentence: not permanent when it gave no answer, permanent when it refused the query.
    """

    async def instant(self, address: str, promql: str, *, at: float) -> Sequence[Sample]:
        """What the query selects at that instant (unix seconds)."""
        ...

    async def over(self, address: str, promql: str, window: Window) -> Sequence[Series]:
        """What the query was over the window."""
        ...

    async def rule(self, address: str, alertname: str) -> str | None:
        """The expression of the alerting rule of that name, when one is known for certain."""
        ...


class Gauge(Protocol):
    """The installation's Prometheus for one question at a time, from any thread. Blocking; raises DeliveryError."""

    def instant(self, promql: str, at: datetime) -> Sequence[Sample]:
        """What the query selects at that instant."""
        ...

    def over(self, promql: str, until: datetime, span: timedelta) -> Sequence[Series]:
        """What the query was over the span that ends at `until`."""
        ...


class Picture(Protocol):
    def draw(self, graph: Graph) -> bytes:
        """The graph as PNG. Blocking, some tens of milliseconds."""
        ...


class Shares(Protocol):
    def __call__(self, found: Report, name: Callable[[str], str]) -> tuple[bytes, str]:
        """How a schedule's load is shared, as PNG, and the same in words. Blocking, some tens of milliseconds."""
        ...


class Album(Protocol):
    async def keep(self, png: bytes, name: str, alt: str) -> str:
        """Upload a picture that is shown in messages; answers what a message calls it. Raises DeliveryError."""
        ...


@dataclass(frozen=True, slots=True)
class Instruments:
    """What one looks at metrics with. Without an album pictures are not drawn; their sentence is told all the same."""

    metrics: Metrics
    picture: Picture
    address_of: Callable[[str], str | None]  # of a source: the Prometheus that evaluates its rules
    sources: Callable[[], Sequence[str]]
    album: Album | None = None
    shares: Shares | None = None
    week: Callable[[Board], bytes] | None = None  # draws a schedule's weeks; raises DeliveryError


@dataclass(frozen=True, slots=True)
class Assignment:
    """A draft that wants prose: the record, what of it may be sent and used, and whose row the calls are booked to."""

    record: Record
    kind: str
    disclosure: Disclosure
    incident_id: int | None = None
    draft_id: int | None = None


@dataclass(frozen=True, slots=True)
class Prose:
    """What a model wrote: sentences with the events they rest on, and what the verifier made of each reply.

    `missing` says in words for the draft what could not be had.
    """

    claims: tuple[Claim, ...] = ()
    judged: tuple[Judged, ...] = ()
    missing: str = ""
    used_tokens: int = 0


class Drafter(Protocol):
    @property
    def model_name(self) -> str:
        """The model that is asked."""
        ...

    def estimate(self, assignment: Assignment) -> Usage:
        """What the draft may use if nothing has to be asked twice. Asks nobody."""
        ...

    def draft(self, assignment: Assignment) -> Prose:
        """Sentences about the record, which whoever shows them verifies again. Blocking. Never raises for a model:
        what failed stands in `missing`."""
        ...


@dataclass(frozen=True, slots=True)
class TalkTurn:
    """One question to the assistant: who asks, where they are, and what the conversation is about."""

    text: str
    actor: Actor
    zone: str
    now: datetime
    channel: str = ""
    about: About = field(default_factory=About)


@dataclass(frozen=True, slots=True)
class TalkAnswer:
    """What a model said, sentence by sentence, as far as it is covered by what was looked up.

    `problem` is one honest sentence about what is missing; with no sentence at all it is the whole answer. `offers` and
    `questions` are wishes it passed on: cards to be pressed, things to be asked.
    """

    sentences: Sequence[str] = ()
    incidents: Sequence[int] = ()  # those it looked at, the most telling first
    runbooks: Sequence[str] = ()
    offers: Sequence[Offer] = ()
    questions: Sequence[Needs] = ()
    refusals: Sequence[str] = ()
    problem: str = ""
    model: str = ""
    steps: Sequence[str] = ()  # names of the tools used, in order
    left_out: Sequence[str] = ()  # why each sentence that was left out was


class Assistant(Protocol):
    def answer(self, turn: TalkTurn, tell: Callable[[str], None]) -> TalkAnswer:
        """The answer to one question, with the asker's rights. Blocking; bounded in time, steps and tokens.

        Expected failures come back as `problem`.

        `tell` hears each sentence as soon as it is checked, on this thread. Nothing is changed by it.
        """
        ...


class Heartbeat(Protocol):
    async def beat(self) -> None: ...
