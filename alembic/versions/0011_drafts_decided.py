"""Drafts know who decided on them and which sentences wait for a person; an incident knows when somebody last caught up.

Revision 0011. `draft.suggested` is the text before somebody edited it.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

INSTANT = sa.BigInteger().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("draft", sa.Column("suggested", sa.Text(), nullable=True))
    op.add_column("draft", sa.Column("decided_at", INSTANT, nullable=True))
    op.add_column("draft", sa.Column("decided_by", sa.Text(), nullable=True))
    op.add_column("draft", sa.Column("decided_by_name", sa.Text(), nullable=True))
    op.create_table(
        "incident_look",
        sa.Column("incident_id", ID, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("looked_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name="fk_incident_look_incident_id"
        ),
        sa.PrimaryKeyConstraint("incident_id", "actor", name="pk_incident_look"),
    )


def downgrade() -> None:
    op.drop_table("incident_look")
    for column in ("decided_by_name", "decided_by", "decided_at", "suggested"):
        op.drop_column("draft", column)
