"""Asking an Alertmanager what it lists, and a Prometheus for one number."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

import pytest

from oncall_bot.core.alerts import fingerprint
from oncall_bot.ports import DeliveryError
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


async def test_a_query_gives_its_first_value_or_none() -> None:
    found = {
        "status": "success",
        "data": {"resultType": "vector", "result": [{"metric": {}, "value": [0, "8.4"]}]},
    }
    empty = {"status": "success", "data": {"resultType": "vector", "result": []}}
    for document, value in ((found, 8.4), (empty, None)):
        async with http_server() as server:
            server.answer = Answer(body=json.dumps(document).encode())
            metrics = PrometheusMetrics(f"http://{server.at}")
            assert await asyncio.to_thread(metrics.value, "up", at=NOON) == value


async def test_a_prometheus_that_fails_is_told_and_asked_at_most_twice() -> None:
    async with http_server() as server:
        server.answer = Answer(503)
        metrics = PrometheusMetrics(f"http://{server.at}")
        with pytest.raises(DeliveryError):
            await asyncio.to_thread(metrics.value, "up", at=NOON)
        assert len(server.got) <= 2


def test_a_query_that_is_too_long_is_not_sent() -> None:
    with pytest.raises(DeliveryError):
        PrometheusMetrics("http://127.0.0.1:9").value("x" * 5000, at=NOON)
