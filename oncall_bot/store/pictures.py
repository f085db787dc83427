"""The picture of each incident in SQL, and what is asked of Prometheus: pictures, and values of live checks.

Knows one row an incident (how often it was asked for, what Slack calls it, its words) and how a question waits in the
outbox. Refuses to know what is drawn: `engine.sight` does. Serves flows and the views.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import bindparam, select, update

from oncall_bot.store import outbox
from oncall_bot.store import tables as t
from oncall_bot.store.outbox import Lane
from oncall_bot.store.statements import Row, statement, upsert
from oncall_bot.store.transactions import Reader, Tx

PICTURE = t.IncidentPicture.__table__  # type: ignore[attr-defined]

ASKED_MAX = 200
"""Pictures of one incident: at one in ten minutes, more than a day."""
PLACES = 3
"""So many questions about metrics are under way in the whole installation."""

_FIRST = upsert(PICTURE, ("incident_id",), also=("asked", "alt", "sentence"))
_GET = statement(select(PICTURE).where(PICTURE.c.incident_id == bindparam("of_incident")))
_ASK = statement(
    update(PICTURE)
    .where(PICTURE.c.incident_id == bindparam("of_incident"), PICTURE.c.asked < ASKED_MAX)
    .values(asked=PICTURE.c.asked + 1)
    .returning(PICTURE.c.asked)
)
_KEEP = statement(
    update(PICTURE)
    .where(PICTURE.c.incident_id == bindparam("of_incident"))
    .values(
        file_id=bindparam("new_file"),
        alt=bindparam("new_alt"),
        sentence=bindparam("new_sentence"),
        fault=bindparam("new_fault"),
        drawn_at=bindparam("at"),
    )
)


def get(tx: Reader, incident_id: int) -> Row | None:
    return tx.first(_GET, of_incident=incident_id)


def begin(tx: Tx, incident_id: int) -> None:
    """A picture of the incident is wanted, soon, and again whenever it changes."""
    tx.run(_FIRST, incident_id=incident_id, asked=0, alt="", sentence="")
    ask(tx, incident_id)


def ask(tx: Tx, incident_id: int, *, not_before: datetime | None = None) -> None:
    """Draw it anew; one asked for earlier and not drawn yet is none any more. Nothing for who never began."""
    number = tx.scalar(_ASK, of_incident=incident_id)
    if number is not None:
        _leave(tx, "picture", incident_id, f"{number}", number, not_before)


def ask_for_values(tx: Tx, incident_id: int, key: str) -> None:
    """Run the live checks of the incident's runbook; the same key asks once."""
    _leave(tx, "query", incident_id, key, 0, None)


def _leave(
    tx: Tx, kind: str, incident_id: int, key: str, number: int, not_before: datetime | None
) -> None:
    outbox.add(
        tx,
        lane=Lane.QUERY,
        kind=kind,
        destination=f"metrics:{incident_id % PLACES}",
        dedupe_key=f"{kind}:{incident_id}:{key}",
        payload={"incident": incident_id, "n": number},
        incident_id=incident_id,
        not_before=not_before,
    )


def keep(
    tx: Tx,
    incident_id: int,
    *,
    file_id: str | None,
    alt: str,
    sentence: str,
    fault: str | None,
    drawn_at: datetime | None = None,
) -> None:
    """What the incident's readers see from now on; drawn now, unless it is an earlier picture that stays."""
    tx.run(
        _KEEP,
        of_incident=incident_id,
        new_file=file_id,
        new_alt=alt,
        new_sentence=sentence,
        new_fault=fault,
        at=drawn_at or tx.now,
    )


def changed(tx: Tx, incident_id: int) -> None:
    """People or alerts changed the incident's state: its picture says it too, at most once in half a minute."""
    row = get(tx, incident_id)
    if row is not None and row.drawn_at is not None:
        ask(tx, incident_id, not_before=max(tx.now, row.drawn_at + timedelta(seconds=30)))
