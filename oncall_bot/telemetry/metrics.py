"""What the process counts about itself, in Prometheus' words.

Knows the names, the labels and the buckets (docs/reference/metrics.md). Refuses to know who counts
what, and takes no outside text as a label: sources, channels and lanes are names from our own file
and code. Serves every room that counts and `/metrics`. One object per process, made by app; nothing
is global.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4
GUARDS: Final = ("tick", "delivery", "request", "write")
INTAKE_BUCKETS: Final = (
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.0,
    3.0,
    5.0,
)
LATENESS_BUCKETS: Final = (
    0.1,
    0.25,
    0.5,
    1.0,
    2.0,
    5.0,
    10.0,
    30.0,
    60.0,
    300.0,
    600.0,
    1800.0,
    3600.0,
)


class Telemetry:
    """The metrics of one process. Attributes are the metrics themselves; `render` is the scrape."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        self.alerts_received = Counter(
            "oncall_alerts_received_total",
            "Alerts taken in, by source and by what they said.",
            ("source", "status"),
            registry=registry,
        )
        self._received: dict[tuple[str, str], Counter] = {}
        self.alerts_rejected = Counter(
            "oncall_alerts_rejected_total",
            "Deliveries or alerts that could not be taken, by reason.",
            ("reason",),
            registry=registry,
        )
        self.intake_seconds = Histogram(
            "oncall_intake_seconds",
            "From the last byte of a delivery to its commit.",
            registry=registry,
            buckets=INTAKE_BUCKETS,
        )
        self.incidents_open = Gauge(
            "oncall_incidents_open", "Incidents not yet resolved.", ("severity",), registry=registry
        )
        self.pages = Counter(
            "oncall_pages_total",
            "Pages handed to a channel, by outcome. Sent is not answered.",
            ("channel", "outcome"),
            registry=registry,
        )
        self.page_lateness_seconds = Histogram(
            "oncall_page_lateness_seconds",
            "From the instant a page was due to the instant a provider took it.",
            registry=registry,
            buckets=LATENESS_BUCKETS,
        )
        self.outbox_oldest_seconds = Gauge(
            "oncall_outbox_oldest_seconds",
            "Age of the oldest message that waits in a lane.",
            ("lane",),
            registry=registry,
        )
        self.timer_overdue_seconds = Gauge(
            "oncall_timer_overdue_seconds",
            "How long the most overdue timer has been due.",
            registry=registry,
        )
        self.tick_age_seconds = Gauge(
            "oncall_tick_age_seconds", "Time since the engine's last tick ended.", registry=registry
        )
        self.audit_passed_timestamp_seconds = Gauge(
            "oncall_audit_passed_timestamp_seconds",
            "When the auditor last found nothing wrong.",
            registry=registry,
        )
        self.audit_faults = Gauge(
            "oncall_audit_faults",
            "What the last audit found, by check.",
            ("check",),
            registry=registry,
        )
        self.canary_arrived_timestamp_seconds = Gauge(
            "oncall_canary_arrived_timestamp_seconds",
            "When the newest daily test page arrived; 0 while none has.",
            registry=registry,
        )
        self.slack_requests = Counter(
            "oncall_slack_requests_total",
            "Calls of the Slack Web API, by method and outcome.",
            ("method", "outcome"),
            registry=registry,
        )
        self.llm_calls = Counter(
            "oncall_llm_calls_total",
            "Calls of the model, by outcome.",
            ("outcome",),
            registry=registry,
        )
        self.runbook_matches = Counter(
            "oncall_runbook_matches_total",
            "Runbooks attached, by how they were found.",
            ("how",),
            registry=registry,
        )
        self.drafts_decided = Counter(
            "oncall_drafts_decided_total",
            "Suggested texts that somebody accepted, edited or discarded.",
            ("decision",),
            registry=registry,
        )
        self.guard_failures = Counter(
            "oncall_guard_failures_total",
            "Faults stopped by one of the four guards; each is a bug or a broken dependency.",
            ("guard",),
            registry=registry,
        )
        for guard in GUARDS:  # present from the start, so that a first failure is an increase
            self.guard_failures.labels(guard)

    def received(self, source: str, status: str, count: int) -> None:
        """Count alerts taken in. Looks its labels up once: this happens thousands of times a second."""
        counter = self._received.get((source, status))
        if counter is None:
            counter = self._received[source, status] = self.alerts_received.labels(source, status)
        counter.inc(count)

    def observed(self, metric: str, label: str) -> None:
        """What a committed transaction counted: runbook matches by how, drafts by what became of them."""
        if metric == "runbook_matches":
            self.runbook_matches.labels(label).inc()
        elif metric == "drafts_decided":
            self.drafts_decided.labels(label).inc()

    def guarded(self, guard: str) -> None:
        """Count a fault that the guard of this name (one of GUARDS) has stopped."""
        self.guard_failures.labels(guard if guard in GUARDS else "other").inc()

    def render(self) -> bytes:
        """Everything counted so far in the text format 0.0.4, without the `_created` series."""
        return generate_latest(_WithoutCreated(self._registry))


class _WithoutCreated(Collector):
    """The registry as it is scraped:

    Birthdays of counters double the series and serve nobody here.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        for family in self._registry.collect():
            family.samples = [s for s in family.samples if not s.name.endswith("_created")]
            yield family
