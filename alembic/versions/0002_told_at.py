"""Incidents remember what their timeline has not been told yet, so that a storm of alerts leaves few lines.

Revision 0002. `untold` holds what waits for the next line (since when, counts, names), `told_at` is when the last one was
written. What an older release leaves empty is told at once.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

INSTANT = sa.BigInteger().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")
JSON_ = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("incident", sa.Column("untold", JSON_, nullable=True))
    op.add_column("incident", sa.Column("told_at", INSTANT, nullable=True))


def downgrade() -> None:
    op.drop_column("incident", "told_at")
    op.drop_column("incident", "untold")
