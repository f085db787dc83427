"""What people say about themselves, in SQL: own rules, quiet hours, holidays.

Knows rows. Refuses to know roads and rotas. Serves the flows of personal rules and absence; what
is in force of it is read by the snapshot, which every write here makes stale.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, select, update

from oncall_bot.core.config import PersonalRule, Urgency
from oncall_bot.core.hours import Hours
from oncall_bot.store import rules
from oncall_bot.store import tables as t
from oncall_bot.store.statements import Row, insert_of, statement, upsert
from oncall_bot.store.transactions import Reader, Tx

RULE, QUIET = t.NotifyRule.__table__, t.QuietHours.__table__  # type: ignore[attr-defined]
AWAY = t.Away.__table__  # type: ignore[attr-defined]

_ADD_RULE = insert_of(RULE, "person_id", "urgency", "position", "after_s", "by", contact_id=None)
_DROP_RULES = statement(
    delete(RULE).where(
        RULE.c.person_id == bindparam("of_person"), RULE.c.urgency == bindparam("of_urgency")
    )
)
_PUT_QUIET = upsert(QUIET, ("person_id",), ("starts", "ends", "days", "zone"))
_DROP_QUIET = statement(delete(QUIET).where(QUIET.c.person_id == bindparam("of_person")))
_ADD_AWAY = insert_of(
    AWAY, "person_id", "starts_at", "ends_at", "note", "created_at", ended_at=None
)
_AHEAD = statement(
    select(AWAY)
    .where(
        AWAY.c.person_id == bindparam("of_person"),
        AWAY.c.ended_at.is_(None),
        AWAY.c.ends_at > bindparam("after"),
    )
    .order_by(AWAY.c.starts_at)
)
_END_AWAY = statement(
    update(AWAY).where(AWAY.c.id == bindparam("away_id")).values(ended_at=bindparam("at"))
)


def set_rules(tx: Tx, person_id: int, urgency: Urgency, own: Sequence[PersonalRule]) -> None:
    """These rules in the place of the person's former ones; none of them means the file's."""
    tx.run(_DROP_RULES, of_person=person_id, of_urgency=str(urgency))
    rows = [
        {
            "person_id": person_id,
            "urgency": str(urgency),
            "position": position,
            "after_s": int(rule.after.total_seconds()),
            "by": rule.by,
        }
        for position, rule in enumerate(own)
    ]
    tx.many(_ADD_RULE, rows)
    rules.changed(tx)


def set_quiet(tx: Tx, person_id: int, hours: Hours | None) -> None:
    """The person's quiet hours; None ends them."""
    if hours is None:
        tx.run(_DROP_QUIET, of_person=person_id)
    else:
        tx.run(
            _PUT_QUIET,
            person_id=person_id,
            starts=f"{hours.start:%H:%M}",
            ends=f"{hours.end:%H:%M}",
            days=list(hours.days),
            zone=hours.zone,
        )
    rules.changed(tx)


def add_holiday(tx: Tx, person_id: int, starts_at: datetime, ends_at: datetime, note: str) -> None:
    tx.run(
        _ADD_AWAY,
        person_id=person_id,
        starts_at=starts_at,
        ends_at=ends_at,
        note=note,
        created_at=tx.now,
    )
    rules.changed(tx)


def holidays_ahead(tx: Reader, person_id: int) -> list[Row]:
    """Those of the person that run or are to come, by their start."""
    return tx.all(_AHEAD, of_person=person_id, after=tx.now)


def end_holiday(tx: Tx, away_id: int) -> None:
    """It ends now, or does not come at all; the row stays."""
    tx.run(_END_AWAY, away_id=away_id, at=tx.now)
    rules.changed(tx)
