"""Groups remember up to which member they are counted, so that a storm of alerts moves few counters.

Revision 0003. NULL means that every member is counted, which is what an older release leaves and expects: going back
counts the rest first.
"""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UNCOUNTED = sa.text("counted_to IS NOT NULL")


def upgrade() -> None:
    op.add_column("alert_group", sa.Column("counted_to", ID, nullable=True))
    op.create_index(
        "ix_alert_group_uncounted",
        "alert_group",
        ["incident_id"],
        sqlite_where=UNCOUNTED,
        postgresql_where=UNCOUNTED,
    )


def downgrade() -> None:
    for table, counters, key in (
        ("incident", ("firing", "alerts_ever"), "g.incident_id = incident.id"),
        ("alert_group", ("firing",), "g.id = alert_group.id"),
    ):
        rest = (
            "SELECT count(*) FROM alert_group AS g JOIN group_member AS m ON m.group_id = g.id"
            f" AND m.occurrence_id > g.counted_to WHERE {key}"
        )
        sets = ", ".join(f"{column} = {column} + ({rest})" for column in counters)
        op.execute(f"UPDATE {table} SET {sets}")
    op.drop_index("ix_alert_group_uncounted", "alert_group")
    op.drop_column("alert_group", "counted_to")
