"""How a page would reach a person now: their rules, quiet hours and holiday, and the preview of each urgency.

Knows what is asked of whom. Writes nothing and decides nothing: core.personal_rules says what a page would do. Serves
`/oncall rules`, App Home and `oncall-bot reach`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from oncall_bot.core import personal_rules
from oncall_bot.core.config import Urgency
from oncall_bot.core.hours import closes_at, spelled
from oncall_bot.core.paging import Reach, rules_of
from oncall_bot.store import people
from oncall_bot.store.transactions import Reader


@dataclass(frozen=True, slots=True)
class RulesShown:
    """One urgency: the rules in force and whose they are, what a page would do now, and what of it does not work."""

    own: bool
    rules: Sequence[tuple[str, timedelta]]  # (road, after), as they were set
    typed: str
    preview: str
    notes: Sequence[str]


@dataclass(frozen=True, slots=True)
class ReachShown:
    person_key: str
    name: str
    high: RulesShown
    low: RulesShown
    quiet: str | None  # "every day 22:00 to 07:00 (Europe/Madrid)"
    quiet_until: datetime | None  # they last now
    holiday: tuple[datetime, datetime] | None  # the one that runs, else the next
    away: bool  # it runs now


def reach(reader: Reader, person: str, *, who: str | None = None) -> ReachShown:
    """How the person is reached. `who` stands in the preview: "you" for the person's own eyes, else their name."""
    snapshot, now = reader.snapshot, reader.now
    quiet = snapshot.quiet.get(person)
    ahead = [one for one in snapshot.away.get(person, ()) if one.ends_at > now]
    nearest = min(ahead, key=lambda one: one.starts_at, default=None)
    named = who or snapshot.name(person)
    return ReachShown(
        person_key=person,
        name=snapshot.name(person),
        high=_rules(reader, person, named, Urgency.HIGH),
        low=_rules(reader, person, named, Urgency.LOW),
        quiet=spelled(quiet) if quiet else None,
        quiet_until=closes_at(quiet, now) if quiet else None,
        holiday=(nearest.starts_at, nearest.ends_at) if nearest else None,
        away=snapshot.away_until(person, now) is not None,
    )


def _rules(reader: Reader, person: str, who: str, urgency: Urgency) -> RulesShown:
    snapshot, now = reader.snapshot, reader.now
    known = snapshot.people.get(person)
    rows = people.contacts(reader, known.id) if known else []
    unverified = {row.kind for row in rows if row.verified_at is None}
    found = snapshot.reach.get(person, Reach(None))
    rules = rules_of(snapshot.config, found, urgency)
    plan = snapshot.page_plan(person, urgency, now)
    return RulesShown(
        own=bool((found.rules or {}).get(urgency)),
        rules=[(rule.by, rule.after) for rule in rules],
        typed=personal_rules.typed(rules),
        preview=personal_rules.preview(who, plan, snapshot.quiet.get(person), now),
        notes=personal_rules.notes(snapshot.config, found, urgency, unverified),
    )
