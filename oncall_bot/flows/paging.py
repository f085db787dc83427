"""Page whoever is on call: carry out what the escalation machine decided, as pages, messages and the next timer.

Knows how decisions become rows. Refuses to decide (core.escalation, core.paging) and to send (the engine does).
Serves every flow that begins, moves or ends paging. The next step's timer is written with the pages themselves,
so the chain cannot break between them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from oncall_bot.core import escalation
from oncall_bot.core.away import ALL_THE_SAME, LeftOut
from oncall_bot.core.config import Config, Policy, Step, Target, Urgency
from oncall_bot.core.escalation import (
    Ask,
    Decision,
    Due,
    Passed,
    Position,
    Roster,
    Run,
    Stage,
    Status,
    step_name,
)
from oncall_bot.core.incidents import Status as IncidentStatus
from oncall_bot.core.paging import Found, Reach, has_loud_road
from oncall_bot.core.personal_rules import Planned
from oncall_bot.core.quiet_hours import HELD
from oncall_bot.core.rota_words import wall
from oncall_bot.core.timeline import Entry, Kind
from oncall_bot.flows import showing
from oncall_bot.store import incidents, messages, outbox, runs, timers
from oncall_bot.store.outbox import Lane
from oncall_bot.store.statements import Row
from oncall_bot.store.transactions import Reader, Tx

MANUAL_EVERY = timedelta(minutes=5)
FALLBACK_POLICY = "fallback"
_PAGES_BY_ITSELF = (Status.WAITING, Status.RUNNING, Status.ASKED)


def policy_of(config: Config, run: Row | None, policy_key: str, team: str | None) -> Policy:
    """The policy in force under that key; a page by hand has its own, and a key that is gone falls back."""
    targets = run.targets if run is not None else None
    if targets:
        page = tuple(Target(*text.split(":", 1)) for text in targets)
        return Policy(policy_key, (Step(timedelta(0), page),), times=2, every=MANUAL_EVERY)
    found = config.policies.get(policy_key)
    if found is not None:
        return found
    page = roster_of(config, team).fallback or roster_of(config, team).last_resort
    return Policy(policy_key, (Step(timedelta(0), page),), times=3, every=MANUAL_EVERY)


def roster_of(config: Config, team: str | None) -> Roster:
    """The team's fallback, else the installation's; then the last resort and the channel."""
    own = config.teams[team].fallback if team is not None and team in config.teams else ()
    channel = channel_of(config, team)
    last = [Target("person", key) for key in config.defaults.last_resort]
    if channel:
        last.append(Target("channel", channel))
    return Roster(fallback=own or config.defaults.fallback, last_resort=tuple(last))


def channel_of(config: Config, team: str | None) -> str | None:
    own = config.teams[team].channel if team is not None and team in config.teams else None
    return own or config.defaults.channel


def urgency_of(incident: Row, run: Row) -> Urgency:
    """How loud this run pages. Whoever pages somebody by hand wants them now, however loud the incident is."""
    return Urgency.HIGH if run.targets else Urgency(incident.urgency)


def begin(
    tx: Tx,
    incident: Row,
    policy_key: str | None,
    *,
    wait: timedelta = timedelta(0),
    targets: Sequence[str] | None = None,
) -> None:
    """Start paging for the incident: its run, the first timer, and the first page when it is due now."""
    key = policy_key or FALLBACK_POLICY
    run_id = runs.insert(
        tx, incident.id, key, Run(Status.WAITING), "", list(targets) if targets else None
    )
    row = runs.lock(tx, run_id)
    policy = policy_of(tx.snapshot.config, row, key, incident.team)
    decision = escalation.start(
        policy, Run(Status.WAITING), urgency_of(incident, row), tx.now, wait=wait
    )
    carry_out(tx, incident, row, policy, decision)


def again(tx: Tx, incident: Row, *, not_before_calm: timedelta | None = None) -> None:
    """A new epoch for every run of the incident that is not over (urgency rose, it came back, a hold ended)."""
    rang_at = outbox.last_rang(tx, incident.id)
    for row in runs.open_of(tx, incident.id):
        _anew(tx, incident, row, _calm_at([row.last_paged_at, rang_at], not_before_calm))


def _anew(tx: Tx, incident: Row, row: Row, not_before: datetime | None) -> None:
    policy = policy_of(tx.snapshot.config, row, row.policy_key, incident.team)
    decision = escalation.anew(
        policy, runs.run_of(row), urgency_of(incident, row), tx.now, not_before=not_before
    )
    carry_out(tx, incident, row, policy, decision)


def step_is_due(tx: Tx, run_id: int, due: Due) -> None:
    """A timer of this run struck."""
    incident, row = _locked(tx, run_id)
    if incident is None or row is None:
        return
    config = tx.snapshot.config
    policy = policy_of(config, row, row.policy_key, incident.team)
    urgency = urgency_of(incident, row)
    run = runs.run_of(row)
    if due.kind == "ack_timeout":
        decision = _ack_timed_out(tx, incident, policy, run, due)
    else:
        decision = escalation.step_due(
            policy, roster_of(config, incident.team), run, due, urgency, tx.now
        )
    if decision.run != run or decision.asks:
        carry_out(tx, incident, row, policy, decision, due_at=due.at)


def _ack_timed_out(tx: Tx, incident: Row, policy: Policy, run: Run, due: Due) -> Decision:
    """Nobody has the incident any more, so that whoever is paged now can take it. Mitigated: it is being watched."""
    if incident.status != IncidentStatus.ACKED:
        return Decision(run, reason=f"no word is asked for: the incident is {incident.status}")
    decision = escalation.ack_timed_out(policy, run, due, Urgency(incident.urgency), tx.now)
    if decision.run != run:
        lost = {"acked_at": None, "acked_by": None, "acked_by_name": None}
        incidents.change(tx, incident.id, status=str(IncidentStatus.OPEN), **lost)
        text = f"No word from {incident.acked_by_name} since the acknowledgement; paging goes on"
        incidents.write(tx, incident.id, [Entry(Kind.STATUS, text, tx.now, data={"to": "open"})])
        showing.changed(tx, incident.id, at_once=True, pages=True)
    return decision


def _locked(tx: Tx, run_id: int) -> tuple[Row | None, Row | None]:
    """The incident first, then its run: the order every flow takes, so that none waits in a circle."""
    incident_id = runs.incident_of(tx, run_id)
    if incident_id is None:
        return None, None
    return incidents.lock(tx, incident_id), runs.lock(tx, run_id)


def carry_out(
    tx: Tx,
    incident: Row,
    row: Row,
    policy: Policy,
    decision: Decision,
    *,
    due_at: datetime | None = None,
) -> None:
    """Write the decision down: the run, its pages, its next timer. A step due now is taken at once.

    A position that reached nobody is passed over here, in the same transaction: next step, fallback, last resort.
    `due_at` is when its timer should have struck: what is paged is late by as much.
    """
    urgency = urgency_of(incident, row)
    roster = roster_of(tx.snapshot.config, incident.team)
    run, due, reason = decision.run, decision.next_due, decision.reason
    nobody: list[str] = []
    while True:
        _say_passed(tx, incident, row, run, policy, decision.passed)
        missed: Position | None = None
        for ask in decision.asks:
            found = _whom(tx, incident, row, ask, urgency)
            if _page_all(tx, incident, row, run, ask, found, due_at or tx.now):
                nobody = []
            else:
                nobody += _passed_over(tx, incident, row, run, ask, found)
                missed = ask.position
        if not decision.asks:
            missed = _ended_unasked(decision)
        if missed is not None and missed.stage is not Stage.AGAIN:
            reached = runs.reached(tx, row.id, run.epoch, run.round)
            ahead = escalation.nobody_there(policy, run, missed, urgency, tx.now, reached=reached)
            due = ahead.due
            _say_passed(tx, incident, row, run, policy, ahead.passed)
        if due is None or due.at > tx.now or due.kind != "escalate":
            break
        decision = escalation.step_due(policy, roster, run, due, urgency, tx.now)
        if decision.run == run and not decision.asks:
            break
        run, due, reason = decision.run, decision.next_due, decision.reason
    _save(tx, incident, row, run, due, reason, nobody)


def _ended_unasked(decision: Decision) -> Position | None:
    """The step that was passed over when it was due, if nothing of its round comes after it."""
    run, due = decision.run, decision.next_due
    if not decision.passed or run.status is not Status.RUNNING:
        return None
    if due is not None and (due.position.round, due.position.stage) == (run.round, Stage.STEP):
        return None
    return Position(run.round, run.step, run.stage)


def _say_passed(
    tx: Tx, incident: Row, row: Row, run: Run, policy: Policy, passed: Sequence[Passed]
) -> None:
    """A step that was left out for its hours, with the reason; `why` reads it from here."""
    entries = [
        Entry(
            Kind.SYSTEM,
            f"{policy.key}, {step_name(policy, one.position)} is passed over: {one.why}",
            tx.now,
            data={
                "not_paged": {
                    "run": row.id,
                    "round": one.position.round,
                    "step": one.position.step,
                    "due_at": one.at.isoformat(),
                    "why": one.why,
                }
            },
            source_ref=f"passed:{row.id}:{run.epoch}:{one.position.round}:{one.position.step}",
        )
        for one in passed
    ]
    if entries:
        incidents.write(tx, incident.id, entries)


def _save(
    tx: Tx, incident: Row, row: Row, run: Run, due: Due | None, reason: str, nobody: Sequence[str]
) -> None:
    if due is None and run.status is Status.RUNNING:
        run, reason = replace(run, status=Status.ASKED), f"{reason}; low urgency is asked once"
    runs.save(tx, row.id, run, reason)
    if due is not None:
        plan(tx, row.id, due)
    if nobody:
        _say_nobody(tx, incident, nobody)
    elif incident.nobody and run.status is Status.RUNNING:
        incidents.change(tx, incident.id, nobody=None)


def plan(tx: Tx, run_id: int, due: Due) -> None:
    """The timer of a due position; its key names it, so that it is planned once."""
    at = due.position
    timers.add(
        tx,
        due.kind,
        f"run:{run_id}",
        due.at,
        f"{due.kind}:{run_id}:{due.epoch}:{at.round}:{at.step}:{at.stage}",
        {"epoch": due.epoch, "round": at.round, "step": at.step, "stage": str(at.stage)},
    )


def due_of(timer: Row) -> Due:
    """The due position a timer row carries."""
    data = timer.data
    position = Position(int(data["round"]), int(data["step"]), Stage(data["stage"]))
    return Due(timer.kind, timer.due_at, int(data["epoch"]), position)


def _whom(tx: Tx, incident: Row, row: Row, ask: Ask, urgency: Urgency) -> tuple[Found, ...]:
    """Whom the position asks; who is left out for a holiday is written down, `why` reads it from here."""
    is_list = ask.position.stage is Stage.FALLBACK
    whom = tx.snapshot.whom(ask.targets, tx.now, urgency, is_list=is_list)
    entries = [
        Entry(
            Kind.SYSTEM,
            f"{tx.snapshot.name(one.person)} is left out of {_place_of(one, is_list)}:"
            f" on holiday until {_spoken(tx, one.person, one.until)}",
            tx.now,
            data={
                "left_out": {
                    "run": row.id,
                    "person": one.person,
                    "place": _place_of(one, is_list),
                    "until": one.until.isoformat(),
                }
            },
        )
        for one in whom.left_out
    ]
    if entries:
        incidents.write(tx, incident.id, entries)
    return whom.found


def _place_of(one: LeftOut, is_list: bool) -> str:
    return "the fallback" if is_list else f"team {one.target.key}"


def _spoken(tx: Reader, person: str, at: datetime) -> str:
    """The instant on the person's own clock: `Fri 6 Mar 18:00 (Europe/Berlin)`."""
    config = tx.snapshot.config
    zone = ZoneInfo(config.people[person].zone or config.defaults.zone)
    return f"{wall(at, zone)} ({zone.key})"


def _page_all(
    tx: Tx,
    incident: Row,
    row: Row,
    run: Run,
    ask: Ask,
    found: Sequence[Found],
    due_at: datetime,
) -> bool:
    """Page everybody found; True when at least one message to somebody was left."""
    seen: set[str] = set()
    said: list[tuple[str, str]] = []
    for one in found:
        if one.channel:
            said += _page_channel(tx, incident, row, run, ask, one)
        for person in one.people:
            if person not in seen:
                seen.add(person)
                said += _page_person(tx, incident, row, run, ask, one, person, due_at)
    if said:
        runs.paged(tx, row.id)
        incidents.write(
            tx,
            incident.id,
            [
                Entry(
                    Kind.PAGE,
                    f"Paged {text}",
                    tx.now,
                    data={"to": [who], "step": ask.position.step + 1, "reason": ask.reason},
                )
                for who, text in said
            ],
        )
        showing.changed(tx, incident.id)
    return bool(said)


def _page_person(
    tx: Tx,
    incident: Row,
    row: Row,
    run: Run,
    ask: Ask,
    found: Found,
    person: str,
    due_at: datetime,
) -> list[tuple[str, str]]:
    config = tx.snapshot.config
    urgency = urgency_of(incident, row)
    reach = tx.snapshot.reach.get(person, Reach(None))
    plan = tx.snapshot.page_plan(person, urgency, tx.now)
    name = tx.snapshot.name(person)
    if not plan:
        incidents.write(
            tx,
            incident.id,
            [
                Entry(
                    Kind.SYSTEM,
                    f"{name} has no road: no Slack id, no contact",
                    tx.now,
                    data={"no_road": {"run": row.id, "person": person, "step": ask.reason}},
                )
            ],
        )
        return []
    loud = has_loud_road(config, reach)
    holiday = _holiday(tx, ask, found, person)
    page_id = runs.insert_page(
        tx,
        row,
        _key(run, ask),
        f"person:{person}",
        person,
        {
            "ask": ask.reason,
            "found": found.reason,
            "target": str(found.target),
            "loud": loud,
            "stage": str(ask.position.stage),
            **holiday,
        },
    )
    if page_id is None:
        return []
    if holiday:
        until = datetime.fromisoformat(holiday["away_until"])
        text = f"{name} is on holiday until {_spoken(tx, person, until)}, paged all the same"
        entry = Entry(Kind.SYSTEM, f"{text}: {holiday['away_why']}", tx.now)
        incidents.write(tx, incident.id, [entry])
    for one in plan:
        _leave(tx, incident, run, page_id, person, one, urgency, due_at)
    warn = "" if loud or urgency is not Urgency.HIGH else " (no loud road)"
    return [(person, f"{name}: {_told(tx, person, plan)}{warn}")]


def _told(tx: Reader, person: str, plan: Sequence[Planned]) -> str:
    """The roads that go at once; when quiet hours hold all of them back, the first and until when."""
    now = [one.road.by for one in plan if not one.road.after and not one.waits]
    first = plan[0]
    if not now and first.waits:
        return f"{first.road.by} at {_spoken(tx, person, first.at)}, {HELD}"
    return ", ".join(dict.fromkeys(now)) or first.road.by


def _holiday(tx: Reader, ask: Ask, found: Found, person: str) -> dict[str, str]:
    """For somebody on holiday: until when, and why they are paged all the same; empty for anybody else."""
    until = tx.snapshot.away_until(person, tx.now)
    if until is None:
        return {}
    in_list = ask.position.stage is Stage.FALLBACK
    why = ALL_THE_SAME["team" if in_list else found.target.kind]
    return {"away_until": until.isoformat(), "away_why": why}


def _key(run: Run, ask: Ask) -> tuple[int, int, int]:
    """(epoch, round, step) of a page; fallback and last resort stand behind the steps."""
    offset = {Stage.STEP: 0, Stage.AGAIN: 0, Stage.FALLBACK: 1000, Stage.LAST_RESORT: 2000}
    return run.epoch, ask.position.round, ask.position.step + offset[ask.position.stage]


def _leave(
    tx: Tx,
    incident: Row,
    run: Run,
    page_id: int,
    person: str,
    planned: Planned,
    urgency: Urgency,
    due_at: datetime,
) -> None:
    """One message of one page on one road, to go when the person's rule says, or when their quiet hours end."""
    road = planned.road
    key = f"page:{page_id}:{road.ref}:{road.position}"
    urgent = urgency is Urgency.HIGH
    if road.by == "slack":
        slack_id = tx.snapshot.reach[person].slack_id or ""
        message_id = messages.create(
            tx, incident_id=incident.id, role="page", channel=slack_id, page_id=page_id
        )
        payload: dict[str, object] = {"message_id": message_id, "road": "slack", "urgent": urgent}
        destination = f"slack:{slack_id}"
    else:
        assert road.contact is not None
        payload = {
            "road": road.by,
            "address": road.contact.address,
            "contact": road.contact.ref,
            "urgent": urgent,
        }
        destination = f"{road.by}:{person}"
    if planned.waits:
        payload["waits"] = HELD
    outbox.add(
        tx,
        lane=Lane.PAGE,
        kind="message" if road.by == "slack" else "loud",
        destination=destination,
        dedupe_key=key,
        payload=payload,
        page_id=page_id,
        incident_id=incident.id,
        epoch=run.epoch,
        not_before=planned.at,
        due_at=planned.at if planned.waits else due_at + road.after,
    )


def _page_channel(
    tx: Tx, incident: Row, row: Row, run: Run, ask: Ask, found: Found
) -> list[tuple[str, str]]:
    channel = found.channel or ""
    page_id = runs.insert_page(
        tx,
        row,
        _key(run, ask),
        str(found.target),
        None,
        {"ask": ask.reason, "found": found.reason, "stage": str(ask.position.stage)},
    )
    if page_id is None:
        return []
    message_id = messages.create(
        tx, incident_id=incident.id, role="page", channel=channel, page_id=page_id
    )
    outbox.add(
        tx,
        lane=Lane.PAGE,
        kind="message",
        destination=f"slack:{channel}",
        dedupe_key=f"page:{page_id}:channel:0",
        payload={"message_id": message_id, "road": "channel"},
        page_id=page_id,
        incident_id=incident.id,
        epoch=run.epoch,
    )
    return [(str(found.target), f"the channel {channel}")]


def _passed_over(
    tx: Tx, incident: Row, row: Row, run: Run, ask: Ask, found: Sequence[Found]
) -> list[str]:
    """Write down why a position reached nobody; answers the reasons."""
    reasons = [one.reason for one in found] or ["nobody is named"]
    text = f"{ask.reason} reached nobody: {'; '.join(reasons)}"
    data = {"nobody": {"run": row.id, "epoch": run.epoch, "ask": ask.reason, "why": reasons}}
    incidents.write(tx, incident.id, [Entry(Kind.SYSTEM, text, tx.now, data=data)])
    return reasons


def _say_nobody(tx: Tx, incident: Row, reasons: Iterable[str]) -> None:
    text = "; ".join(dict.fromkeys(reasons))[:500]
    incidents.change(tx, incident.id, nobody=text)
    incidents.write(tx, incident.id, [Entry(Kind.SYSTEM, f"Nobody could be paged: {text}", tx.now)])
    showing.changed(tx, incident.id)


def stop(tx: Tx, incident: Row) -> None:
    """End every run of the incident."""
    for row in runs.open_of(tx, incident.id):
        decision = escalation.done(runs.run_of(row))
        runs.save(tx, row.id, decision.run, decision.reason)


def hold(tx: Tx, incident: Row, reason: str, *, by_hand: bool) -> int:
    """Nobody is paged while all of it is held back. Answers how many runs stopped.

    Without `by_hand` whoever has it keeps it, and who was asked for by hand is asked on.
    """
    stopped = 0
    for row in runs.open_of(tx, incident.id):
        if not by_hand and (row.targets or row.state not in _PAGES_BY_ITSELF):
            continue
        decision = escalation.held(runs.run_of(row), reason)
        runs.save(tx, row.id, decision.run, decision.reason)
        stopped += 1
    return stopped


def release(tx: Tx, incident: Row) -> None:
    """What was held begins anew, from step 1."""
    for row in runs.open_of(tx, incident.id):
        if row.state == Status.HELD:
            _anew(tx, incident, row, None)


def ensure_run(tx: Tx, incident: Row, policy_key: str | None, *, calm: timedelta | None) -> None:
    """An incident that came back is paged again: from step 1, but not sooner than `calm` after its last page."""
    if runs.open_of(tx, incident.id):
        again(tx, incident, not_before_calm=calm)
        return
    past = runs.all_of(tx, incident.id)
    rang = [*(row.last_paged_at for row in past), outbox.last_rang(tx, incident.id)]
    calm_at = _calm_at(rang, calm)
    wait = max(timedelta(0), calm_at - tx.now) if calm_at else timedelta(0)
    begin(tx, incident, past[0].policy_key if past else policy_key, wait=wait)


def _calm_at(rang: Sequence[datetime | None], calm: timedelta | None) -> datetime | None:
    """From when on it may ring again: `calm` after the last time anybody was paged, or a delayed page rang."""
    known = [at for at in rang if at is not None]
    return max(known) + calm if calm and known else None
