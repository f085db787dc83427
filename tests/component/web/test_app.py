"""The HTTP surface without a database: health, metrics, faults, headers, foreign links."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from oncall_bot.core.ack_links import make_token
from oncall_bot.core.errors import OncallError
from oncall_bot.store.db import Store
from oncall_bot.telemetry.metrics import Telemetry
from oncall_bot.web.app import build_web

SECRET = b"0123456789abcdef0123456789abcdef"


class Surface:
    """The app as a browser and a probe meet it, with the switches of its surroundings."""

    def __init__(self, folder: Path) -> None:
        self.reasons: Sequence[str] | Exception | None = ()
        self.slack_bodies: list[bytes] = []
        self.telemetry = Telemetry()
        self.store = Store(f"sqlite:///{folder / 'none.db'}")  # never opened: whoever asks it fails
        self.app = build_web(
            store=self.store,
            telemetry=self.telemetry,
            secret=SECRET,
            ready=self.ready,
            slack_handler=self.slack,
        )
        transport = httpx2.ASGITransport(self.app, raise_app_exceptions=False)
        self.client = httpx2.AsyncClient(transport=transport, base_url="http://oncall.test")

    async def ready(self) -> Sequence[str]:
        if self.reasons is None:
            await asyncio.Event().wait()
        if isinstance(self.reasons, Exception):
            raise self.reasons
        return self.reasons or ()

    async def slack(self, request: Request) -> Response:
        self.slack_bodies.append(await request.body())
        return PlainTextResponse("taken")


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Surface]:
    surface = Surface(tmp_path)
    yield surface
    await surface.client.aclose()
    surface.store.close()


async def test_a_living_process_is_healthy_whatever_else_is_down(web: Surface) -> None:
    web.reasons = ["the database does not answer"]
    assert (await web.client.get("/-/healthy")).status_code == 200


async def test_ready_when_nothing_speaks_against_it(web: Surface) -> None:
    assert (await web.client.get("/-/ready")).status_code == 200
    assert (await web.client.head("/-/ready")).status_code == 200


@pytest.mark.parametrize(
    ("reasons", "told"),
    [
        (["the last tick was 14 s ago", "migrations are pending"], "14 s ago; migrations"),
        (OncallError("the database does not answer"), "does not answer"),
        (None, "did not end in 3 s"),
    ],
)
async def test_not_ready_says_why_as_a_problem(
    web: Surface, reasons: Sequence[str] | Exception | None, told: str
) -> None:
    web.reasons = reasons
    answer = await web.client.get("/-/ready")
    assert answer.status_code == 503
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert told in answer.json()["detail"]
    assert answer.json()["status"] == 503


async def test_metrics_are_scraped(web: Surface) -> None:
    web.telemetry.pages.labels("push", "sent").inc()
    answer = await web.client.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert 'oncall_pages_total{channel="push",outcome="sent"} 1.0' in answer.text


async def test_the_front_door_says_what_this_is(web: Surface) -> None:
    answer = await web.client.get("/")
    assert "pages the people on call" in answer.text


@pytest.mark.parametrize(
    "path", ["/docs", "/redoc", "/openapi.json", "/nothing", "/ack/", "/-/nothing"]
)
async def test_what_is_not_there_is_not_found_in_the_form_of_who_asks(
    web: Surface, path: str
) -> None:
    person = await web.client.get(path, headers={"Accept": "text/html"})
    program = await web.client.get(path)
    assert person.status_code == program.status_code == 404
    if path != "/ack/":
        assert program.headers["Content-Type"] == "application/problem+json"
    if not path.startswith("/-/"):
        assert person.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    "path", ["/", "/-/healthy", "/-/ready", "/metrics", "/nothing", "/ack/x.y"]
)
async def test_every_answer_carries_the_security_headers(web: Surface, path: str) -> None:
    answer = await web.client.get(path)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "noindex" in answer.headers["X-Robots-Tag"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
async def test_a_link_that_is_not_ours_is_refused_without_asking_the_database(
    web: Surface, method: str
) -> None:
    genuine = make_token(SECRET, 7, "c12", datetime.now(UTC) + timedelta(hours=1))
    for token in ("x", "x.y", genuine[:-1], genuine + "A", "%00", "a" * 5_000):
        answer = await web.client.request(method, f"/ack/{token}")
        assert answer.status_code == 404
    assert web.store.queued == 0


async def test_a_fault_of_ours_is_counted_and_told_kindly(web: Surface) -> None:
    token = make_token(SECRET, 7, "c12", datetime.now(UTC) + timedelta(hours=1))
    answer = await web.client.get(f"/ack/{token}")  # the database has no tables at all
    assert answer.status_code == 500
    assert "our fault" in answer.text
    assert "Traceback" not in answer.text
    assert "sqlite" not in answer.text.lower()
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert b'oncall_guard_failures_total{guard="request"} 1.0' in web.telemetry.render()


async def test_slack_gets_its_own_body_untouched(web: Surface) -> None:
    body = b"payload=%7B%22a%22%3A1%7D"
    answer = await web.client.post("/slack/events", content=body)
    assert answer.text == "taken"
    assert web.slack_bodies == [body]


async def test_a_body_without_end_is_refused(web: Surface) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b"x" * 65_536

    answer = await web.client.post("/slack/events", content=endless())
    assert answer.status_code == 413
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert web.slack_bodies == []


async def test_no_slack_route_without_slack(tmp_path: Path) -> None:
    async def ready() -> Sequence[str]:
        return ()

    store = Store(f"sqlite:///{tmp_path / 'none.db'}")
    app = build_web(store=store, telemetry=Telemetry(), secret=SECRET, ready=ready)
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app), base_url="http://t"
    ) as client:
        assert (await client.post("/slack/events", content=b"{}")).status_code == 404
    store.close()


def test_a_weak_secret_stops_the_start(tmp_path: Path) -> None:
    make: Callable[[], object] = lambda: build_web(  # noqa: E731
        store=Store(f"sqlite:///{tmp_path / 'none.db'}"),
        telemetry=Telemetry(),
        secret=b"short",
        ready=Surface.ready,  # type: ignore[arg-type]
    )
    with pytest.raises(ValueError, match="16 bytes"):
        make()
