"""No rule, link or name led to a runbook: words may. Off the paging path: looked for on a reader, then written down.

Knows when a ranked runbook is attached and when it is only named as possible. Refuses to know how runbooks are scored.
Serves `engine.librarian`; `open_incident` plans it.
"""

from __future__ import annotations

from collections.abc import Sequence

from oncall_bot.core.config import Urgency
from oncall_bot.core.runbooks import Match
from oncall_bot.core.search.score import OFFERED, POSSIBLE_ABOVE
from oncall_bot.core.timeline import Entry, Kind
from oncall_bot.flows import showing
from oncall_bot.store import groups, incidents, pictures, runbook_search, runbooks, timers
from oncall_bot.store.transactions import Reader, Tx


def plan(tx: Tx, incident_id: int, group_id: int, *, instead_of: int | None = None) -> None:
    """Look for a runbook soon, when there are any; `instead_of` one that was called wrong."""
    if tx.snapshot.shelf.ids:
        subject = f"incident:{incident_id}"
        again = f":not:{instead_of}" if instead_of is not None else ""
        key = f"{timers.FIND_RUNBOOK}:{subject}{again}"
        timers.add(tx, timers.FIND_RUNBOOK, subject, tx.now, key, {"group": group_id})


def look_for(reader: Reader, incident_id: int, group_id: int) -> list[Match]:
    """The runbooks that the incident's first alert is probably about, best first. Only reads: it may take a while."""
    incident, member = incidents.get(reader, incident_id), groups.first_member(reader, group_id)
    if incident is None or member is None:
        return []
    return runbook_search.for_alert(
        reader,
        member.labels,
        member.annotations,
        member.expression or "",
        service=incident.service,
        team=incident.team,
        limit=1 + OFFERED,
    )


def found(tx: Tx, timer_id: int, incident_id: int, group_id: int, matches: Sequence[Match]) -> None:
    """Attach the best of them when its score is high enough, else name those that may fit."""
    if timers.take(tx, timer_id) is None:
        return
    timers.done(tx, timer_id)
    incident = incidents.lock(tx, incident_id)
    if incident is None or runbooks.of_incident(tx, incident_id) is not None:
        return
    sure = tx.snapshot.config.runbooks.attach_above
    known = [match for match in matches if match.runbook.identity in tx.snapshot.shelf.ids]
    best = known[0] if known and known[0].score >= sure else None
    others = [one for one in known if one is not best and one.score >= POSSIBLE_ABOVE]
    if best is not None:
        give(tx, incident_id, group_id, best)
    else:
        tx.observe("runbook_matches", "none")
    _offer(tx, incident_id, group_id, others, said=best is None)
    if (best or others) and incident.urgency != Urgency.NONE:
        showing.open_messages(tx, incident_id, incident.channel, runbook=True)


def _offer(
    tx: Tx, incident_id: int, group_id: int, possible: Sequence[Match], *, said: bool
) -> None:
    """Keep those that may fit; they are named where nothing else was found."""
    for match in possible:
        runbook_id = tx.snapshot.shelf.ids[match.runbook.identity]
        runbooks.attach(
            tx,
            group_id,
            incident_id,
            runbook_id,
            match.how,
            match.score,
            match.why,
            standing=runbooks.POSSIBLE,
        )
    if possible and said:
        names = "; ".join(f"{match.runbook.title} ({match.why})" for match in possible)
        text = f"No runbook fits for certain. Possible: {names}"
        ref = f"runbooks:possible:{incident_id}"
        incidents.write(tx, incident_id, [Entry(Kind.BOT, text, tx.now, source_ref=ref)])


def give(tx: Tx, incident_id: int, group_id: int, match: Match) -> None:
    """The incident has this runbook, and its timeline says why."""
    tx.observe("runbook_matches", match.how)
    runbook_id = tx.snapshot.shelf.ids[match.runbook.identity]
    runbooks.attach(tx, group_id, incident_id, runbook_id, match.how, match.score, match.why)
    entry = Entry(
        Kind.BOT,
        f"Runbook {match.runbook.title}: {match.why}",
        tx.now,
        data={"runbook": match.runbook.slug, "how": match.how},
        source_ref=f"runbook:{match.runbook.slug}",
    )
    incidents.write(tx, incident_id, [entry])
    if match.runbook.checks:
        pictures.ask_for_values(tx, incident_id, f"0:{runbook_id}")
