"""Web pages are signed in to by a one-time link from Slack.

Revision 0015. `sign_in_link` and `web_session` hold hashes of keys, never a key.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.BigInteger().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")
TABLES = (("sign_in_link", "used_at"), ("web_session", "ended_at"))


def upgrade() -> None:
    for table, over in TABLES:
        op.create_table(
            table,
            sa.Column("id", ID, nullable=False),
            sa.Column("token_sha256", sa.Text(), nullable=False),
            sa.Column("actor", sa.Text(), nullable=False),
            sa.Column("name", sa.Text(), nullable=False),
            sa.Column("created_at", INSTANT, nullable=False),
            sa.Column("expires_at", INSTANT, nullable=False),
            sa.Column(over, INSTANT, nullable=True),
            sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
            sa.UniqueConstraint("token_sha256", name=f"uq_{table}_token_sha256"),
        )
        op.create_index(f"ix_{table}_actor", table, ["actor"])
        op.create_index(f"ix_{table}_expires_at", table, ["expires_at"])


def downgrade() -> None:
    for table, _ in TABLES:
        op.drop_table(table)
