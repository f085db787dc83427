"""What a rule measures stays with its alert, and an incident has a picture of it.

Revision 0009. `occurrence.expression` is the rule's PromQL out of generatorURL, null for what an older release took in.
`incident_picture` holds the latest picture of an incident: what Slack calls the file, its words, or why there is none.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

INSTANT = sa.BigInteger().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("occurrence", sa.Column("expression", sa.Text(), nullable=True))
    op.create_table(
        "incident_picture",
        sa.Column("incident_id", ID, nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("file_id", sa.Text(), nullable=True),
        sa.Column("alt", sa.Text(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.Column("drawn_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("fk_incident_picture_incident_id")
        ),
        sa.PrimaryKeyConstraint("incident_id", name=op.f("pk_incident_picture")),
    )


def downgrade() -> None:
    op.drop_table("incident_picture")
    op.drop_column("occurrence", "expression")
