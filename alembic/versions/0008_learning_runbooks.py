"""The search counts words when runbooks change, keeps what it knows of each, and learns from answers.

Revision 0008. `term` has in how many runbooks a word stands; `posting.runbook_id` spares two joins; postings of versions
no longer in force go. `runbook_version.page` and `runbook.searched_id` are written at the next import. `runbook_match.standing` is `attached`,
`possible` or `withdrawn`; what an older release wrote was attached.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON_ = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")

OWNER = """SELECT r.id FROM section s JOIN runbook r ON r.version_id = s.runbook_version_id
    WHERE s.id = posting.section_id AND r.archived_at IS NULL"""


def upgrade() -> None:
    op.create_table(
        "term",
        sa.Column("term", sa.Text(), nullable=False),
        sa.Column("runbooks", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("term", name="pk_term"),
    )
    op.add_column("posting", sa.Column("runbook_id", ID, nullable=True))
    op.execute(f"UPDATE posting SET runbook_id = ({OWNER})")
    op.execute("DELETE FROM posting WHERE runbook_id IS NULL")
    op.execute(
        "INSERT INTO term (term, runbooks)"
        " SELECT term, COUNT(DISTINCT runbook_id) FROM posting GROUP BY term"
    )
    op.create_index("ix_posting_holders", "posting", ["term", "runbook_id", "tf"])
    op.create_index("ix_posting_runbook_id", "posting", ["runbook_id"])
    op.add_column("runbook", sa.Column("searched_id", ID, nullable=True))
    op.add_column("runbook_version", sa.Column("page", JSON_, nullable=True))
    op.add_column(
        "runbook_verdict", sa.Column("name", sa.Text(), nullable=False, server_default="")
    )
    op.add_column(
        "runbook_match",
        sa.Column("standing", sa.Text(), nullable=False, server_default="attached"),
    )


def downgrade() -> None:
    op.execute("DELETE FROM runbook_match WHERE standing <> 'attached'")
    op.drop_column("runbook_match", "standing")
    op.drop_column("runbook_verdict", "name")
    op.drop_column("runbook_version", "page")
    op.drop_column("runbook", "searched_id")
    op.drop_index("ix_posting_runbook_id", "posting")
    op.drop_index("ix_posting_holders", "posting")
    op.drop_column("posting", "runbook_id")
    op.drop_table("term")
