"""A service under load, as the practice Prometheus sees it: requests, errors, latency, replicas.

Knows how a fault shows in numbers and how it goes away. Refuses to know who is told. Serves the stories' worlds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from oncall_bot.practice.prometheus import Rule
from oncall_bot.practice.series import Scraped, Signal
from oncall_bot.practice.stage import Stage

HISTORY_S = 3600.0
REQUESTS_A_SECOND = 120.0
ERRORS_AS_EVER = 0.002
INSTANCES = ("web-1:8080", "web-2:8080", "web-3:8080")


@dataclass
class Shop:
    """One service; `share` is the share of its requests that fail."""

    service: str
    share: Signal
    seconds: Signal
    scraped: Scraped
    broken: bool = False

    def breaks(self, stage: Stage, share: float = 0.4, over: float = 3.0) -> None:
        """From now on so many requests fail, and answers become slow."""
        now = stage.clock.now().timestamp()
        self.broken = True
        self.share.move(now, share, over)
        self.seconds.move(now, 1.9, over)

    def rate(self, load: Signal, code: str, t: float) -> float:
        """Requests a second with this status, of one instance."""
        failing = self.share.at(t)
        return load.at(t) * (failing if code == "500" else 1 - failing)

    def heals(self, stage: Stage, over: float = 4.0) -> None:
        """Errors fall to what they were."""
        if self.broken:
            now = stage.clock.now().timestamp()
            self.broken = False
            self.share.move(now, ERRORS_AS_EVER, over)
            self.seconds.move(now, 0.18, over)


def shop(service: str, at: datetime) -> Shop:
    """The service with an hour of quiet history before `at`."""
    scraped = Scraped()
    found = Shop(service, Signal(ERRORS_AS_EVER), Signal(0.18, 0.08), scraped)
    since = at.timestamp() - HISTORY_S
    for n, instance in enumerate(INSTANCES):
        load = Signal(REQUESTS_A_SECOND / len(INSTANCES), 0.07, phase=n * 2.1)
        labels = {"service": service, "instance": instance, "job": service}
        for code in ("200", "500"):
            rate = partial(found.rate, load, code)
            scraped.counter("http_requests_total", rate, since, code=code, **labels)
        scraped.gauge("up", lambda t: 1.0, **labels)
    scraped.gauge("http_request_duration_seconds_avg", found.seconds, service=service)
    return found


def error_rate(shop_: Shop, labels: Mapping[str, str], window: str = "30s") -> Rule:
    """The rule that sees failing requests; its labels are those that reach people."""
    service = shop_.service
    wanted = {k: v for k, v in labels.items() if k != "alertname"}
    return Rule(
        alert=labels.get("alertname", "HighErrorRate"),
        expr=(
            f'100 * sum(rate(http_requests_total{{service="{service}",code=~"5.."}}[{window}]))'
            f' / sum(rate(http_requests_total{{service="{service}"}}[{window}])) > 5'
        ),
        for_=timedelta(seconds=3),
        labels=wanted,
        annotations={
            "summary": "{{ $value }} % of the requests to " + service + " fail",
            "description": "Users see errors. It began a moment after a deploy.",
        },
    )
