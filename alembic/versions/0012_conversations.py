"""What a conversation in Slack is about, for half an hour; alerts are found by their name.

Revision 0012. `conversation.about` holds ids and the last question, never words.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

INSTANT = sa.BigInteger().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")
JSON_ = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "conversation",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("about", JSON_, nullable=False),
        sa.Column("said_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_conversation"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_conversation_said_at", "conversation", ["said_at"])
    op.create_index("ix_alert_name", "alert", ["name"])


def downgrade() -> None:
    op.drop_index("ix_alert_name", table_name="alert")
    op.drop_index("ix_conversation_said_at", table_name="conversation")
    op.drop_table("conversation")
