"""Alerts as their source tells them, and what one telling changes.

Knows identity (source, fingerprint), occurrences (alert, starts_at), and the verdicts: new, repeat, resolved,
re-opened, doubted, superseded, stale. Refuses to know routes, incidents and SQL. Serves `flows.receive_alerts`.
The traps behind each rule were recorded from real Alertmanagers; they are named beside the rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from fnv_c import fnv1a_64

CONFIRM_AFTER = timedelta(seconds=15)
REOPEN_UNCONFIRMED_AFTER = timedelta(minutes=6)

LABELS_MAX = 64
NAME_MAX_CHARACTERS = 256
VALUE_MAX_CHARACTERS = 4096
CUT_MARK = "… [cut]"


def fingerprint(labels: Mapping[str, str]) -> str:
    """The label set's identity as Alertmanager computes it: 64-bit FNV-1a over sorted names and values.

    Source: prometheus/common model.LabelsToSignature; empty values are left out. 16 hex digits.
    """
    pairs = [b"%s\xff%s\xff" % (n.encode(), v.encode()) for n, v in sorted(labels.items()) if v]
    return f"{fnv1a_64(b''.join(pairs)):016x}"


def body_key(sha256: str, newest: datetime | None) -> str:
    """What a body is remembered by: its newest instant, then half of its SHA-256 in hex.

    The instant comes first so that bodies of one time lie side by side in the index that holds them: keys in the order
    of a digest touched a page of it for each body (docs/decisions/0009).
    """
    micros = max(0, int(newest.timestamp() * 1e6)) if newest is not None else 0
    return f"{micros:014x}-{sha256[:32]}"


def cut(text: str, limit: int = VALUE_MAX_CHARACTERS) -> str:
    """The text, or its beginning with a visible mark when it is longer than `limit` characters."""
    return text if len(text) <= limit else text[: limit - len(CUT_MARK)] + CUT_MARK


class Texts(dict[str, str]):
    """Labels or annotations with their own JSON beside them, so that nobody has to write it again to store them."""

    __slots__ = ("json",)

    def __init__(self, pairs: Mapping[str, str], json: str) -> None:
        super().__init__(pairs)
        self.json = json


class Notice(NamedTuple):
    """One alert inside one delivery. `ended_at` is set when the source says it ended.

    `generator` is its generatorURL as it came: the rule's expression stands in it, and it is never fetched.
    """

    fingerprint: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: datetime
    ended_at: datetime | None = None
    generator: str = ""

    @property
    def name(self) -> str:
        return self.labels.get("alertname", "")


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What could not be understood, kept as it came."""

    body: bytes
    sha256: str
    reason: str


class Delivery(NamedTuple):
    """One accepted request, or one slice of a large one (`last` marks its end).

    `sender` is externalURL|receiver|groupKey: who may re-open what it ended. `body_key` is `body_key()` of the whole
    body, the same in each slice.
    """

    source: str
    sender: str
    body_key: str
    notices: tuple[Notice, ...]
    unreadable: tuple[Unreadable, ...] = ()
    truncated: int = 0
    last: bool = True
    raw: bytes = b""


class Occurrence(NamedTuple):
    """The newest occurrence of an alert as it is stored."""

    id: int
    starts_at: datetime
    ended_at: datetime | None = None
    ended_by: str | None = None
    doubted: bool = False


class Verdict(StrEnum):
    NEW = "new"  # opens an occurrence
    NEW_ENDED = "new_ended"  # first heard of when it was over
    REPEAT = "repeat"  # known to fire
    RESOLVED = "resolved"
    REOPENED = "reopened"  # same startsAt fires again, told by the one who ended it
    DOUBTED = "doubted"  # same startsAt fires again, but it may be a peer's old news
    SUPERSEDED = "superseded"  # a newer startsAt: the old one ended unheard
    DOUBT_ENDED = "doubt_ended"  # a resolve clears the doubt
    END_MOVED = "end_moved"  # the end is told again, and was later than we knew
    NOTHING = "nothing"  # older than what is known, or known to have ended


def judge(known: Occurrence | None, notice: Notice, *, sender: str, body_is_new: bool) -> Verdict:
    """What this telling means for the alert's newest occurrence.

    - A resolve is always applied, but only to its own startsAt.
    - A firing older than the newest startsAt opens nothing (two receivers, late peers, replays).
    - Firing again with the startsAt that ended: believed at once from the same sender with a body never accepted
      before (disagreeing Prometheus replicas); from another peer, or an old body, it is doubted and asked about.
    """
    if known is None or notice.starts_at > known.starts_at:
        return _judge_newer(known, notice)
    if notice.starts_at < known.starts_at:
        return Verdict.NOTHING
    if notice.ended_at is not None:
        return _judge_end(known, notice.ended_at)
    if known.ended_at is None:
        return Verdict.REPEAT
    if body_is_new and sender == known.ended_by:
        return Verdict.REOPENED
    return Verdict.NOTHING if known.doubted else Verdict.DOUBTED


def _judge_newer(known: Occurrence | None, notice: Notice) -> Verdict:
    if notice.ended_at is not None:
        return Verdict.NEW_ENDED
    if known is not None and known.ended_at is None:
        return Verdict.SUPERSEDED
    return Verdict.NEW


def _judge_end(known: Occurrence, ended_at: datetime) -> Verdict:
    if known.ended_at is None:
        return Verdict.RESOLVED
    if known.doubted:
        return Verdict.DOUBT_ENDED
    # two Prometheus replicas: the second one saw it end a little later (recorded as ha-prometheus)
    return Verdict.END_MOVED if ended_at > known.ended_at else Verdict.NOTHING
