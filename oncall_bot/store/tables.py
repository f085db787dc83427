"""Every table, once: what is stored, under which keys. The story of each is in docs/reference/tables.md.

Knows columns and unique keys; the partial ones decide who opens what. Refuses to decide anything.
Serves the modules of `store` and the migrations; nobody else imports it. Table models do not validate: core does.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, LargeBinary, MetaData, Text, UniqueConstraint, false, text
from sqlmodel import Field, SQLModel

from oncall_bot.store.types import BigId, Instant, Json, Payload

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
METADATA = MetaData(naming_convention=NAMING)


_WITHOUT_ROWID = {"sqlite_with_rowid": False}
"""On SQLite the key is the table: one tree less to write for rows that are found by their key alone."""


class Table(SQLModel):
    """The base of all tables: one metadata, explicit constraint names."""

    metadata = METADATA


def _id() -> Any:
    return Field(default=None, primary_key=True, sa_type=BigId)


def _ref(table: str, *, null: bool = False, pk: bool = False, index: bool = False) -> Any:
    default = None if null else ...
    return Field(
        default,
        foreign_key=f"{table}.id",
        sa_type=BigId,
        primary_key=pk,
        nullable=null,
        index=index,
    )


def _at(*, null: bool = False, index: bool = False) -> Any:
    return Field(None if null else ..., sa_type=Instant, nullable=null, index=index)


def _json(*, null: bool = False) -> Any:
    return Field(None if null else ..., sa_type=Json, nullable=null)


def _payload() -> Any:
    return Field(..., sa_type=Payload, nullable=False)


def _text(*, null: bool = False, default: Any = ..., index: bool = False) -> Any:
    value = None if null and default is ... else default
    return Field(value, sa_type=Text, nullable=null, index=index)


def _unique_where(name: str, *columns: str, where: str) -> Index:
    return Index(
        name, *columns, unique=True, sqlite_where=text(where), postgresql_where=text(where)
    )


def _index_where(name: str, *columns: str, where: str) -> Index:
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


# --- what is in force ---------------------------------------------------------------------------------------------


class ConfigRevision(Table, table=True):
    __tablename__ = "config_revision"
    id: int | None = _id()
    sha256: str = _text(index=True)
    document: dict[str, Any] = _json()
    applied_by: str = _text()
    applied_at: datetime = _at()


class SnapshotRevision(Table, table=True):
    __tablename__ = "snapshot_revision"
    id: int | None = _id()
    n: int = Field(sa_type=BigId)


class Meta(Table, table=True):
    __tablename__ = "meta"
    id: int | None = _id()
    schema_: str = Field(sa_type=Text, sa_column_kwargs={"name": "schema"})
    min_code: str = _text()
    signing_key: str | None = _text(null=True)
    held_since: datetime | None = _at(null=True)  # after a restore: nothing is sent before `resume`
    file_read: dict[str, Any] | None = _json(null=True)  # digests: unchanged, it is not read again


class _Named(Table):
    id: int | None = _id()
    key: str = Field(sa_type=Text, unique=True)
    revision_id: int | None = Field(default=None, sa_type=BigId, nullable=True)
    archived_at: datetime | None = _at(null=True)


class Team(_Named, table=True):
    __tablename__ = "team"


class Person(_Named, table=True):
    __tablename__ = "person"
    __table_args__ = (
        _unique_where("uq_person_email_known", "email", where="email IS NOT NULL"),
        _unique_where("uq_person_slack_known", "slack_user_id", where="slack_user_id IS NOT NULL"),
    )
    email: str | None = _text(null=True)
    slack_user_id: str | None = _text(null=True)
    forgotten_at: datetime | None = _at(null=True)  # asked to be: the key stands for nobody


class Service(_Named, table=True):
    __tablename__ = "service"


class Schedule(_Named, table=True):
    __tablename__ = "schedule"


class Policy(_Named, table=True):
    __tablename__ = "policy"


class Source(_Named, table=True):
    __tablename__ = "source"
    __table_args__ = (
        _unique_where("uq_source_token_known", "token_hash", where="token_hash IS NOT NULL"),
    )
    token_hash: str | None = _text(null=True)
    answered_at: datetime | None = _at(null=True)  # when all its addresses answered last
    silent_since: datetime | None = _at(null=True)  # since when one of them does not
    silent: str | None = _text(null=True)  # which


class Route(_Named, table=True):
    __tablename__ = "route"


class TeamMember(Table, table=True):
    __tablename__ = "team_member"
    team_id: int = _ref("team", pk=True)
    person_id: int = _ref("person", pk=True)
    role: str = _text()


class ContactMethod(Table, table=True):
    __tablename__ = "contact_method"
    __table_args__ = (UniqueConstraint("person_id", "kind", "address"),)
    id: int | None = _id()
    person_id: int = _ref("person")
    kind: str = _text()
    address: str = _text()
    code_sha256: str | None = _text(null=True)
    code_sent_at: datetime | None = _at(null=True)
    code_tries: int = Field(default=0)
    verified_at: datetime | None = _at(null=True)
    disabled_at: datetime | None = _at(null=True)  # its provider says that it will never work


class RoadHealth(Table, table=True):
    """How one person's road did last: a contact of their own (`c12`) or one of the file (`file:push`)."""

    __tablename__ = "road_health"
    person_id: int = _ref("person", pk=True)
    contact: str = Field(primary_key=True, sa_type=Text)
    address: str = _text()  # what is said of it counts for this address alone
    worked_at: datetime | None = _at(null=True)
    failed_at: datetime | None = _at(null=True)
    why: str | None = _text(null=True)
    disabled_at: datetime | None = _at(null=True)


class QuietHours(Table, table=True):
    """When a person's pages of low urgency wait; wall times, `days` are ISO weekdays on which it begins."""

    __tablename__ = "quiet_hours"
    person_id: int = _ref("person", pk=True)
    starts: str = _text()  # 22:00
    ends: str = _text()  # 07:00: the next day when it is not later
    days: list[Any] = _json()
    zone: str = _text()


class Away(Table, table=True):
    """A person's holiday: cover was asked for first; who is away is left out of what pages a whole team."""

    __tablename__ = "away"
    id: int | None = _id()
    person_id: int = _ref("person", index=True)
    starts_at: datetime = _at()
    ends_at: datetime = _at(index=True)
    note: str = _text()
    created_at: datetime = _at()
    ended_at: datetime | None = _at(null=True)


class TeamGrant(Table, table=True):
    """What a Slack user group makes somebody in a team, as Slack told it last."""

    __tablename__ = "team_grant"
    team: str = Field(primary_key=True, sa_type=Text)
    slack_user_id: str = Field(primary_key=True, sa_type=Text)
    role: str = _text()
    usergroup: str = _text()
    seen_at: datetime = _at()


class NotifyRule(Table, table=True):
    __tablename__ = "notify_rule"
    __table_args__ = (UniqueConstraint("person_id", "urgency", "position"),)
    id: int | None = _id()
    person_id: int = _ref("person")
    urgency: str = _text()
    position: int
    after_s: int
    by: str = _text()
    contact_id: int | None = _ref("contact_method", null=True)


class ScheduleVersion(Table, table=True):
    __tablename__ = "schedule_version"
    __table_args__ = (UniqueConstraint("schedule_id", "effective_from"),)
    id: int | None = _id()
    schedule_id: int = _ref("schedule")
    effective_from: datetime = _at()
    definition: dict[str, Any] = _json()


class Override(Table, table=True):
    __tablename__ = "override"
    id: int | None = _id()
    schedule_id: int = _ref("schedule", index=True)
    starts_at: datetime = _at()
    ends_at: datetime = _at()
    person_id: int | None = _ref("person", null=True)
    replaces_id: int | None = _ref("person", null=True)
    swap_id: int | None = Field(default=None, sa_type=BigId, nullable=True)
    created_by: str = _text()
    created_at: datetime = _at()
    cancelled_at: datetime | None = _at(null=True)


class CoverRequest(Table, table=True):
    """Somebody asks others to take a shift (`cover`), or to change shifts with one of theirs (`swap`)."""

    __tablename__ = "cover_request"
    __table_args__ = (
        _index_where("ix_cover_request_open", "starts_at", where="state = 'open'"),
        Index("ix_cover_request_asker", "asker_id", "ends_at"),
    )
    id: int | None = _id()
    kind: str = _text()
    asker_id: int = _ref("person")
    schedule_id: int = _ref("schedule")
    starts_at: datetime = _at()
    ends_at: datetime = _at()
    back_schedule_id: int | None = _ref("schedule", null=True)  # of a swap: what the asker takes
    back_starts_at: datetime | None = _at(null=True)
    back_ends_at: datetime | None = _at(null=True)
    note: str = _text()
    state: str = _text()
    expires_at: datetime = _at()
    taken_by_id: int | None = _ref("person", null=True)
    message_id: int | None = _ref("slack_message", null=True)  # the asker's, edited in place
    created_at: datetime = _at()
    closed_at: datetime | None = _at(null=True)


class CoverAsk(Table, table=True):
    """One person a cover request was put to, and what they answered."""

    __tablename__ = "cover_ask"
    __table_args__ = (Index("ix_cover_ask_person", "person_id", "request_id"),)
    request_id: int = _ref("cover_request", pk=True)
    person_id: int = _ref("person", pk=True)
    answer: str | None = _text(null=True)
    answered_at: datetime | None = _at(null=True)
    message_id: int | None = _ref("slack_message", null=True)


class ShiftReminder(Table, table=True):
    """So long before each shift of theirs a person wants to be reminded; people own these."""

    __tablename__ = "shift_reminder"
    person_id: int = _ref("person", pk=True)
    before_s: int = Field(primary_key=True)


class UserGroup(Table, table=True):
    """What was last put into a team's Slack user group, and why it could not be kept in step, when so."""

    __tablename__ = "user_group"
    team: str = Field(primary_key=True, sa_type=Text)
    handle: str = _text()
    members: list[Any] = _json()
    tried_at: datetime | None = _at(null=True)
    failing_since: datetime | None = _at(null=True)
    problem: str | None = _text(null=True)


class ShiftLog(Table, table=True):
    __tablename__ = "shift_log"
    __table_args__ = (UniqueConstraint("schedule_id", "starts_at"),)
    id: int | None = _id()
    schedule_id: int = _ref("schedule")
    starts_at: datetime = _at()
    ends_at: datetime | None = _at(null=True)
    person_id: int | None = _ref("person", null=True)


class CalendarRead(Table, table=True):
    """What became of the last reading of each calendar of the file: the last good one stays in force."""

    __tablename__ = "calendar_read"
    key: str = Field(primary_key=True, sa_type=Text)
    read_at: datetime = _at()
    good_at: datetime | None = _at(null=True)
    sha256: str = _text(default="")
    fault: str | None = _text(null=True)
    notes: list[Any] = _json()


class Leave(Table, table=True):
    """When somebody is away, as a calendar says. It pages nobody and un-pages nobody."""

    __tablename__ = "leave"
    __table_args__ = (UniqueConstraint("calendar", "person", "starts_at", "ends_at"),)
    id: int | None = _id()
    calendar: str = _text()
    person: str = _text()
    starts_at: datetime = _at()
    ends_at: datetime = _at()


class PublishedShift(Table, table=True):
    """A shift as calendars outside were last told of it: what SEQUENCE and LAST-MODIFIED count from."""

    __tablename__ = "published_shift"
    schedule_id: int = _ref("schedule", pk=True)
    starts_at: datetime = Field(primary_key=True, sa_type=Instant)
    ends_at: datetime = _at()
    person: str | None = _text(null=True)  # None: taken out again
    sequence: int = Field(default=0)
    modified_at: datetime = _at()


class CoverageWarning(Table, table=True):
    """A fault of a schedule that its owner was told of, so that it is told once."""

    __tablename__ = "coverage_warning"
    key: str = Field(primary_key=True, sa_type=Text)
    ends_at: datetime = _at(index=True)
    warned_at: datetime = _at()


class PolicyVersion(Table, table=True):
    __tablename__ = "policy_version"
    __table_args__ = (UniqueConstraint("policy_id", "sha256"),)
    id: int | None = _id()
    policy_id: int = _ref("policy")
    sha256: str = _text()
    definition: dict[str, Any] = _json()


# --- what was told ------------------------------------------------------------------------------------------------


class Alert(Table, table=True):
    __tablename__ = "alert"
    __table_args__ = (UniqueConstraint("source_id", "fingerprint"),)
    id: int | None = _id()
    source_id: int = _ref("source")
    fingerprint: str = _text()
    name: str = _text(index=True)
    rule_key: str = _text()
    labels: dict[str, Any] = _json()
    occurrence_id: int | None = Field(default=None, sa_type=BigId, nullable=True)


class Occurrence(Table, table=True):
    __tablename__ = "occurrence"
    __table_args__ = (
        UniqueConstraint("alert_id", "starts_at"),
        _unique_where("uq_occurrence_open", "alert_id", where="ended_at IS NULL"),
        _index_where(
            "ix_occurrence_muted", "muted_by", where="muted_by IS NOT NULL AND ended_at IS NULL"
        ),
        _index_where("ix_occurrence_doubted", "doubted_at", where="doubted_at IS NOT NULL"),
    )
    id: int | None = _id()
    alert_id: int = _ref("alert")
    starts_at: datetime = _at()
    opened_at: datetime = _at()
    ended_at: datetime | None = _at(null=True)
    ended_by: str | None = _text(null=True)
    end_reason: str | None = _text(null=True)
    last_seen_at: datetime = _at()
    doubted_at: datetime | None = _at(null=True)
    missing_since: datetime | None = _at(null=True)
    missing_lists: int = Field(default=0)
    expires_at: datetime | None = _at(null=True)
    annotations: dict[str, Any] = _json()
    muted_by: str | None = _text(null=True)
    expression: str | None = _text(null=True)  # of its rule, out of generatorURL


class UnreadableBody(Table, table=True):
    __tablename__ = "unreadable"
    __table_args__ = (UniqueConstraint("source_id", "sha256"),)
    id: int | None = _id()
    source_id: int = _ref("source")
    sha256: str = _text()
    body: bytes = Field(sa_type=LargeBinary)
    reason: str = _text()
    first_at: datetime = _at()
    last_at: datetime = _at()
    incident_id: int | None = _ref("incident", null=True)


class AlertGroup(Table, table=True):
    __tablename__ = "alert_group"
    __table_args__ = (
        _unique_where(
            "uq_alert_group_open", "source_id", "route_key", "group_key", where="closed_at IS NULL"
        ),
        Index("ix_alert_group_recent", "source_id", "route_key", "group_key", "closed_at"),
        Index("ix_alert_group_team", "team", "opened_at"),
        _index_where("ix_alert_group_uncounted", "incident_id", where="counted_to IS NOT NULL"),
    )
    id: int | None = _id()
    source_id: int = _ref("source")
    route_key: str = _text()
    group_key: str = _text()
    team: str = _text(default="")
    loud: bool = Field(default=True)
    incident_id: int | None = _ref("incident", null=True, index=True)
    opened_at: datetime = _at()
    closed_at: datetime | None = _at(null=True)
    firing: int = Field(default=0)
    counted_to: int | None = Field(default=None, sa_type=BigId, nullable=True)
    """Members after this occurrence are counted later (flows/telling.py); NULL: all are counted."""


class GroupMember(Table, table=True):
    __tablename__ = "group_member"
    __table_args__ = (_WITHOUT_ROWID,)
    group_id: int = _ref("alert_group", pk=True)
    occurrence_id: int = _ref("occurrence", pk=True, index=True)


class InboundSeen(Table, table=True):
    __tablename__ = "inbound_seen"
    __table_args__ = (_WITHOUT_ROWID,)
    origin: str = Field(primary_key=True, sa_type=Text)
    event_id: str = Field(primary_key=True, sa_type=Text)
    seen_at: datetime = _at(index=True)


class Silence(Table, table=True):
    __tablename__ = "silence"
    __table_args__ = (
        _unique_where(
            "uq_silence_external", "source_id", "external_id", where="external_id IS NOT NULL"
        ),
    )
    id: int | None = _id()
    source_id: int | None = _ref("source", null=True)
    incident_id: int | None = Field(default=None, sa_type=BigId, nullable=True)
    matchers: list[Any] = _json()
    starts_at: datetime = _at()
    ends_at: datetime = _at(index=True)
    created_by: str = _text()
    created_by_name: str = _text()
    comment: str = _text()
    external_id: str | None = _text(null=True)
    cancelled_at: datetime | None = _at(null=True)


# --- what people work on ------------------------------------------------------------------------------------------


class Incident(Table, table=True):
    __tablename__ = "incident"
    __table_args__ = (
        _index_where(
            "ix_incident_open", "status", where="status IN ('open', 'acked', 'mitigated')"
        ),
        _index_where("ix_incident_silenced", "silence_id", where="silence_id IS NOT NULL"),
        Index("ix_incident_team", "team", "opened_at"),
        _unique_where("uq_incident_press", "press_id", where="press_id IS NOT NULL"),
    )
    id: int | None = _id()
    origin: str = _text()
    status: str = _text()
    title: str = _text()
    severity: str = _text()
    urgency: str = _text()
    postmortem: str = _text(default="on_request")
    team: str | None = _text(null=True)
    service: str | None = _text(null=True)
    channel: str | None = _text(null=True)
    opened_at: datetime = _at()
    declared_at: datetime | None = _at(null=True)
    declared_by: str | None = _text(null=True)
    acked_at: datetime | None = _at(null=True)
    acked_by: str | None = _text(null=True)
    acked_by_name: str | None = _text(null=True)
    mitigated_at: datetime | None = _at(null=True)
    resolved_at: datetime | None = _at(null=True)
    resolved_by: str | None = _text(null=True)
    resolved_by_name: str | None = _text(null=True)
    commander: str | None = _text(null=True)
    private: bool = Field(default=False)
    merged_into_id: int | None = _ref("incident", null=True)
    silence_id: int | None = _ref("silence", null=True)
    nobody: str | None = _text(null=True)
    firing: int = Field(default=0)
    held: int = Field(default=0)
    alerts_ever: int = Field(default=0)
    reopened: int = Field(default=0)
    first_alert: str | None = _text(null=True)
    press_id: str | None = _text(null=True)
    updated_at: datetime = _at()
    next_seq: int = Field(default=1)
    untold: dict[str, Any] | None = _json(null=True)
    told_at: datetime | None = _at(null=True)
    not_heard_since: datetime | None = _at(null=True)


class IncidentEvent(Table, table=True):
    __tablename__ = "incident_event"
    __table_args__ = (
        _unique_where(
            "uq_incident_event_ref", "incident_id", "source_ref", where="source_ref IS NOT NULL"
        ),
        _index_where("ix_incident_event_source_ref", "source_ref", where="source_ref IS NOT NULL"),
        _WITHOUT_ROWID,
    )
    incident_id: int = _ref("incident", pk=True)
    seq: int = Field(primary_key=True)
    at: datetime = _at()
    recorded_at: datetime = _at()
    kind: str = _text()
    actor: str = _text()
    actor_name: str = _text()
    trust: str = _text()
    standing: str = _text()
    text: str = _text()
    data: dict[str, Any] = _json()
    source_ref: str | None = _text(null=True)
    redacted_at: datetime | None = _at(null=True)


class PageRun(Table, table=True):
    __tablename__ = "page_run"
    __table_args__ = (
        _unique_where("uq_page_run_open", "incident_id", "policy_key", where="state <> 'done'"),
    )
    id: int | None = _id()
    incident_id: int = _ref("incident", index=True)
    policy_key: str = _text()
    policy_version_id: int | None = _ref("policy_version", null=True)
    targets: list[Any] | None = _json(
        null=True
    )  # a page by hand: whom it asks, instead of a policy
    state: str = _text()
    epoch: int = Field(default=1)
    round: int = Field(default=0)
    step: int = Field(default=0)
    round_started_at: datetime | None = _at(null=True)
    acked_by: str | None = _text(null=True)
    last_paged_at: datetime | None = _at(null=True)
    reason: str = _text(default="")
    stage: str = Field(
        default="step", sa_type=Text, sa_column_kwargs={"server_default": "step"}
    )  # step, again, fallback, last_resort


class Page(Table, table=True):
    __tablename__ = "page"
    __table_args__ = (
        UniqueConstraint("run_id", "epoch", "round", "step", "target"),
        _index_where("ix_page_bundle", "bundle_id", where="bundle_id IS NOT NULL"),
        Index("ix_page_person", "person", "decided_at"),
    )
    id: int | None = _id()
    run_id: int = _ref("page_run")
    incident_id: int = _ref("incident", index=True)
    epoch: int
    round: int
    step: int
    target: str = _text()
    person: str | None = _text(null=True)
    bundle_id: int | None = Field(
        default=None, sa_type=BigId, nullable=True
    )  # the slack_message that shows it among others
    reason: dict[str, Any] = _json()
    decided_at: datetime = _at()
    answered_at: datetime | None = _at(null=True)
    answered_by: str | None = _text(null=True)


class Timer(Table, table=True):
    __tablename__ = "timer"
    __table_args__ = (_index_where("ix_timer_due", "due_at", where="state = 'pending'"),)
    id: int | None = _id()
    kind: str = _text()
    subject: str = _text(index=True)
    due_at: datetime = _at()
    state: str = _text(default="pending")
    data: dict[str, Any] = _payload()
    attempts: int = Field(default=0)
    last_error: str | None = _text(null=True)
    done_at: datetime | None = _at(null=True)
    dedupe_key: str = Field(sa_type=Text, unique=True)


class Outbox(Table, table=True):
    __tablename__ = "outbox"
    __table_args__ = (
        _index_where("ix_outbox_due", "next_attempt_at", where="state = 'pending'"),
        _index_where("ix_outbox_sending", "lease_until", where="state = 'sending'"),
        _index_where("ix_outbox_dead", "done_at", where="state = 'dead'"),
        Index("ix_outbox_page", "page_id"),
        Index("ix_outbox_incident", "incident_id", "kind"),
        _index_where(
            "ix_outbox_rung",
            "destination",
            "done_at",
            where="state = 'sent' AND page_id IS NOT NULL",
        ),
        _index_where(
            "ix_outbox_held", "destination", where="state = 'pending' AND held IS NOT NULL"
        ),
        _index_where("ix_outbox_bundle", "bundle_id", where="bundle_id IS NOT NULL"),
        _index_where("ix_outbox_done", "done_at", where="page_id IS NULL AND done_at IS NOT NULL"),
    )
    id: int | None = _id()
    lane: int
    kind: str = _text()
    destination: str = _text()
    page_id: int | None = _ref("page", null=True)
    incident_id: int | None = _ref("incident", null=True)
    epoch: int | None = Field(default=None)
    payload: dict[str, Any] = _payload()
    generation: int = Field(default=0)
    state: str = _text(default="pending")
    created_at: datetime = _at()
    next_attempt_at: datetime = _at()
    first_tried_at: datetime | None = _at(null=True)
    attempts: int = Field(default=0)
    failures: int = Field(default=0)  # permanent errors and crashes: only these lead to `dead`
    lease_owner: str | None = _text(null=True)
    lease_until: datetime | None = _at(null=True)
    provider_id: str | None = _text(null=True)
    last_error: str | None = _text(null=True)
    done_at: datetime | None = _at(null=True)
    dedupe_key: str = Field(sa_type=Text, unique=True)
    due_at: datetime | None = _at(
        null=True
    )  # when it was first meant to go; null: when it was made
    bundle_id: int | None = Field(default=None, sa_type=BigId, nullable=True)  # who carries a page
    held: str | None = _text(null=True)  # why a page waits for others of its person


class Destination(Table, table=True):
    __tablename__ = "destination"
    key: str = Field(primary_key=True, sa_type=Text)
    not_before: datetime | None = _at(null=True)
    lease_owner: str | None = _text(null=True)
    lease_until: datetime | None = _at(null=True)
    failing_since: datetime | None = _at(null=True)


class Delivery(Table, table=True):
    __tablename__ = "delivery"
    outbox_id: int = _ref("outbox", pk=True)
    attempt: int = Field(primary_key=True)
    at: datetime = _at()
    outcome: str = _text()
    provider_answer: str | None = _text(null=True)


class Receipt(Table, table=True):
    """What a provider told of a message after it took it: each state once, whatever order they come in."""

    __tablename__ = "receipt"
    outbox_id: int = _ref("outbox", pk=True)
    state: str = Field(primary_key=True, sa_type=Text)  # delivered, rang, answered, failed
    at: datetime = _at()
    why: str | None = _text(null=True)


class SlackMessage(Table, table=True):
    __tablename__ = "slack_message"
    __table_args__ = (
        Index("ix_slack_message_incident", "incident_id"),
        _unique_where(
            "uq_slack_message_role",
            "incident_id",
            "role",
            "channel",
            where="incident_id IS NOT NULL AND page_id IS NULL",
        ),
        _unique_where("uq_slack_message_page", "page_id", "channel", where="page_id IS NOT NULL"),
        _unique_where("uq_slack_message_ts", "channel_id", "ts", where="ts IS NOT NULL"),
    )
    id: int | None = _id()
    incident_id: int | None = _ref("incident", null=True)
    page_id: int | None = _ref("page", null=True)
    role: str = _text()
    channel: str = _text()  # as named by the file, or a user id
    channel_id: str | None = _text(null=True)  # as Slack answered
    ts: str | None = _text(null=True)
    generation: int = Field(default=0)
    rendered_generation: int = Field(default=0)
    queued: bool = Field(
        default=False
    )  # an edit waits in the outbox and will show the latest state
    rendered_at: datetime | None = _at(null=True)
    rendered_sha256: str | None = _text(null=True)


# --- what is known ------------------------------------------------------------------------------------------------


class Runbook(Table, table=True):
    __tablename__ = "runbook"
    __table_args__ = (UniqueConstraint("source", "slug"),)
    id: int | None = _id()
    source: str = _text()
    slug: str = _text()
    version_id: int | None = Field(default=None, sa_type=BigId, nullable=True)
    archived_at: datetime | None = _at(null=True)
    searched_id: int | None = Field(default=None, sa_type=BigId, nullable=True)


class RunbookVersion(Table, table=True):
    __tablename__ = "runbook_version"
    __table_args__ = (UniqueConstraint("runbook_id", "n"), UniqueConstraint("runbook_id", "sha256"))
    id: int | None = _id()
    runbook_id: int = _ref("runbook")
    n: int
    sha256: str = _text()
    text: str = _text()
    document: dict[str, Any] = (
        _json()
    )  # title, matchers, aliases ...: what core.runbooks decides on
    imported_at: datetime = _at()
    page: dict[str, Any] | None = _json(null=True)  # what core.search knows of it


class Section(Table, table=True):
    __tablename__ = "section"
    __table_args__ = (UniqueConstraint("runbook_version_id", "n"),)
    id: int | None = _id()
    runbook_version_id: int = _ref("runbook_version")
    n: int
    heading: str = _text()
    text: str = _text()


class Posting(Table, table=True):
    """The words of the runbooks in force, and of no other version."""

    __tablename__ = "posting"
    __table_args__ = (Index("ix_posting_holders", "term", "runbook_id", "tf"),)
    term: str = Field(primary_key=True, sa_type=Text)
    section_id: int = _ref("section", pk=True)
    tf: int
    runbook_id: int | None = Field(default=None, sa_type=BigId, nullable=True, index=True)


class Term(Table, table=True):
    """In how many runbooks in force a word stands: counted when they change, not when somebody asks."""

    __tablename__ = "term"
    term: str = Field(primary_key=True, sa_type=Text)
    runbooks: int


class RunbookVerdict(Table, table=True):
    __tablename__ = "runbook_verdict"
    __table_args__ = (UniqueConstraint("rule_key", "runbook_id", "person"),)
    id: int | None = _id()
    rule_key: str = _text()
    runbook_id: int = _ref("runbook")
    person: str = _text()
    verdict: str = _text()
    at: datetime = _at()
    name: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": ""})


class RunbookMatch(Table, table=True):
    __tablename__ = "runbook_match"
    __table_args__ = (UniqueConstraint("group_id", "runbook_id"),)
    id: int | None = _id()
    group_id: int = _ref("alert_group")
    incident_id: int | None = _ref("incident", null=True, index=True)
    runbook_id: int = _ref("runbook")
    how: str = _text()
    score: float
    why: str = _text()
    standing: str = Field(
        default="attached", sa_type=Text, sa_column_kwargs={"server_default": "attached"}
    )  # attached, possible, withdrawn


class Draft(Table, table=True):
    __tablename__ = "draft"
    __table_args__ = (UniqueConstraint("incident_id", "kind", "n"),)
    id: int | None = _id()
    incident_id: int = _ref("incident")
    kind: str = _text()
    n: int
    facts: dict[str, Any] = _json()
    markdown: str = _text()
    state: str = _text()
    asked_by: str | None = _text(null=True)
    created_at: datetime = _at()
    checks: dict[str, Any] | None = _json(null=True)  # sentences that wait for a person
    suggested: str | None = _text(null=True)  # the text before somebody edited it
    decided_at: datetime | None = _at(null=True)
    decided_by: str | None = _text(null=True)
    decided_by_name: str | None = _text(null=True)


class IncidentLook(Table, table=True):
    """When somebody last asked to be caught up."""

    __tablename__ = "incident_look"
    incident_id: int = _ref("incident", pk=True)
    actor: str = Field(sa_type=Text, primary_key=True)
    looked_at: datetime = _at()


class IncidentPicture(Table, table=True):
    """The latest picture of an incident; `asked` counts, so that only the last one asked for is drawn."""

    __tablename__ = "incident_picture"
    incident_id: int = _ref("incident", pk=True)
    asked: int = Field(default=0)
    file_id: str | None = _text(null=True)
    alt: str = _text(default="")
    sentence: str = _text(default="")
    fault: str | None = _text(null=True)
    drawn_at: datetime | None = _at(null=True)


class Conversation(Table, table=True):
    """What a conversation in Slack is about: ids, never words; forgotten after half an hour."""

    __tablename__ = "conversation"
    __table_args__ = (_WITHOUT_ROWID,)
    key: str = Field(sa_type=Text, primary_key=True)  # channel and thread
    about: dict[str, Any] = _json()
    said_at: datetime = _at(index=True)


class LlmCall(Table, table=True):
    __tablename__ = "llm_call"
    id: int | None = _id()
    draft_id: int | None = _ref("draft", null=True)
    at: datetime = _at(index=True)
    model: str = _text()
    tokens: int = Field(default=0)
    cost: float = Field(default=0.0)
    prompt_hash: str = _text()
    outcome: str = _text()
    incident_id: int | None = Field(default=None, sa_type=BigId, nullable=True, index=True)
    purpose: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": ""})
    prompt_tokens: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    completion_tokens: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    ms: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    redactions: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    estimated: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    kept: int | None = Field(default=None)
    marked: int | None = Field(default=None)
    dropped: int | None = Field(default=None)


class Audit(Table, table=True):
    __tablename__ = "audit"
    __table_args__ = (
        Index("ix_audit_object", "object", "id"),
        Index("ix_audit_actor", "actor", "id"),
    )
    id: int | None = _id()
    at: datetime = _at(index=True)
    actor: str = _text()
    verb: str = _text()
    object: str = _text()
    before: dict[str, Any] | None = _json(null=True)
    after: dict[str, Any] | None = _json(null=True)
    refused: bool = Field(default=False)


class ApiToken(Table, table=True):
    __tablename__ = "api_token"
    id: int | None = _id()
    name: str = _text()
    hash: str = Field(sa_type=Text, unique=True)
    prefix: str = _text()
    scope: str = _text()
    created_at: datetime = _at()
    expires_at: datetime | None = _at(null=True)
    used_at: datetime | None = _at(null=True)
    revoked_at: datetime | None = _at(null=True)
    person: str | None = _text(null=True, index=True)  # whose calendar link it is, by key


class SignInLink(Table, table=True):
    __tablename__ = "sign_in_link"
    id: int | None = _id()
    token_sha256: str = Field(sa_type=Text, unique=True)
    actor: str = _text(index=True)
    name: str = _text()
    created_at: datetime = _at()
    expires_at: datetime = _at(index=True)
    used_at: datetime | None = _at(null=True)


class WebSession(Table, table=True):
    __tablename__ = "web_session"
    id: int | None = _id()
    token_sha256: str = Field(sa_type=Text, unique=True)
    actor: str = _text(index=True)
    name: str = _text()
    created_at: datetime = _at()
    expires_at: datetime = _at(index=True)
    ended_at: datetime | None = _at(null=True)


class Process(Table, table=True):
    __tablename__ = "process"
    instance: str = Field(primary_key=True, sa_type=Text)
    beat_at: datetime = _at()
    started_at: datetime = _at()
    version: str = _text()
    revision: int | None = Field(default=None)


class Lease(Table, table=True):
    __tablename__ = "lease"
    name: str = Field(primary_key=True, sa_type=Text)
    owner: str = _text()
    until: datetime = _at()
