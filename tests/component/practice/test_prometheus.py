"""The practice Prometheus answers its API as Prometheus does, and agrees with the real one on numbers."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from oncall_bot.practice.prometheus import PracticePrometheus, Rule
from oncall_bot.practice.promql import Evaluator
from oncall_bot.practice.series import SCRAPE_S, Scraped, Signal
from oncall_bot.prometheus import checkup
from oncall_bot.prometheus.queries import PrometheusMetrics
from tests.shared import missing

AT = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


class Now:
    def __init__(self) -> None:
        self.at = AT

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def errors() -> Signal:
    return Signal(1.0)


@pytest.fixture
def prometheus(now: Now, errors: Signal) -> PracticePrometheus:
    scraped = Scraped()
    scraped.gauge("errors", errors, service="checkout", instance="web-1:8080", job="web")
    rule = Rule(
        "TooManyErrors",
        "errors > 5",
        for_=timedelta(seconds=30),
        labels={"severity": "critical"},
        annotations={"summary": "{{ $value }} errors on {{ $labels.service }}"},
    )
    found = PracticePrometheus(now=now)
    found.load(scraped, [rule])
    return found


@pytest.fixture
async def client(prometheus: PracticePrometheus) -> AsyncIterator[TestClient[Any, Any]]:
    app = web.Application()
    prometheus.add_routes(app, "/prometheus")
    async with TestClient(TestServer(app)) as found:
        yield found


async def got(client: TestClient[Any, Any], path: str, **params: str) -> Any:
    answer = await client.get(f"/prometheus/api/v1/{path}", params=params)
    return await answer.json()


# --- rules -------------------------------------------------------------------------------------------------------


def test_an_alert_is_pending_before_it_fires_and_gone_when_it_is_over(
    prometheus: PracticePrometheus, now: Now, errors: Signal
) -> None:
    assert prometheus.evaluate() == []
    errors.move(AT.timestamp(), 9.0)
    now.at += timedelta(seconds=5)
    assert prometheus.evaluate() == []
    assert [one.state for one in prometheus.active] == ["pending"]
    now.at += timedelta(seconds=30)
    (firing,) = prometheus.evaluate()
    assert firing.annotations == {"summary": "9 errors on checkout"}
    assert firing.labels["alertname"] == "TooManyErrors"
    errors.move(now.at.timestamp(), 0.0)
    now.at += timedelta(seconds=5)
    assert prometheus.evaluate() == []
    assert not prometheus.active


# --- the API -----------------------------------------------------------------------------------------------------


async def test_an_instant_query_answers_with_a_vector(client: TestClient[Any, Any]) -> None:
    told = await got(client, "query", query="errors")
    assert told["status"] == "success"
    (sample,) = told["data"]["result"]
    assert sample["metric"]["__name__"] == "errors"
    assert sample["value"] == [AT.timestamp(), "1"]


async def test_a_range_shows_the_past_as_it_was(
    client: TestClient[Any, Any], errors: Signal
) -> None:
    errors.move(AT.timestamp() - 60, 8.0)
    start = AT.timestamp() - 120
    told = await got(
        client, "query_range", query="errors", start=str(start), end=str(start + 120), step="30s"
    )
    values = [value for _, value in told["data"]["result"][0]["values"]]
    assert values == ["1", "1", "1", "8", "8"]


@pytest.mark.parametrize(
    ("path", "params", "said"),
    [
        ("query", {"query": "rate(errors)"}, "range vector"),
        ("query", {"query": "errors", "time": "soon"}, "cannot parse to a valid timestamp"),
        ("query_range", {"query": "errors", "start": "1"}, "invalid parameter"),
        (
            "query_range",
            {"query": "errors", "start": "0", "end": "99999", "step": "1"},
            "exceeded maximum resolution of 11,000 points",
        ),
    ],
)
async def test_a_bad_request_is_told_in_prometheus_words(
    client: TestClient[Any, Any], path: str, params: dict[str, str], said: str
) -> None:
    told = await got(client, path, **params)
    assert (told["status"], told["errorType"]) == ("error", "bad_data")
    assert said in told["error"]


async def test_rules_alerts_and_targets_are_listed(
    client: TestClient[Any, Any], prometheus: PracticePrometheus, errors: Signal
) -> None:
    errors.move(AT.timestamp() - 60, 8.0)
    prometheus.evaluate()
    (group,) = (await got(client, "rules"))["data"]["groups"]
    assert group["rules"][0]["state"] == "pending"
    assert (await got(client, "alerts"))["data"]["alerts"][0]["state"] == "pending"
    assert (await got(client, "targets"))["data"]["activeTargets"][0]["health"] == "up"
    assert "practice" in (await got(client, "status/buildinfo"))["data"]["version"]
    assert "service" in (await got(client, "labels"))["data"]


async def test_the_bots_own_client_takes_it_for_a_prometheus(
    client: TestClient[Any, Any], prometheus: PracticePrometheus
) -> None:
    import asyncio

    url = str(client.make_url("/prometheus"))
    await asyncio.to_thread(checkup.answers_queries, url)
    metrics = PrometheusMetrics()
    (sample,) = await metrics.instant(url, "errors * 2", at=AT.timestamp())
    assert sample.value == 2.0
    metrics.close()


async def test_the_graph_begins_with_what_the_first_rule_measures(
    client: TestClient[Any, Any],
) -> None:
    text = await (await client.get("/prometheus/graph")).text()
    assert 'value="errors"' in text
    assert "<svg" in text


async def test_the_graph_draws_and_shows_outside_text_as_text(client: TestClient[Any, Any]) -> None:
    page = await client.get("/prometheus/graph", params={"expr": "errors"})
    text = await page.text()
    assert "<svg" in text
    assert "web-1:8080" in text
    page = await client.get("/prometheus/graph", params={"expr": "<script>alert(1)</script>"})
    text = await page.text()
    assert "<script" not in text
    assert "parse error" in text


# --- the judge ---------------------------------------------------------------------------------------------------

EXPRESSIONS = (
    "sum(rate(requests_total[1m]))",
    'sum by (code) (rate(requests_total{code=~"5.."}[30s]))',
    "increase(requests_total[2m])",
    'irate(requests_total{code="500"}[1m])',
    "round(1e6 * delta(temperature[3m]))",
    "round(1e6 * avg_over_time(temperature[1m]))",
    "max_over_time(temperature[1m]) - min_over_time(temperature[1m])",
    "count_over_time(temperature[1m])",
    "changes(temperature[5m])",
    "temperature > 20",
    "temperature > bool 20",
    "temperature offset 1m",
    "count(up == 0) or vector(0)",
    "up == 1 and on (instance) requests_total",
    "requests_total unless on (instance) (up == 1)",
    "sum without (code) (requests_total) / on (instance) up",
    "topk(1, temperature)",
    '100 * sum(rate(requests_total{code=~"5.."}[1m])) / (sum(rate(requests_total[1m])) > 0)',
    "-2 ^ 2",
    "round(temperature) % 4",
    "absent(nothing{job='x'})",
    "scalar(sum(up)) + time()",
)


def test_the_real_prometheus_computes_the_same(tmp_path: Path) -> None:
    """promtool evaluates the same samples; every expression must come out the same."""
    promtool = shutil.which("promtool")
    if promtool is None:
        missing("promtool (Debian package prometheus)")
    scraped = _judged_world()
    end = 902.0  # between two scrapes: whether a range holds its first instant differs from 2.x to 3.x
    evaluator = Evaluator(scraped)
    steps = int(end / SCRAPE_S)
    series = [
        {
            "series": _written(one.labels),
            "values": " ".join(
                "_" if (value := one.value(n * SCRAPE_S)) is None else repr(value)
                for n in range(steps + 1)
            ),
        }
        for one in scraped.series
    ]
    tests = []
    for expr in EXPRESSIONS:
        found = evaluator.value(expr, end)
        vector = [({}, found)] if isinstance(found, float) else found
        tests.append(
            {
                "expr": expr,
                "eval_time": f"{int(end)}s",
                "exp_samples": [
                    {"labels": _written(labels), "value": value} for labels, value in vector
                ],
            }
        )
    group = {"interval": f"{int(SCRAPE_S)}s", "input_series": series, "promql_expr_test": tests}
    file = tmp_path / "tests.yml"
    file.write_text(json.dumps({"rule_files": [], "tests": [group]}).replace("Infinity", ".inf"))
    done = subprocess.run([str(promtool), "test", "rules", file], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def _judged_world() -> Scraped:
    scraped = Scraped()
    for n, instance in enumerate(("a:1", "b:1")):
        load, failing = Signal(40.0 + n, 0.2, phase=n), Signal(0.5)
        failing.move(500 + 40 * n, 9.0, 60)
        scraped.counter("requests_total", load.at, 0.0, code="200", instance=instance)
        scraped.counter("requests_total", failing.at, 0.0, code="500", instance=instance)
        scraped.gauge("up", Signal(float(1 - n)), instance=instance)
    scraped.gauge("temperature", Signal(21.5, 0.1), room="one")
    scraped.gauge("temperature", Signal(18.0, 0.1, phase=2), room="two")
    return scraped


def _written(labels: Any) -> str:
    inner = ", ".join(f'{k}="{v}"' for k, v in sorted(labels.items()) if k != "__name__")
    return f"{labels.get('__name__', '')}{{{inner}}}"
