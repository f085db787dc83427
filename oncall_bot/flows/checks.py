"""The list of what can go wrong without a word, one line each: what it is called, what it means, who looks, who mends.

Read `CHECKS` as a table; docs/howto/watching.md tells the same to people. A look asks `store.audit`, on indexes over
open and waiting rows only; a repair is a function of `flows.repair`. Knows when something is a fault. Refuses to know
who calls: `engine.auditor` does, every minute, and beats to the outside only when nothing was found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from oncall_bot.core.config import Config
from oncall_bot.core.escalation import LAST_RESORT_EVERY
from oncall_bot.core.faults import Fault, Pulse
from oncall_bot.core.incidents import SILENCE_MAX
from oncall_bot.flows import canary, notices, repair
from oncall_bot.flows.repair import LEASED_AT_MOST, RESTS_AT_MOST
from oncall_bot.store import audit
from oncall_bot.store.transactions import Reader, Tx

PAGE_WAITS_AT_MOST = timedelta(seconds=60)
TIMER_WAITS_AT_MOST = timedelta(seconds=60)
TICK_AGE_MAX_S = 10.0
DELIVERY_AGE_MAX_S = 15.0
WRITE_TAKES_AT_MOST_S = 5.0
CLOCK_OFF_AT_MOST = timedelta(seconds=5)
BEAT_OLD_AFTER = timedelta(seconds=15)
TRIES_OF_A_TIMER = 3
BEATS_MISSED = 2
TELL_EVERY = timedelta(minutes=10)
SLACK_IN_TIME = timedelta(hours=1)

Look = Callable[[Reader, Pulse], Sequence[Fault]]
Mend = Callable[[Tx, Fault], str]


@dataclass(frozen=True, slots=True)
class Check:
    """`mend` answers what it did, as the end of a sentence. `own`: each process looks after itself."""

    name: str
    means: str
    look: Look
    mend: Mend | None = None
    own: bool = False
    tell_every: timedelta = TELL_EVERY


def look_all(reader: Reader, pulse: Pulse) -> dict[str, Sequence[Fault]]:
    """Every check's faults, by its name; checks that found nothing are left out. Held back: that alone."""
    if reader.snapshot.held:
        text = "Nothing is sent since a restore; run `oncall-bot resume`."
        return {HELD_BACK: [Fault("restore", text)]}
    found = {check.name: check.look(reader, pulse) for check in CHECKS}
    return {name: faults for name, faults in found.items() if faults}


def treat(tx: Tx, name: str, pulse: Pulse) -> list[str]:
    """Look once more inside this transaction, mend what can be mended, tell the admins. One sentence a fault.

    At most a slice: as long as it answers `audit.SLICE` sentences there may be more.
    """
    check = next(one for one in CHECKS if one.name == name)
    said, subjects = [], []
    for fault in check.look(tx, pulse):
        done = check.mend(tx, fault) if check.mend else ""
        said.append(f"{fault.text}; {done}." if done else f"{fault.text}.")
        subjects.append(fault.subject)
    if said:
        tell(tx, name, subjects, said, every=check.tell_every)
    return said


def is_mended(name: str) -> bool:
    """Whether what was found is gone once it was treated, so that more of it may stand behind."""
    return any(check.name == name and check.mend is not None for check in CHECKS)


def tell(
    tx: Tx,
    name: str,
    subjects: Iterable[str],
    said: Sequence[str],
    *,
    every: timedelta = TELL_EVERY,
) -> None:
    """Admins hear of a fault at once, and while it stays the same again after `every`."""
    again = int(tx.now.timestamp() // every.total_seconds())
    key = f"audit:{name}:{notices.digest(sorted(subjects))}:{again}"
    more = f" And {len(said) - 3} more like it." if len(said) > 3 else ""
    notices.tell_admins(tx, key, " ".join(said[:3])[:900] + more)


# --- incidents and their paging -----------------------------------------------------------------------------------


def _unwatched(reader: Reader, _pulse: Pulse) -> list[Fault]:
    return [
        Fault(
            f"incident:{row.id}",
            f"Incident {row.id} is open and nobody is being paged for it",
            row.id,
        )
        for row in audit.unwatched(reader)
    ]


def _no_next_step(reader: Reader, _pulse: Pulse) -> list[Fault]:
    rows = audit.no_next_step(reader, reader.now + _longest_wait(reader.snapshot.config))
    return [
        Fault(
            f"incident:{row.incident_id}",
            f"The next step of incident {row.incident_id} had no timer",
            row.incident_id,
        )
        for row in rows
    ]


def _no_ack_timeout(reader: Reader, _pulse: Pulse) -> list[Fault]:
    config = reader.snapshot.config
    policies = [key for key, policy in config.policies.items() if policy.ack_timeout is not None]
    rows = audit.no_ack_timeout(reader, policies, reader.now + _longest_wait(config))
    return [
        Fault(
            f"run:{row.run_id}",
            f"Incident {row.incident_id} is acknowledged, and nothing would ask for a word",
            row.run_id,
        )
        for row in rows
    ]


def _longest_wait(config: Config) -> timedelta:
    """No next step of any policy can be further away: a longest step after a longest round after a longest wait."""
    policies = config.policies.values()
    waits = max((route.wait for route in config.routes), default=timedelta(0))
    steps = max((step.after for policy in policies for step in policy.steps), default=timedelta(0))
    rounds = max((policy.every for policy in policies), default=timedelta(0))
    acks = max((policy.ack_timeout or timedelta(0) for policy in policies), default=timedelta(0))
    return max(waits + steps + max(rounds, LAST_RESORT_EVERY), acks) + SLACK_IN_TIME


def _lost_pages(reader: Reader, _pulse: Pulse) -> list[Fault]:
    rows = audit.lost_pages(reader, reader.now - PAGE_WAITS_AT_MOST)
    return [
        Fault(
            f"page:{row.page_id}",
            f"The page to {reader.snapshot.name(row.person) if row.person else row.target}"
            f" for incident {row.incident_id} reached nobody",
            row.page_id,
        )
        for row in rows
    ]


def _group_alone(reader: Reader, _pulse: Pulse) -> list[Fault]:
    return [
        Fault(f"group:{one}", f"Alerts fire in group {one}, and it has no incident", one)
        for one in audit.groups_alone(reader, reader.now - TIMER_WAITS_AT_MOST)
    ]


def _hold_without_end(reader: Reader, _pulse: Pulse) -> list[Fault]:
    holds = audit.holds_without_end(reader, reader.now + SILENCE_MAX + SLACK_IN_TIME)
    return [Fault(hold, f"What {hold} holds back would never page") for hold in holds]


# --- timers -------------------------------------------------------------------------------------------------------


def _overdue(reader: Reader, _pulse: Pulse) -> list[Fault]:
    rows = audit.overdue_timers(reader, reader.now - TIMER_WAITS_AT_MOST)
    if not rows:
        return []
    late = (reader.now - rows[0].due_at).total_seconds()
    return [
        Fault("timers", f"Due steps are not done, the oldest for {late:.0f} s ({rows[0].kind})")
    ]


def _failing(reader: Reader, _pulse: Pulse) -> list[Fault]:
    return [
        Fault(
            f"timer:{row.id}",
            f"The step {row.kind} for {row.subject} fails each time it is tried ({row.attempts} times)",
            row.id,
        )
        for row in audit.failing_timers(reader, TRIES_OF_A_TIMER)
    ]


def _no_hand_off(reader: Reader, _pulse: Pulse) -> list[Fault]:
    return [
        Fault(schedule, f"The next hand-off of {schedule} had no timer")
        for schedule in reader.snapshot.config.schedules
        if audit.soonest_timer(reader, "hand_off", f"schedule:{schedule}") is None
        and reader.snapshot.next_handoff(schedule, reader.now) is not None
    ]


def _no_deadline(reader: Reader, _pulse: Pulse) -> list[Fault]:
    return [
        Fault(route.key, f"Nothing waits for the heartbeat alert of route {route.key}")
        for route in reader.snapshot.watched
        if (due := audit.soonest_timer(reader, "watchdog", f"route:{route.key}")) is None
        or (route.heartbeat and due > reader.now + route.heartbeat.patience + SLACK_IN_TIME)
    ]


# --- messages -----------------------------------------------------------------------------------------------------


def _page_waits(reader: Reader, _pulse: Pulse) -> list[Fault]:
    rows = audit.late_pages(reader, reader.now - PAGE_WAITS_AT_MOST)
    why = {row.destination: row.last_error for row in rows if row.last_error}
    return [
        Fault(
            place,
            f"{count} page{'s wait' if count > 1 else ' waits'} longer than a minute at {place}"
            + (f": {str(why[place])[:120]}" if place in why else ""),
        )
        for place, count in sorted(Counter(row.destination for row in rows).items())
    ]


def _lease_of_message(reader: Reader, _pulse: Pulse) -> list[Fault]:
    return [
        Fault(f"outbox:{row.id}", f"A message to {row.destination} was leased for ever", row.id)
        for row in audit.stuck_sending(reader, reader.now + LEASED_AT_MOST)
    ]


def _stuck_destination(reader: Reader, _pulse: Pulse) -> list[Fault]:
    latest, rest = reader.now + LEASED_AT_MOST, reader.now + RESTS_AT_MOST
    return [
        Fault(key, f"Nothing could be sent to {key}: it was leased or at rest for ever")
        for key in audit.stuck_destinations(reader, latest, rest)
    ]


def _dead_word(reader: Reader, _pulse: Pulse) -> list[Fault]:
    rows = [
        row
        for row in audit.dead_words(reader, reader.now - TELL_EVERY)
        if row.dedupe_key.startswith("admin:")
    ]
    return [
        Fault(
            f"outbox:{row.id}",
            f"A word to the admins was refused: {str(row.last_error)[:120]}",
            row.id,
        )
        for row in rows
    ]


def _card_missing(reader: Reader, pulse: Pulse) -> list[Fault]:
    if not pulse.has_chat:
        return []
    return [
        Fault(
            f"card:{row.id}:{row.channel}",
            f"The card of incident {row.id} is not in {row.channel} as it should be"
            + (": Slack refuses it there" if row.refused else ""),
            row.id,
        )
        for row in audit.cards_behind(reader, reader.now - PAGE_WAITS_AT_MOST)
    ]


# --- processes, clocks and rules ----------------------------------------------------------------------------------


def _lease_of_work(reader: Reader, _pulse: Pulse) -> list[Fault]:
    return [
        Fault(name, f"The work of the {name} was leased for ever")
        for name in audit.leases_for_ever(reader, reader.now + LEASED_AT_MOST)
    ]


def _process_row(reader: Reader, pulse: Pulse) -> list[Fault]:
    rows = {row.instance: row.beat_at for row in audit.processes(reader)}
    future = sorted(name for name, beat_at in rows.items() if beat_at > reader.now + BEAT_OLD_AFTER)
    faults = [
        Fault(f"future:{name}", f"Process {name} claims to live in the future") for name in future
    ]
    mine = rows.get(pulse.instance)
    if mine is None or mine < reader.now - BEAT_OLD_AFTER:
        faults.append(
            Fault(pulse.instance, f"Process {pulse.instance} works and is taken for dead")
        )
    return faults


def _tick_late(_reader: Reader, pulse: Pulse) -> list[Fault]:
    if pulse.tick_age <= TICK_AGE_MAX_S:
        return []
    return [Fault(pulse.instance, f"The tick is {pulse.tick_age:.0f} s old; due steps stand still")]


def _delivery_late(_reader: Reader, pulse: Pulse) -> list[Fault]:
    if pulse.delivery_age <= DELIVERY_AGE_MAX_S:
        return []
    return [
        Fault(
            pulse.instance,
            f"Nothing was sent for {pulse.delivery_age:.0f} s: delivery stands still",
        )
    ]


def _duty_silent(_reader: Reader, pulse: Pulse) -> list[Fault]:
    return [
        Fault(f"{pulse.instance}:{name}", f"The duty {name} has not come to an end for {age:.0f} s")
        for name, age in sorted(pulse.silent_duties.items())
    ]


def _writes_slow(_reader: Reader, pulse: Pulse) -> list[Fault]:
    if pulse.write_took <= WRITE_TAKES_AT_MOST_S:
        return []
    return [Fault(pulse.instance, f"A write of one row took {pulse.write_took:.0f} s")]


def _clock_jump(_reader: Reader, pulse: Pulse) -> list[Fault]:
    if abs(pulse.clock_off) <= CLOCK_OFF_AT_MOST:
        return []
    off = pulse.clock_off.total_seconds()
    way = "ahead of" if off > 0 else "behind"
    text = f"The clock of decisions is {abs(off):.0f} s {way} this process's; restart it once the time is right"
    return [Fault(pulse.instance, text)]


def _rules_stale(_reader: Reader, pulse: Pulse) -> list[Fault]:
    if not pulse.rules_refused:
        return []
    text = "The newest rules cannot be read and the last good ones stay in force; apply oncall.yaml again"
    return [Fault(pulse.instance, text)]


def _heartbeat_fails(_reader: Reader, pulse: Pulse) -> list[Fault]:
    if pulse.beats_failed < BEATS_MISSED:
        return []
    return [
        Fault(
            pulse.instance,
            f"The outside heartbeat was not taken {pulse.beats_failed} times in a row",
        )
    ]


def _canary_missed(reader: Reader, _pulse: Pulse) -> list[Fault]:
    last = canary.last(reader)
    if last is None or not last.is_missed(reader.now):
        return []
    name = reader.snapshot.name(last.person)
    return [Fault(f"incident:{last.incident_id}", f"The daily test page to {name} has not arrived")]


HELD_BACK = "held_back"

CHECKS: tuple[Check, ...] = (
    Check("unwatched", "an open incident that no run pages for", _unwatched, repair.page_anew),
    Check("no_next_step", "a run whose next step has no timer", _no_next_step, repair.page_anew),
    Check(
        "no_ack_timeout",
        "an acknowledged incident nobody is asked about",
        _no_ack_timeout,
        repair.ask_for_word,
    ),
    Check("page_lost", "a page of which no message can arrive", _lost_pages, repair.page_again),
    Check("page_waits", "a page that has not left for a minute", _page_waits),
    Check("group_alone", "a group that was given to no incident", _group_alone, repair.open_group),
    Check("hold_without_end", "a hold that no timer ends", _hold_without_end, repair.end_hold),
    Check("timer_overdue", "due timers that nobody strikes", _overdue),
    Check("timer_fails", "a timer that fails each time", _failing, repair.set_aside),
    Check(
        "no_hand_off",
        "a schedule whose next hand-off has no timer",
        _no_hand_off,
        repair.plan_hand_off,
    ),
    Check(
        "no_deadline",
        "a heartbeat route that nothing waits for",
        _no_deadline,
        repair.expect_heartbeat,
    ),
    Check("message_leased", "a message leased for ever", _lease_of_message, repair.free_message),
    Check(
        "destination_stuck",
        "a destination leased or at rest for ever",
        _stuck_destination,
        repair.free_destination,
    ),
    Check("admins_deaf", "a loud word to an admin that was given up", _dead_word),
    Check(
        "card_missing",
        "an incident whose card is not posted, or old",
        _card_missing,
        repair.post_card,
    ),
    Check("work_leased", "a duty of one process leased for ever", _lease_of_work, repair.free_work),
    Check(
        "process_row",
        "a process that others take for dead, or alive for ever",
        _process_row,
        repair.beat_anew,
        own=True,
    ),
    Check("rules_stale", "rules that could not be read", _rules_stale, own=True),
    Check("tick_late", "a tick that does not come", _tick_late, own=True),
    Check("delivery_late", "a delivery that does not look", _delivery_late, own=True),
    Check("duty_silent", "a duty that no longer runs", _duty_silent, own=True),
    Check("writes_slow", "a database that takes writes slowly", _writes_slow, own=True),
    Check("clock_jump", "clocks that disagree", _clock_jump, own=True),
    Check(
        "heartbeat_fails", "an outside watcher that cannot be reached", _heartbeat_fails, own=True
    ),
    Check(
        "canary_missed",
        "a daily test page that did not arrive",
        _canary_missed,
        tell_every=timedelta(hours=6),
    ),
)
"""Beside these the auditor itself tells, from memory, when the database takes no write at all (`WRITES_FAIL`)."""

WRITES_FAIL = "writes_fail"
MEANINGS: Mapping[str, str] = {
    **{check.name: check.means for check in CHECKS},
    HELD_BACK: "nothing is sent since a restore",
    WRITES_FAIL: "a database that takes no write",
}
