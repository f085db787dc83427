"""A page run knows whether it stands in a step or behind them; a source, since when it has not answered.

Revision 0006. `page_run.stage` is `step` for what an older release wrote. `source.answered_at`, `silent_since` and
`silent`, and `incident.not_heard_since`, are written by the reconciler.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

INSTANT = sa.BigInteger().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    op.add_column(
        "page_run", sa.Column("stage", sa.Text(), nullable=False, server_default="step")
    )
    op.add_column("incident", sa.Column("not_heard_since", INSTANT, nullable=True))
    op.add_column("source", sa.Column("answered_at", INSTANT, nullable=True))
    op.add_column("source", sa.Column("silent_since", INSTANT, nullable=True))
    op.add_column("source", sa.Column("silent", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("source", "silent")
    op.drop_column("source", "silent_since")
    op.drop_column("source", "answered_at")
    op.drop_column("incident", "not_heard_since")
    op.drop_column("page_run", "stage")
