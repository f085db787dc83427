"""Asking an Alertmanager what it lists, and a Prometheus for numbers, the past and rules."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest

from oncall_bot.core.alerts import fingerprint
from oncall_bot.core.graphs import Window
from oncall_bot.ports import DeliveryError, Sample
from oncall_bot.prometheus.alertmanager import AlertmanagerApi
from oncall_bot.prometheus.queries import PrometheusMetrics
from tests.fakes.http import Answer, Got, http_server

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LABELS = {"alertname": "Slow", "service": "checkout"}


def alertmanager(got: Got) -> Answer:
    if got.path == "/api/v2/status":
        return Answer(body=json.dumps({"uptime": "2026-03-02T11:00:00.000Z"}).encode())
    alerts = [
        {
            "labels": LABELS,
            "startsAt": "2026-03-02T11:30:00.000Z",
            "receivers": [{"name": "oncall"}],
            "status": {"state": "active", "silencedBy": [], "inhibitedBy": []},
        },
        {
            "labels": {"alertname": "Quiet"},
            "startsAt": "2026-03-02T11:30:00.000Z",
            "receivers": [],
            "status": {"state": "suppressed", "silencedBy": ["s-1"], "inhibitedBy": []},
        },
        {"labels": "not labels"},
    ]
    return Answer(body=json.dumps(alerts).encode())


async def test_what_it_lists_and_since_when_it_is_up() -> None:
    async with http_server() as server:
        server.answer = alertmanager
        listed = await asyncio.to_thread(
            AlertmanagerApi().list_alerts, f"http://{server.at}/", timeout=3.0
        )
    assert listed.up_since == datetime(2026, 3, 2, 11, tzinfo=UTC)
    assert [(a.fingerprint, a.state, a.held_by) for a in listed.alerts] == [
        (fingerprint(LABELS), "active", None),
        (fingerprint({"alertname": "Quiet"}), "suppressed", "silence s-1"),
    ]


@pytest.mark.parametrize(
    "answer", [Answer(500), Answer(body=b"<html>"), Answer(body=b"7"), Answer(302)]
)
async def test_any_other_answer_is_no_list(answer: Answer) -> None:
    async with http_server() as server:
        server.answer = answer
        with pytest.raises(DeliveryError):
            await asyncio.to_thread(
                AlertmanagerApi().list_alerts, f"http://{server.at}", timeout=3.0
            )


async def test_a_silent_address_is_given_up_in_time() -> None:
    async with http_server() as server:
        server.answer = Answer(never=True)
        with pytest.raises(DeliveryError):
            await asyncio.to_thread(
                AlertmanagerApi().list_alerts, f"http://{server.at}", timeout=0.2
            )


def told(result: object, kind: str = "vector") -> bytes:
    return json.dumps(
        {"status": "success", "data": {"resultType": kind, "result": result}}
    ).encode()


@pytest.fixture
def metrics() -> Iterator[PrometheusMetrics]:
    found = PrometheusMetrics(within=0.5)
    yield found
    found.close()


async def test_a_query_gives_its_samples_or_none(metrics: PrometheusMetrics) -> None:
    one = [{"metric": {"pod": "a"}, "value": [0, "8.4"]}]
    for result, samples in (
        (one, [Sample({"pod": "a"}, 8.4)]),
        ([], []),
        ([0, "3"], [Sample({}, 3)]),
    ):
        async with http_server() as server:
            server.answer = Answer(body=told(result))
            assert await metrics.instant(f"http://{server.at}", "up", at=0.0) == samples


async def test_the_past_is_asked_for_with_limits_and_gaps_stay_gaps(
    metrics: PrometheusMetrics,
) -> None:
    window = Window(NOON - timedelta(days=7), NOON, 5)
    async with http_server() as server:
        values = [[0, "1"], [1, "NaN"], "nonsense", [2, "+Inf"]]
        server.answer = Answer(body=told([{"metric": {}, "values": values}, "nonsense"], "matrix"))
        (series,) = await metrics.over(f"http://{server.at}", "up", window)
        assert [str(value) for _, value in series.points] == ["1.0", "nan", "nan", "inf"]
        asked = parse_qs(server.got[0].query)
        assert asked["timeout"] == ["0.5s"]
        assert asked["limit"] == ["200"]
        assert int(asked["step"][0]) * 499 >= 7 * 86_400, "never more points than can be drawn"


async def test_a_longer_past_is_not_asked_for(metrics: PrometheusMetrics) -> None:
    with pytest.raises(DeliveryError, match="longer than 7 days"):
        await metrics.over("http://127.0.0.1:9", "up", Window(NOON - timedelta(days=8), NOON, 60))


async def test_a_prometheus_that_fails_is_told_asked_once_and_then_left_alone() -> None:
    seconds = [0.0]
    metrics = PrometheusMetrics(within=0.5, seconds=lambda: seconds[0])
    async with http_server() as server:
        server.answer = Answer(never=True)
        with pytest.raises(DeliveryError, match=r"gave no answer in 0\.5 s"):
            await metrics.instant(f"http://{server.at}", "up", at=0.0)
        with pytest.raises(DeliveryError, match="a moment ago"):
            await metrics.instant(f"http://{server.at}", "up", at=0.0)
        assert len(server.got) == 1
        seconds[0], server.answer = 31.0, Answer(body=told([]))
        assert await metrics.instant(f"http://{server.at}", "up", at=0.0) == []
    metrics.close()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            Answer(400, body=b'{"status":"error","errorType":"bad_data","error":"parse error: x"}'),
            "parse error: x",
        ),
        (
            Answer(503, body=b'{"status":"error","errorType":"timeout","error":"query timed out"}'),
            "took too long",
        ),
        (Answer(422, body=b"<html>no"), "answered 422"),
        (Answer(200, body=b"<html>hello"), "does not answer as a Prometheus does"),
        (Answer(200, body=b'{"status":"success"}'), "does not answer as a Prometheus does"),
        (Answer(200, body=b"[" * 100_000), "does not answer as a Prometheus does"),
        (Answer(200, body=b" " * (9 << 20)), "larger than 8 MiB"),
    ],
)
async def test_what_is_no_answer_is_one_sentence(
    metrics: PrometheusMetrics, answer: Answer, said: str
) -> None:
    async with http_server() as server:
        server.answer = answer
        with pytest.raises(DeliveryError, match=said):
            await metrics.instant(f"http://{server.at}", "up", at=0.0)


@pytest.mark.parametrize("promql", ["x" * 5000, "  "])
async def test_a_query_that_is_too_long_or_empty_is_not_sent(
    metrics: PrometheusMetrics, promql: str
) -> None:
    with pytest.raises(DeliveryError, match="the query is"):
        await metrics.instant("http://127.0.0.1:9", promql, at=0.0)


async def test_the_expression_of_a_rule_is_found_where_only_one_has_that_name(
    metrics: PrometheusMetrics,
) -> None:
    rules = [
        {"name": "Down", "query": "up == 0", "type": "alerting"},
        {"name": "Twice", "query": "a", "type": "alerting"},
        {"name": "Twice", "query": "b", "type": "alerting"},
        {"name": "recorded", "query": "c", "type": "recording"},
    ]
    async with http_server() as server:
        server.answer = Answer(body=json.dumps({"data": {"groups": [{"rules": rules}]}}).encode())
        address = f"http://{server.at}"
        assert await metrics.rule(address, "Down") == "up == 0"
        assert await metrics.rule(address, "Twice") is None
        assert await metrics.rule(address, "Nothing") is None
        assert len(server.got) == 1, "asked once, then kept for a while"
