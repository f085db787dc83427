"""The first schema: every table, its keys, and the partial unique keys that decide who opens what.

Revision 0001. A migration is never changed once released, and imports nothing of ours: its types are its own.
Constraint names follow the convention of `oncall_bot.store.tables`.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

INSTANT = sa.BigInteger().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")
JSON_ = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# In the order of creation: whoever refers comes after what it refers to.
TABLES = (
    "api_token",
    "audit",
    "config_revision",
    "destination",
    "inbound_seen",
    "lease",
    "meta",
    "person",
    "policy",
    "process",
    "route",
    "runbook",
    "schedule",
    "service",
    "snapshot_revision",
    "source",
    "team",
    "timer",
    "alert",
    "contact_method",
    "override",
    "policy_version",
    "runbook_verdict",
    "runbook_version",
    "schedule_version",
    "shift_log",
    "silence",
    "team_member",
    "incident",
    "notify_rule",
    "occurrence",
    "section",
    "alert_group",
    "draft",
    "incident_event",
    "page_run",
    "posting",
    "unreadable",
    "group_member",
    "llm_call",
    "page",
    "runbook_match",
    "outbox",
    "slack_message",
    "delivery",
)


def where(condition: str) -> dict[str, Any]:
    """The same condition for a partial index on both engines."""
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    op.create_table(
        "api_token",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=True),
        sa.Column("used_at", INSTANT, nullable=True),
        sa.Column("revoked_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_api_token"),
        sa.UniqueConstraint("hash", name="uq_api_token_hash"),
    )
    op.create_table(
        "audit",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("before", JSON_, nullable=True),
        sa.Column("after", JSON_, nullable=True),
        sa.Column("refused", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_at", "audit", ["at"])
    op.create_table(
        "config_revision",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("document", JSON_, nullable=False),
        sa.Column("applied_by", sa.Text(), nullable=False),
        sa.Column("applied_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_config_revision"),
    )
    op.create_index("ix_config_revision_sha256", "config_revision", ["sha256"])
    op.create_table(
        "destination",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("not_before", INSTANT, nullable=True),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("lease_until", INSTANT, nullable=True),
        sa.Column("failing_since", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("key", name="pk_destination"),
    )
    op.create_table(
        "inbound_seen",
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("origin", "event_id", name="pk_inbound_seen"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_inbound_seen_seen_at", "inbound_seen", ["seen_at"])
    op.create_table(
        "lease",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("until", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_lease"),
    )
    op.create_table(
        "meta",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("schema", sa.Text(), nullable=False),
        sa.Column("min_code", sa.Text(), nullable=False),
        sa.Column("signing_key", sa.Text(), nullable=True),
        sa.Column("held_since", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_meta"),
    )
    op.create_table(
        "person",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("revision_id", BIG_ID, nullable=True),
        sa.Column("archived_at", INSTANT, nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("slack_user_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_person"),
        sa.UniqueConstraint("key", name="uq_person_key"),
    )
    op.create_index(
        "uq_person_email_known", "person", ["email"], unique=True, **where("email IS NOT NULL")
    )
    op.create_index(
        "uq_person_slack_known",
        "person",
        ["slack_user_id"],
        unique=True,
        **where("slack_user_id IS NOT NULL"),
    )
    op.create_table(
        "policy",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("revision_id", BIG_ID, nullable=True),
        sa.Column("archived_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_policy"),
        sa.UniqueConstraint("key", name="uq_policy_key"),
    )
    op.create_table(
        "process",
        sa.Column("instance", sa.Text(), nullable=False),
        sa.Column("beat_at", INSTANT, nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("instance", name="pk_process"),
    )
    op.create_table(
        "route",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("revision_id", BIG_ID, nullable=True),
        sa.Column("archived_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_route"),
        sa.UniqueConstraint("key", name="uq_route_key"),
    )
    op.create_table(
        "runbook",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("version_id", BIG_ID, nullable=True),
        sa.Column("archived_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_runbook"),
        sa.UniqueConstraint("source", "slug", name="uq_runbook_source_slug"),
    )
    op.create_table(
        "schedule",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("revision_id", BIG_ID, nullable=True),
        sa.Column("archived_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_schedule"),
        sa.UniqueConstraint("key", name="uq_schedule_key"),
    )
    op.create_table(
        "service",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("revision_id", BIG_ID, nullable=True),
        sa.Column("archived_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_service"),
        sa.UniqueConstraint("key", name="uq_service_key"),
    )
    op.create_table(
        "snapshot_revision",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("n", BIG_ID, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_snapshot_revision"),
    )
    op.create_table(
        "source",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("revision_id", BIG_ID, nullable=True),
        sa.Column("archived_at", INSTANT, nullable=True),
        sa.Column("token_hash", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_source"),
        sa.UniqueConstraint("key", name="uq_source_key"),
    )
    op.create_index(
        "uq_source_token_known",
        "source",
        ["token_hash"],
        unique=True,
        **where("token_hash IS NOT NULL"),
    )
    op.create_table(
        "team",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("revision_id", BIG_ID, nullable=True),
        sa.Column("archived_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_team"),
        sa.UniqueConstraint("key", name="uq_team_key"),
    )
    op.create_table(
        "timer",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("data", JSON_, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("done_at", INSTANT, nullable=True),
        sa.Column("dedupe_key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_timer"),
        sa.UniqueConstraint("dedupe_key", name="uq_timer_dedupe_key"),
    )
    op.create_index("ix_timer_due", "timer", ["due_at"], **where("state = 'pending'"))
    op.create_index("ix_timer_subject", "timer", ["subject"])
    op.create_table(
        "alert",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("source_id", BIG_ID, nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("rule_key", sa.Text(), nullable=False),
        sa.Column("labels", JSON_, nullable=False),
        sa.Column("occurrence_id", BIG_ID, nullable=True),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name="fk_alert_source_id"),
        sa.PrimaryKeyConstraint("id", name="pk_alert"),
        sa.UniqueConstraint("source_id", "fingerprint", name="uq_alert_source_id_fingerprint"),
    )
    op.create_table(
        "contact_method",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("person_id", BIG_ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("code_sha256", sa.Text(), nullable=True),
        sa.Column("code_sent_at", INSTANT, nullable=True),
        sa.Column("code_tries", sa.Integer(), nullable=False),
        sa.Column("verified_at", INSTANT, nullable=True),
        sa.Column("disabled_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_contact_method_person_id"),
        sa.PrimaryKeyConstraint("id", name="pk_contact_method"),
        sa.UniqueConstraint(
            "person_id", "kind", "address", name="uq_contact_method_person_id_kind_address"
        ),
    )
    op.create_table(
        "override",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("schedule_id", BIG_ID, nullable=False),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.Column("person_id", BIG_ID, nullable=True),
        sa.Column("replaces_id", BIG_ID, nullable=True),
        sa.Column("swap_id", BIG_ID, nullable=True),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("cancelled_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_override_person_id"),
        sa.ForeignKeyConstraint(["replaces_id"], ["person.id"], name="fk_override_replaces_id"),
        sa.ForeignKeyConstraint(["schedule_id"], ["schedule.id"], name="fk_override_schedule_id"),
        sa.PrimaryKeyConstraint("id", name="pk_override"),
    )
    op.create_index("ix_override_schedule_id", "override", ["schedule_id"])
    op.create_table(
        "policy_version",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("policy_id", BIG_ID, nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("definition", JSON_, nullable=False),
        sa.ForeignKeyConstraint(["policy_id"], ["policy.id"], name="fk_policy_version_policy_id"),
        sa.PrimaryKeyConstraint("id", name="pk_policy_version"),
        sa.UniqueConstraint("policy_id", "sha256", name="uq_policy_version_policy_id_sha256"),
    )
    op.create_table(
        "runbook_verdict",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("rule_key", sa.Text(), nullable=False),
        sa.Column("runbook_id", BIG_ID, nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["runbook_id"], ["runbook.id"], name="fk_runbook_verdict_runbook_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_runbook_verdict"),
        sa.UniqueConstraint(
            "rule_key", "runbook_id", "person", name="uq_runbook_verdict_rule_key_runbook_id_person"
        ),
    )
    op.create_table(
        "runbook_version",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("runbook_id", BIG_ID, nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("document", JSON_, nullable=False),
        sa.Column("imported_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["runbook_id"], ["runbook.id"], name="fk_runbook_version_runbook_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_runbook_version"),
        sa.UniqueConstraint("runbook_id", "n", name="uq_runbook_version_runbook_id_n"),
        sa.UniqueConstraint("runbook_id", "sha256", name="uq_runbook_version_runbook_id_sha256"),
    )
    op.create_table(
        "schedule_version",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("schedule_id", BIG_ID, nullable=False),
        sa.Column("effective_from", INSTANT, nullable=False),
        sa.Column("definition", JSON_, nullable=False),
        sa.ForeignKeyConstraint(
            ["schedule_id"], ["schedule.id"], name="fk_schedule_version_schedule_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_schedule_version"),
        sa.UniqueConstraint(
            "schedule_id", "effective_from", name="uq_schedule_version_schedule_id_effective_from"
        ),
    )
    op.create_table(
        "shift_log",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("schedule_id", BIG_ID, nullable=False),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=True),
        sa.Column("person_id", BIG_ID, nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_shift_log_person_id"),
        sa.ForeignKeyConstraint(["schedule_id"], ["schedule.id"], name="fk_shift_log_schedule_id"),
        sa.PrimaryKeyConstraint("id", name="pk_shift_log"),
        sa.UniqueConstraint("schedule_id", "starts_at", name="uq_shift_log_schedule_id_starts_at"),
    )
    op.create_table(
        "silence",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("source_id", BIG_ID, nullable=True),
        sa.Column("incident_id", BIG_ID, nullable=True),
        sa.Column("matchers", JSON_, nullable=False),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_by_name", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("cancelled_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name="fk_silence_source_id"),
        sa.PrimaryKeyConstraint("id", name="pk_silence"),
    )
    op.create_index("ix_silence_ends_at", "silence", ["ends_at"])
    op.create_index(
        "uq_silence_external",
        "silence",
        ["source_id", "external_id"],
        unique=True,
        **where("external_id IS NOT NULL"),
    )
    op.create_table(
        "team_member",
        sa.Column("team_id", BIG_ID, nullable=False),
        sa.Column("person_id", BIG_ID, nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_team_member_person_id"),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name="fk_team_member_team_id"),
        sa.PrimaryKeyConstraint("team_id", "person_id", name="pk_team_member"),
    )
    op.create_table(
        "incident",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("urgency", sa.Text(), nullable=False),
        sa.Column("postmortem", sa.Text(), nullable=False),
        sa.Column("team", sa.Text(), nullable=True),
        sa.Column("service", sa.Text(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("declared_at", INSTANT, nullable=True),
        sa.Column("declared_by", sa.Text(), nullable=True),
        sa.Column("acked_at", INSTANT, nullable=True),
        sa.Column("acked_by", sa.Text(), nullable=True),
        sa.Column("acked_by_name", sa.Text(), nullable=True),
        sa.Column("mitigated_at", INSTANT, nullable=True),
        sa.Column("resolved_at", INSTANT, nullable=True),
        sa.Column("resolved_by", sa.Text(), nullable=True),
        sa.Column("resolved_by_name", sa.Text(), nullable=True),
        sa.Column("commander", sa.Text(), nullable=True),
        sa.Column("private", sa.Boolean(), nullable=False),
        sa.Column("merged_into_id", BIG_ID, nullable=True),
        sa.Column("silence_id", BIG_ID, nullable=True),
        sa.Column("nobody", sa.Text(), nullable=True),
        sa.Column("firing", sa.Integer(), nullable=False),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.Column("alerts_ever", sa.Integer(), nullable=False),
        sa.Column("reopened", sa.Integer(), nullable=False),
        sa.Column("first_alert", sa.Text(), nullable=True),
        sa.Column("press_id", sa.Text(), nullable=True),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("next_seq", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["merged_into_id"], ["incident.id"], name="fk_incident_merged_into_id"
        ),
        sa.ForeignKeyConstraint(["silence_id"], ["silence.id"], name="fk_incident_silence_id"),
        sa.PrimaryKeyConstraint("id", name="pk_incident"),
    )
    op.create_index(
        "ix_incident_open",
        "incident",
        ["status"],
        **where("status IN ('open', 'acked', 'mitigated')"),
    )
    op.create_index("ix_incident_team", "incident", ["team", "opened_at"])
    op.create_index(
        "uq_incident_press", "incident", ["press_id"], unique=True, **where("press_id IS NOT NULL")
    )
    op.create_table(
        "notify_rule",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("person_id", BIG_ID, nullable=False),
        sa.Column("urgency", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("after_s", sa.Integer(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("contact_id", BIG_ID, nullable=True),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact_method.id"], name="fk_notify_rule_contact_id"
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_notify_rule_person_id"),
        sa.PrimaryKeyConstraint("id", name="pk_notify_rule"),
        sa.UniqueConstraint(
            "person_id", "urgency", "position", name="uq_notify_rule_person_id_urgency_position"
        ),
    )
    op.create_table(
        "occurrence",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("alert_id", BIG_ID, nullable=False),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.Column("last_seen_at", INSTANT, nullable=False),
        sa.Column("doubted_at", INSTANT, nullable=True),
        sa.Column("missing_since", INSTANT, nullable=True),
        sa.Column("missing_lists", sa.Integer(), nullable=False),
        sa.Column("expires_at", INSTANT, nullable=True),
        sa.Column("annotations", JSON_, nullable=False),
        sa.Column("muted_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name="fk_occurrence_alert_id"),
        sa.PrimaryKeyConstraint("id", name="pk_occurrence"),
        sa.UniqueConstraint("alert_id", "starts_at", name="uq_occurrence_alert_id_starts_at"),
    )
    op.create_index(
        "ix_occurrence_doubted", "occurrence", ["doubted_at"], **where("doubted_at IS NOT NULL")
    )
    op.create_index(
        "ix_occurrence_muted",
        "occurrence",
        ["muted_by"],
        **where("muted_by IS NOT NULL AND ended_at IS NULL"),
    )
    op.create_index(
        "uq_occurrence_open", "occurrence", ["alert_id"], unique=True, **where("ended_at IS NULL")
    )
    op.create_table(
        "section",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("runbook_version_id", BIG_ID, nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("heading", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["runbook_version_id"], ["runbook_version.id"], name="fk_section_runbook_version_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_section"),
        sa.UniqueConstraint("runbook_version_id", "n", name="uq_section_runbook_version_id_n"),
    )
    op.create_table(
        "alert_group",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("source_id", BIG_ID, nullable=False),
        sa.Column("route_key", sa.Text(), nullable=False),
        sa.Column("group_key", sa.Text(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("loud", sa.Boolean(), nullable=False),
        sa.Column("incident_id", BIG_ID, nullable=True),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("closed_at", INSTANT, nullable=True),
        sa.Column("firing", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name="fk_alert_group_incident_id"
        ),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name="fk_alert_group_source_id"),
        sa.PrimaryKeyConstraint("id", name="pk_alert_group"),
    )
    op.create_index("ix_alert_group_incident_id", "alert_group", ["incident_id"])
    op.create_index(
        "ix_alert_group_recent", "alert_group", ["source_id", "route_key", "group_key", "closed_at"]
    )
    op.create_index("ix_alert_group_team", "alert_group", ["team", "opened_at"])
    op.create_index(
        "uq_alert_group_open",
        "alert_group",
        ["source_id", "route_key", "group_key"],
        unique=True,
        **where("closed_at IS NULL"),
    )
    op.create_table(
        "draft",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("incident_id", BIG_ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("facts", JSON_, nullable=False),
        sa.Column("markdown", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_draft_incident_id"),
        sa.PrimaryKeyConstraint("id", name="pk_draft"),
        sa.UniqueConstraint("incident_id", "kind", "n", name="uq_draft_incident_id_kind_n"),
    )
    op.create_table(
        "incident_event",
        sa.Column("incident_id", BIG_ID, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("trust", sa.Text(), nullable=False),
        sa.Column("standing", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("data", JSON_, nullable=False),
        sa.Column("source_ref", sa.Text(), nullable=True),
        sa.Column("redacted_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name="fk_incident_event_incident_id"
        ),
        sa.PrimaryKeyConstraint("incident_id", "seq", name="pk_incident_event"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_incident_event_source_ref",
        "incident_event",
        ["source_ref"],
        **where("source_ref IS NOT NULL"),
    )
    op.create_index(
        "uq_incident_event_ref",
        "incident_event",
        ["incident_id", "source_ref"],
        unique=True,
        **where("source_ref IS NOT NULL"),
    )
    op.create_table(
        "page_run",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("incident_id", BIG_ID, nullable=False),
        sa.Column("policy_key", sa.Text(), nullable=False),
        sa.Column("policy_version_id", BIG_ID, nullable=True),
        sa.Column("targets", JSON_, nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("round_started_at", INSTANT, nullable=True),
        sa.Column("acked_by", sa.Text(), nullable=True),
        sa.Column("last_paged_at", INSTANT, nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_page_run_incident_id"),
        sa.ForeignKeyConstraint(
            ["policy_version_id"], ["policy_version.id"], name="fk_page_run_policy_version_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_page_run"),
    )
    op.create_index("ix_page_run_incident_id", "page_run", ["incident_id"])
    op.create_index(
        "uq_page_run_open",
        "page_run",
        ["incident_id", "policy_key"],
        unique=True,
        **where("state <> 'done'"),
    )
    op.create_table(
        "posting",
        sa.Column("term", sa.Text(), nullable=False),
        sa.Column("section_id", BIG_ID, nullable=False),
        sa.Column("tf", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["section_id"], ["section.id"], name="fk_posting_section_id"),
        sa.PrimaryKeyConstraint("term", "section_id", name="pk_posting"),
    )
    op.create_table(
        "unreadable",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("source_id", BIG_ID, nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("first_at", INSTANT, nullable=False),
        sa.Column("last_at", INSTANT, nullable=False),
        sa.Column("incident_id", BIG_ID, nullable=True),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_unreadable_incident_id"),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name="fk_unreadable_source_id"),
        sa.PrimaryKeyConstraint("id", name="pk_unreadable"),
        sa.UniqueConstraint("source_id", "sha256", name="uq_unreadable_source_id_sha256"),
    )
    op.create_table(
        "group_member",
        sa.Column("group_id", BIG_ID, nullable=False),
        sa.Column("occurrence_id", BIG_ID, nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["alert_group.id"], name="fk_group_member_group_id"),
        sa.ForeignKeyConstraint(
            ["occurrence_id"], ["occurrence.id"], name="fk_group_member_occurrence_id"
        ),
        sa.PrimaryKeyConstraint("group_id", "occurrence_id", name="pk_group_member"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_group_member_occurrence_id", "group_member", ["occurrence_id"])
    op.create_table(
        "llm_call",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("draft_id", BIG_ID, nullable=True),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("tokens", sa.Integer(), nullable=False),
        sa.Column("cost", sa.Float(), nullable=False),
        sa.Column("prompt_hash", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["draft_id"], ["draft.id"], name="fk_llm_call_draft_id"),
        sa.PrimaryKeyConstraint("id", name="pk_llm_call"),
    )
    op.create_table(
        "page",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("run_id", BIG_ID, nullable=False),
        sa.Column("incident_id", BIG_ID, nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=True),
        sa.Column("bundle_id", BIG_ID, nullable=True),
        sa.Column("reason", JSON_, nullable=False),
        sa.Column("decided_at", INSTANT, nullable=False),
        sa.Column("answered_at", INSTANT, nullable=True),
        sa.Column("answered_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_page_incident_id"),
        sa.ForeignKeyConstraint(["run_id"], ["page_run.id"], name="fk_page_run_id"),
        sa.PrimaryKeyConstraint("id", name="pk_page"),
        sa.UniqueConstraint(
            "run_id",
            "epoch",
            "round",
            "step",
            "target",
            name="uq_page_run_id_epoch_round_step_target",
        ),
    )
    op.create_index("ix_page_incident_id", "page", ["incident_id"])
    op.create_index("ix_page_person", "page", ["person"])
    op.create_table(
        "runbook_match",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("group_id", BIG_ID, nullable=False),
        sa.Column("incident_id", BIG_ID, nullable=True),
        sa.Column("runbook_id", BIG_ID, nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["alert_group.id"], name="fk_runbook_match_group_id"),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name="fk_runbook_match_incident_id"
        ),
        sa.ForeignKeyConstraint(["runbook_id"], ["runbook.id"], name="fk_runbook_match_runbook_id"),
        sa.PrimaryKeyConstraint("id", name="pk_runbook_match"),
        sa.UniqueConstraint("group_id", "runbook_id", name="uq_runbook_match_group_id_runbook_id"),
    )
    op.create_index("ix_runbook_match_incident_id", "runbook_match", ["incident_id"])
    op.create_table(
        "outbox",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("lane", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("page_id", BIG_ID, nullable=True),
        sa.Column("incident_id", BIG_ID, nullable=True),
        sa.Column("epoch", sa.Integer(), nullable=True),
        sa.Column("payload", JSON_, nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("next_attempt_at", INSTANT, nullable=False),
        sa.Column("first_tried_at", INSTANT, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("lease_until", INSTANT, nullable=True),
        sa.Column("provider_id", sa.Text(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("done_at", INSTANT, nullable=True),
        sa.Column("dedupe_key", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_outbox_incident_id"),
        sa.ForeignKeyConstraint(["page_id"], ["page.id"], name="fk_outbox_page_id"),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.UniqueConstraint("dedupe_key", name="uq_outbox_dedupe_key"),
    )
    op.create_index("ix_outbox_due", "outbox", ["next_attempt_at"], **where("state = 'pending'"))
    op.create_index("ix_outbox_incident", "outbox", ["incident_id", "kind"])
    op.create_index("ix_outbox_page", "outbox", ["page_id"])
    op.create_index("ix_outbox_sending", "outbox", ["lease_until"], **where("state = 'sending'"))
    op.create_table(
        "slack_message",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("incident_id", BIG_ID, nullable=True),
        sa.Column("page_id", BIG_ID, nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("channel_id", sa.Text(), nullable=True),
        sa.Column("ts", sa.Text(), nullable=True),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("rendered_generation", sa.Integer(), nullable=False),
        sa.Column("queued", sa.Boolean(), nullable=False),
        sa.Column("rendered_at", INSTANT, nullable=True),
        sa.Column("rendered_sha256", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name="fk_slack_message_incident_id"
        ),
        sa.ForeignKeyConstraint(["page_id"], ["page.id"], name="fk_slack_message_page_id"),
        sa.PrimaryKeyConstraint("id", name="pk_slack_message"),
    )
    op.create_index(
        "uq_slack_message_page",
        "slack_message",
        ["page_id", "channel"],
        unique=True,
        **where("page_id IS NOT NULL"),
    )
    op.create_index("ix_slack_message_incident", "slack_message", ["incident_id"])
    op.create_index(
        "uq_slack_message_role",
        "slack_message",
        ["incident_id", "role", "channel"],
        unique=True,
        **where("incident_id IS NOT NULL AND page_id IS NULL"),
    )
    op.create_index(
        "uq_slack_message_ts",
        "slack_message",
        ["channel_id", "ts"],
        unique=True,
        **where("ts IS NOT NULL"),
    )
    op.create_table(
        "delivery",
        sa.Column("outbox_id", BIG_ID, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("provider_answer", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["outbox_id"], ["outbox.id"], name="fk_delivery_outbox_id"),
        sa.PrimaryKeyConstraint("outbox_id", "attempt", name="pk_delivery"),
    )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
