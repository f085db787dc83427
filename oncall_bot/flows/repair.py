"""The auditor's hands: an open incident that nothing would page for is paged anew, and the admins are told.

Knows what to do about each fault. Refuses to look for them: store.audit does. Serves `engine.auditor`.
"""

from __future__ import annotations

from collections.abc import Sequence

from oncall_bot.core.incidents import OPEN
from oncall_bot.core.timeline import Entry, Kind
from oncall_bot.flows import notices, paging, showing
from oncall_bot.store import audit, incidents
from oncall_bot.store.db import Tx


def repair(tx: Tx) -> list[str]:
    """Put every stuck incident back on its way; answers one sentence for each."""
    said = [_again(tx, row.id, "no run was paging for it") for row in audit.unwatched(tx)]
    said += [_again(tx, row.id, "its next step had no timer") for row in audit.stuck(tx)]
    found = [one for one in said if one]
    if found:
        notices.tell_admins(tx, f"audit:{int(tx.now.timestamp())}", " ".join(found)[:1000])
    return found


def _again(tx: Tx, incident_id: int, fault: str) -> str | None:
    incident = incidents.lock(tx, incident_id)
    if incident is None or incident.status not in OPEN:
        return None
    text = f"The auditor found that {fault}; paging starts again"
    incidents.write(tx, incident_id, [Entry(Kind.SYSTEM, text, tx.now)])
    paging.ensure_run(tx, incident, None, calm=None)
    showing.changed(tx, incident_id, at_once=True)
    return f"Incident {incident_id}: {fault}; paging started again."


def report(tx: Tx, faults: Sequence[str]) -> None:
    """Faults the auditor cannot mend itself."""
    minute = int(tx.now.timestamp() // 600)  # at most every ten minutes
    notices.tell_admins(tx, f"audit-report:{minute}", " ".join(faults)[:1000])
