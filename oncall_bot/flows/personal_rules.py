"""How somebody is reached, set by themselves: rules for each urgency, quiet hours. Only they do; an admin may reset.

Knows whose hand may write. Refuses to judge rules (core.personal_rules) and hours (core.quiet_hours). Serves
`/oncall rules` and `/oncall quiet`. `apply` touches none of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from oncall_bot.core import personal_rules
from oncall_bot.core.config import PersonalRule, Urgency
from oncall_bot.core.hours import Hours, spelled
from oncall_bot.core.outcomes import Actor, Outcome
from oncall_bot.core.paging import Reach
from oncall_bot.store import incidents, people, personal
from oncall_bot.store.transactions import Tx

STRANGER = "You are not in oncall.yaml; ask an admin to add you there first."


def set_rules(
    tx: Tx, person: str, urgency: Urgency, rules: Sequence[PersonalRule], actor: Actor
) -> Outcome:
    """These rules from the next page on, in the place of the file's; the answer says what a page would do."""
    config, known = tx.snapshot.config, tx.snapshot.people.get(person)
    if known is None or person not in config.people:
        return Outcome(False, STRANGER)
    if not _is(actor, person):
        return _refused(tx, actor, "rules_set", person)
    fault = personal_rules.fault(config, rules)
    if fault is not None:
        return Outcome(False, fault)
    ordered = sorted(rules, key=lambda rule: rule.after)
    personal.set_rules(tx, known.id, urgency, ordered)
    before, after = _typed(tx, person, urgency), {str(urgency): personal_rules.typed(ordered)}
    incidents.audit(tx, str(actor), "rules_set", f"person:{person}", before=before, after=after)
    return Outcome(True, _what_happens(tx, person, urgency, tuple(ordered)))


def _what_happens(tx: Tx, person: str, urgency: Urgency, rules: tuple[PersonalRule, ...]) -> str:
    """The preview under the new rules, which the snapshot does not hold yet."""
    snapshot = tx.snapshot
    reach = snapshot.reach.get(person, Reach(None))
    reach = replace(reach, rules={**(reach.rules or {}), urgency: rules})
    quiet = snapshot.quiet.get(person)
    plan = personal_rules.planned(snapshot.config, reach, quiet, urgency, tx.now)
    contacts = people.contacts(tx, snapshot.people[person].id)
    unverified = {row.kind for row in contacts if row.verified_at is None}
    notes = personal_rules.notes(snapshot.config, reach, urgency, unverified)
    said = personal_rules.preview("you", plan, quiet, tx.now)
    return " ".join([f"Your rules for {urgency} urgency are set. {said}", *notes])


def reset_rules(tx: Tx, person: str, actor: Actor) -> Outcome:
    """Back to the file's rules, for both urgencies; an admin may do it for anybody."""
    snapshot = tx.snapshot
    known = snapshot.people.get(person)
    if known is None or person not in snapshot.config.people:
        return Outcome(False, f"There is no person {person[:60]!r} in oncall.yaml.")
    mine = _is(actor, person)
    if not mine and not _is_admin(tx, actor):
        return _refused(tx, actor, "rules_reset", person)
    whose = "You have" if mine else f"{snapshot.name(person)} has"
    before = _typed(tx, person, *Urgency)
    if not before:
        return Outcome(False, f"{whose} no rules of their own: the file's are in force.")
    for urgency in (Urgency.HIGH, Urgency.LOW):
        personal.set_rules(tx, known.id, urgency, ())
    incidents.audit(tx, str(actor), "rules_reset", f"person:{person}", before=before)
    return Outcome(True, f"{whose} the rules of the file again.")


def set_quiet(tx: Tx, person: str, hours: Hours | None, actor: Actor) -> Outcome:
    """While they last low urgency waits; None ends them. What waits already goes when it was told to go."""
    snapshot = tx.snapshot
    known, before = snapshot.people.get(person), snapshot.quiet.get(person)
    if known is None or person not in snapshot.config.people:
        return Outcome(False, STRANGER)
    if not _is(actor, person):
        return _refused(tx, actor, "quiet_set", person)
    if hours is None and before is None:
        return Outcome(False, "You have no quiet hours.")
    if hours is not None and not _has_clock(hours.zone):
        return Outcome(False, f"I don't know the time zone {hours.zone[:60]!r}.")
    personal.set_quiet(tx, known.id, hours)
    incidents.audit(
        tx,
        str(actor),
        "quiet_set",
        f"person:{person}",
        before={"hours": spelled(before)} if before else None,
        after={"hours": spelled(hours)} if hours else None,
    )
    if hours is None:
        return Outcome(True, "You have no quiet hours any more: low urgency comes at once.")
    return Outcome(
        True,
        f"Your quiet hours: {spelled(hours)}. Low urgency waits for their end; high urgency wakes you as ever.",
    )


def _has_clock(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        return False
    return True


def _is(actor: Actor, person: str) -> bool:
    return actor.kind == "person" and actor.key == person


def _is_admin(tx: Tx, actor: Actor) -> bool:
    return actor.kind == "person" and actor.key in tx.snapshot.config.admins


def _refused(tx: Tx, actor: Actor, verb: str, person: str) -> Outcome:
    incidents.audit(tx, str(actor), verb, f"person:{person}", refused=True)
    name = tx.snapshot.name(person)
    return Outcome(
        False, f"Only {name} sets how {name} is reached; admins may go back to the file's."
    )


def _typed(tx: Tx, person: str, *urgencies: Urgency) -> Mapping[str, str]:
    """The person's own rules as they stand, for the audit."""
    own = tx.snapshot.reach.get(person, Reach(None)).rules or {}
    return {str(one): personal_rules.typed(own[one]) for one in urgencies if own.get(one)}
