"""The webhook as Alertmanager meets it: tokens, sizes, answers, and that a 200 means stored."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from oncall_bot.core.fault_points import FaultPoint
from oncall_bot.core.outcomes import SYSTEM
from oncall_bot.flows.api_tokens import create_token, revoke_token
from oncall_bot.flows.apply_config import apply_config
from oncall_bot.prometheus import webhook
from oncall_bot.prometheus.webhook import PATH, Intake
from oncall_bot.store import tokens, views
from oncall_bot.store.db import Store
from oncall_bot.store.queue import Busy
from oncall_bot.telemetry.metrics import Telemetry
from tests.component.flows.world import DOCUMENT
from tests.databases import HandClock, Postgres

TOKEN = "open-sesame"


async def behind(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("behind")


BEHIND = Starlette(routes=[Route("/-/healthy", behind)])


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


@pytest.fixture
def client(store: Store, telemetry: Telemetry) -> Iterator[TestClient]:
    hashes = {"default": hashlib.sha256(TOKEN.encode()).hexdigest()}
    store.write(apply_config, DOCUMENT, "sha", "test", token_sha256=hashes).result()
    store.look(lambda reader: reader.snapshot.number)
    intake = Intake(store, telemetry, BEHIND)
    with TestClient(intake) as found:
        yield found


def bearer(token: str = TOKEN) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def body(*names: str, **changes: Any) -> dict[str, Any]:
    alerts = [
        {
            "status": "firing",
            "labels": {"alertname": name, "service": "checkout", "severity": "critical"},
            "annotations": {},
            "startsAt": "2026-03-02T11:58:00Z",
            "endsAt": "0001-01-01T00:00:00Z",
        }
        for name in names
    ]
    return {"version": "4", "receiver": "oncall", "groupKey": "{}", "alerts": alerts, **changes}


def test_a_200_means_stored(client: TestClient, store: Store) -> None:
    answer = client.post(PATH, json=body("Slow"), headers=bearer())
    assert answer.status_code == 200
    assert [s.title for s in store.look(views.open_incidents)] == ["Slow on checkout"]


def test_basic_auth_carries_the_token_as_password_and_any_user(client: TestClient) -> None:
    pair = base64.b64encode(f"whoever:{TOKEN}".encode()).decode()
    answer = client.post(PATH, json=body("Slow"), headers={"Authorization": f"Basic {pair}"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic not-base64!"},
        {"Authorization": f"GenieKey {TOKEN}"},
    ],
)
def test_without_the_token_nothing_is_taken(
    client: TestClient, store: Store, headers: dict[str, str]
) -> None:
    answer = client.post(PATH, json=body("Slow"), headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
    assert store.look(views.open_incidents) == []


def test_a_token_made_here_opens_while_it_is_valid_and_for_what_it_was_made(
    store: Store, clock: HandClock, telemetry: Telemetry
) -> None:
    intake = Intake(store, telemetry, BEHIND, now=lambda: clock.now)

    def given(token: str, scope: str, valid_for: timedelta | None) -> None:
        sha256 = hashlib.sha256(token.encode()).hexdigest()
        about = {"sha256": sha256, "prefix": token[:6], "scope": scope, "valid_for": valid_for}
        store.write(create_token, token, SYSTEM, **about).result()
        hashes = {"default": sha256}
        store.write(apply_config, DOCUMENT, token, "test", token_sha256=hashes).result()
        store.look(lambda reader: reader.snapshot.number)

    with TestClient(intake) as client:

        def status(token: str) -> int:
            store.look(lambda reader: reader.snapshot.number)
            return client.post(PATH, json=body("Slow"), headers=bearer(token)).status_code

        given("calendar-link", "calendar:person:ana", None)
        assert status("calendar-link") == 401
        given("for-a-day", "read", timedelta(days=1))
        assert status("for-a-day") == 200
        store.write(lambda tx: None).result()
        assert store.look(tokens.listed)[-1].used_at == clock.now
        clock.advance(86_401)
        assert status("for-a-day") == 401
        given("for-ever", "read", None)
        assert status("for-ever") == 200
        store.write(revoke_token, "for-ever", SYSTEM).result()
        assert status("for-ever") == 401


def test_what_is_not_json_is_a_400_that_says_so(client: TestClient) -> None:
    answer = client.post(PATH, content=b"{", headers=bearer())
    assert answer.status_code == 400
    assert "not JSON" in answer.json()["detail"]


def test_only_posts_are_taken_and_everything_else_goes_on(client: TestClient) -> None:
    assert client.get(PATH).status_code == 405
    assert client.get("/-/healthy").text == "behind"


def test_json_of_another_shape_is_accepted_and_opens_an_incident_about_it(
    client: TestClient, store: Store
) -> None:
    assert client.post(PATH, json={"hello": "world"}, headers=bearer()).status_code == 200
    assert [s.title for s in store.look(views.open_incidents)] == ["Unreadable alerts from default"]


def test_a_body_over_the_cap_is_a_413_with_an_incident(
    client: TestClient, store: Store, telemetry: Telemetry
) -> None:
    headers = {**bearer(), "content-length": str(webhook.BODY_MAX + 1)}
    assert client.post(PATH, content=b"{}", headers=headers).status_code == 413
    assert [s.title for s in store.look(views.open_incidents)] == ["Unreadable alerts from default"]


def test_ten_thousand_alerts_in_one_body_are_accepted(client: TestClient, store: Store) -> None:
    many = body()
    many["alerts"] = [
        {
            "status": "firing",
            "labels": {"alertname": "Slow", "service": "checkout", "pod": f"p{n}"},
            "startsAt": "2026-03-02T11:58:00Z",
        }
        for n in range(10_000)
    ]
    answer = client.post(PATH, json=many, headers=bearer())
    assert answer.status_code == 200
    shown = store.look(views.situation, 1)
    assert shown is not None
    assert shown.firing == 10_000


def test_what_the_database_cannot_take_is_a_503_to_be_sent_again(
    store: Store, telemetry: Telemetry
) -> None:
    class Away(Store):
        def share(self, *_args: Any, **_kwargs: Any) -> Any:
            raise Busy("The queue of writes is full.")

    hashes = {"default": hashlib.sha256(TOKEN.encode()).hexdigest()}
    store.write(apply_config, DOCUMENT, "sha", "test", token_sha256=hashes).result()
    away = Away(store.url)
    away.look(lambda reader: reader.snapshot.number)
    with TestClient(Intake(away, telemetry, BEHIND)) as client:
        answer = client.post(PATH, json=body("Slow"), headers=bearer())
    away.close()
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


def test_what_came_in_is_counted_by_our_own_names(client: TestClient, telemetry: Telemetry) -> None:
    client.post(PATH, json=body("Slow", "Slow2"), headers=bearer())
    client.post(PATH, content=b"{", headers=bearer())
    said = telemetry.render().decode()
    assert 'oncall_alerts_received_total{source="default",status="firing"} 2.0' in said
    assert 'oncall_alerts_rejected_total{reason="not_json"} 1.0' in said


def test_the_fault_point_lies_between_the_commit_and_the_answer(
    store: Store, telemetry: Telemetry, client: TestClient
) -> None:
    stored_at_fault: list[int] = []

    def look(point: FaultPoint) -> None:
        assert point is FaultPoint.AFTER_STORE
        stored_at_fault.append(len(store.look(views.open_incidents)))

    intake = Intake(store, telemetry, BEHIND, at_fault_point=look)
    with TestClient(intake) as other:
        other.post(PATH, content=json.dumps(body("Slow")), headers=bearer())
    assert stored_at_fault == [1]


def test_an_alert_on_its_way_when_the_database_goes_is_sent_again_and_not_kept_as_unreadable(
    postgres_server: Postgres, telemetry: Telemetry
) -> None:
    url = postgres_server.fresh()
    hashes = {"default": hashlib.sha256(TOKEN.encode()).hexdigest()}
    store = Store(url)
    store.open()
    store.write(apply_config, DOCUMENT, "sha", "test", token_sha256=hashes).result()
    store.look(lambda reader: reader.snapshot.number)
    other = create_engine(make_url(url).set(drivername="postgresql+psycopg"), poolclass=NullPool)
    try:
        with (
            TestClient(Intake(store, telemetry, BEHIND)) as client,
            ThreadPoolExecutor(1) as thread,
            other.connect() as blocker,
        ):
            blocker.execute(text("LOCK TABLE alert IN ACCESS EXCLUSIVE MODE"))
            posting = thread.submit(client.post, PATH, json=body("Slow"), headers=bearer())
            _cut(other, waiting_for="alert")
            answer = posting.result(10)
            blocker.rollback()
            assert answer.status_code == 503
            assert not store.look(views.open_incidents), (
                "nothing was kept, least of all as unreadable"
            )
            assert client.post(PATH, json=body("Slow"), headers=bearer()).status_code == 200
        assert [s.title for s in store.look(views.open_incidents)] == ["Slow on checkout"]
    finally:
        store.close()
        other.dispose()
        postgres_server.drop(url)


def _cut(engine: Engine, waiting_for: str) -> None:
    """End the session that waits for a table, as a server does that stops."""
    cut = text(
        "SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
        " WHERE NOT l.granted AND l.relation = CAST(:name AS regclass) AND d.datname = current_database()"
    )
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with engine.connect() as connection:
            if connection.execute(cut, {"name": waiting_for}).all():
                return
        time.sleep(0.02)
    raise AssertionError("nobody waited for the table")
