"""The daily canary: a real page to one person, which shows that the whole road from timer to phone still works.

Knows when it is due, that it is an incident like any other but without a card, and when it has arrived. Refuses
short cuts: it goes through escalation, outbox, delivery and the person's loud road. Serves the tick, the result of
each delivery, the auditor (which tells when it did not arrive), metrics and doctor.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from oncall_bot.core.canary import TITLE, next_due
from oncall_bot.core.config import Config
from oncall_bot.core.incidents import OPEN, Origin, Status
from oncall_bot.core.paging import Reach, has_loud_road
from oncall_bot.core.timeline import Entry, Kind
from oncall_bot.flows import paging, showing
from oncall_bot.store import incidents, timers
from oncall_bot.store.statements import Row
from oncall_bot.store.transactions import Reader, Tx

SUBJECT = "canary"
PRESS = "canary"
"""Names the newest one: the key is taken from the one before."""


@dataclass(frozen=True, slots=True)
class Last:
    """The newest test page: when it was sent, and when it arrived, if it has."""

    incident_id: int
    person: str
    sent_at: datetime
    arrived_at: datetime | None
    within: timedelta

    def is_missed(self, now: datetime) -> bool:
        return self.arrived_at is None and now > self.sent_at + self.within


def last(reader: Reader) -> Last | None:
    """The newest test page, or None when none was sent or none is configured."""
    canary = reader.snapshot.config.canary
    incident_id = incidents.by_press(reader, PRESS)
    row = incidents.get(reader, incident_id) if canary and incident_id is not None else None
    if canary is None or row is None:
        return None
    over = row.status not in OPEN
    arrived_at = row.resolved_at if over else None
    return Last(row.id, canary.person, row.opened_at, arrived_at, canary.within)


def plan(tx: Tx, config: Config) -> None:
    """The next one has its timer, at the time the file names; without a canary there is none."""
    waiting = timers.of(tx, SUBJECT)
    ring_at = next((row.due_at for row in waiting if row.kind == "canary"), None)
    if config.canary is None:
        timers.drop(tx, "canary", SUBJECT)
        timers.drop(tx, "canary_check", SUBJECT)
        return
    due = next_due(config.canary, tx.now)
    if ring_at is None or (ring_at > tx.now and ring_at != due):
        timers.rearm(tx, "canary", SUBJECT, due, "canary")


def ring(tx: Tx) -> None:
    """The test page of today; yesterday's is over, arrived or not."""
    config = tx.snapshot.config
    plan(tx, config)
    canary = config.canary
    if canary is None or canary.person not in config.people:
        return
    before = incidents.by_press(tx, PRESS)
    if before is not None:
        _end(tx, before, "A new test page takes its place")
        incidents.change(tx, before, press_id=None)
    incident_id = incidents.insert(
        tx,
        origin=str(Origin.CANARY),
        status=str(Status.OPEN),
        title=TITLE,
        severity="SEV5",
        urgency="high",
        opened_at=tx.now,
        press_id=PRESS,
    )
    name = tx.snapshot.name(canary.person)
    text = f"The daily test page goes to {name}, by every road a page of high urgency takes"
    incidents.write(tx, incident_id, [Entry(Kind.BOT, text, tx.now)])
    target = f"person:{canary.person}"
    incident = incidents.lock(tx, incident_id)
    paging.begin(tx, incident, f"manual:{target}", targets=[target])
    timers.rearm(tx, "canary_check", SUBJECT, tx.now + canary.within, "canary_check")


def ring_again(tx: Tx) -> None:
    """It has not arrived in time: it is sent anew, so that it never goes on to the fallback."""
    found = last(tx)
    canary = tx.snapshot.config.canary
    if found is None or canary is None or found.arrived_at is not None:
        return
    incident = incidents.lock(tx, found.incident_id)
    if incident is None:
        return
    incidents.change(tx, incident.id, status=str(Status.OPEN))
    text = f"It has not arrived within {int(canary.within.total_seconds())} s; it is sent again"
    incidents.write(tx, incident.id, [Entry(Kind.SYSTEM, text, tx.now)])
    paging.again(tx, incidents.lock(tx, incident.id))
    timers.rearm(tx, "canary_check", SUBJECT, tx.now + canary.within, "canary_check")


def arrived(tx: Tx, incident_id: int, row: Row) -> None:
    """A message of a page was taken by its provider: for a canary that is all, if the road was a loud one."""
    incident = incidents.get(tx, incident_id)
    if incident is None or incident.origin != Origin.CANARY or incident.status not in OPEN:
        return
    config = tx.snapshot.config
    person = str(config.canary.person) if config.canary else ""
    reach = tx.snapshot.reach.get(person, Reach(None))
    if row.kind != "loud" and has_loud_road(config, reach):
        return
    took = (tx.now - incident.opened_at).total_seconds()
    road = row.payload.get("road")
    timers.drop(tx, "canary_check", SUBJECT)
    _end(tx, incident_id, f"Arrived by {road} after {took:.0f} s")


def _end(tx: Tx, incident_id: int, text: str) -> None:
    incident = incidents.lock(tx, incident_id)
    if incident is None or incident.status not in OPEN:
        return
    incidents.change(tx, incident_id, status=str(Status.RESOLVED), resolved_at=tx.now, nobody=None)
    incidents.write(tx, incident_id, [Entry(Kind.STATUS, text, tx.now, data={"to": "resolved"})])
    paging.stop(tx, incident)
    showing.changed(tx, incident_id, at_once=True, pages=True)
