"""The real bot's Slack edge in the practice Slack: nothing is short-circuited, so what works here works there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from oncall_bot.core.outcomes import Actor, Outcome
from oncall_bot.core.situation import State
from oncall_bot.flows.declare import declare
from oncall_bot.ports import ChatMessage
from oncall_bot.practice.slack import Refused
from oncall_bot.slack import cards
from oncall_bot.slack.connection import SlackEdge
from oncall_bot.store import views
from oncall_bot.store.db import Store
from tests.component.practice.rehearsal import (
    ANA,
    CONFIG,
    Rehearsal,
    edge,
    rehearsal,
    until,
)
from tests.databases import Sqlite, in_force


@pytest.fixture
def store(sqlite_server: Sqlite, tmp_path: Path) -> Iterator[Store]:
    with in_force(sqlite_server.fresh(), tmp_path, CONFIG) as store:
        yield store


@pytest.fixture
async def r() -> AsyncIterator[Rehearsal]:
    async with rehearsal() as r:
        yield r


@pytest.fixture(params=["socket", "http"])
async def bot(
    r: Rehearsal, store: Store, request: pytest.FixtureRequest
) -> AsyncIterator[SlackEdge]:
    async with edge(r, store, request.param) as bot:
        yield bot


def words(message: dict[str, Any]) -> str:
    return str(message.get("blocks") or message["text"])


async def test_who_is_on_call_by_command_mention_and_direct_message(
    r: Rehearsal, bot: SlackEdge
) -> None:
    channel = await r.in_channel()
    assert "error" not in await r.act("bo", "slash", channel=channel, text="/oncall who")
    answer = await until(lambda: r.sees("bo", channel))
    assert answer[0]["ephemeral"]
    assert "Ana Ruiz" in words(answer[0])
    assert r.sees("ana", channel) == []
    await r.act("bo", "post", channel=channel, text="@oncall-bot who is on call?")
    await until(lambda: "Ana Ruiz" in str(r.sees("ana", channel)))
    dm = r.slack.direct("bo")
    await r.act("bo", "post", channel=dm, text="who is on call?")
    await until(lambda: "Ana Ruiz" in str(r.sees("bo", dm)))


async def test_an_incident_is_declared_in_a_form_with_a_list_of_services(
    r: Rehearsal, bot: SlackEdge, store: Store
) -> None:
    channel = await r.in_channel()
    await r.act("ana", "slash", channel=channel, text="/oncall declare checkout fails for some")
    form = await until(lambda: r.form("ana"))
    assert form["title"]["text"] == "Declare incident"
    asked = {"view": form["id"], "block_id": "service", "action_id": "service.search"}
    found = await r.act("ana", "suggest", **asked, query="che")
    assert [one["value"] for one in found["options"]] == ["checkout"]
    values = {"service": {"service.search": "checkout"}, "severity": {"v": "SEV3"}}
    done = await r.act("ana", "submit", view=form["id"], values=values)
    assert "error" not in done
    assert done["ack_ms"] < 3000
    assert r.form("ana") is None
    (incident,) = await store.view(views.open_incidents)
    assert (incident.title, incident.severity, incident.service, incident.declared_by) == (
        "checkout fails for some",
        "SEV3",
        "checkout",
        "Ana Ruiz",
    )
    assert incident.state is State.FIRING


async def test_home_is_published_when_somebody_opens_it_and_its_buttons_work(
    r: Rehearsal, bot: SlackEdge
) -> None:
    await r.act("ana", "open_home")
    home = await until(lambda: r.slack.state(ANA)["home"])
    assert "You are on call" in str(home["blocks"])
    done = await r.act("ana", "click", home=True, block_id="home", action_id="incident.declare")
    assert "error" not in done
    assert (await until(lambda: r.form("ana")))["callback_id"] == "incident.declare"


async def test_the_shortcut_opens_the_form_too(r: Rehearsal, bot: SlackEdge) -> None:
    assert "error" not in await r.act("ana", "shortcut", callback_id="declare_incident")
    assert (await until(lambda: r.form("ana")))["callback_id"] == "incident.declare"


async def test_the_bot_comes_back_by_itself_after_slack_refreshes_the_line(
    r: Rehearsal, store: Store
) -> None:
    async with edge(r, store):
        await r.slack.wire.refresh()
        assert await r.slack.connected(15)
        channel = await r.in_channel()
        assert "error" not in await r.act("bo", "slash", channel=channel, text="/oncall who")


async def test_a_card_is_acknowledged_by_its_button_and_edited_in_place(
    r: Rehearsal, bot: SlackEdge, store: Store
) -> None:
    ana = Actor("person", "ana", "Ana Ruiz")
    done = await store.write(declare, "Down", "SEV2", ana, service="checkout", press_id="p1")
    assert isinstance(done, Outcome)
    incident_id = done.incident_id
    assert incident_id is not None
    ts = ""
    for pressed in (False, True):
        found = await store.view(views.situation, incident_id)
        assert found is not None
        drawn = cards.card(found, found.updated_at)
        card = ChatMessage("card:1:1", "#incidents", drawn.text, drawn.blocks, ts=ts or None)
        sent = await bot.chat.put(card, first_tried_at=None)
        assert not ts or sent.provider_id == ts
        ts = sent.provider_id
        if not pressed:
            where = {"channel": sent.channel, "ts": ts, "action_id": "incident.ack"}
            assert "error" not in await r.act("bo", "click", **where)
    found = await store.view(views.situation, incident_id)
    assert found is not None
    assert (found.state, found.acked_by) == (State.ACKNOWLEDGED, "Bo Lindt")
    (message,) = r.sees("ana", r.slack.find_channel("incidents"))
    assert "Bo Lindt" in words(message)
    with pytest.raises(Refused, match="no longer there to press"):
        await r.act("ana", "click", channel=message["channel"], ts=ts, action_id="incident.ack")
