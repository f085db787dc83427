"""What would happen to an alert with these labels now, and which runbooks fit some words.

Knows the order in which the rules in force are asked. Writes nothing and decides nothing. Serves `explain` and
`/oncall runbook`.
"""

from __future__ import annotations

from collections.abc import Mapping

from oncall_bot.core import escalation
from oncall_bot.core.config import Urgency
from oncall_bot.core.paging import Reach, find, has_loud_road, roads
from oncall_bot.core.routes import hold, routed
from oncall_bot.core.runbooks import choose, first_steps
from oncall_bot.core.search import query_of
from oncall_bot.core.situation import ShownRunbook
from oncall_bot.store import runbook_search
from oncall_bot.store.transactions import Reader


def explain(reader: Reader, labels: Mapping[str, str]) -> list[str]:
    """What would happen to an alert with these labels now: route, group, hold, severity, runbook, people and why."""
    snapshot, now = reader.snapshot, reader.now
    config = snapshot.config
    lines: list[str] = []
    held = hold(config, snapshot.silences, labels, now)
    for way in routed(config, labels):
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
    lines.append(_explain_runbook(reader, labels))
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
        for target in step.page:
            found = find(snapshot.config, target, lambda key: snapshot.on_call(key, reader.now))
            after = f"after {int(step.after.total_seconds() // 60)} min"
            roads_ = "; ".join(_explain_roads(reader, person, urgency) for person in found.people)
            lines.append(f"Step {n} of {policy.key}, {after}: {found.reason}. {roads_}".strip())
    return lines


def _explain_roads(reader: Reader, person: str, urgency: Urgency) -> str:
    snapshot = reader.snapshot
    reach = snapshot.reach.get(person, Reach(None))
    by = roads(snapshot.config, reach, urgency)
    said = (
        ", ".join(f"{road.by} at {int(road.after.total_seconds() // 60)}:00" for road in by)
        or "no road"
    )
    warn = "" if has_loud_road(snapshot.config, reach) else " (no loud road)"
    return f"{snapshot.name(person)}: {said}{warn}"


def _explain_runbook(reader: Reader, labels: Mapping[str, str]) -> str:
    snapshot = reader.snapshot
    match = choose(labels, {}, snapshot.shelf.index, snapshot.config.runbooks.link_base or "")
    if match is None:
        return "Runbook: none fits for certain."
    return f"Runbook: {match.runbook.title}, because {match.why}."


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
