"""Our words for durations, states, counts and roads, the same on every Slack surface.

Knows the product's vocabulary (docs/glossary). Refuses to know blocks. Serves the drawing modules of this room.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from oncall_bot.core.situation import Before, Paged, RoadFate, Situation, State
from oncall_bot.slack.escape import escape, when

MARKS = {
    State.FIRING: "🔴",
    State.ACKNOWLEDGED: "🟠",
    State.MITIGATED: "🟡",
    State.RESOLVED: "🟢",
    State.SILENCED: "🔕",
    State.MERGED: "🔕",
}
ROADS = {"slack": "Slack", "voice": "phone", "mail": "e-mail", "sms": "SMS", "push": "push"}
SEVERITY_MEANS = {
    "SEV1": "everyone is affected",
    "SEV2": "many are affected",
    "SEV3": "some, or it will get worse",
    "SEV4": "nobody yet",
    "SEV5": "for the record",
}


def duration(span: timedelta) -> str:
    """`4 s`, `26 min`, `3 h 10 min`, `2 days`."""
    seconds = max(0, int(span.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if hours < 1:
        return f"{minutes} min"
    if hours < 48:
        return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    return f"{days} days"


def count(n: int, word: str, words: str | None = None) -> str:
    """`1 alert`, `3 alerts`, `1,240 alerts`."""
    return f"{n:,} {word if n == 1 else words or word + 's'}"


def no_runbook(s: Situation) -> str:
    """Where none is attached: that none fits, and where those lie that may."""
    if not s.possible:
        return "No runbook fits."
    return f"No runbook is sure; {count(len(s.possible), 'possible one')} in the thread."


def ordinal(n: int) -> str:
    """`2nd`, `3rd`, `4th`, `11th`, `21st`."""
    last = "th" if n % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{last}"


def often(before: Before | None) -> str:
    """`, 4th time within a week, usually gone in 6 min`; nothing for the first time."""
    if before is None:
        return ""
    many = "over 100 times" if before.times > 100 else f"{ordinal(before.times)} time"
    usual = f", usually gone in {duration(before.usual)}" if before.usual is not None else ""
    return f", {many} within a week{usual}"


def names(people: Iterable[str], most: int = 4) -> str:
    """`Ana`, `Ana and Ben`, `Ana, Ben and 3 more`; escaped."""
    shown = [escape(name, 60) for name in dict.fromkeys(people)]
    if len(shown) > most:
        shown = [*shown[: most - 1], f"{len(shown) - most + 1} more"]
    if len(shown) < 2:
        return "".join(shown)
    return f"{', '.join(shown[:-1])} and {shown[-1]}"


def are(people: Sequence[str]) -> str:
    return "is" if len(set(people)) == 1 else "are"


def road(name: str) -> str:
    return ROADS.get(name, escape(name, 30))


def roads(which: Iterable[str]) -> str:
    return ", ".join(road(name) for name in dict.fromkeys(which))


def fate(one: RoadFate, now: datetime) -> str:
    """`Slack sent 03:07`, `phone rang 03:07`, `phone: nobody picked up 03:08`, `*phone failed* 03:13 (unreachable)`."""
    at = f" {when(one.at, now)}" if one.at else ""
    why = f" ({escape(one.why, 80)})" if one.why else ""
    if one.state == "failed":
        return f"*{road(one.road)} failed*{at}{why}"
    if one.state == "missed":
        return f"{road(one.road)}: {escape(one.why or 'no answer', 80)}{at}"
    if one.state == "waiting":
        return f"{road(one.road)}{at or ' waiting'}{why}"
    if one.state == "outdated":
        return f"{road(one.road)} no longer needed"
    return f"{road(one.road)} {escape(one.state, 20)}{at}{why if one.state == 'sent' else ''}"


def step_of(page: Paged) -> str:
    return f"step {page.step}" if page.step else "by hand"


def unanswered(s: Situation) -> list[Paged]:
    return [page for page in s.paged if page.answered_at is None]


def people_line(s: Situation, now: datetime) -> str:
    """The bold sentence of line 2: the state of people."""
    if s.state is State.RESOLVED:
        return (
            f"Resolved by {escape(s.resolved_by, 60)}."
            if s.resolved_by
            else "Resolved, its alerts ended."
        )
    if s.state is State.MITIGATED:
        return "Mitigated, being watched."
    if s.state is State.MERGED:
        return f"Part of incident {s.merged_into}, nobody is paged here."
    if s.state is State.SILENCED:
        by = f" by {escape(s.silence.by, 60)}" if s.silence else ""
        return f"Silenced{by}, nobody is paged."
    if s.state is State.ACKNOWLEDGED:
        return f"{escape(s.acked_by or 'Somebody', 60)} is on it."
    return _firing_line(s, now)


def _firing_line(s: Situation, now: datetime) -> str:
    waiting = unanswered(s)
    if s.nobody:
        return "Nobody is on call. The fallback was paged." if waiting else "Nobody is on call."
    if s.urgency == "none":
        return "Nobody is paged for this."
    if s.held_why:
        return "Held back, nobody is paged."
    if len({page.step for page in waiting}) > 1:
        since = min(page.decided_at for page in waiting)
        if now - since >= timedelta(minutes=1):
            return f"Nobody has answered for {duration(now - since)}."
    return "Nobody has answered yet."
