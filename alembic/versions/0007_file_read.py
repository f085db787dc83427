"""What was read of oncall.yaml at the last start: a file that did not change is not read again.

Revision 0007. `meta.file_read` is `{"version": ..., "files": {path: SHA-256}}`, or null.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

JSON_ = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("meta", sa.Column("file_read", JSON_, nullable=True))


def downgrade() -> None:
    op.drop_column("meta", "file_read")
