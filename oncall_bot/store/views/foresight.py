"""What would happen to an alert with these labels now, and which runbooks fit some words.

Knows the order in which the rules in force are asked. Writes nothing and decides nothing. Serves `explain` and
`/oncall runbook`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from oncall_bot.core import escalation
from oncall_bot.core.away import ALL_THE_SAME
from oncall_bot.core.certain import choose
from oncall_bot.core.config import Urgency
from oncall_bot.core.paging import Found, Reach, has_loud_road
from oncall_bot.core.personal_rules import by_roads
from oncall_bot.core.routes import Routed, hold, routed
from oncall_bot.core.runbooks import first_steps
from oncall_bot.core.search import query_of
from oncall_bot.core.situation import ShownRunbook
from oncall_bot.core.verdicts import NO_ANSWERS, rule_of
from oncall_bot.store import runbook_search
from oncall_bot.store.transactions import Reader

NONE: Mapping[str, str] = MappingProxyType({})


def explain(
    reader: Reader, labels: Mapping[str, str], annotations: Mapping[str, str] = NONE
) -> list[str]:
    """What would happen to an alert with these labels now: route, group, hold, severity, runbook, people and why."""
    snapshot, now = reader.snapshot, reader.now
    config = snapshot.config
    lines: list[str] = []
    held = hold(config, snapshot.silences, labels, now)
    ways = routed(config, labels)
    for way in ways:
        lines.append(f"Route: {way.why}. Group: {way.group_key or 'one for all'}.")
        lines.append(
            f"Held back by {held.why} until {held.until:%H:%M} UTC."
            if held
            else "No silence holds it back."
        )
        value = labels.get("severity") or "none given"
        lines.append(
            f"Severity: {way.severity.incident}, urgency {way.severity.urgency}, from severity={value}."
        )
        lines += _explain_people(reader, way.policy, way.severity.urgency)
    if not lines:
        lines.append("No route takes it; the file has no last route.")
    lines.append(_explain_runbook(reader, labels, annotations, next(iter(ways), None)))
    return lines


def _explain_people(reader: Reader, policy_key: str | None, urgency: Urgency) -> list[str]:
    snapshot = reader.snapshot
    policy = snapshot.config.policies.get(policy_key or "")
    if urgency is Urgency.NONE:
        return ["Nobody is paged: urgency none is stored and searchable only."]
    if policy is None:
        return ["No policy: the fallback is paged."]
    lines = []
    for n, step in enumerate(policy.steps, start=1):
        not_now = escalation.why_not(policy, n - 1, urgency, reader.now + step.after)
        if not_now is not None:
            lines.append(f"Step {n} of {policy.key} is not paged: {not_now}.")
            continue
        whom = snapshot.whom(step.page, reader.now, urgency)
        after = f"after {int(step.after.total_seconds() // 60)} min"
        for found in whom.found:
            told = [_explain_roads(reader, found, person, urgency) for person in found.people]
            lines.append(
                f"Step {n} of {policy.key}, {after}: {found.reason}. {'; '.join(told)}".strip()
            )
        lines += [
            f"{snapshot.name(one.person)} is left out of {one.target}: on holiday until {_utc(one.until)}."
            for one in whom.left_out
        ]
    return lines


def _explain_roads(reader: Reader, found: Found, person: str, urgency: Urgency) -> str:
    """`Ana Ruiz: Slack and push at 0:00, call at 1:00`, as her own preview says it."""
    snapshot, now = reader.snapshot, reader.now
    said = by_roads(snapshot.page_plan(person, urgency, now), snapshot.quiet.get(person), now)
    loud = has_loud_road(snapshot.config, snapshot.reach.get(person, Reach(None)))
    until = snapshot.away_until(person, now)
    why = ALL_THE_SAME.get(found.target.kind, "")
    away = f" (on holiday until {_utc(until)}, paged all the same: {why})" if until else ""
    return f"{snapshot.name(person)}: {said}{'' if loud else ' (no loud road)'}{away}"


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%a %d %b %H:%M} UTC"


def _explain_runbook(
    reader: Reader, labels: Mapping[str, str], annotations: Mapping[str, str], way: Routed | None
) -> str:
    """The runbook for certain, else what the search would attach or offer."""
    snapshot = reader.snapshot
    service, team = (way.service or labels.get("service"), way.team) if way else (None, None)
    said = snapshot.answers.get(rule_of(labels.get("alertname"), service), NO_ANSWERS)
    link_base = snapshot.config.runbooks.link_base or ""
    sure = choose(labels, annotations, snapshot.shelf.index, link_base, said)
    if sure is not None:
        return f"Runbook: {sure.runbook.title}, because {sure.why}."
    found = runbook_search.for_alert(reader, labels, annotations, service=service, team=team)
    if not found:
        return "Runbook: none fits."
    best, line = found[0], snapshot.config.runbooks.attach_above
    score = f"{best.score * 100:.0f} of 100, where {line * 100:.0f} attach it"
    if best.score >= line:
        return f"Runbook: {best.runbook.title} by words ({score}), because {best.why}."
    return f"Runbook: none for certain; nearest {best.runbook.title} ({score}), because {best.why}."


def runbooks_matching(reader: Reader, query: str, limit: int = 5) -> list[ShownRunbook]:
    """Runbooks for a name, an incident's number or free words, best first."""
    index = reader.snapshot.shelf.index
    named = [book for book, _ in index.named(query)]
    if not named:
        found = runbook_search.ranked(reader, query_of({"alertname": query}, {}), limit)
        named = [match.runbook for match in found]
    return [
        ShownRunbook(b.title, b.slug, "it fits your words", first_steps(b), None)
        for b in list(dict.fromkeys(named))[:limit]
    ]
