"""What a page says where there is no Slack: on a lock screen, in a text message, read by a voice.

Knows the order of things for somebody half asleep: how bad, what, where, since when, how to answer.
Refuses to know roads. Serves the engine, which fills a LoudPage. Times name their zone; nothing is shown as a cause.
"""

from __future__ import annotations

from datetime import UTC, timedelta

from oncall_bot.core.situation import BundleNotice, PageNotice, State


def title_of(notice: PageNotice) -> str:
    """`SEV2 High error rate on checkout`; `Late by 42 min: SEV2 ...` when it should have gone long ago."""
    return f"{_late(notice.late)}{_what(notice)}"


def text_of(notice: PageNotice) -> str:
    """Since when, why you, what fires, which runbook; one short sentence each."""
    shown = notice.situation
    since = shown.opened_at.astimezone(UTC)
    lines = [f"Firing since {since:%H:%M} UTC. Incident {shown.incident_id}."]
    if shown.state is State.RESOLVED:
        lines = [f"Over since. Incident {shown.incident_id}."]
    why = f"You are on call for {notice.schedule}" if notice.schedule else "You are asked"
    lines.append(f"{why} ({notice.policy}, step {notice.step}).")
    if shown.firing:
        names = ", ".join(count.name for count in shown.alerts[:3])
        plural = "alert" if shown.firing == 1 else "alerts"
        lines.append(f"{shown.firing} {plural}: {names}.")
    if shown.runbook is not None:
        lines.append(f"Runbook: {shown.runbook.title}.")
    return " ".join(lines)


def bundle_title_of(notice: BundleNotice) -> str:
    """`3 incidents, first SEV2 High error rate on checkout`; how late before it, when it is."""
    return f"{_late(notice.late)}{notice.incidents} incidents, first {_what(notice.pages[0])}"


def bundle_text_of(notice: BundleNotice) -> str:
    """One line for each incident, worst first, then how many more there are."""
    lines = [_line(one) for one in notice.pages]
    if notice.more:
        lines.append(f"And {notice.more} more.")
    if notice.late:
        lines.append("They could not be sent in time.")
    return "\n".join(lines)


def _line(notice: PageNotice) -> str:
    """`12: SEV2 High error rate on checkout (HighErrorRate), since 03:12 UTC.`"""
    shown = notice.situation
    name = f" ({_short(shown.alerts[0].name, 40)})" if shown.alerts else ""
    since = f"{shown.opened_at.astimezone(UTC):%H:%M} UTC"
    return f"{shown.incident_id}: {_short(_what(notice), 70)}{name}, since {since}."


def _short(text: str, limit: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def duration(span: timedelta) -> str:
    """`42 min`, `3 h 10 min`."""
    minutes = max(0, int(span.total_seconds()) // 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _late(late: timedelta | None) -> str:
    return f"Late by {duration(late)}: " if late else ""


def _what(notice: PageNotice) -> str:
    """Severity and title on one line, whatever the title holds."""
    shown = notice.situation
    return " ".join(f"{shown.severity} {shown.title}".split())
