"""Roads tell how they did, people set when they are reached, rights come from user groups, and people can be forgotten.

Revision 0016. New tables `receipt`, `road_health`, `quiet_hours`, `away` and `team_grant`; `person.forgotten_at`; the audit is
found by what it is about and by who acted, a person's pages by when they were decided.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.BigInteger().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")
JSON_ = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def _to(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=f"fk_{table}_{column}")


def upgrade() -> None:
    op.create_table(
        "receipt",
        sa.Column("outbox_id", ID, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("why", sa.Text(), nullable=True),
        _to("receipt", "outbox_id", "outbox"),
        sa.PrimaryKeyConstraint("outbox_id", "state", name="pk_receipt"),
    )
    op.create_table(
        "road_health",
        sa.Column("person_id", ID, nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("worked_at", INSTANT, nullable=True),
        sa.Column("failed_at", INSTANT, nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("disabled_at", INSTANT, nullable=True),
        _to("road_health", "person_id", "person"),
        sa.PrimaryKeyConstraint("person_id", "contact", name="pk_road_health"),
    )
    op.create_table(
        "quiet_hours",
        sa.Column("person_id", ID, nullable=False),
        sa.Column("starts", sa.Text(), nullable=False),
        sa.Column("ends", sa.Text(), nullable=False),
        sa.Column("days", JSON_, nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        _to("quiet_hours", "person_id", "person"),
        sa.PrimaryKeyConstraint("person_id", name="pk_quiet_hours"),
    )
    op.create_table(
        "away",
        sa.Column("id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        _to("away", "person_id", "person"),
        sa.PrimaryKeyConstraint("id", name="pk_away"),
    )
    op.create_index("ix_away_person_id", "away", ["person_id"])
    op.create_index("ix_away_ends_at", "away", ["ends_at"])
    op.create_table(
        "team_grant",
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("slack_user_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("usergroup", sa.Text(), nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("team", "slack_user_id", name="pk_team_grant"),
    )
    op.add_column("person", sa.Column("forgotten_at", INSTANT, nullable=True))
    op.create_index("ix_audit_object", "audit", ["object", "id"])
    op.create_index("ix_audit_actor", "audit", ["actor", "id"])
    op.drop_index("ix_page_person", "page")
    op.create_index("ix_page_person", "page", ["person", "decided_at"])


def downgrade() -> None:
    op.drop_index("ix_page_person", "page")
    op.create_index("ix_page_person", "page", ["person"])
    op.drop_index("ix_audit_actor", "audit")
    op.drop_index("ix_audit_object", "audit")
    op.drop_column("person", "forgotten_at")
    op.drop_table("team_grant")
    op.drop_index("ix_away_ends_at", "away")
    op.drop_index("ix_away_person_id", "away")
    op.drop_table("away")
    op.drop_table("quiet_hours")
    op.drop_table("road_health")
    op.drop_table("receipt")
