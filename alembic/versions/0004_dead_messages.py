"""The auditor finds dead messages, and the end of a silence its incidents, by indexes over just these rows.

Revision ID: 0004
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

DEAD, SILENCED = sa.text("state = 'dead'"), sa.text("silence_id IS NOT NULL")


def upgrade() -> None:
    op.create_index(
        "ix_outbox_dead", "outbox", ["done_at"], sqlite_where=DEAD, postgresql_where=DEAD
    )
    op.create_index(
        "ix_incident_silenced",
        "incident",
        ["silence_id"],
        sqlite_where=SILENCED,
        postgresql_where=SILENCED,
    )


def downgrade() -> None:
    op.drop_index("ix_incident_silenced", "incident")
    op.drop_index("ix_outbox_dead", "outbox")
