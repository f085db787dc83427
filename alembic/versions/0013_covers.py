"""People ask each other for cover and swaps, want reminders before shifts, and teams have Slack user groups.

Revision 0013. New tables only: `cover_request` and `cover_ask` (who was asked and what they answered), `shift_reminder`, `user_group`.
What an accepted request changed stands in `override`, its `swap_id` naming the request.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.BigInteger().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")
JSON_ = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
OPEN = sa.text("state = 'open'")


def upgrade() -> None:
    op.create_table(
        "cover_request",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("asker_id", ID, nullable=False),
        sa.Column("schedule_id", ID, nullable=False),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.Column("back_schedule_id", ID, nullable=True),
        sa.Column("back_starts_at", INSTANT, nullable=True),
        sa.Column("back_ends_at", INSTANT, nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("taken_by_id", ID, nullable=True),
        sa.Column("message_id", ID, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("closed_at", INSTANT, nullable=True),
        *_refs("cover_request", person=("asker_id", "taken_by_id")),
        *_refs("cover_request", schedule=("schedule_id", "back_schedule_id")),
        *_refs("cover_request", slack_message=("message_id",)),
        sa.PrimaryKeyConstraint("id", name="pk_cover_request"),
    )
    op.create_index(
        "ix_cover_request_open",
        "cover_request",
        ["starts_at"],
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
    op.create_index("ix_cover_request_asker", "cover_request", ["asker_id", "ends_at"])
    op.create_table(
        "cover_ask",
        sa.Column("request_id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answered_at", INSTANT, nullable=True),
        sa.Column("message_id", ID, nullable=True),
        *_refs("cover_ask", cover_request=("request_id",), person=("person_id",)),
        *_refs("cover_ask", slack_message=("message_id",)),
        sa.PrimaryKeyConstraint("request_id", "person_id", name="pk_cover_ask"),
    )
    op.create_index("ix_cover_ask_person", "cover_ask", ["person_id", "request_id"])
    op.create_table(
        "shift_reminder",
        sa.Column("person_id", ID, nullable=False),
        sa.Column("before_s", sa.Integer(), nullable=False),
        *_refs("shift_reminder", person=("person_id",)),
        sa.PrimaryKeyConstraint("person_id", "before_s", name="pk_shift_reminder"),
    )
    op.create_table(
        "user_group",
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("handle", sa.Text(), nullable=False),
        sa.Column("members", JSON_, nullable=False),
        sa.Column("tried_at", INSTANT, nullable=True),
        sa.Column("failing_since", INSTANT, nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("team", name="pk_user_group"),
    )


def _refs(table: str, **columns: tuple[str, ...]) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"fk_{table}_{column}")
        for to, ours in columns.items()
        for column in ours
    ]


def downgrade() -> None:
    op.drop_table("user_group")
    op.drop_table("shift_reminder")
    op.drop_index("ix_cover_ask_person", "cover_ask")
    op.drop_table("cover_ask")
    op.drop_index("ix_cover_request_asker", "cover_request")
    op.drop_index("ix_cover_request_open", "cover_request")
    op.drop_table("cover_request")
