"""Messages know when they were due, in which bundle they travel, and why they wait.

Revision 0005. `due_at` is when the message was first meant to go, whatever held it back since; rows of an earlier release
that still wait take it from `next_attempt_at`. `bundle_id` names the row that carries several pages of one person; `held`
says why a page waits for others.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "0005"
down_revision = "0002"
branch_labels = None
depends_on = None

INSTANT = sa.BigInteger().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

INDEXES = {
    "ix_outbox_rung": (["destination", "done_at"], "state = 'sent' AND page_id IS NOT NULL"),
    "ix_outbox_held": (["destination"], "state = 'pending' AND held IS NOT NULL"),
    "ix_outbox_bundle": (["bundle_id"], "bundle_id IS NOT NULL"),
    "ix_outbox_done": (["done_at"], "page_id IS NULL AND done_at IS NOT NULL"),
}


def upgrade() -> None:
    op.add_column("outbox", sa.Column("due_at", INSTANT, nullable=True))
    op.add_column("outbox", sa.Column("bundle_id", ID, nullable=True))
    op.add_column("outbox", sa.Column("held", sa.Text(), nullable=True))
    op.execute("UPDATE outbox SET due_at = next_attempt_at WHERE state IN ('pending', 'sending')")
    for name, (columns, where) in INDEXES.items():
        op.create_index(
            name,
            "outbox",
            columns,
            sqlite_where=sa.text(where),
            postgresql_where=sa.text(where),
        )
    op.create_index(
        "ix_page_bundle",
        "page",
        ["bundle_id"],
        sqlite_where=sa.text("bundle_id IS NOT NULL"),
        postgresql_where=sa.text("bundle_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_page_bundle", "page")
    for name in INDEXES:
        op.drop_index(name, "outbox")
    for column in ("held", "bundle_id", "due_at"):
        op.drop_column("outbox", column)
