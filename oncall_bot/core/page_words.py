"""What a page says where there is no Slack: on a lock screen, in a text message, read by a voice.

Knows the order of things for somebody half asleep: how bad, what, where, since when, how to answer.
Refuses to know roads. Serves the engine, which fills a LoudPage. Times name their zone; nothing is shown as a cause.
"""

from __future__ import annotations

from datetime import UTC

from oncall_bot.core.situation import PageNotice, State


def title_of(notice: PageNotice) -> str:
    """`SEV2 High error rate on checkout`."""
    shown = notice.situation
    return f"{shown.severity} {shown.title}"


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
