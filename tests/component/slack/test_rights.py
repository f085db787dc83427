"""Who may press: every door turns guests away, and what a role or a user group is worth in Slack."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from oncall_bot.core.situation import State
from oncall_bot.engine.grant_reader import GrantReader
from oncall_bot.store import views
from oncall_bot.store.db import Store
from tests.component.slack.bot import Bot, running, until
from tests.component.slack.conftest import CONFIG, in_force
from tests.databases import Sqlite

STRICT = CONFIG.replace(
    'shop: {members: [alice, bob], channel: "#incidents"}',
    'shop: {members: [alice, bob], channel: "#incidents", roles: {responder: "@oncall-sre"}}',
).replace("version: 1", "version: 1\nrights: {default: viewer}")


@pytest.fixture
def store(sqlite_server: Sqlite, tmp_path: Path) -> Any:
    with in_force(sqlite_server.fresh(), tmp_path, STRICT) as store:
        yield store


@pytest.fixture
async def bot(slackcheck: ModuleType, store: Store) -> AsyncIterator[Bot]:
    async with running(slackcheck, store, "socket") as bot:
        bot.slack.ws.channel("incidents")["members"].append(bot.slack.ws.user("dave")["id"])
        yield bot
        bot.judged_clean()


def words(message: Any) -> str:
    return str(message["text"]) + str(message["blocks"])


async def tried(bot: Bot, user: str) -> list[views.AuditLine]:
    uid = bot.slack.ws.user(user)["id"]
    found: list[views.AuditLine] = await bot.store.view(views.audit_trail, by=uid, refused=True)
    return found


async def form(bot: Bot, _ts: str) -> Any:
    """A form that somebody else opened, sent by dave."""
    await bot.slack.act_slash("alice", "incidents", "/oncall", "declare Search is down")
    view = bot.slack.open_view("alice")["id"]
    return await bot.slack.act_submit("dave", {"Where?": "search", "severity": "SEV2"}, view=view)


DOORS: dict[str, Callable[[Bot, str], Awaitable[Any]]] = {
    "command": lambda bot, ts: bot.slack.act_slash("dave", "incidents", "/oncall", "resolve 1"),
    "button": lambda bot, ts: bot.slack.act_click("dave", "incidents", "incident.ack"),
    "shortcut": lambda bot, ts: bot.slack.act_shortcut("dave", "declare_incident"),
    "menu of a message": lambda bot, ts: bot.slack.act_shortcut(
        "dave", "pin_message", "incidents", ts
    ),
    "reaction": lambda bot, ts: bot.slack.act_react("dave", "incidents", ts, "dart"),
    "talk": lambda bot, ts: bot.slack.act_mention("dave", "incidents", "resolve 1", thread=ts),
    "form": form,
}


@pytest.mark.parametrize("who", ["guest", "viewer"])
@pytest.mark.parametrize("door", DOORS)
async def test_at_every_door_who_may_not_changes_nothing_and_it_is_audited(
    bot: Bot, door: str, who: str
) -> None:
    incident_id, ts = await bot.incident()
    said = (await bot.slack.act_post("bob", "incidents", "it was the pool", thread=ts))["ts"]
    if who == "guest":
        bot.slack.ws.user("dave")["is_restricted"] = True
    await DOORS[door](bot, ts if door == "talk" else said)

    async def told() -> bool:
        return len(await tried(bot, "dave")) == 1

    await until(told)
    line = (await tried(bot, "dave"))[0]
    assert ("guest" if who == "guest" else "Your role is viewer") in line.text
    assert len(await bot.store.view(views.open_incidents)) == 1
    assert (await bot.situation(incident_id)).state is State.FIRING
    assert not await bot.store.view(views.pins_on, bot.slack.ws.channel("incidents")["id"], said)


async def test_a_user_group_lets_its_members_act_once_it_was_read(bot: Bot) -> None:
    dave = bot.slack.ws.user("dave")["id"]
    await bot.incident()
    await bot.slack.act_click("dave", "incidents", "incident.ack")
    await bot.told("dave", "Your role is viewer in team shop")
    await bot.edge.user_groups.put("oncall-sre", [dave])
    reader = GrantReader(bot.store, bot.edge.user_groups)
    await reader.run()
    await bot.slack.act_fault("error", "usergroups.users.list", times=1, error="internal_error")
    await reader.run()  # Slack fails: what it told last stays
    await bot.slack.act_click("dave", "incidents", "incident.ack")
    assert (await bot.situation(1)).acked_by_key == dave


async def test_the_form_offers_only_silences_that_the_asker_may_set(bot: Bot) -> None:
    await bot.incident()
    offered = {}
    for user in ("alice", "carol"):
        await bot.slack.act_slash(user, "incidents", "/oncall", "silence 1")
        view = str(bot.slack.open_view(user)["blocks"])
        offered[user] = [one for one in ("4h", "12h", "24h", "7d") if f"'{one}'" in view]
    assert offered == {"alice": ["4h"], "carol": ["4h", "12h", "24h", "7d"]}


async def test_the_audit_is_read_by_those_who_lead_and_by_nobody_else(bot: Bot) -> None:
    await bot.incident()
    await bot.slack.act_click("dave", "incidents", "incident.ack")
    await bot.told("dave", "Your role is viewer")
    for asked, part in {
        "audit": "declared incident 1",
        "audit 1": "declared incident 1",
        "audit alice": "Alice Adams",
        "audit refused": "was refused: acknowledge incident 1",
        "audit 77": "holds nothing of that",
    }.items():
        await bot.slack.act_slash("carol", "incidents", "/oncall", asked)
        assert part in words(bot.whispered("carol")[-1]), asked
    await bot.slack.act_slash("alice", "incidents", "/oncall", "audit")
    assert "to read the audit you need manager" in words(bot.whispered("alice")[-1])
