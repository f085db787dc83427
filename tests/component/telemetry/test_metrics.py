"""A scrape shows the documented names and nothing of anybody else's."""

from __future__ import annotations

import time

from prometheus_client.parser import text_string_to_metric_families

from oncall_bot.telemetry.metrics import GUARDS, Telemetry

DOCUMENTED = {
    "oncall_alerts_received": {"source", "status"},
    "oncall_alerts_rejected": {"reason"},
    "oncall_intake_seconds": set(),
    "oncall_incidents_open": {"severity"},
    "oncall_pages": {"channel", "outcome"},
    "oncall_page_lateness_seconds": set(),
    "oncall_outbox_oldest_seconds": {"lane"},
    "oncall_timer_overdue_seconds": set(),
    "oncall_tick_age_seconds": set(),
    "oncall_audit_passed_timestamp_seconds": set(),
    "oncall_slack_requests": {"method", "outcome"},
    "oncall_llm_calls": {"outcome"},
    "oncall_drafts_decided": {"decision"},
    "oncall_runbook_matches": {"how"},
    "oncall_guard_failures": {"guard"},
    "oncall_audit_faults": {"check"},
    "oncall_canary_arrived_timestamp_seconds": set(),
}


def used() -> Telemetry:
    telemetry = Telemetry()
    telemetry.alerts_received.labels("prod-eu", "firing").inc(3)
    telemetry.alerts_rejected.labels("no_token").inc()
    telemetry.intake_seconds.observe(0.004)
    telemetry.incidents_open.labels("SEV2").set(2)
    telemetry.pages.labels("push", "sent").inc()
    telemetry.page_lateness_seconds.observe(0.3)
    telemetry.outbox_oldest_seconds.labels("page").set(1.5)
    telemetry.timer_overdue_seconds.set(0)
    telemetry.tick_age_seconds.set_function(lambda: 0.25)
    telemetry.audit_passed_timestamp_seconds.set(1_795_316_820)
    telemetry.slack_requests.labels("chat.postMessage", "ok").inc()
    telemetry.llm_calls.labels("ok").inc()
    telemetry.runbook_matches.labels("rule").inc()
    telemetry.observed("drafts_decided", "accepted")
    telemetry.guarded("tick")
    telemetry.audit_faults.labels("page_waits").set(1)
    telemetry.canary_arrived_timestamp_seconds.set(1_795_316_820)
    return telemetry


def test_the_scrape_holds_exactly_the_documented_metrics() -> None:
    families = list(text_string_to_metric_families(used().render().decode()))
    assert {f.name for f in families} == set(DOCUMENTED)
    for family in families:
        labels = {name for s in family.samples for name in s.labels} - {"le"}
        assert labels == DOCUMENTED[family.name]


def test_values_are_what_was_counted() -> None:
    text = used().render().decode()
    assert 'oncall_alerts_received_total{source="prod-eu",status="firing"} 3.0' in text
    assert "oncall_tick_age_seconds 0.25" in text
    assert 'oncall_guard_failures_total{guard="tick"} 1.0' in text
    assert "_created" not in text


def test_two_processes_in_one_interpreter_count_apart() -> None:
    one, other = Telemetry(), Telemetry()
    one.llm_calls.labels("ok").inc()
    assert b'oncall_llm_calls_total{outcome="ok"} 1.0' in one.render()
    assert b'outcome="ok"' not in other.render()


def test_every_guard_stands_at_zero_before_it_stops_anything() -> None:
    text = Telemetry().render().decode()
    for guard in GUARDS:
        assert f'oncall_guard_failures_total{{guard="{guard}"}} 0.0' in text


def test_an_unknown_guard_makes_no_series_of_its_own() -> None:
    telemetry = Telemetry()
    telemetry.guarded("text from outside")
    assert b'guard="other"' in telemetry.render()
    assert b"outside" not in telemetry.render()


def test_a_scrape_is_cheap() -> None:
    telemetry = used()
    began = time.perf_counter()
    for _ in range(10):
        telemetry.render()
    assert (time.perf_counter() - began) / 10 < 0.1
