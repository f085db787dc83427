"""What the auditor looks for, in SQL: open incidents nobody will be paged for, pages that wait too long.

Knows the queries; each runs on a partial index over open or waiting rows. Serves `engine.auditor`.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_, bindparam, cast, exists, literal, select
from sqlalchemy.types import Text

from oncall_bot.store import tables as t
from oncall_bot.store.db import Reader
from oncall_bot.store.statements import Row, one_of, statement

INCIDENT, RUN, TIMER = t.Incident.__table__, t.PageRun.__table__, t.Timer.__table__  # type: ignore[attr-defined]
OUTBOX = t.Outbox.__table__  # type: ignore[attr-defined]

_OPEN_RUN = and_(RUN.c.incident_id == INCIDENT.c.id, RUN.c.state != "done")
_UNWATCHED = statement(
    select(INCIDENT.c.id, INCIDENT.c.title)
    .where(
        INCIDENT.c.status == "open",
        INCIDENT.c.urgency != "none",
        INCIDENT.c.silence_id.is_(None),
        ~exists().where(_OPEN_RUN),
    )
    .limit(100)
)
_STUCK = statement(
    select(INCIDENT.c.id, RUN.c.id.label("run_id"), RUN.c.state)
    .select_from(INCIDENT.join(RUN, _OPEN_RUN))
    .where(
        INCIDENT.c.status == "open",
        INCIDENT.c.silence_id.is_(None),
        one_of(RUN.c.state, ["waiting", "running"]),
        ~exists().where(
            TIMER.c.subject == literal("run:", Text) + cast(RUN.c.id, Text),
            TIMER.c.state == "pending",
        ),
    )
    .limit(100)
)
_LATE_PAGES = statement(
    select(OUTBOX.c.id, OUTBOX.c.incident_id, OUTBOX.c.destination, OUTBOX.c.next_attempt_at)
    .where(
        OUTBOX.c.state == "pending",
        OUTBOX.c.lane == 0,
        OUTBOX.c.attempts == 0,
        OUTBOX.c.next_attempt_at <= bindparam("before"),
    )
    .limit(100)
)


def unwatched(reader: Reader) -> list[Row]:
    """Open incidents that no run will ever page for."""
    return reader.all(_UNWATCHED)


def stuck(reader: Reader) -> list[Row]:
    """Runs that wait for a timer that does not exist."""
    return reader.all(_STUCK)


def late_pages(reader: Reader, before: datetime) -> list[Row]:
    """Pages due before that instant which nobody has even tried to send."""
    return reader.all(_LATE_PAGES, before=before)
