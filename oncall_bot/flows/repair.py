"""The auditor's hands: what each fault of `flows.checks` needs to be right again, one function a repair.

Knows what to do about each fault. Refuses to look for them and to tell of them. Each answers what it did, as the end
of a sentence. A page that is owed is left to be sent in the same transaction. What is put back gets a key of its own,
because the old one may have been used up.
"""

from __future__ import annotations

from datetime import timedelta

from oncall_bot.core import escalation
from oncall_bot.core.config import Urgency
from oncall_bot.core.escalation import Due, Position, Stage
from oncall_bot.core.faults import Fault
from oncall_bot.core.incidents import OPEN
from oncall_bot.core.routes import maintenance_until
from oncall_bot.core.timeline import Entry, Kind
from oncall_bot.flows import paging, reconcile, shifts, showing, watchdog
from oncall_bot.flows.strike import STRIKES
from oncall_bot.store import audit, incidents, messages, outbox, processes, runs, timers
from oncall_bot.store.statements import Row
from oncall_bot.store.transactions import Tx

LEASED_AT_MOST = timedelta(minutes=4)
"""The longest lease is two minutes; what is leased for longer is leased for ever."""
RESTS_AT_MOST = timedelta(minutes=10)
"""The longest rest a provider is granted is five minutes."""
FALLBACK_STEP = 1000  # the number of the page of the fallback; behind it nobody is called sooner
STARTED = "paging started again"


# --- incidents and their paging -----------------------------------------------------------------------------------


def page_anew(tx: Tx, fault: Fault) -> str:
    """From step 1, under a new epoch."""
    incident = incidents.lock(tx, fault.ref)
    if incident is None or incident.status not in OPEN:
        return "it is over meanwhile"
    audit.make_known(tx, incident.id)
    _write(tx, incident.id, f"The auditor found: {fault.text}; {STARTED}")
    paging.ensure_run(tx, incident, None, calm=None)
    showing.changed(tx, incident.id, at_once=True)
    return STARTED


def page_again(tx: Tx, fault: Fault) -> str:
    """A message that died without having been refused is sent after all; refused for good, the next step is asked."""
    page = runs.page(tx, fault.ref)
    left = audit.messages_of_page(tx, fault.ref)
    early = [
        row.id for row in left if row.state == "dead" and row.failures < outbox.DEAD_AFTER_PERMANENT
    ]
    if early:
        audit.revive(tx, early)
        return "it is sent again"
    if page is None or not left:
        return page_anew(tx, Fault(fault.subject, fault.text, page.incident_id if page else 0))
    if page.step >= FALLBACK_STEP:
        return "the next try comes with the last resort"
    return _next_step_now(tx, page, fault)


def _next_step_now(tx: Tx, page: Row, fault: Fault) -> str:
    incident = incidents.lock(tx, page.incident_id)
    row = runs.lock(tx, page.run_id)
    if incident is None or row is None or incident.status not in OPEN:
        return "it is over meanwhile"
    config = tx.snapshot.config
    policy = paging.policy_of(config, row, row.policy_key, incident.team)
    roster = paging.roster_of(config, incident.team)
    urgency = Urgency(incident.urgency)
    _write(tx, incident.id, f"The auditor found: {fault.text}; the next step is paged now")
    decision = escalation.escalated(policy, roster, runs.run_of(row), urgency, tx.now)
    paging.carry_out(tx, incident, row, policy, decision)
    showing.changed(tx, incident.id, at_once=True)
    return "the next step is paged now"


def ask_for_word(tx: Tx, fault: Fault) -> str:
    """The timer of the ack timeout, at the instant it should have had, or now."""
    incident_id = runs.incident_of(tx, fault.ref)
    incident = incidents.lock(tx, incident_id) if incident_id is not None else None
    row = runs.lock(tx, fault.ref)
    if incident is None or row is None or incident.acked_at is None:
        return "it is over meanwhile"
    policy = paging.policy_of(tx.snapshot.config, row, row.policy_key, incident.team)
    if policy.ack_timeout is None:
        return "its policy asks for none"
    at = max(tx.now, incident.acked_at + policy.ack_timeout)
    due = Due("ack_timeout", at, row.epoch, Position(0, -1, Stage.AGAIN))
    timers.add(
        tx,
        due.kind,
        f"run:{row.id}",
        due.at,
        f"{due.kind}:{row.id}:{due.epoch}:audit:{_stamp(tx)}",
        {"epoch": due.epoch, "round": 0, "step": -1, "stage": str(Stage.AGAIN)},
    )
    return f"it is asked for at {at:%H:%M} UTC"


def open_group(tx: Tx, fault: Fault) -> str:
    """The timer that gives the group its incident."""
    subject = f"group:{fault.ref}"
    timers.add(tx, "open_group", subject, tx.now, f"open_group:{fault.ref}:audit:{_stamp(tx)}")
    return "it gets one now"


# --- timers -------------------------------------------------------------------------------------------------------


def end_hold(tx: Tx, fault: Fault) -> str:
    """The timer at the end of the hold, or now when it is over."""
    kind, _, key = fault.subject.partition(":")
    snapshot, until = tx.snapshot, tx.now
    if kind == "source":
        reconcile.release_later(tx, key)
        return "it is released unless its source says so again"
    if kind == "silence":
        ends = [one.ends_at for one in snapshot.silences if str(one.id) == key]
        until = max([tx.now, *ends])
    else:
        ends = [
            end
            for window in snapshot.config.maintenance
            if window.key == key and (end := maintenance_until(window, tx.now)) is not None
        ]
        until = max([tx.now, *ends])
    timers.add(tx, "hold_end", fault.subject, until, f"hold_end:{fault.subject}:audit:{_stamp(tx)}")
    return f"it ends at {until:%H:%M} UTC"


def plan_hand_off(tx: Tx, fault: Fault) -> str:
    following = tx.snapshot.next_handoff(fault.subject, tx.now)
    if following is None:
        return "there is none any more"
    shifts.plan_again(tx, fault.subject, following[0])
    return "it has one now"


def expect_heartbeat(tx: Tx, fault: Fault) -> str:
    for route in tx.snapshot.watched:
        if route.key == fault.subject:
            watchdog.expect(tx, route)
    return "it is waited for from now on"


def set_aside(tx: Tx, fault: Fault) -> str:
    """A run is paged anew without that timer; what no version can strike is left out; the rest is tried again."""
    timer = timers.get(tx, fault.ref)
    if timer is None:
        return "it is done meanwhile"
    kind, _, number = timer.subject.partition(":")
    if kind == "run" and number.isdigit():
        timers.done(tx, timer.id)
        incident_id = runs.incident_of(tx, int(number))
        return page_anew(tx, Fault(fault.subject, fault.text, incident_id or 0))
    if timer.kind not in STRIKES:
        timers.done(tx, timer.id)
        return "it is set aside"
    return "it is tried again"


# --- messages -----------------------------------------------------------------------------------------------------


def free_message(tx: Tx, _fault: Fault) -> str:
    audit.free_sending(tx, tx.now + LEASED_AT_MOST)
    return "it is sent again"


def free_destination(tx: Tx, _fault: Fault) -> str:
    audit.free_destinations(tx, tx.now + LEASED_AT_MOST, tx.now + RESTS_AT_MOST)
    return "it is free again"


def post_card(tx: Tx, fault: Fault) -> str:
    """Drawn again when nothing is on its way; where Slack refuses it for good, in the channel for everything else."""
    incident = incidents.lock(tx, fault.ref)
    card = messages.role_of(tx, fault.ref, "root")
    if incident is None or card is None:
        return "it is gone meanwhile"
    state = audit.card_state(tx, fault.ref)
    if state is None or (state.waits and not state.refused):
        return "it is tried again until it works"
    if not state.refused:
        messages.given_up(tx, card.id)
        messages.touch(tx, card, at_once=True)
        return "it is drawn again"
    other = tx.snapshot.config.defaults.channel
    if not other or other == card.channel:
        return "there is no other channel to post it in"
    messages.move(tx, incident.id, other)
    incidents.change(tx, incident.id, channel=other)
    _write(tx, incident.id, f"Slack refuses the card in {card.channel}; it is posted in {other}")
    showing.changed(tx, incident.id, at_once=True)
    return f"it is posted in {other}"


# --- processes ----------------------------------------------------------------------------------------------------


def free_work(tx: Tx, _fault: Fault) -> str:
    audit.free_leases(tx, tx.now + LEASED_AT_MOST)
    return "it is free again"


def beat_anew(tx: Tx, fault: Fault) -> str:
    if fault.subject.startswith("future:"):
        audit.forget_future_processes(tx, tx.now)
        return "it is forgotten until it beats"
    processes.start(tx, fault.subject, alone=False)
    return "it says that it lives"


def _write(tx: Tx, incident_id: int, text: str) -> None:
    incidents.write(tx, incident_id, [Entry(Kind.SYSTEM, text, tx.now)])


def _stamp(tx: Tx) -> int:
    return int(tx.now.timestamp() * 1000)
