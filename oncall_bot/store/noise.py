"""What a team was paged for lately, by alert. Knows one query on an index. Serves the hand-off."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, func, select

from oncall_bot.store import tables as t
from oncall_bot.store.statements import Row, statement
from oncall_bot.store.transactions import Reader

INCIDENT, PAGE = t.Incident.__table__, t.Page.__table__  # type: ignore[attr-defined]

_PAGES = (
    select(func.count())
    .where(PAGE.c.incident_id == INCIDENT.c.id)
    .correlate(INCIDENT)
    .scalar_subquery()
)
_BY_ALERT = statement(
    select(
        func.coalesce(INCIDENT.c.first_alert, "").label("alert"),
        func.count().label("incidents"),
        func.sum(INCIDENT.c.alerts_ever).label("alerts"),
        func.sum(_PAGES).label("pages"),
    )
    .where(INCIDENT.c.team == bindparam("of_team"), INCIDENT.c.opened_at >= bindparam("since"))
    .group_by(INCIDENT.c.first_alert)
    .order_by(func.sum(_PAGES).desc(), func.sum(INCIDENT.c.alerts_ever).desc())
)


def by_alert(tx: Reader, team: str, since: datetime) -> Sequence[Row]:
    """(alert, incidents, alerts, pages) of the team's incidents opened since then, the loudest first."""
    return tx.all(_BY_ALERT, of_team=team, since=since)
