"""A call of a model leaves what it was for, what it used and what the verifier made of it; a draft, what to check in it.

Revision 0010. `llm_call.kept`, `marked` and `dropped` stay null until the reply was judged. `draft.checks` is
`{"sentences": [...]}`: those that were marked or left out, with their reasons.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON_ = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
COUNTS = ("prompt_tokens", "completion_tokens", "ms", "redactions")
VERDICTS = ("kept", "marked", "dropped")


def upgrade() -> None:
    op.add_column("draft", sa.Column("checks", JSON_, nullable=True))
    op.add_column("llm_call", sa.Column("incident_id", BIG_ID, nullable=True))
    op.add_column(
        "llm_call", sa.Column("purpose", sa.Text(), nullable=False, server_default="")
    )
    for name in COUNTS:
        op.add_column(
            "llm_call", sa.Column(name, sa.Integer(), nullable=False, server_default="0")
        )
    op.add_column(
        "llm_call",
        sa.Column("estimated", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    for name in VERDICTS:
        op.add_column("llm_call", sa.Column(name, sa.Integer(), nullable=True))
    op.create_index("ix_llm_call_at", "llm_call", ["at"])
    op.create_index("ix_llm_call_incident_id", "llm_call", ["incident_id"])


def downgrade() -> None:
    op.drop_index("ix_llm_call_incident_id", "llm_call")
    op.drop_index("ix_llm_call_at", "llm_call")
    for name in (*VERDICTS, "estimated", *COUNTS, "purpose", "incident_id"):
        op.drop_column("llm_call", name)
    op.drop_column("draft", "checks")
