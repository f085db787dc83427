"""The signed-in pages on a real database, with a clock moved by hand: nights, a gap, a long night.

Serves the tests of the pages, by ASGI and in a browser.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx2

from oncall_bot.core.documents import faults_of, normalised, sha256_of
from oncall_bot.core.outcomes import Actor
from oncall_bot.core.sign_in import KEY_BYTES, digest
from oncall_bot.flows.apply_config import apply_config
from oncall_bot.flows.set_override import set_override
from oncall_bot.flows.sign_in import offer_sign_in
from oncall_bot.store.db import Store
from oncall_bot.telemetry.metrics import Telemetry
from oncall_bot.web.app import build_web
from tests.databases import HandClock

SECRET = b"0123456789abcdef0123456789abcdef"
ADDRESS = "https://oncall.example.com"
BERLIN = ZoneInfo("Europe/Berlin")
ANA = Actor("person", "ana", "Ana Ruiz")
BEN = Actor("person", "ben", "Ben Okafor")
GUEST_OF_THE_FILE = Actor("slack", "U0ZOE", "Zoe Park")

PEOPLE: dict[str, Any] = {
    "ana": {"name": "Ana Ruiz", "slack": "U0ANAANA1", "zone": "Europe/Madrid"},
    "ben": {"name": "Ben Okafor", "slack": "U0BENBEN1"},
    "chen": {"name": "Chen Li"},
    "dara": {"name": "Dara Marsh", "zone": "America/New_York", "role": "viewer"},
}
WEEKLY = {
    "name": "Weekly",
    "start": "2026-10-05T09:00",
    "rotation": {"unit": "week", "every": 1},
    "users": ["ben", "dara", "ana", "chen"],
}
NIGHTS = {
    "name": "Nights",
    "start": "2026-10-01T22:00",
    "rotation": {"unit": "week", "every": 1},
    "users": ["chen"],
    "restrictions": [{"days": [1, 2, 3, 4, 7], "from": "22:00", "to": "06:00"}],
}
DOCUMENT: dict[str, Any] = {
    "version": 1,
    "defaults": {"zone": "Europe/Berlin", "channel": "#alerts"},
    "people": PEOPLE,
    "teams": {"shop": {"members": list(PEOPLE)}},
    "schedules": {
        "checkout-primary": {"team": "shop", "zone": "Europe/Berlin", "layers": [WEEKLY, NIGHTS]},
        "office": {
            "zone": "Europe/Berlin",
            "layers": [
                {
                    **WEEKLY,
                    "restrictions": [{"days": [1, 2, 3, 4, 5], "from": "09:00", "to": "17:00"}],
                }
            ],
        },
    },
    "policies": {
        "shop": {
            "steps": [
                {"after": "0m", "page": ["schedule:checkout-primary"]},
                {"after": "5m", "page": ["person:ben"]},
            ]
        }
    },
    "routes": [{"name": "rest", "policy": "shop"}],
}


def berlin(day: int, hour: int = 9, minute: int = 0) -> datetime:
    return datetime(2026, 10, day, hour, minute, tzinfo=BERLIN).astimezone(UTC)


NOW = berlin(21, 14, 20)


async def nothing_against_it() -> Sequence[str]:
    return ()


class Site:
    """The pages, their database, and a browser that keeps its cookies as one does."""

    def __init__(self, store: Store, clock: HandClock, address: str | None = ADDRESS) -> None:
        self.store, self.clock, self.address = store, clock, address
        clock.now = NOW
        self.app = build_web(
            store=store,
            telemetry=Telemetry(),
            secret=SECRET,
            ready=nothing_against_it,
            public_url=address,
        )
        self.browser = self.another_browser()

    def another_browser(self) -> httpx2.AsyncClient:
        transport = httpx2.ASGITransport(self.app)
        return httpx2.AsyncClient(transport=transport, base_url=self.address or "http://10.0.0.9")

    def applies(self, document: Mapping[str, Any] = DOCUMENT) -> None:
        assert not faults_of(document)
        ready = normalised(document)
        self.store.write(apply_config, ready, sha256_of(ready), "test").result(10)

    def covers(self, start: datetime, end: datetime, person: str | None) -> None:
        done = self.store.write(set_override, "checkout-primary", start, end, person, BEN).result(
            10
        )
        assert done.done, done.reason

    def is_lived_in(self) -> None:
        """Ben covers Thursday, and Saturday is left empty."""
        self.applies()
        self.covers(berlin(22), berlin(23), "ben")
        self.covers(berlin(24), berlin(24, 18), None)

    def link(self, actor: Actor = ANA) -> str:
        """A link as Slack's answer has it, without the address before it."""
        key = secrets.token_urlsafe(KEY_BYTES)
        self.store.write(offer_sign_in, actor, digest(key)).result(10)
        return f"/sign-in/{key}"

    async def signs_in(
        self, actor: Actor = ANA, browser: httpx2.AsyncClient | None = None
    ) -> httpx2.Response:
        return await (browser or self.browser).post(self.link(actor))

    async def page(self, path: str, status: int = 200) -> str:
        """What a person reads there."""
        answer = await self.browser.get(path)
        assert answer.status_code == status, answer.text
        return str(answer.text)


def plain(html: str) -> str:
    """The words of a page, one space apart."""
    body = re.sub(r"<style>.*?</style>", " ", html, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())
