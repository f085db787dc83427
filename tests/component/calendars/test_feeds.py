"""`GET /ical/<token>.ics` on both databases: what a calendar program gets, keeps, and loses when a link is revoked."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from icalendar import Calendar

from oncall_bot.calendars.feeds import Feeds
from oncall_bot.core.feeds import LINK_MARK, LINK_SHOWN, link_digest
from oncall_bot.core.outcomes import SYSTEM, Actor, Outcome
from oncall_bot.flows.api_tokens import revoke_token
from oncall_bot.flows.calendar_links import LINKS_MAX, create_link, revoke_link
from oncall_bot.flows.set_override import set_override
from oncall_bot.store import tokens
from oncall_bot.telemetry.metrics import Telemetry
from oncall_bot.web.app import build_web
from tests.component.flows.world import DOCUMENT, World

DEE = Actor("person", "dee", "Dee Marsh")

ROTA = {
    "team": "shop",
    "layers": [{"start": "2026-01-05T09:00", "rotation": {"unit": "week"}, "users": ["ana", "bo"]}],
}


def new_token() -> str:
    return LINK_MARK + secrets.token_urlsafe(32)


class Subscriber:
    """A calendar program: it holds addresses and asks."""

    def __init__(self, world: World) -> None:
        self.world = world
        app = build_web(
            store=world.store,
            telemetry=Telemetry(),
            secret=b"0" * 32,
            ready=self._ready,
            calendars=Feeds(world.store).behind,
        )
        self.client = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app), base_url="http://oncall.test"
        )

    async def _ready(self) -> list[str]:
        return []

    def link(self, kind: str, key: str, owner: str = "ana") -> str:
        token = new_token()
        done: Outcome = self.world.store.write(
            create_link,
            owner,
            kind,
            key,
            SYSTEM,
            sha256=link_digest(token),
            prefix=token[:LINK_SHOWN],
        ).result(10)
        assert done.done, done.reason
        return token

    async def get(self, token: str, **headers: str) -> Any:
        return await self.client.get(f"/ical/{token}.ics", headers=headers)

    async def events(self, token: str) -> list[Any]:
        answer = await self.get(token)
        assert answer.status_code == 200, answer.text
        return list(Calendar.from_ical(answer.text).walk("VEVENT"))


@pytest.fixture
async def subscriber(world: World) -> AsyncIterator[Subscriber]:
    document = deepcopy(DOCUMENT)
    document["schedules"]["primary"] = ROTA
    world.apply(document)
    one = Subscriber(world)
    yield one
    await one.client.aclose()


async def test_a_schedule_its_team_and_a_person_have_calendars_that_another_parser_reads(
    subscriber: Subscriber,
) -> None:
    schedule = await subscriber.events(subscriber.link("schedule", "primary"))
    assert str(schedule[0]["SUMMARY"]) == "Bo Lindt on call: primary"
    first = datetime(2026, 2, 9, 8, tzinfo=UTC)
    assert schedule[0].decoded("DTSTART") == first
    assert [one.decoded("DTSTART") for one in schedule] == sorted(
        {one.decoded("DTSTART") for one in schedule}
    )
    assert 26 <= len(schedule) <= 30
    team = await subscriber.events(subscriber.link("team", "shop"))
    assert [one["UID"] for one in team] == [one["UID"] for one in schedule]
    bo = await subscriber.events(subscriber.link("person", "bo"))
    assert [one["UID"] for one in bo] == [
        one["UID"] for one in schedule if str(one["SUMMARY"]).startswith("Bo Lindt")
    ]


async def test_a_cover_changes_its_event_alone(subscriber: Subscriber) -> None:
    token = subscriber.link("schedule", "primary")
    before = {str(one["UID"]): one for one in await subscriber.events(token)}
    world = subscriber.world
    begin = datetime(2026, 3, 9, 8, tzinfo=UTC)
    world.clock.advance(60)
    done = world.store.write(
        set_override, "primary", begin, begin + timedelta(days=7), "cy", DEE
    ).result(10)
    assert done.done
    after = {str(one["UID"]): one for one in await subscriber.events(token)}
    changed = [uid for uid in after if after[uid].to_ical() != before[uid].to_ical()]
    assert changed == ["primary-20260309T080000Z@oncall-bot"]
    [uid] = changed
    assert after[uid]["SEQUENCE"] == 1
    assert after[uid].decoded("LAST-MODIFIED") == world.clock.now
    assert str(after[uid]["SUMMARY"]) == "Cy Okafor on call: primary"


async def test_a_program_that_has_it_already_is_told_so_and_nobody_between_keeps_it(
    subscriber: Subscriber,
) -> None:
    token = subscriber.link("schedule", "primary")
    first = await subscriber.get(token)
    assert first.headers["content-type"] == "text/calendar; charset=utf-8"
    assert first.headers["cache-control"] == "private, no-cache"
    assert first.headers["x-content-type-options"] == "nosniff"
    subscriber.world.clock.advance(600)
    again = await subscriber.get(token, **{"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = await subscriber.get(token, **{"If-None-Match": '"another"'})
    assert (other.status_code, other.text) == (200, first.text)


@pytest.mark.parametrize(
    "token", ["nonsense", "cal_" + "A" * 43, "cal_" + "A" * 5000, "..%2f..%2fetc", "cal_ü" * 9]
)
async def test_a_token_that_was_never_given_out_opens_nothing(
    subscriber: Subscriber, token: str
) -> None:
    answer = await subscriber.get(token)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert "no-store" in answer.headers["cache-control"]


async def test_a_link_is_revoked_by_its_owner_or_an_admin_and_opens_nothing_any_more(
    subscriber: Subscriber,
) -> None:
    world = subscriber.world
    mine, other = subscriber.link("person", "ana"), subscriber.link("schedule", "primary")
    prefix = mine[:LINK_SHOWN]
    assert not world.store.write(revoke_link, "bo", prefix, SYSTEM).result(10).done
    assert (await subscriber.get(mine)).status_code == 200
    assert world.store.write(revoke_link, "ana", prefix, SYSTEM).result(10).done
    assert (await subscriber.get(mine)).status_code == 404
    assert world.store.write(revoke_token, other[:LINK_SHOWN], SYSTEM).result(10).done
    assert (await subscriber.get(other)).status_code == 404


async def test_the_last_use_of_a_link_is_kept_to_the_minute(subscriber: Subscriber) -> None:
    world, token = subscriber.world, subscriber.link("person", "ana")

    async def used_at() -> Any:
        await subscriber.get(token)
        await world.store.write(lambda tx: None)  # what was to be written before is written now
        return world.store.look(tokens.listed)[-1].used_at

    first = await used_at()
    assert first == world.clock.now
    world.clock.advance(59)
    assert await used_at() == first
    world.clock.advance(2)
    assert await used_at() == world.clock.now


async def test_the_link_of_somebody_who_left_the_file_opens_nothing(subscriber: Subscriber) -> None:
    token = subscriber.link("schedule", "primary", owner="cy")
    assert (await subscriber.get(token)).status_code == 200
    document = deepcopy(DOCUMENT)
    document["schedules"]["primary"] = ROTA
    del document["people"]["cy"]
    document["teams"]["shop"]["members"] = ["ana", "bo"]
    subscriber.world.apply(document)
    assert (await subscriber.get(token)).status_code == 404


async def test_links_of_one_person_have_a_bound(subscriber: Subscriber) -> None:
    for _ in range(LINKS_MAX):
        subscriber.link("person", "ana")
    token = new_token()
    done = subscriber.world.store.write(
        create_link, "ana", "person", "ana", SYSTEM, sha256=link_digest(token), prefix=token[:10]
    ).result(10)
    assert not done.done
    assert "revoke one" in done.reason


async def test_the_token_itself_is_stored_nowhere(subscriber: Subscriber) -> None:
    token = subscriber.link("person", "ana")
    await subscriber.events(token)

    def stored(reader: Any) -> list[str]:
        from sqlalchemy import text

        rows = reader.connection.execute(text("SELECT name, hash, prefix, scope FROM api_token"))
        return [str(value) for row in rows for value in row]

    assert not any(token in value for value in subscriber.world.store.look(stored))
