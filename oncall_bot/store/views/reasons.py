"""Why each person was paged, or not: the rows of one incident as core.explanation wants them.

Knows runs, pages and what the timeline says was passed over. Writes nothing; the words are core's. Serves `/oncall why`
and `incidents show`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from oncall_bot.core import explanation
from oncall_bot.core.config import Urgency
from oncall_bot.core.escalation import Status as RunStatus
from oncall_bot.core.explanation import Line, NotPaged, PageTold, RunTold, Told
from oncall_bot.core.incidents import Status
from oncall_bot.core.routes import routed
from oncall_bot.core.situation import RoadFate
from oncall_bot.store import groups, incidents, runs
from oncall_bot.store.statements import Row
from oncall_bot.store.transactions import Reader
from oncall_bot.store.views.incident import silence_of, situation_of
from oncall_bot.store.views.paging import Paging

LEFT_OUT_SHOWN = 200


def why(reader: Reader, incident_id: int) -> tuple[Line, ...]:
    """Why each person was paged, or not; empty when there is no such incident."""
    incident = incidents.get(reader, incident_id)
    return () if incident is None else explanation.explain(_told(reader, incident))


def _told(reader: Reader, incident: Row) -> Told:
    members = groups.all_members(reader, incident.id, limit=1)
    origin = [_origin(incident)]
    origin += [
        f"Taken by {way.why}. Group: {way.group_key or 'one for all'}."
        for row in members
        for way in routed(reader.snapshot.config, row.labels)
    ]
    origin.append(f"It is {incident.severity}, urgency {incident.urgency}.")
    silence = silence_of(reader, incident)
    shown = situation_of(reader, incident)
    over = {
        Status.RESOLVED: "it is resolved",
        Status.MERGED: f"it is part of incident {incident.merged_into_id}",
    }
    return Told(
        origin=origin,
        urgency=Urgency(incident.urgency),
        runs=_runs_told(reader, incident),
        acked_by=incident.acked_by_name,
        acked_at=incident.acked_at,
        held_by=f"silence {silence.silence_id} of {silence.by}"
        if silence
        else _bare(shown.held_why),
        held_until=silence.until if silence else None,
        nobody=incident.nobody,
        over=over.get(Status(incident.status)),
    )


def _bare(held_why: str | None) -> str | None:
    return held_why.removeprefix("held back by ") if held_why else None


def _runs_told(reader: Reader, incident: Row) -> list[RunTold]:
    paging = Paging(reader, incident)
    fates = paging.fates()
    pages = runs.pages(reader, incident.id)
    left_out = _left_out(reader, incident.id)
    told = []
    for row in paging.runs:
        upcoming = [t for r, t in paging.due if r.id == row.id]
        word = [t.due_at for t in upcoming if t.kind == "ack_timeout"]
        step = [paging.step_of(row, t) for t in upcoming if t.kind == "escalate"]
        told.append(
            RunTold(
                title=_title(reader, row),
                status=RunStatus(row.state),
                urgency=Urgency.HIGH if row.targets else Urgency(incident.urgency),
                policy=None if row.targets else paging.policy(row),
                pages=[_page_told(reader, p, fates) for p in pages if p.run_id == row.id],
                left_out=left_out.get(row.id, ()),
                next=min(step, key=lambda one: one.at, default=None),
                word_at=min(word, default=None),
                reason=row.reason,
            )
        )
    return told


def _title(reader: Reader, row: Row) -> str:
    if not row.targets:
        return f"policy {row.policy_key}"
    whom = [text.partition(":")[2] for text in row.targets]
    return f"by hand: {', '.join(reader.snapshot.name(key) for key in whom)}"


def _page_told(reader: Reader, page: Row, fates: Mapping[int, Sequence[RoadFate]]) -> PageTold:
    snapshot, reason = reader.snapshot, page.reason
    kind, _, key = str(reason.get("target", "")).partition(":")
    rota = snapshot.rota(key, page.decided_at) if kind == "schedule" else page.person
    return PageTold(
        name=snapshot.name(page.person) if page.person else page.target,
        at=page.decided_at,
        ask=str(reason.get("ask", "")),
        found=str(reason.get("found", "")),
        rota=snapshot.name(rota) if rota != page.person else None,
        roads=fates.get(page.id, ()),
        answered_at=page.answered_at,
        answered_by=page.answered_by,
        loud=bool(reason.get("loud", True)) or page.person is None,
        away_until=_instant(reason.get("away_until")),
        away_why=str(reason.get("away_why", "")),
    )


def _instant(stored: str | None) -> datetime | None:
    return datetime.fromisoformat(stored) if stored else None


def _left_out(reader: Reader, incident_id: int) -> dict[int, list[NotPaged]]:
    """By run: what the timeline says was passed over, reached nobody or had no road."""
    found: dict[int, list[NotPaged]] = defaultdict(list)
    rows = incidents.last_events(reader, incident_id, ("system",), limit=LEFT_OUT_SHOWN)
    for row in reversed(rows):
        if (passed := row.data.get("not_paged")) is not None:
            step, due_at = f"step {passed['step'] + 1}", datetime.fromisoformat(passed["due_at"])
            found[passed["run"]].append(NotPaged(step, passed["why"], due_at))
        elif (no_road := row.data.get("no_road")) is not None:
            name = reader.snapshot.name(no_road["person"])
            found[no_road["run"]].append(NotPaged(name, "no road", row.at))
        elif (absent := row.data.get("left_out")) is not None:
            name, why = reader.snapshot.name(absent["person"]), f"left out of {absent['place']}"
            until = datetime.fromisoformat(absent["until"])
            found[absent["run"]].append(NotPaged(name, f"{why}, on holiday", row.at, until))
        elif (nobody := row.data.get("nobody")) is not None:
            found[nobody["run"]].append(NotPaged(nobody["ask"], "; ".join(nobody["why"]), row.at))
    return found


def _origin(incident: Row) -> str:
    if incident.declared_by:
        return f"{incident.declared_by} declared it as {incident.severity}."
    if incident.origin == "storm":
        return "Many groups opened within a minute: a storm is one incident and one page."
    return f"The alert {incident.first_alert or 'without a name'} opened it."
