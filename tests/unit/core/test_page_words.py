"""What a page says on a lock screen."""

from __future__ import annotations

from datetime import UTC, datetime

from oncall_bot.core.page_words import text_of, title_of
from oncall_bot.core.situation import AlertCount, PageNotice, ShownRunbook, Situation, State

NOON = datetime(2026, 3, 2, 3, 7, tzinfo=UTC)


def notice(state: State = State.FIRING, schedule: str | None = "primary") -> PageNotice:
    shown = Situation(
        incident_id=42,
        title="High error rate on checkout",
        state=state,
        severity="SEV2",
        urgency="high",
        origin="alert",
        opened_at=NOON,
        updated_at=NOON,
        firing=3,
        alerts=(AlertCount("HighErrorRate", 3),),
        runbook=ShownRunbook("Too many errors", "errors", "its name", ()),
    )
    return PageNotice(shown, 1, "ana", "Ana", "U1", "main", schedule, 1)


def test_severity_what_and_where_come_first() -> None:
    assert title_of(notice()) == "SEV2 High error rate on checkout"


def test_then_since_when_why_you_and_what_fires() -> None:
    assert text_of(notice()) == (
        "Firing since 03:07 UTC. Incident 42. You are on call for primary (main, step 1). "
        "3 alerts: HighErrorRate. Runbook: Too many errors."
    )


def test_a_page_that_arrives_after_the_end_says_so() -> None:
    assert text_of(notice(State.RESOLVED, None)).startswith(
        "Over since. Incident 42. You are asked (main"
    )
