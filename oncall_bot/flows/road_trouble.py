"""A person's road works, fails, or will never work: it is kept as its health, and who should know is told.

Knows who that is: its owner by their other roads, and who answers for the schedules they are on. Refuses to judge a
provider's answer. Serves whatever hears of deliveries.

A road whose address will not work is set aside, not thrown away: it is left out while another can wake its owner, and
tried all the same when none can (core.paging). A provider may be wrong, and a page that may fail beats none.
"""

from __future__ import annotations

from oncall_bot.core.config import Urgency
from oncall_bot.core.paging import Reach, roads
from oncall_bot.core.rotations import people_named
from oncall_bot.flows import notices
from oncall_bot.store import incidents, road_health
from oncall_bot.store.snapshot import Snapshot
from oncall_bot.store.statements import Row
from oncall_bot.store.transactions import Tx

TITLE = "A road to you does not work"


def worked(tx: Tx, row: Row) -> None:
    """The message went out by its road."""
    found = _whose(tx, row)
    if found is not None:
        road_health.worked(tx, found[1], str(row.payload["contact"]), str(row.payload["address"]))


def failed(tx: Tx, row: Row, why: str, *, for_good: bool) -> None:
    """The message was refused by its road; `for_good`: every other one to that address would be as well."""
    found = _whose(tx, row)
    if found is None:
        return
    person, person_id = found
    contact, address = str(row.payload["contact"]), str(row.payload["address"])
    if not for_good:
        road_health.failed(tx, person_id, contact, address, why)
    elif road_health.set_aside(tx, person_id, contact, address, why):
        _tell(tx, person, str(row.payload["road"]), contact, why)


def _whose(tx: Tx, row: Row) -> tuple[str, int] | None:
    """The person the message went to, by its destination; None for what went to a channel."""
    if not row.payload.get("contact") or not row.payload.get("address"):
        return None
    person = str(row.destination).partition(":")[2]
    known = tx.snapshot.people.get(person)
    return (person, known.id) if known is not None else None


def _tell(tx: Tx, person: str, road: str, contact: str, why: str) -> None:
    stamp = f"{person}:{contact}:{int(tx.now.timestamp())}"
    incidents.audit(
        tx,
        "system:oncall-bot",
        "road_set_aside",
        f"person:{person}",
        after={"road": road, "why": why[:300]},
    )
    text = (
        f"{road} does not reach you: {why}. It is used only if nothing else can wake you."
        f" Mend it: contact remove {road}, then contact add {road}."
    )
    _tell_owner(tx, person, road, text, stamp)
    name = tx.snapshot.name(person)
    for one in owners_of_rota(tx.snapshot, person):
        notices.tell_person(
            tx, one, f"{road} does not reach {name}: {why}.", f"road:{stamp}:owner:{one}"
        )


def _tell_owner(tx: Tx, person: str, road: str, text: str, stamp: str) -> None:
    """By every other road that a page takes at once, or Slack alone when there is none."""
    reach = tx.snapshot.reach.get(person, Reach(None))
    for other in roads(tx.snapshot.config, reach, Urgency.HIGH):
        if other.by == "slack":
            notices.tell_person(tx, person, text, f"road:{stamp}:slack")
        elif other.by != road and other.contact is not None:
            notices.tell_by(tx, person, other, TITLE, text, f"road:{stamp}:{other.ref}")


def owners_of_rota(snapshot: Snapshot, person: str) -> list[str]:
    """Who answers for the schedules the person is on: their teams' managers, else the admins."""
    config = snapshot.config
    teams = {
        schedule.team
        for schedule in config.schedules.values()
        if schedule.team and person in people_named(schedule.definition)
    }
    managers = [
        one for team in sorted(teams) if team in config.teams for one in config.teams[team].managers
    ]
    return [one for one in dict.fromkeys(managers or config.admins) if one != person]
