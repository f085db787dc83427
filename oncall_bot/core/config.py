"""What the file says, as values: people, teams, services, schedules, policies, severities, routes, sources.

Knows the shape of a revision of `oncall.yaml` once it is read and checked (docs/reference/oncall-yaml.md).
Refuses to know YAML, line numbers, SQL, and whatever people own in Slack (contacts, overrides, silences).
Serves every decision: routing, paging, severities, sources.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from enum import StrEnum

from oncall_bot.core.hours import Hours
from oncall_bot.core.matchers import Matcher
from oncall_bot.core.rotations import Definition


class Urgency(StrEnum):
    """How loud an alert may be: `high` wakes, `low` waits in Slack, `none` pages nobody."""

    NONE = "none"
    LOW = "low"
    HIGH = "high"

    @property
    def rank(self) -> int:
        return (Urgency.NONE, Urgency.LOW, Urgency.HIGH).index(self)


class Role(StrEnum):
    VIEWER = "viewer"
    RESPONDER = "responder"
    MANAGER = "manager"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        return (Role.VIEWER, Role.RESPONDER, Role.MANAGER, Role.ADMIN).index(self)


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a step pages: `schedule:KEY`, `person:KEY`, `team:KEY` or `channel:#name`."""

    kind: str
    key: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.key}"


@dataclass(frozen=True, slots=True)
class Person:
    key: str
    name: str
    email: str | None = None
    zone: str | None = None
    slack: str | None = None
    role: Role | None = None  # None: what `rights.default` says
    contacts: Mapping[str, str] = field(default_factory=dict)  # kind -> first address


@dataclass(frozen=True, slots=True)
class PersonalRule:
    """One road of a person for one urgency: `by` is `slack` or the name of a channel."""

    after: timedelta
    by: str


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `count` messages per person in `within`, as written `3/15m`."""

    count: int
    within: timedelta


@dataclass(frozen=True, slots=True)
class Channel:
    """A road out of Slack: an apprise address with `{to}`, given, or read from a file or the environment."""

    key: str
    url: str | None = None
    url_file: str | None = None
    url_env: str | None = None
    per_person: Cap | None = None


@dataclass(frozen=True, slots=True)
class Fairness:
    """How many ordinary hours an hour on call counts for, by when it falls; the highest that applies counts."""

    night: float = 1.0
    weekend: float = 1.0
    holiday: float = 1.0


@dataclass(frozen=True, slots=True)
class Team:
    key: str
    members: tuple[str, ...] = ()
    managers: tuple[str, ...] = ()
    channel: str | None = None
    usergroup: str | None = None
    fallback: tuple[Target, ...] = ()
    fairness: Fairness = Fairness()
    roles: Mapping[Role, tuple[str, ...]] = field(default_factory=dict)  # -> Slack user groups


@dataclass(frozen=True, slots=True)
class Service:
    key: str
    team: str
    policy: str | None = None
    label_values: tuple[str, ...] = ()
    tier: int | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    key: str
    team: str | None
    definition: Definition


@dataclass(frozen=True, slots=True)
class Step:
    """Page `page` once `after` has passed since the round began; `urgency` and `hours` restrict it when set."""

    after: timedelta
    page: tuple[Target, ...]
    urgency: Urgency | None = None
    hours: Hours | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """Who is paged, in which order. `times` is the number of rounds after the first."""

    key: str
    steps: tuple[Step, ...]
    times: int = 0
    every: timedelta = timedelta(minutes=15)
    ack_timeout: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Severity:
    """What a value of the label `severity` means: incident severity, urgency, and when a postmortem is drafted."""

    label: str
    incident: str
    urgency: Urgency
    postmortem: str = "on_request"  # or "draft"


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A route whose alert must keep coming; its silence opens a critical incident."""

    every: timedelta
    grace: timedelta
    policy: str | None = None

    @property
    def patience(self) -> timedelta:
        """So long a silence is none yet."""
        return self.every + self.grace


@dataclass(frozen=True, slots=True)
class Canary:
    """The daily test page: to whom, at which time of day where, and within which time it must arrive."""

    person: str
    at: time
    zone: str
    within: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Route:
    key: str
    match: tuple[Matcher, ...] = ()
    group_by: tuple[str, ...] = ("alertname",)  # ("...",) is every label, as in Alertmanager
    policy: str | None = None
    service_from: tuple[str, ...] = ("service",)
    wait: timedelta = timedelta(0)
    reopen_within: timedelta = timedelta(minutes=15)
    continues: bool = False
    heartbeat: Heartbeat | None = None


@dataclass(frozen=True, slots=True)
class Maintenance:
    """A recurring window of the file in which matching alerts are held back."""

    key: str
    match: tuple[Matcher, ...]
    zone: str
    days: tuple[int, ...]  # ISO weekdays, 1 = Monday
    start: time
    end: time
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """One Alertmanager cluster (or Prometheus): its token names it, its addresses answer for it."""

    key: str
    kind: str = "alertmanager"
    token_sha256: str | None = None  # computed at apply; the token itself is never stored
    token_file: str | None = None
    prometheus: str | None = None
    alertmanager: tuple[str, ...] = ()
    repeat_interval: timedelta = timedelta(hours=4)
    receivers: tuple[str, ...] = ()  # those of Alertmanager that post here; none named: any may


@dataclass(frozen=True, slots=True)
class Calendar:
    """An iCalendar that is read in: somebody's leave (`person`, or each event names one) or covers of a `schedule`.

    Exactly one of `file`, `url` and `url_file` (a file that holds the address) is given.
    """

    key: str
    use: str  # "leave" or "overrides"
    zone: str  # of times that name none
    person: str | None = None
    schedule: str | None = None
    file: str | None = None
    url: str | None = None
    url_file: str | None = None


@dataclass(frozen=True, slots=True)
class Runbooks:
    dir: str | None = None
    link_base: str | None = None
    attach_above: float = 0.62


@dataclass(frozen=True, slots=True)
class Price:
    """Of a million tokens read and a million tokens written, in the currency of `daily_cap`."""

    input: float
    output: float


@dataclass(frozen=True, slots=True)
class Llm:
    """What a model may see and use. `sends` None: every incident that is not private."""

    sends: tuple[str, ...] | None = None
    never_labels: tuple[str, ...] = ()
    daily_cap: str | None = None
    prices: Mapping[str, Price] = field(default_factory=dict)
    tokens_per_draft: int | None = None
    tokens_per_incident: int | None = None


@dataclass(frozen=True, slots=True)
class Defaults:
    zone: str = "UTC"
    channel: str | None = None
    fallback: tuple[Target, ...] = ()
    last_resort: tuple[str, ...] = ()


DEFAULT_SEVERITIES: Mapping[str, Severity] = {
    "critical": Severity("critical", "SEV2", Urgency.HIGH, "draft"),
    "warning": Severity("warning", "SEV4", Urgency.LOW),
    "info": Severity("info", "SEV5", Urgency.NONE),
}
DEFAULT_PERSONAL_RULES: Mapping[Urgency, tuple[PersonalRule, ...]] = {
    Urgency.HIGH: (
        PersonalRule(timedelta(0), "slack"),
        PersonalRule(timedelta(0), "push"),
        PersonalRule(timedelta(minutes=1), "voice"),
        PersonalRule(timedelta(minutes=3), "mail"),
    ),
    Urgency.LOW: (PersonalRule(timedelta(0), "slack"),),
}
RETENTION: Mapping[str, timedelta | None] = {
    "alerts": timedelta(days=90),
    "messages": timedelta(days=365),
    "incidents": None,
    "audit": timedelta(days=3 * 365),
}


@dataclass(frozen=True, slots=True)
class Config:
    """One revision, whole. Built only from a checked document by `core.documents.config_of`."""

    defaults: Defaults = Defaults()
    people: Mapping[str, Person] = field(default_factory=dict)
    personal_rules: Mapping[Urgency, tuple[PersonalRule, ...]] = field(
        default_factory=lambda: DEFAULT_PERSONAL_RULES
    )
    channels: Mapping[str, Channel] = field(default_factory=dict)
    teams: Mapping[str, Team] = field(default_factory=dict)
    services: Mapping[str, Service] = field(default_factory=dict)
    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    policies: Mapping[str, Policy] = field(default_factory=dict)
    severities: Mapping[str, Severity] = field(default_factory=lambda: DEFAULT_SEVERITIES)
    default_severity: str = "critical"
    routes: tuple[Route, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()
    sources: Mapping[str, Source] = field(default_factory=dict)
    runbooks: Runbooks = Runbooks()
    retention: Mapping[str, timedelta | None] = field(default_factory=lambda: RETENTION)
    llm: Llm = Llm()
    canary: Canary | None = None
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    calendar_hosts: tuple[str, ...] = ()  # the only ones a calendar is fetched from
    default_role: Role = Role.RESPONDER  # of whoever neither the file nor a group names more

    @property
    def admins(self) -> list[str]:
        """The keys of the people whose role is admin, as the file orders them."""
        return [key for key, person in self.people.items() if person.role is Role.ADMIN]

    def severity_of(self, labels: Mapping[str, str]) -> Severity:
        """The meaning of the alert's `severity`, compared without case; unlisted or missing is the default."""
        value = labels.get("severity", "").casefold()
        return self.severities.get(value) or self.severities[self.default_severity]

    def team_of_policy(self, policy_key: str) -> str | None:
        """The team a policy pages first, by its services, else by the schedules and teams its steps name."""
        for service in self.services.values():
            if service.policy == policy_key:
                return service.team
        policy = self.policies.get(policy_key)
        for target in (t for step in (policy.steps if policy else ()) for t in step.page):
            if target.kind == "team":
                return target.key
            if target.kind == "schedule" and target.key in self.schedules:
                return self.schedules[target.key].team
        return None
