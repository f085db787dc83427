"""The link on the phone, on a real database: looking changes nothing, pressing takes it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import create_engine, text

from oncall_bot.core.ack_links import make_token
from oncall_bot.core.documents import normalised, sha256_of
from oncall_bot.core.outcomes import Actor
from oncall_bot.flows.acknowledge import acknowledge
from oncall_bot.flows.declare import declare
from oncall_bot.flows.escalate import escalate
from oncall_bot.flows.resolve import resolve
from oncall_bot.store import rules, tables
from oncall_bot.store.db import Store
from oncall_bot.store.transactions import Tx
from oncall_bot.telemetry.metrics import Telemetry
from oncall_bot.web.app import build_web

SECRET = b"0123456789abcdef0123456789abcdef"
ANA = Actor("person", "ana", "Ana Ruiz")
BO = Actor("person", "bo", "Bo Lindt")
DOCUMENT = {
    "version": "1",
    "people": {
        "ana": {"name": "Ana Ruiz", "email": "ana@example.com", "contacts": {"push": "ana-7f3"}},
        "bo": {"name": "Bo Lindt", "email": "bo@example.com"},
    },
    "channels": {"push": {"url": "ntfys://ntfy.example.com/{to}"}},
    "policies": {"first": {"steps": [{"after": "0m", "page": ["person:ana"]}]}},
    "routes": [{"name": "rest", "policy": "first"}],
}


def _apply(tx: Tx) -> None:
    rules.prepare(tx)
    document = normalised(DOCUMENT)
    revision = rules.append(tx, sha256_of(document), document, "test")
    for kind in ("people", "policies"):
        rules.name(tx, kind, DOCUMENT[kind], revision)
    rules.changed(tx)


class Night:
    """One incident that fires, Ana who was paged for it, and her browser."""

    def __init__(self, folder: Path) -> None:
        url = f"sqlite:///{folder / 'oncall.db'}"
        engine = create_engine(url)
        tables.Incident.metadata.create_all(engine)
        engine.dispose()
        self.now = datetime(2026, 11, 22, 3, 7, tzinfo=UTC)
        self.store = Store(url, clock=lambda: self.now)
        self.store.open()
        app = build_web(
            store=self.store, telemetry=Telemetry(), secret=SECRET, ready=_nothing_against_it
        )
        self.client = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app), base_url="http://oncall.test"
        )
        self.incident_id = 0
        self.link = ""

    async def begin(self, title: str = "Checkout is down") -> None:
        await self.store.write(_apply)
        opened = await self.store.write(
            declare, title, "SEV2", BO, press_id=f"press {self.incident_id}"
        )
        assert opened.incident_id is not None
        self.incident_id = opened.incident_id
        [page_id] = self.column("SELECT id FROM page WHERE person = 'ana'")
        self.link = self.link_to(int(str(page_id)))

    def link_to(self, page_id: int, *, hours: int = 24) -> str:
        return f"/ack/{make_token(SECRET, page_id, 'file:push', self.now + timedelta(hours=hours))}"

    def column(self, query: str) -> list[object]:
        with self.store.read() as reader:
            return [row[0] for row in reader.connection.execute(text(query)).all()]

    def acks(self) -> list[object]:
        return self.column("SELECT actor FROM incident_event WHERE kind = 'ack' ORDER BY seq")


async def _nothing_against_it() -> list[str]:
    return []


@pytest.fixture
async def night(tmp_path: Path) -> AsyncIterator[Night]:
    night = Night(tmp_path)
    await night.begin()
    yield night
    await night.client.aclose()
    night.store.close()


async def test_the_page_shows_what_fires_and_one_button(night: Night) -> None:
    answer = await night.client.get(night.link)
    assert answer.status_code == 200
    assert "Checkout is down" in answer.text
    assert "SEV2" in answer.text
    assert "Nobody has answered yet." in answer.text
    assert answer.text.count("<button") == 1
    assert '<form method="post">' in answer.text
    assert "ana-7f3" not in answer.text
    assert "ana@example.com" not in answer.text


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT"])
async def test_a_scanner_that_opens_every_link_acknowledges_nothing(
    night: Night, method: str
) -> None:
    for _ in range(3):
        await night.client.request(method, night.link, headers={"User-Agent": "SafeLinks"})
    assert night.acks() == []


async def test_pressing_takes_the_incident_in_the_name_of_the_one_who_was_paged(
    night: Night,
) -> None:
    answer = await night.client.post(night.link)
    assert answer.status_code == 200
    assert "You have it." in answer.text
    assert "<button" not in answer.text
    assert night.acks() == [str(ANA)]
    assert night.column("SELECT answered_by FROM page") == ["push link"]


async def test_pressing_twice_at_once_or_later_takes_it_once(night: Night) -> None:
    answers = await asyncio.gather(*(night.client.post(night.link) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(night.acks()) == 1
    assert "You have it already." in (await night.client.post(night.link)).text


async def test_a_link_that_was_used_takes_nothing_that_fires_anew(night: Night) -> None:
    """Whoever finds it later, in a history or a log, cannot answer for its owner."""
    await night.client.post(night.link)
    await night.store.write(escalate, night.incident_id, BO)
    assert "<button" not in (await night.client.get(night.link)).text
    for way in ("", "?again=1"):
        answer = await night.client.post(f"{night.link}{way}")
        assert answer.status_code == 409
        assert "This link was used already" in answer.text
    assert len(night.acks()) == 1


async def test_when_somebody_else_was_quicker_the_page_names_them(night: Night) -> None:
    await night.store.write(acknowledge, night.incident_id, BO)
    assert "Bo Lindt is on it." in (await night.client.get(night.link)).text
    answer = await night.client.post(night.link)
    assert answer.status_code == 200
    assert "Bo Lindt has it." in answer.text
    assert "Nothing for you to do." in answer.text
    assert night.acks() == [str(BO)]


async def test_when_it_is_over_the_page_says_so(night: Night) -> None:
    await night.store.write(resolve, night.incident_id, BO)
    assert "Resolved by Bo Lindt." in (await night.client.get(night.link)).text
    answer = await night.client.post(night.link)
    assert "It is over." in answer.text
    assert night.acks() == []


async def test_an_expired_link_changes_nothing_and_says_what_to_do(night: Night) -> None:
    night.now += timedelta(hours=25)
    for method in ("GET", "POST"):
        answer = await night.client.request(method, night.link)
        assert answer.status_code == 410
        assert "expired" in answer.text
        assert "Checkout" not in answer.text
    assert night.acks() == []


async def test_a_link_to_a_page_that_is_not_kept_is_not_found(night: Night) -> None:
    for method in ("GET", "POST"):
        answer = await night.client.request(method, night.link_to(999))
        assert answer.status_code == 404
        assert "no longer kept" in answer.text


async def test_hostile_words_of_a_title_are_shown_as_words(tmp_path: Path) -> None:
    folder = tmp_path / "hostile"
    folder.mkdir()
    night = Night(folder)
    await night.begin("</h1><script>alert(1)</script><img src=x onerror=alert(1)>")
    answer = await night.client.get(night.link)
    assert "<script" not in answer.text
    assert "<img" not in answer.text
    assert "&lt;script&gt;" in answer.text
    await night.client.aclose()
    night.store.close()


# --- one link for several -----------------------------------------------------------------------------------------


async def several(night: Night) -> str:
    """Three incidents that one message told Ana of; its link."""
    for title in ("Search <b>fails</b>", "Mail fails"):
        await night.store.write(declare, title, "SEV2", BO, press_id=title)

    def bundled(tx: Tx) -> int:
        rows = tx.connection.execute(text("SELECT id FROM outbox WHERE page_id IS NOT NULL")).all()
        lead = int(rows[0][0])
        tx.connection.execute(
            text("UPDATE outbox SET bundle_id = :lead WHERE page_id IS NOT NULL"), {"lead": lead}
        )
        return lead

    lead = await night.store.write(bundled)
    ends = night.now + timedelta(hours=24)
    return f"/ack/{make_token(SECRET, lead, 'file:push', ends, bundle=True)}"


async def test_looking_at_several_lists_them_and_changes_nothing(night: Night) -> None:
    link = await several(night)
    shown = await night.client.get(link)
    assert shown.status_code == 200
    for words in (
        "3 incidents for Ana Ruiz",
        "&lt;b&gt;fails",
        "Mail fails",
        "Acknowledge all 3",
    ):
        assert words in shown.text
    assert shown.text.count("Only this one") == 3
    assert night.acks() == []


async def test_one_press_takes_all_that_nobody_has(night: Night) -> None:
    link = await several(night)
    await night.store.write(acknowledge, 2, BO)
    pressed = await night.client.post(link)
    assert pressed.status_code == 200
    assert "You have incidents 1, 3." in pressed.text
    assert "<form" not in pressed.text
    again = await night.client.post(link)
    assert "Nothing is left to do." in again.text


async def test_the_link_of_one_among_several_takes_only_that_one(night: Night) -> None:
    link = await several(night)
    shown = await night.client.get(link)
    single = shown.text.split('href="')[1:]
    (first, *_) = [
        part.split('"')[0] for part in single if "Only this one" in part.split("</a>")[0]
    ]
    assert (await night.client.post(f"/ack/{first}")).status_code == 200
    assert len(night.acks()) == 1


async def test_a_link_for_several_cannot_be_made_from_the_link_of_one(night: Night) -> None:
    await several(night)
    one = make_token(SECRET, 1, "file:push", night.now + timedelta(hours=1))
    head, _, mac = one.partition(".")
    all_ = make_token(SECRET, 1, "file:push", night.now + timedelta(hours=1), bundle=True)
    forged = f"{all_.partition('.')[0]}.{mac}"
    assert head != all_.partition(".")[0]
    assert (await night.client.get(f"/ack/{forged}")).status_code == 404
