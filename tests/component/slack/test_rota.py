"""Schedules where people are: the words, forms and buttons about rotas, through a strict Slack and a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from oncall_bot.slack.rendering import render
from oncall_bot.store import messages, views
from oncall_bot.store.db import Store
from oncall_bot.store.transactions import Reader
from tests.component.slack.bot import Bot, known, running
from tests.component.slack.conftest import CONFIG
from tests.databases import Sqlite, in_force

HOUR = timedelta(hours=1)


@pytest.fixture
def store(sqlite_server: Sqlite, tmp_path: Path) -> Any:
    """Alice and Bob take days, hand-off at 09:00 in Berlin; Dave is a viewer."""
    config = CONFIG.replace(
        '{name: week, start: "2026-01-05T09:00", rotation: {unit: week, every: 1}, users: [alice]}',
        '{name: day, start: "2026-01-05T09:00", rotation: {unit: day, every: 1}, users: [alice, bob]}',
    ).replace(
        "vera: {name: Vera Viewer, email: vera@example.com, role: viewer}",
        "dave: {name: Dave Dunn, email: dave@example.com, role: viewer}",
    )
    with in_force(sqlite_server.fresh(), tmp_path, config) as store:
        yield store


@pytest.fixture
async def bot(slackcheck: ModuleType, store: Store) -> AsyncIterator[Bot]:
    async with running(slackcheck, store, "socket") as bot:
        await known(bot, *("alice", "bob", "carol", "dave"))
        yield bot
        bot.judged_clean()


async def asks(bot: Bot, who: str, text: str, part: str) -> dict[str, Any]:
    before = len(bot.whispered(who))
    await bot.slack.act_slash(who, "incidents", "/oncall", text)
    said = bot.whispered(who)[before:]
    assert said, f"{text!r} was not answered"
    shown = str(said[-1].get("blocks") or said[-1]["text"])
    assert part in shown, shown
    return said[-1]


async def shows(bot: Bot) -> None:
    """Send what waits in the outbox for Slack, as the engine does."""

    def waiting(reader: Reader) -> list[Any]:
        from sqlalchemy import text

        rows = reader.connection.execute(
            text("SELECT id, role, channel, ts FROM slack_message WHERE role LIKE 'cover:%'")
        )
        return [tuple(row) for row in rows]

    from oncall_bot.ports import ChatMessage

    for message_id, role, channel, ts in await bot.store.view(waiting):
        content = await bot.store.view(views.cover_notice, role)
        assert content is not None
        line, blocks = render(content, datetime.now(UTC))
        sent = await bot.edge.chat.put(
            ChatMessage(f"{role}:{ts}", channel, line, blocks, ts=ts), first_tried_at=None
        )

        def shown(tx: Any, one: int = message_id, to: Any = sent) -> None:
            row = messages.get(tx, one)
            assert row is not None
            messages.rendered(
                tx, one, row.generation, sha256="", ts=to.provider_id, channel_id=to.channel
            )

        await bot.store.write(shown)


async def shift_of(bot: Bot, who: str) -> Any:
    """Their next shift that has not begun."""
    found = await bot.store.view(views.next_shifts, who, 4)
    return next(one for one in found if one.starts_at > datetime.now(UTC) + HOUR)


async def on_call(bot: Bot, at: datetime) -> str | None:
    return await bot.store.view(lambda reader: reader.snapshot.on_call("shop-primary", at))


async def test_the_schedule_says_who_now_who_next_and_each_day(bot: Bot) -> None:
    said = await asks(bot, "dave", "schedule", "shop-primary")
    shown = str(said["blocks"])
    assert "Now: <@" in shown
    assert "Next: <@" in shown
    assert "Alice Adams to 09:00, Bob Brown" in shown or "Bob Brown to 09:00, Alice Adams" in shown
    assert "No gap." in shown
    await asks(bot, "alice", "schedule shop-primry", "Did you mean shop-primary?")
    await asks(bot, "alice", "rota shop-primary", "Europe/Berlin")


async def test_a_cover_is_asked_by_the_form_and_accepted_in_the_direct_message(bot: Bot) -> None:
    mine = await shift_of(bot, "alice")
    await bot.slack.act_slash("alice", "incidents", "/oncall", "cover me")
    bob = bot.slack.ws.user("bob")["id"]
    filled = {
        "schedule": "shop-primary",
        "from": int(mine.starts_at.timestamp()),
        "until": int(mine.ends_at.timestamp()),
        "who": [bob],
        "why": "Kid's <surgery> & more",
    }
    sent = await bot.slack.act_submit("alice", filled)
    assert not sent["errors"]
    await shows(bot)
    asked = await bot.slack.act_wait("dm", "asks you to", user="bob")
    assert "Kid" in str(asked["blocks"])
    assert "&lt;surgery&gt;" in str(asked["blocks"])
    await bot.slack.act_click("bob", "dm", "cover.accept")
    assert await on_call(bot, mine.starts_at + HOUR) == "bob"
    await shows(bot)
    after = (await bot.slack.act_messages("dm", "bob"))[-1]
    assert "You cover for" in str(after["blocks"])
    assert after["ts"] == asked["ts"], "the message that asked is edited"
    await bot.slack.act_click("alice", "dm", "cover.undo")
    assert await on_call(bot, mine.starts_at + HOUR) == "alice"


async def test_who_is_out_asks_for_cover_and_sees_what_is_covered(bot: Bot) -> None:
    await asks(bot, "alice", _out(await shift_of(bot, "alice")), "cover is asked for 1")
    await shows(bot)
    await bot.slack.act_click("bob", "dm", "cover.accept")
    await shows(bot)
    await asks(bot, "alice", "cover list", "Bob Brown covers it")


def _out(shift: Any) -> str:
    return f"out from {shift.starts_at:%Y-%m-%dT%H:%M}Z until {shift.ends_at:%Y-%m-%dT%H:%M}Z"


async def test_choosing_oneself_takes_the_time_at_once(bot: Bot) -> None:
    theirs = await shift_of(bot, "bob")
    await bot.slack.act_slash("alice", "incidents", "/oncall", "override")
    alice = bot.slack.ws.user("alice")["id"]
    sent = await bot.slack.act_submit(
        "alice",
        {
            "schedule": "shop-primary",
            "from": int(theirs.starts_at.timestamp()),
            "until": int(theirs.ends_at.timestamp()),
            "who": [alice],
        },
    )
    assert not sent["errors"]
    assert await on_call(bot, theirs.starts_at + HOUR) == "alice"


async def test_a_form_that_cannot_be_says_why_next_to_its_field(bot: Bot) -> None:
    theirs = await shift_of(bot, "bob")
    await bot.slack.act_slash("alice", "incidents", "/oncall", "cover me")
    sent = await bot.slack.act_submit(
        "alice",
        {
            "from": int(theirs.starts_at.timestamp()),
            "until": int(theirs.ends_at.timestamp()),
            "who": [bot.slack.ws.user("bob")["id"]],
        },
    )
    assert "Alice Adams is not on call for shop-primary then" in sent["errors"]["who"]


async def test_an_override_is_confirmed_by_a_card_that_can_cancel_it(bot: Bot) -> None:
    mine = await shift_of(bot, "alice")
    times = f"{mine.starts_at:%Y-%m-%dT%H:%M}Z to {mine.ends_at:%Y-%m-%dT%H:%M}Z"
    said = await asks(
        bot, "alice", f"override shop-primary bob {times}", "Bob Brown is on call for shop-primary"
    )
    assert await on_call(bot, mine.starts_at + HOUR) == "bob"
    button = next(b for b in said["blocks"] if b["type"] == "actions")["elements"][0]
    await asks(bot, "alice", f"override cancel {button['value']}", "cancelled the override")
    assert await on_call(bot, mine.starts_at + HOUR) == "alice"
    await asks(bot, "alice", f"override cancel {button['value']}", "not there any more")


async def test_a_swap_is_offered_by_the_form_and_done_with_one_press(bot: Bot) -> None:
    mine, theirs = await shift_of(bot, "alice"), await shift_of(bot, "bob")
    await bot.slack.act_slash("alice", "incidents", "/oncall", "swap")
    view = await bot.slack.act_view("alice")
    options = {
        block["block_id"]: block["element"]["options"]
        for block in view["blocks"]
        if block["type"] == "input" and "options" in block["element"]
    }

    def value(block: str, shift: Any) -> str:
        stamp = str(int(shift.starts_at.timestamp()))
        return next(o["value"] for o in options[block] if o["value"].startswith(stamp))

    sent = await bot.slack.act_submit(
        "alice", {"give": value("give", mine), "take": value("take", theirs)}
    )
    assert not sent["errors"]
    await shows(bot)
    await bot.slack.act_click("bob", "dm", "cover.accept")
    assert await on_call(bot, mine.starts_at + HOUR) == "bob"
    assert await on_call(bot, theirs.starts_at + HOUR) == "alice"


async def test_reminders_are_set_shown_and_ended(bot: Bot) -> None:
    await asks(bot, "alice", "remind", "not reminded")
    await asks(bot, "alice", "remind 24h 1h", "You are reminded 24 h and 1 h before each shift")
    await asks(bot, "alice", "remind", "24 h, 1 h ahead")
    await asks(bot, "alice", "remind soonish", "to be told before each shift")
    await asks(bot, "alice", "remind 400d", "5 minutes to 14 days")
    await asks(bot, "alice", "remind off", "no longer reminded")


@pytest.mark.parametrize(
    "text",
    [
        "override shop-primary bob in 1h to in 3h",
        "cover me",
        "swap",
        "out until in 3h",
        "remind 1h",
    ],
)
async def test_a_viewer_changes_nothing_and_is_told_why(bot: Bot, text: str) -> None:
    await asks(bot, "dave", text, "Your role is viewer")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("override shop-primary bob thursdayish to never", "as a time"),
        ("override nowhere bob in 1h to in 3h", "There is no schedule"),
        ("override shop-primary zoe in 1h to in 3h", "I don"),
        ("override shop-primary bob", "to set who takes a shift"),
        ("cover shop-primary gestern to morgen", "as a time"),
        ("cover nowhere", "No schedule is called nowhere"),
        ("out until", "to ask for cover of your shifts"),
        ("out someday", "to ask for cover of your shifts"),
        ("out until 31 feb 09:00", "as a time"),
        ("override cancel x", "no longer known"),
    ],
)
async def test_nonsense_is_answered_with_what_would_do(bot: Bot, text: str, part: str) -> None:
    await asks(bot, "alice", text, part)


async def test_times_that_come_twice_or_never_are_asked_back_with_forms_that_work(
    bot: Bot,
) -> None:
    said = await asks(
        bot,
        "alice",
        "override shop-primary bob 2030-10-27 02:30 to 2030-10-27 09:00",
        "comes twice that night",
    )
    assert "2030-10-27T02:30+02:00" in str(said["blocks"])
    assert "2030-10-27T02:30+01:00" in str(said["blocks"])
    await asks(
        bot,
        "alice",
        "override shop-primary bob 2030-10-27T02:30+01:00 to 2030-10-27 09:00",
        "Sun 27 Oct 02:30 CET to 09:00",
    )
    said = await asks(
        bot,
        "alice",
        "out from 2031-03-30 02:30 until 2031-03-30 09:00",
        "does not exist that night",
    )
    assert "2031-03-30 01:30" in str(said["blocks"])
    assert "2031-03-30 03:30" in str(said["blocks"])


async def test_app_home_shows_what_waits_for_me_and_takes_the_answer(bot: Bot) -> None:
    mine = await shift_of(bot, "alice")
    await asks(bot, "alice", _out(mine), "cover is asked for 1")
    await bot.slack.act_home("bob")
    view = await bot.slack.act_wait(user="bob", home=True, contains="Waiting for you")
    assert "Alice Adams asks you to cover" in str(view)
    assert "Your next shifts" in str(view)
    assert "If you were paged now: Slack at 0:00." in str(view)
    await bot.slack.act_click("bob", home=True, action_id="cover.accept")
    assert await on_call(bot, mine.starts_at + HOUR) == "bob"


async def test_a_stranger_to_the_file_looks_and_changes_nothing(bot: Bot) -> None:
    """Somebody of the workspace who is not in oncall.yaml may read a schedule."""
    bot.slack.ws.channel("incidents")["members"].append(bot.slack.ws.add_user("eve")["id"])
    await asks(bot, "eve", "schedule shop-primary", "Now: ")
    for text in ("cover me", "swap", "out until in 3h", "remind 1h"):
        await asks(bot, "eve", text, "You are not in oncall.yaml")
    await asks(bot, "eve", "override shop-primary bob in 1h to in 3h", "Ask one of them")


async def test_a_guest_looks_and_changes_nothing(bot: Bot) -> None:
    guest = bot.slack.ws.add_user("gus")
    guest["is_restricted"] = True
    bot.slack.ws.channel("incidents")["members"].append(guest["id"])
    await asks(bot, "gus", "schedule shop-primary", "Now: ")
    for text in ("override", "cover me", "swap", "out until in 3h", "remind 1h"):
        await asks(bot, "gus", text, "You are a guest here")
