"""The sentences of the pages people open from a phone:

states, times, fates, in the product's words.

Knows the glossary and that a reader without scripts is told the zone beside the time. Refuses to
know HTML: outside text leaves here unescaped and is escaped, cut and cleaned by the template.
Serves `web.ack`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from oncall_bot.core.situation import Paged, RoadFate, Situation, State

ROADS = {"slack": "Slack", "voice": "phone", "mail": "e-mail", "sms": "SMS", "push": "push"}


def clock(at: datetime, now: datetime) -> str:
    """`03:07 UTC` for today, `Sat 21 Nov, 03:07 UTC` for another day."""
    at, now = at.astimezone(UTC), now.astimezone(UTC)
    return f"{at:%H:%M} UTC" if at.date() == now.date() else f"{at:%a %-d %b, %H:%M} UTC"


def duration(span: timedelta) -> str:
    """`40 s`, `26 min`, `3 h 10 min`, `2 days`."""
    seconds = max(int(span.total_seconds()), 0)
    if seconds < 60:
        return f"{seconds} s"
    minutes, hours = seconds // 60, seconds // 3600
    if hours < 1:
        return f"{minutes} min"
    if hours < 48:
        return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    return f"{hours // 24} days"


def has_it(s: Situation, person_key: str) -> bool:
    """Whether this person acknowledged it; the key may come with its kind, as `person:ana`."""
    return s.acked_by_key in {person_key, f"person:{person_key}"}


def people_line(s: Situation, person_key: str, now: datetime) -> str:
    """The state of people in one sentence; the reader is "you"."""
    if s.state is State.RESOLVED:
        return f"Resolved by {s.resolved_by}." if s.resolved_by else "Resolved, its alerts ended."
    if s.state is State.MITIGATED:
        return "Mitigated, being watched."
    if s.state is State.MERGED:
        return f"Part of incident {s.merged_into}, nobody is paged here."
    if s.state is State.SILENCED:
        return f"Silenced{f' by {s.silence.by}' if s.silence else ''}, nobody is paged."
    if s.state is State.ACKNOWLEDGED:
        return "You have it." if has_it(s, person_key) else f"{s.acked_by or 'Somebody'} is on it."
    waiting = [page.decided_at for page in s.paged if page.answered_at is None]
    if waiting and now - min(waiting) >= timedelta(minutes=1):
        return f"Nobody has answered for {duration(now - min(waiting))}."
    return "Nobody has answered yet."


def what_and_whose(s: Situation) -> str:
    """`Incident 42 · SEV2 · checkout`."""
    parts = [f"Incident {s.incident_id}", s.severity, (s.service or s.team or "")[:60]]
    return " · ".join(part for part in parts if part)


def when(s: Situation, now: datetime) -> str:
    """`since 03:05 UTC`, or `03:05 UTC to 03:44 UTC` once it is over."""
    if s.resolved_at:
        return f"{clock(s.opened_at, now)} to {clock(s.resolved_at, now)}"
    return f"since {clock(s.opened_at, now)}"


def next_line(s: Situation, now: datetime) -> str | None:
    """What the bot does by itself, so that doing nothing is an informed choice too."""
    if s.state is State.ACKNOWLEDGED and s.ack_until:
        return f"Paging starts again at {clock(s.ack_until, now)} if it is still open then."
    if s.state is not State.FIRING or s.next is None:
        return None
    return f"{_names(s.next.names)} paged at {clock(s.next.at, now)} ({s.next.what})."


def alerts_title(s: Situation) -> str:
    if s.state is State.RESOLVED or not s.firing:
        return "Alerts"
    return f"Firing: {s.firing:,} alert{'' if s.firing == 1 else 's'}"


def paged_lines(s: Situation, now: datetime, most: int = 8) -> list[str]:
    """One line for each person paged, newest last, with the fate of each road."""
    lines = [_paged_line(page, now) for page in s.paged]
    return lines if len(lines) <= most else [f"{len(lines) - most} earlier pages", *lines[-most:]]


def _paged_line(page: Paged, now: datetime) -> str:
    step = f"step {page.step}" if page.step else "by hand"
    fates = [_fate(road, now) for road in page.roads]
    if page.answered_at:
        fates.append(f"answered {clock(page.answered_at, now)}")
    return f"{page.name[:60]}, {step}: {'; '.join(fates) or clock(page.decided_at, now)}"


def _fate(road: RoadFate, now: datetime) -> str:
    name = ROADS.get(road.road, road.road)
    if road.state == "outdated":
        return f"{name} no longer needed"
    if road.state == "missed":
        return f"{name}: {(road.why or 'no answer')[:80]}{f' {clock(road.at, now)}' if road.at else ''}"
    return f"{name} {road.state}{f' {clock(road.at, now)}' if road.at else ''}"


def _names(names: Sequence[str]) -> str:
    who = list(dict.fromkeys(names)) or ["The next people"]
    if len(who) == 1:
        return f"{who[0]} {'is' if names else 'are'}"
    return f"{', '.join(who[:-1])} and {who[-1]} are"
