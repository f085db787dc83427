"""What a reader of an incident must see now: the one value that every card, page and answer is drawn from.

Knows what is shown and in which words states are named. Refuses to know Slack blocks, HTML and SQL.
Serves store.views (which fills it) and the surfaces (which draw it). All text from outside is still unescaped here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from oncall_bot.core.live_checks import Reading
from oncall_bot.core.rota_days import Day


class State(StrEnum):
    FIRING = "firing"
    ACKNOWLEDGED = "acknowledged"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"
    SILENCED = "silenced"
    MERGED = "merged"


_WENT_OUT = frozenset({"sent", "delivered", "rang", "picked up", "missed"})


@dataclass(frozen=True, slots=True)
class RoadFate:
    """The fate of one page on one road: waiting, sent, failed, outdated; beyond `sent` only what its provider told:
    delivered, rang, picked up, missed, failed. Slack proves `sent`, never more; none of them is an answer.

    `told`: each (state, instant) on the way there, oldest first.
    """

    road: str  # slack, push, voice, mail, webhook
    state: str
    at: datetime | None
    why: str | None = None
    told: Sequence[tuple[str, datetime]] = ()

    @property
    def went_out(self) -> bool:
        """Whether its provider took it and has not said since that it failed."""
        return self.state in _WENT_OUT


@dataclass(frozen=True, slots=True)
class Paged:
    person_key: str
    name: str
    step: int  # 1-based; 0 = by hand
    decided_at: datetime
    roads: Sequence[RoadFate] = ()
    answered_at: datetime | None = None
    note: str | None = None  # "no loud road", "asked by Ana"


@dataclass(frozen=True, slots=True)
class NextStep:
    """What the bot does by itself next: `names` are paged at `at`, as `what` says ("step 2 of 3", "the fallback")."""

    at: datetime
    names: Sequence[str]
    what: str


@dataclass(frozen=True, slots=True)
class AlertCount:
    name: str
    firing: int
    sample: str = ""  # its summary annotation, outside text
    where: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ShownRunbook:
    title: str
    slug: str
    why: str
    steps: Sequence[str]
    link: str | None = None
    section_texts: Sequence[tuple[str, str]] = ()
    runbook_id: int | None = None


@dataclass(frozen=True, slots=True)
class PossibleRunbook:
    """One that may fit: `score` of the search from 0 to 1."""

    runbook_id: int
    title: str
    score: float
    why: str
    link: str | None = None


@dataclass(frozen=True, slots=True)
class JudgedRunbook:
    """What was said of a runbook for this alert: right or wrong, by whom."""

    runbook_id: int
    title: str
    right: bool
    by: str


@dataclass(frozen=True, slots=True)
class ShownPicture:
    """The picture of what the rule measures, or why there is none."""

    file_id: str | None = None  # what the chat calls it
    alt: str = ""
    sentence: str = ""  # the measured value with its limit, without units of ours
    fault: str | None = None
    drawn_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Before:
    """How often the same alerts were there within a week, this time counted, and how long they usually last."""

    times: int
    usual: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Beside:
    """Another incident that began at about the same time; `place` is where its card lies."""

    incident_id: int
    title: str
    opened_at: datetime
    place: tuple[str, str] | None = None
    link: str | None = None


@dataclass(frozen=True, slots=True)
class ShownSilence:
    silence_id: int
    by: str
    until: datetime
    comment: str
    matchers: str


@dataclass(frozen=True, slots=True)
class Change:
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Situation:
    incident_id: int
    title: str
    state: State
    severity: str
    urgency: str
    origin: str  # alert, declared, storm
    opened_at: datetime
    updated_at: datetime
    service: str | None = None
    team: str | None = None
    channel: str | None = None
    acked_at: datetime | None = None
    acked_by: str | None = None
    acked_by_key: str | None = None  # person key or Slack id
    mitigated_at: datetime | None = None
    resolved_at: datetime | None = None
    resolved_by: str | None = None  # a name, or None when its alerts ended
    declared_by: str | None = None
    firing: int = 0
    held_back: int = 0
    held_why: str | None = None  # why all of it is held back at its source, when so
    silent_source: str | None = None  # an address of its source that does not answer
    silent_since: datetime | None = None
    not_heard_since: datetime | None = (
        None  # its source, which cannot be asked, has not repeated it
    )
    alerts_ever: int = 0
    alerts: Sequence[AlertCount] = ()
    places: Sequence[tuple[str, int]] = ()  # services and their firing alerts, most first (storms)
    first_alert: str | None = None
    reopened: int = 0
    changes: Sequence[Change] = ()  # newest last, when it flaps
    runbook: ShownRunbook | None = None
    possible: Sequence[PossibleRunbook] = ()  # runbooks, where none is attached
    judged: Sequence[JudgedRunbook] = ()  # those of this incident that somebody spoke on
    paged: Sequence[Paged] = ()
    next: NextStep | None = None
    steps: int = 0
    nobody: str | None = None  # why nobody could be paged, when so
    ack_until: datetime | None = None  # when paging starts again after an acknowledgement
    silence: ShownSilence | None = None
    merged_into: int | None = None
    url: str | None = None
    chat_link: str | None = None
    summary_line: str | None = None
    picture: ShownPicture | None = None
    before: Before | None = None
    beside: Sequence[Beside] = ()
    beside_more: int = 0


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One line of the work log. `actor` is None when the bot speaks."""

    at: datetime
    text: str
    actor: str | None = None
    pinned: bool = False
    pinned_as: str = ""  # what a person says it is: "the cause", "the impact", "a ruled-out guess"


@dataclass(frozen=True, slots=True)
class WorkLog:
    incident_id: int
    entries: Sequence[LogEntry]
    folded: int = 0  # older entries not shown
    url: str | None = None


@dataclass(frozen=True, slots=True)
class PageNotice:
    """One page as its receiver sees it, in Slack or on a phone."""

    situation: Situation
    page_id: int
    person_key: str
    person_name: str
    slack_id: str | None
    policy: str
    schedule: str | None
    step: int
    epoch_over: bool = False  # the page is no longer asked for: somebody has it, or it ended
    late: timedelta | None = None  # how long after its time it goes, when that is worth a word

    @property
    def asked(self) -> bool:
        """Whether somebody still has to answer it."""
        return self.situation.state is State.FIRING and not self.epoch_over


@dataclass(frozen=True, slots=True)
class BundleNotice:
    """Several pages of one person in one message, worst first; one page an incident, the newest."""

    pages: Sequence[PageNotice]
    bundle_id: int
    more: int = 0  # incidents beyond those shown
    asked: int = 0  # how many of all of them somebody still has to answer
    late: timedelta | None = None

    @property
    def incidents(self) -> int:
        return len(self.pages) + self.more


@dataclass(frozen=True, slots=True)
class OnCallNow:
    """Who is on call for one schedule, until when, and who follows when they do not answer."""

    schedule: str
    person_key: str | None
    name: str | None
    slack_id: str | None
    until: datetime | None
    loud_roads: Sequence[str] = ()
    then: Sequence[tuple[str, str]] = field(default_factory=tuple)  # (name, "after 5 min")
    covers_for: str | None = None
    fallback: Sequence[str] = ()
    group_problem: str | None = None  # why the team's Slack user group is not in step, when so
    away_until: datetime | None = None  # they are on holiday, and nobody covers


@dataclass(frozen=True, slots=True)
class Noise:
    """One alert of the last week: how often it fired, and how many pages it cost."""

    alert: str
    alerts: int
    pages: int


@dataclass(frozen=True, slots=True)
class HandOff:
    schedule: str
    at: datetime
    until: datetime | None
    leaving: str | None
    arriving_key: str | None
    arriving: str | None
    open_incidents: Sequence[tuple[int, str, State]] = ()
    roads: Sequence[str] = ()
    pages_last_week: int = 0
    reader_key: str | None = None  # whom this notice is for: the arriving or the leaving person
    silences: Sequence[tuple[str, datetime, str]] = ()  # (by, until, why) that end within a day
    noise: Sequence[Noise] = ()  # the loudest alerts of the last week
    then: Sequence[tuple[str, str]] = ()  # who follows, as in OnCallNow
    late: timedelta | None = None  # how long after its time it is told, when that is worth a word


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of one schedule's time, with the zone its rota is planned in."""

    schedule: str
    starts_at: datetime
    ends_at: datetime
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class OverrideShown:
    """An override that acts or will; `by_request` when it comes from an accepted cover request."""

    override_id: int
    who: str | None
    starts_at: datetime
    ends_at: datetime
    replaces: str | None = None
    by_request: bool = False


@dataclass(frozen=True, slots=True)
class RotaWeek:
    """A schedule over some days: who now, who next, each day, its gaps and overrides. `names`: key -> name."""

    on_call: OnCallNow
    next_name: str | None
    next_slack: str | None
    zone: str
    days: Sequence[Day]
    names: Mapping[str, str]
    gaps: Sequence[Stretch] = ()
    overrides: Sequence[OverrideShown] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody a cover request was put to; `answer` is yes, no, or None."""

    key: str
    name: str
    slack_id: str | None
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class CoverNotice:
    """A cover request or a swap as one reader sees it: the asker, or somebody who was asked."""

    request_id: int
    state: str  # open, taken, declined, withdrawn, expired, undone
    give: Stretch
    asker_key: str
    asker: str
    asker_slack: str | None
    reader_key: str
    expires_at: datetime
    take: Stretch | None = None  # of a swap: what the asker takes in return
    note: str = ""
    taken_by_key: str | None = None
    taken_by: str | None = None
    taken_by_slack: str | None = None
    asked: Sequence[Asked] = ()
    busy: Sequence[str] = ()  # schedules the reader is on call for in that time already

    @property
    def is_asker(self) -> bool:
        return self.reader_key == self.asker_key


@dataclass(frozen=True, slots=True)
class RunbookNotice:
    """The runbook as the incident's thread shows it; None: those that may fit, if there are any."""

    situation: Situation
    runbook: ShownRunbook | None
    checks: int = 0  # live checks it holds
    readings: Sequence[Reading] = ()  # what each came to when it was run last


@dataclass(frozen=True, slots=True)
class ToCheck:
    """A sentence that the record can't prove, why, and what a person answered for it."""

    check_id: str
    text: str
    cites: Sequence[str]
    reason: str
    answer: str | None = None  # drop, guess, confirm
    by: str | None = None


@dataclass(frozen=True, slots=True)
class DraftNotice:
    """A suggested text, or what became of it; `state` is facts, narrated, accepted, edited or discarded."""

    situation: Situation
    kind: str
    markdown: str
    draft_id: int = 0
    state: str = "facts"
    decided_by: str | None = None
    decided_at: datetime | None = None
    checks: Sequence[ToCheck] = ()

    @property
    def open(self) -> bool:
        return self.decided_by is None


@dataclass(frozen=True, slots=True)
class UpdateNotice:
    """A status update that somebody accepted, as the incident's thread shows it."""

    situation: Situation
    audience: str  # internal, customers
    markdown: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class TestNotice:
    asked_by: str
    asked_at: datetime
    roads: Sequence[str]


@dataclass(frozen=True, slots=True)
class TextNotice:
    text: str


Content = (
    Situation
    | WorkLog
    | PageNotice
    | BundleNotice
    | RunbookNotice
    | DraftNotice
    | UpdateNotice
    | HandOff
    | CoverNotice
    | TestNotice
    | TextNotice
)
"""Everything that a chat surface can be asked to draw."""
