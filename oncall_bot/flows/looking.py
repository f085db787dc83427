"""What the metrics said goes to the incident: values of its runbook's checks, the picture of what its rule measures.

Knows what is written down and when to look again. Refuses to ask anybody: `engine.sight` does, off the paging path.
Serves `engine.sight` and the button "Run the checks again".
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from oncall_bot.core.incidents import Status
from oncall_bot.core.live_checks import Reading
from oncall_bot.core.outcomes import Actor, Outcome
from oncall_bot.core.rights import Right
from oncall_bot.core.timeline import Entry, Kind
from oncall_bot.flows import showing
from oncall_bot.flows.answering import known
from oncall_bot.store import incidents, messages, pictures, runbooks
from oncall_bot.store.transactions import Tx

AGAIN_FIRST, AGAIN_EVERY = timedelta(minutes=2), timedelta(minutes=10)
"""The first picture comes seconds after it fired and shows little of that yet."""
CHECKS_AT_MOST_EVERY_S = 10


def run_checks(tx: Tx, incident_id: int, actor: Actor) -> Outcome:
    """Read the values of the incident's runbook again; pressed twice within ten seconds they are read once."""
    incident = known(tx, incident_id, actor, Right.RUN_CHECKS)
    if isinstance(incident, Outcome):
        return incident
    if runbooks.of_incident(tx, incident_id) is None:
        return Outcome(
            False, f"Incident {incident_id} has no runbook, so there is nothing to check."
        )
    turn = int(tx.now.timestamp()) // CHECKS_AT_MOST_EVERY_S
    pictures.ask_for_values(tx, incident_id, f"again:{turn}")
    return Outcome(True, f"The checks of incident {incident_id} run; see its thread.", incident_id)


def values_read(tx: Tx, incident_id: int, readings: Sequence[Reading]) -> None:
    """Each value becomes an entry of the timeline, and the runbook's message shows it."""
    incident, book = incidents.lock(tx, incident_id), runbooks.of_incident(tx, incident_id)
    if incident is None or book is None:
        return
    stamp = int(tx.now.timestamp())
    incidents.write(
        tx,
        incident_id,
        [
            Entry(
                Kind.METRIC,
                one.text,
                one.read_at,
                data={**one.document(), "runbook": book.slug},
                source_ref=f"check:{book.slug}:{n}:{stamp}",
                trust="external" if one.whose or one.why else None,
            )
            for n, one in enumerate(readings)
        ],
    )
    message = messages.role_of(tx, incident_id, "runbook")
    if message is not None:
        messages.touch(tx, message, at_once=True)


def picture_drawn(
    tx: Tx, incident_id: int, *, file_id: str | None, alt: str, title: str, sentence: str
) -> None:
    """The card shows it; while the incident is open it is drawn anew every ten minutes."""
    incident = incidents.lock(tx, incident_id)
    before = pictures.get(tx, incident_id)
    if incident is None or before is None:
        return
    pictures.keep(tx, incident_id, file_id=file_id, alt=alt, sentence=sentence, fault=None)
    if sentence and not before.sentence:
        entry = Entry(
            Kind.METRIC,
            f"{title} = {sentence}",
            tx.now,
            data={"sentence": sentence},
            source_ref=f"picture:{incident_id}:first",
            trust="external",
        )
        incidents.write(tx, incident_id, [entry])
    showing.changed(tx, incident_id)
    if incident.status not in (Status.RESOLVED, Status.MERGED):
        wait = AGAIN_EVERY if before.drawn_at else AGAIN_FIRST
        pictures.ask(tx, incident_id, not_before=tx.now + wait)


def picture_failed(tx: Tx, incident_id: int, fault: str) -> None:
    """The card says why there is none; an earlier picture stays, with its time."""
    before = pictures.get(tx, incident_id)
    if before is None or before.fault:
        return
    pictures.keep(
        tx,
        incident_id,
        file_id=before.file_id,
        alt=before.alt,
        sentence=before.sentence if before.file_id else "",
        fault=fault[:300],
        drawn_at=before.drawn_at if before.file_id else None,
    )
    showing.changed(tx, incident_id)
