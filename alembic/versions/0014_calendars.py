"""Calendars: what was told outside, what is read in, whose link a token is, and which faults were warned of.

Revision 0014. Four new tables and one column. `published_shift` counts what calendar programs were told; `leave` and
`calendar_read` hold what calendars of the file said when they were last read well; `coverage_warning` makes a warning
about a schedule go out once. `api_token.person` is the person whose calendar link a token is, nobody for API tokens.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT = sa.BigInteger().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")
JSON_ = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "calendar_read",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("read_at", AT, nullable=False),
        sa.Column("good_at", AT, nullable=True),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.Column("notes", JSON_, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_calendar_read"),
    )
    op.create_table(
        "leave",
        sa.Column("id", ID, nullable=False),
        sa.Column("calendar", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("starts_at", AT, nullable=False),
        sa.Column("ends_at", AT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_leave"),
        sa.UniqueConstraint(
            "calendar",
            "person",
            "starts_at",
            "ends_at",
            name="uq_leave_calendar_person_starts_at_ends_at",
        ),
    )
    op.create_table(
        "published_shift",
        sa.Column("schedule_id", ID, nullable=False),
        sa.Column("starts_at", AT, nullable=False),
        sa.Column("ends_at", AT, nullable=False),
        sa.Column("person", sa.Text(), nullable=True),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("modified_at", AT, nullable=False),
        sa.ForeignKeyConstraint(
            ["schedule_id"], ["schedule.id"], name="fk_published_shift_schedule_id"
        ),
        sa.PrimaryKeyConstraint("schedule_id", "starts_at", name="pk_published_shift"),
    )
    op.create_table(
        "coverage_warning",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("ends_at", AT, nullable=False),
        sa.Column("warned_at", AT, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_coverage_warning"),
    )
    op.create_index("ix_coverage_warning_ends_at", "coverage_warning", ["ends_at"])
    op.add_column("api_token", sa.Column("person", sa.Text(), nullable=True))
    op.create_index("ix_api_token_person", "api_token", ["person"])


def downgrade() -> None:
    op.execute("DELETE FROM api_token WHERE person IS NOT NULL")
    op.drop_index("ix_api_token_person", "api_token")
    op.drop_column("api_token", "person")
    for table in ("coverage_warning", "published_shift", "leave", "calendar_read"):
        op.drop_table(table)
