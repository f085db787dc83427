"""What people do in Slack and what comes of it, through a real Bolt app, a strict Slack and a real database."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import pytest

from oncall_bot.core.errors import BadInput
from oncall_bot.core.situation import State
from oncall_bot.ports import ChatMessage
from oncall_bot.slack.connection import SlackEdge, SlackSettings
from oncall_bot.store import views
from oncall_bot.store.db import Store
from oncall_bot.store.transactions import Tx
from tests.component.slack.bot import Bot, running, until


@pytest.fixture(params=["socket", "http"])
async def bot(slackcheck: ModuleType, store: Store, request: Any) -> AsyncIterator[Bot]:
    async with running(slackcheck, store, request.param) as bot:
        yield bot
        bot.judged_clean()


@pytest.fixture
async def socket_bot(slackcheck: ModuleType, store: Store) -> AsyncIterator[Bot]:
    async with running(slackcheck, store, "socket") as bot:
        yield bot


def acked(gesture: dict[str, Any]) -> None:
    assert gesture["deliveries"]
    for one in gesture["deliveries"]:
        assert one["acked"]
        assert one["latency_ms"] < 3000


def words(message: dict[str, Any]) -> str:
    return str(message.get("blocks") or message["text"])


# --- the story of one incident ------------------------------------------------------------------------------------


async def test_an_incident_from_declare_to_resolve(bot: Bot) -> None:
    slack = bot.slack
    acked(await slack.act_slash("alice", "incidents", "/oncall", "declare checkout fails for some"))
    view = await slack.act_wait(user="alice", view=True, contains="checkout fails for some")
    found = await slack.act_suggest("alice", "service.search", "che", view=view["id"])
    assert [one["value"] for one in found["options"]] == ["checkout"]
    acked(await slack.act_submit("alice", {"Where?": "checkout", "severity": "SEV2"}))
    (s,) = await bot.store.view(views.open_incidents)
    assert (s.title, s.severity, s.service, s.declared_by) == (
        "checkout fails for some",
        "SEV2",
        "checkout",
        "Alice Adams",
    )
    ts = await bot.show(s.incident_id)

    acked(await slack.act_click("bob", "incidents", "incident.ack"))
    s = await bot.situation(s.incident_id)
    assert (s.state, s.acked_by, s.acked_by_key) == (State.ACKNOWLEDGED, "Bob Brown", "bob")
    assert not bot.whispered("bob"), "a press that worked shows on the card, not in words"

    acked(await slack.act_click("carol", "incidents", "incident.ack", ts=ts))
    assert "Bob Brown" in words(await bot.told("carol", "Bob Brown")), (
        "a lost race names the winner"
    )

    await bot.show(s.incident_id)
    acked(await slack.act_click("bob", "incidents", "incident.mitigate"))
    await bot.show(s.incident_id)
    acked(await slack.act_click("bob", "incidents", "incident.resolve"))
    s = await bot.situation(s.incident_id)
    assert (s.state, s.resolved_by) == (State.RESOLVED, "Bob Brown")


async def test_every_word_answers_only_the_asker(bot: Bot) -> None:
    incident_id, _ = await bot.incident()
    asked = {
        "": "When it burns",
        "help": "When it burns",
        "who": "shop-primary",
        "who checkout": "shop-primary",
        "who at tomorrow 03:00": "On call",
        "who nothing": "No schedule or service is called nothing",
        "incidents": "Checkout fails",
        f"why {incident_id}": "Alice Adams declared it",
        "runbook pool is empty": "No runbook fits",
        "explain service=checkout,severity=critical": "Route",
        "explain nonsense": "to see what such an alert would do",
        "contact": "How you can be woken",
        "contact add pigeon x": "no channel",
        "silence 1": "",  # a form
        "silence 1 5y": "to stop paging",
        "escelate 42": "Did you mean `/oncall escalate`",
        "override shop-primary bob thursdayish to never": "as a time",
        "ack 999": "no incident 999",
        "why 999": "There is no incident",
        "summary": "to see the summary",
    }
    for text, part in asked.items():
        acked(await bot.slack.act_slash("alice", "incidents", "/oncall", text))
        if part:
            await bot.told("alice", part)
    shown = await bot.slack.act_messages("incidents")
    assert len(shown) == 1, "the channel holds the card and nothing else"


async def test_words_that_change_something(bot: Bot) -> None:
    incident_id, _ = await bot.incident()
    said = {
        "note 1 the <pool> is empty & idle": "Written on incident 1",
        "page bob 1 please look": "bob is paged",
        "escalate": "next step",
        "ack": "You have incident 1",
        "resolve 1 rolled back": "Incident 1 is resolved",
        "postmortem 1": "postmortem",
        "test": "A test page is on its way",
        "override shop-primary bob in 1h to in 3h": "Bob Brown is on call for shop-primary",
        "contact add push alice-topic": "A code is on its way by push",
        "contact verify 000000x": "not right",
        "declare sev3 search is slow": "Incident 2 is open",
    }
    for text, part in said.items():
        acked(await bot.slack.act_slash("alice", "incidents", "/oncall", text))
        await bot.told("alice", part)
    record = await bot.store.view(views.record, incident_id)
    assert any("the <pool> is empty & idle" in event["text"] for event in record["events"])


async def test_forms_do_what_their_buttons_say(bot: Bot) -> None:
    incident_id, ts = await bot.incident()
    slack = bot.slack
    await slack.act_slash(
        "bob", "incidents", "/oncall", "who"
    )  # found by mail, so he can be paged in Slack
    await slack.act_click("alice", "incidents", "incident.more", value="Change severity…")
    acked(await slack.act_submit("alice", {"severity": "SEV1"}))
    assert (await bot.situation(incident_id)).severity == "SEV1"
    await slack.act_slash("alice", "incidents", "/oncall", "ack 1")
    await bot.show(incident_id)
    await slack.act_click("alice", "incidents", "incident.more", value="Add a note…")
    acked(await slack.act_submit("alice", {"text": "0 idle connections"}))
    await slack.act_click("alice", "incidents", "incident.page", ts=ts)
    view = await slack.act_wait(user="alice", view=True, contains="Page someone")
    options = (await slack.act_suggest("alice", "target.search", "bo", view=view["id"]))["options"]
    assert [one["value"] for one in options] == ["person:bob"]
    acked(await slack.act_submit("alice", {"target": "person:bob", "note": "look at the pool"}))
    assert "bob" in {page.person_key for page in (await bot.situation(incident_id)).paged}
    await slack.act_click("alice", "incidents", "incident.more", value="Hand over…", ts=ts)
    wrong = await slack.act_submit("alice", {"to": "nobody-known"})
    assert wrong["errors"]
    assert wrong["open"], "what could not be done is said in the form, which stays open"
    right = await slack.act_submit("alice", {"to": "bob"})
    assert not right["open"]
    await slack.act_click("alice", "incidents", "incident.more", value="Why was this paged?", ts=ts)
    await bot.told("alice", "Why incident 1 paged")


async def test_a_form_pressed_twice_declares_once(bot: Bot) -> None:
    await bot.slack.act_slash("alice", "incidents", "/oncall", "declare")
    view = await bot.slack.act_wait(user="alice", view=True)
    await bot.slack.act_submit(
        "alice", {"title": "Checkout is down", "severity": "SEV2"}, view=view["id"]
    )
    await bot.slack.act_submit(
        "alice", {"title": "Checkout is down", "severity": "SEV2"}, view=view["id"]
    )
    assert len(await bot.store.view(views.open_incidents)) == 1


# --- who may ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "flag",
    [
        {"is_restricted": True},
        {"is_ultra_restricted": True},
        {"team_id": "T0OTHER"},
        {"deleted": True},
    ],
)
async def test_guests_and_outsiders_see_but_do_not_change(
    socket_bot: Bot, flag: dict[str, Any]
) -> None:
    bot = socket_bot
    bot.slack.ws.user("dave").update(flag)
    bot.slack.ws.channel("incidents")["members"].append(bot.slack.ws.user("dave")["id"])
    incident_id, _ = await bot.incident()
    await bot.slack.act_click("dave", "incidents", "incident.ack")
    await bot.told("dave", "You are a guest here")
    await bot.slack.act_slash("dave", "incidents", "/oncall", "resolve 1")
    assert "guest" in words(bot.whispered("dave")[-1])
    await bot.slack.act_slash("dave", "incidents", "/oncall", "who")
    assert "shop-primary" in words(bot.whispered("dave")[-1])
    assert (await bot.situation(incident_id)).state is State.FIRING


async def test_a_member_who_is_not_in_the_file_may_acknowledge(bot: Bot) -> None:
    bot.slack.ws.channel("incidents")["members"].append(bot.slack.ws.user("dave")["id"])
    incident_id, _ = await bot.incident()
    acked(await bot.slack.act_click("dave", "incidents", "incident.ack"))
    s = await bot.situation(incident_id)
    assert (s.acked_by, s.acked_by_key) == ("Dave Diaz", bot.slack.ws.user("dave")["id"])


async def test_a_person_of_the_file_may_act_while_slack_cannot_say_who_they_are(
    socket_bot: Bot,
) -> None:
    bot = socket_bot
    await bot.slack.act_slash(
        "alice", "incidents", "/oncall", "contact"
    )  # known by mail from now on
    incident_id, _ = await bot.incident()
    bot.edge._edge.callers._known.clear()  # type: ignore[union-attr]
    await bot.slack.act_fault("http500", "users.info", 99)
    await bot.slack.act_click("alice", "incidents", "incident.ack")
    assert (await bot.situation(incident_id)).acked_by_key == "alice"
    await bot.slack.act_click("carol", "incidents", "incident.escalate")
    await bot.told("carol", "Slack did not say who you are")


# --- words in threads ---------------------------------------------------------------------------------------------


async def test_what_is_said_in_the_thread_is_recorded_and_a_pin_marks_it(bot: Bot) -> None:
    incident_id, ts = await bot.incident()
    said = await bot.slack.act_post("bob", "incidents", "pool is <empty> & idle, @alice", thread=ts)
    acked(said)
    await bot.slack.act_post("bob", "incidents", "not about it")
    acked(await bot.slack.act_react("alice", "incidents", said["ts"], "pushpin"))
    await bot.slack.act_react("alice", "incidents", said["ts"], "eyes")
    events = (await bot.store.view(views.record, incident_id))["events"]
    chats = [(event["kind"], event["text"]) for event in events if event["kind"] in {"chat", "pin"}]
    assert [kind for kind, _ in chats] == ["chat", "pin"]
    assert all("pool is" in text and "idle" in text for _, text in chats)
    assert not any("not about it" in event["text"] for event in events)


async def test_an_event_that_slack_delivers_twice_counts_once(
    slackcheck: ModuleType, store: Store
) -> None:
    async with running(slackcheck, store, "socket", duplicate_events=True) as bot:
        incident_id, ts = await bot.incident()
        await bot.slack.act_post("bob", "incidents", "pool is empty", thread=ts)
        await bot.slack.act_mention("alice", "incidents", "who is on call?")
        await bot.told("alice", "shop-primary")
        events = (await store.view(views.record, incident_id))["events"]
        assert len([event for event in events if event["kind"] == "chat"]) == 1
        answers = [
            m for m in await bot.slack.act_messages("incidents") if "On call now" in words(m)
        ]
        assert len(answers) == 1


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("who is on call?", "shop-primary"),
        ("who is on call for checkout tonight?", "shop-primary"),
        ("what is open?", "Checkout fails"),
        ("help", "When it burns"),
        ("tell me a joke", "I answer"),
    ],
)
async def test_a_mention_and_a_direct_message_are_answered(
    socket_bot: Bot, asked: str, answer: str
) -> None:
    bot = socket_bot
    await bot.incident()
    said = await bot.slack.act_mention("alice", "incidents", asked)
    acked(said)
    reply = await bot.slack.act_wait("incidents", answer, after=said["ts"])
    assert reply["thread_ts"] == said["ts"]
    acked(await bot.slack.act_post("alice", "dm", asked))
    await bot.slack.act_wait("dm", answer, user="alice")
    bot.judged_clean()


async def test_app_home_shows_my_duty_what_is_open_and_a_press_there_works(bot: Bot) -> None:
    incident_id, _ = await bot.incident()
    acked(await bot.slack.act_home("alice"))
    view = await bot.slack.act_wait(home=True, user="alice")
    assert "You are on call" in str(view)
    assert "Checkout fails" in str(view)
    acked(await bot.slack.act_click("alice", home=True, action_id="incident.ack"))
    assert (await bot.situation(incident_id)).acked_by_key == "alice"

    async def drawn_anew() -> bool:
        return "You have it" in str(await bot.slack.act_home_view("alice"))

    await until(drawn_anew)
    acked(await bot.slack.act_click("alice", home=True, action_id="help.open"))
    await bot.slack.act_wait(user="alice", view=True, contains="When it burns")


async def test_the_shortcut_opens_the_form(bot: Bot) -> None:
    acked(await bot.slack.act_shortcut("alice", "declare_incident"))
    await bot.slack.act_wait(user="alice", view=True, contains="Declare incident")


async def test_every_permission_asked_for_is_used_and_none_is_missing(socket_bot: Bot) -> None:
    bot = socket_bot
    incident_id, ts = await bot.incident()
    alice = bot.slack.ws.user("alice")["id"]
    assert await bot.edge.directory.slack_id("alice@example.com") == alice
    page = ChatMessage("page:1:slack", alice, "A page for you")
    await bot.edge.user_groups.put("oncall-sre", [alice])
    await bot.edge.chat.put(page, first_tried_at=None)
    await bot.edge.chat.put(page, first_tried_at=datetime.now(UTC) - timedelta(seconds=5))
    said = await bot.slack.act_mention("alice", "incidents", "who is on call?", thread=ts)
    await bot.slack.act_react("alice", "incidents", said["ts"], "pushpin")
    await bot.slack.act_post("alice", "dm", "help")
    await bot.slack.act_home("alice")
    opened = await bot.slack.act_assistant("alice", "incidents")
    pane = (opened["channel"], opened["thread"])

    async def suggested() -> bool:
        return "prompts" in bot.slack.ws.threads[pane]

    await until(suggested)
    await bot.slack.act_slash("alice", "incidents", "/oncall", f"postmortem {incident_id}")
    await bot.slack.act_slash("alice", "incidents", "/oncall", f"postmortem {incident_id}")
    await bot.slack.act_click("alice", "incidents", "postmortem.file")

    async def arrived() -> bool:
        return any(one.get("files") for one in await bot.slack.act_messages("dm", "alice"))

    await until(arrived)
    bot.judged_clean()
    assert set(bot.slack.report()["unused_scopes"]) <= {
        "commands"
    }  # the command itself is not counted as a use


# --- troubles -----------------------------------------------------------------------------------------------------


async def test_a_press_that_cannot_be_stored_in_time_is_undone_and_the_person_told(
    socket_bot: Bot,
) -> None:
    bot = socket_bot
    incident_id, _ = await bot.incident()
    held, go = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def hold(tx: Tx) -> None:
        loop.call_soon_threadsafe(held.set)
        go.wait(10)

    blocking = bot.store.write(hold)
    await held.wait()
    acked(await bot.slack.act_click("alice", "incidents", "incident.ack"))
    await bot.told("alice", "Press again")
    go.set()
    await blocking
    assert (await bot.situation(incident_id)).state is State.FIRING, (
        "a press that was undone stays undone"
    )


async def test_the_line_comes_back_after_a_refresh_and_after_a_cut(socket_bot: Bot) -> None:
    bot = socket_bot
    for kind in ("disconnect", "drop"):
        await bot.slack.act_fault(kind)

        async def back() -> bool:
            return bool(bot.slack.sockets)

        await until(back, within=30)
        acked(await bot.slack.act_slash("alice", "incidents", "/oncall", "who"))
    bot.judged_clean()


async def test_an_old_button_is_acknowledged_and_does_nothing(socket_bot: Bot) -> None:
    bot = socket_bot
    button = {
        "type": "button",
        "action_id": "incident.of_an_old_version",
        "value": "1",
        "text": {"type": "plain_text", "text": "Old"},
    }
    await bot.edge.client.conversations_join(channel=bot.slack.ws.channel("incidents")["id"])
    await bot.edge.client.chat_postMessage(
        channel="#incidents", text="An old card", blocks=[{"type": "actions", "elements": [button]}]
    )
    acked(await bot.slack.act_click("alice", "incidents", "incident.of_an_old_version"))


async def test_forged_stale_and_unsigned_requests_are_refused(
    slackcheck: ModuleType, store: Store
) -> None:
    async with running(slackcheck, store, "http") as bot:
        results = await bot.slack.act_probe()
        assert results.pop("good") == 200
        assert set(results.values()) == {401}
        bot.judged_clean()


async def test_a_request_of_another_app_is_refused(slackcheck: ModuleType, store: Store) -> None:
    async with running(slackcheck, store, "http") as bot:
        bot.slack.app.app_id = "A0OTHER"
        said = await bot.slack.act_slash("alice", "incidents", "/oncall", "help")
        assert not said["deliveries"][0]["acked"]


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        (SlackSettings(""), "BOT_TOKEN"),
        (SlackSettings("xoxb-1"), "SIGNING_SECRET"),
        (SlackSettings("xoxb-1", signing_secret="  "), "SIGNING_SECRET"),
        (SlackSettings("xoxb-1", app_token="xoxb-2"), "APP_TOKEN"),
        (SlackSettings("xoxb-1", app_token="xapp-2", api_url="http://x"), "API_URL"),
    ],
)
def test_unsafe_settings_stop_the_start_with_a_word_that_names_them(
    settings: SlackSettings, named: str
) -> None:
    with pytest.raises(BadInput, match=named):
        settings.check()


async def test_the_start_does_not_wait_for_a_slack_that_is_away(store: Store) -> None:
    edge = SlackEdge(SlackSettings("xoxb-1", "xapp-1", api_url="http://127.0.0.1:1/api/"), store)
    await edge.start()
    assert not await edge.ready(0.05)
    assert not edge.connected
    await edge.stop()
