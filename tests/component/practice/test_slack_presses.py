"""Buttons, menus, forms, commands and shortcuts between people and a bot, through a socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from oncall_bot.practice.slack import Refused
from oncall_bot.slack.manifest import manifest
from tests.component.practice.rehearsal import ANA, Deaf, Rehearsal, listening, rehearsal, until


@pytest.fixture
async def r() -> AsyncIterator[Rehearsal]:
    async with rehearsal(rate_limits=False) as r:
        yield r


@pytest.fixture
async def bot(r: Rehearsal) -> AsyncIterator[Deaf]:
    async with listening(r) as bot:
        yield bot


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def option(value: str) -> dict[str, Any]:
    return {"text": plain(value.title()), "value": value}


def button(action: str, value: str = "v") -> dict[str, Any]:
    return {"type": "button", "action_id": action, "text": plain("Go"), "value": value}


def field(block_id: str, element: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    element = element or {"type": "plain_text_input", "action_id": "v", "max_length": 10}
    label = plain(block_id.title())
    return {"type": "input", "block_id": block_id, "label": label, "element": element, **more}


def form(*blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "type": "modal",
        "title": plain("Form"),
        "submit": plain("Send"),
        "callback_id": "form",
        "blocks": list(blocks) or [field("why")],
        **more,
    }


async def card(r: Rehearsal, *elements: dict[str, Any]) -> tuple[str, str]:
    """A bot's message with buttons: its channel and ts."""
    channel = await r.in_channel()
    held = list(elements) or [button("ack", "42")]
    blocks = [{"type": "actions", "block_id": "actions", "elements": held}]
    sent = await r.call("chat.postMessage", channel=channel, text="card", blocks=blocks)
    return channel, str(sent["ts"])


async def opened(r: Rehearsal, bot: Deaf, view: dict[str, Any] | None = None) -> dict[str, Any]:
    """A modal that ana sees, opened by a command."""
    await r.act("ana", "slash", channel=r.slack.find_channel("incidents"), text="/oncall form")
    trigger = bot.last("/oncall")["trigger_id"]
    said = await r.call("views.open", trigger_id=trigger, view=view or form())
    assert said["ok"], said
    found: dict[str, Any] = said["view"]
    return found


# --- buttons ------------------------------------------------------------------------------------------------------


async def test_a_press_tells_the_bot_who_pressed_what_where(r: Rehearsal, bot: Deaf) -> None:
    channel, ts = await card(r)
    done = await r.act("ana", "click", channel=channel, ts=ts, block_id="actions", action_id="ack")
    assert done["ok"]
    assert done["ack_ms"] < 1000
    said = bot.last("block_actions")
    assert (said["user"]["id"], said["user"]["name"]) == (ANA, "ana")
    assert said["actions"][0]["value"] == "42"
    assert said["container"]["message_ts"] == ts == said["message"]["ts"]
    assert said["channel"] == {"id": channel, "name": "incidents"}
    assert said["trigger_id"]
    assert said["response_url"].startswith(r.base)


async def test_a_button_that_was_taken_away_cannot_be_pressed(r: Rehearsal, bot: Deaf) -> None:
    channel, ts = await card(r)
    await r.call("chat.update", channel=channel, ts=ts, text="closed")
    with pytest.raises(Refused, match="no longer there to press"):
        await r.act("ana", "click", channel=channel, ts=ts, block_id="actions", action_id="ack")
    await r.call("chat.delete", channel=channel, ts=ts)
    with pytest.raises(Refused, match="message is no longer there"):
        await r.act("ana", "click", channel=channel, ts=ts, block_id="actions", action_id="ack")


async def test_only_members_can_press(r: Rehearsal, bot: Deaf) -> None:
    channel, ts = await card(r)
    with pytest.raises(Refused, match="Join #incidents first"):
        await r.act("cy", "click", channel=channel, ts=ts, block_id="actions", action_id="ack")


async def test_a_choice_goes_along_with_what_was_chosen_before(r: Rehearsal, bot: Deaf) -> None:
    menu = {"type": "static_select", "action_id": "level", "options": [option("a"), option("b")]}
    more = {"type": "overflow", "action_id": "more", "options": [option("x")]}
    channel, ts = await card(r, menu, more, button("go"))
    where = {"channel": channel, "ts": ts, "block_id": "actions"}
    await r.act("ana", "click", **where, action_id="level", selected="b")
    assert bot.last("block_actions")["actions"][0]["selected_option"]["value"] == "b"
    await r.act("ana", "click", **where, action_id="more", selected="x")
    assert bot.last("block_actions")["actions"][0]["selected_option"]["value"] == "x"
    await r.act("ana", "click", **where, action_id="go")
    values = bot.last("block_actions")["state"]["values"]["actions"]
    assert values["level"]["selected_option"]["value"] == "b"
    await r.act("bo", "click", **where, action_id="go")
    values = bot.last("block_actions")["state"]["values"]["actions"]
    assert values["level"]["selected_option"] is None, "another person chose nothing yet"
    with pytest.raises(Refused, match="not one of the choices"):
        await r.act("ana", "click", **where, action_id="level", selected="z")


async def test_a_bot_that_is_silent_is_told_to_the_person() -> None:
    async with rehearsal(rate_limits=False, ack_within=0.05) as r, listening(r) as bot:
        bot.silent = True
        channel, ts = await card(r)
        done = await r.act("ana", "click", channel=channel, ts=ts, action_id="ack")
        assert done["error"] == "The bot did not answer within 3 seconds."
        done = await r.act("ana", "slash", channel=channel, text="/oncall who")
        assert "did not answer" in done["error"]


async def test_a_bot_that_is_away_is_told_to_the_person() -> None:
    async with rehearsal(ack_within=0.05) as r:
        channel = r.slack.find_channel("incidents")
        done = await r.act("ana", "slash", channel=channel, text="/oncall who")
        assert done["error"] == "The bot is not connected."


# --- answers ------------------------------------------------------------------------------------------------------


async def test_an_answer_to_a_press_is_seen_by_the_presser_alone(r: Rehearsal, bot: Deaf) -> None:
    channel, ts = await card(r)
    await r.act("ana", "click", channel=channel, ts=ts, action_id="ack")
    url = bot.last("block_actions")["response_url"]
    async with r.http.post(url, json={"text": "Bo was first."}) as answer:
        assert await answer.text() == "ok"
    whisper = r.sees("ana", channel)[-1]
    assert (whisper["text"], whisper["ephemeral"]) == ("Bo was first.", True)
    assert "Bo was first." not in str(r.sees("bo", channel))
    history = await r.call("conversations.history", channel=channel)
    assert [m["text"] for m in history["messages"]] == ["card"]
    assert r.slack.messages(channel)[-1]["to"] == ANA


async def test_an_answer_can_replace_or_delete_what_was_pressed(r: Rehearsal, bot: Deaf) -> None:
    channel, ts = await card(r)
    await r.act("ana", "click", channel=channel, ts=ts, action_id="ack")
    url = bot.last("block_actions")["response_url"]
    async with r.http.post(url, json={"replace_original": True, "text": "done"}) as answer:
        assert answer.status == 200
    assert [m["text"] for m in r.sees("bo", channel)] == ["done"]
    async with r.http.post(url, json={"delete_original": True}) as answer:
        assert answer.status == 200
    assert r.sees("bo", channel) == []


async def test_a_response_address_is_over_after_half_an_hour(r: Rehearsal, bot: Deaf) -> None:
    channel, ts = await card(r)
    await r.act("ana", "click", channel=channel, ts=ts, action_id="ack")
    url = bot.last("block_actions")["response_url"]
    r.clock.skip(1801)
    async with r.http.post(url, json={"text": "late"}) as answer:
        assert (answer.status, await answer.text()) == (404, "expired_url")


# --- commands -----------------------------------------------------------------------------------------------------


async def test_a_command_carries_names_as_references(r: Rehearsal, bot: Deaf) -> None:
    channel = r.slack.find_channel("incidents")
    typed = "/oncall page @bo, not @nobody, see #general & <me> https://example.com/a?b=1&c=2"
    await r.act("ana", "slash", channel=channel, text=typed)
    general = r.slack.find_channel("general")
    assert bot.last("/oncall")["text"] == (
        f"page <@{r.slack.find_person('bo')}|bo>, not @nobody, see <#{general}|general>"
        " &amp; &lt;me&gt; <https://example.com/a?b=1&amp;c=2>"
    )


async def test_a_command_that_is_not_in_the_manifest_is_no_command(r: Rehearsal) -> None:
    channel = r.slack.find_channel("incidents")
    with pytest.raises(Refused, match="/pagerduty is not a command here"):
        await r.act("ana", "slash", channel=channel, text="/pagerduty trigger")


async def test_an_answer_may_come_with_the_acknowledgement(r: Rehearsal) -> None:
    answers = {"slash_commands": {"response_type": "in_channel", "text": "Ana is on call."}}
    async with listening(r, **answers):
        channel = r.slack.find_channel("incidents")
        assert "error" not in await r.act("ana", "slash", channel=channel, text="/oncall who")
        assert [m["text"] for m in r.sees("bo", channel)] == ["Ana is on call."]


async def test_a_command_in_a_direct_message_names_no_channel(r: Rehearsal, bot: Deaf) -> None:
    await r.act("ana", "slash", channel=r.slack.direct("ana"), text="/oncall who")
    assert bot.last("/oncall")["channel_name"] == "directmessage"


# --- forms --------------------------------------------------------------------------------------------------------


async def test_a_form_opens_only_within_three_seconds_of_the_press(r: Rehearsal, bot: Deaf) -> None:
    await r.act("ana", "slash", channel=r.slack.find_channel("incidents"), text="/oncall form")
    trigger = bot.last("/oncall")["trigger_id"]
    r.clock.skip(3.5)
    given = {"trigger_id": trigger, "view": form()}
    assert await r.error("views.open", **given) == "expired_trigger_id"
    assert r.form("ana") is None


async def test_a_form_is_sent_with_what_was_typed_and_then_closes(r: Rehearsal, bot: Deaf) -> None:
    day = {"type": "datepicker", "action_id": "d", "initial_date": "2026-11-22"}
    boxes = {"type": "checkboxes", "action_id": "c", "options": [option("a"), option("b")]}
    fields = [field("why"), field("day", day), field("which", boxes), field("note", optional=True)]
    view = await opened(r, bot, form(*fields, private_metadata="about"))
    assert r.form("ana")["id"] == view["id"]
    values = {"why": {"v": "deploy"}, "which": {"c": ["a", "b"]}}
    done = await r.act("ana", "submit", view=view["id"], values=values)
    assert "error" not in done
    said = bot.last("view_submission")["view"]
    assert said["private_metadata"] == "about"
    state = said["state"]["values"]
    assert state["why"]["v"] == {"type": "plain_text_input", "value": "deploy"}
    assert state["day"]["d"]["selected_date"] == "2026-11-22"
    assert [one["value"] for one in state["which"]["c"]["selected_options"]] == ["a", "b"]
    assert state["note"]["v"]["value"] is None
    assert r.form("ana") is None


async def test_slacks_client_asks_for_what_is_needed_before_it_sends(
    r: Rehearsal, bot: Deaf
) -> None:
    view = await opened(r, bot)
    for values, why in (
        ({}, "“Why” is needed"),
        ({"why": {"v": ""}}, "“Why” is needed"),
        ({"why": {"v": "x" * 11}}, "at most 10 characters"),
        ({"other": {"v": "x"}}, "no field 'other'"),
    ):
        with pytest.raises(Refused, match=why):
            await r.act("ana", "submit", view=view["id"], values=values)
    assert not [one for one in bot.got if one["payload"].get("type") == "view_submission"]


async def test_a_form_that_the_bot_corrects_stays_open_with_the_words(r: Rehearsal) -> None:
    refusal = {"response_action": "errors", "errors": {"why": "Say more."}}
    async with listening(r, view_submission=refusal) as bot:
        view = await opened(r, bot)
        done = await r.act("ana", "submit", view=view["id"], values={"why": {"v": "x"}})
        assert done["errors"] == {"why": "Say more."}
        shown = r.form("ana")
        assert shown["errors"] == {"why": "Say more."}
        assert shown["state"]["values"]["why"]["v"]["value"] == "x", "what was typed is kept"
        bot.answers.clear()
        await r.act("ana", "submit", view=view["id"], values={"why": {"v": "more"}})
        assert r.form("ana") is None


async def test_forms_stack_three_deep_and_can_all_be_cleared(r: Rehearsal) -> None:
    async with listening(r) as bot:
        view = await opened(r, bot)
        for title in ("Second", "Third"):
            pushed = form(title=plain(title))
            bot.answers["view_submission"] = {"response_action": "push", "view": pushed}
            top = r.form("ana")["id"]
            await r.act("ana", "submit", view=top, values={"why": {"v": "x"}})
            assert r.form("ana")["title"]["text"] == title
        top = r.form("ana")["id"]
        done = await r.act("ana", "submit", view=top, values={"why": {"v": "x"}})
        assert "push_limit_reached" in done["error"]
        await r.act("ana", "close_view", view=top)
        assert r.form("ana")["title"]["text"] == "Second"
        bot.answers["view_submission"] = {"response_action": "clear"}
        await r.act("ana", "submit", view=r.form("ana")["id"], values={"why": {"v": "x"}})
        assert r.form("ana") is None
        assert view["id"] == view["root_view_id"]


async def test_an_answer_that_slack_cannot_show_leaves_the_form_open(r: Rehearsal) -> None:
    answers = [
        {"response_action": "errors", "errors": {"nothing": "?"}},
        {"response_action": "update", "view": {"type": "modal"}},
        {"response_action": "dance"},
    ]
    for answer in answers:
        async with listening(r, view_submission=answer) as bot:
            view = await opened(r, bot)
            done = await r.act("ana", "submit", view=view["id"], values={"why": {"v": "x"}})
            assert "could not be shown" in done["error"]
            assert r.form("ana")["id"] == view["id"]


async def test_what_was_typed_survives_an_update_that_keeps_the_field(
    r: Rehearsal, bot: Deaf
) -> None:
    menu = {"type": "static_select", "action_id": "m", "options": [option("a"), option("b")]}
    picker = {"type": "section", "block_id": "pick", "text": plain("p"), "accessory": menu}
    view = await opened(r, bot, form(picker, field("why")))
    await r.act("ana", "click", view=view["id"], block_id="pick", action_id="m", selected="b")
    same = form(picker, field("when"))
    said = await r.call("views.update", view_id=view["id"], view=same)
    kept = said["view"]["state"]["values"]["pick"]["m"]
    assert kept["selected_option"]["value"] == "b"
    other = form({**picker, "block_id": "fresh"}, field("when"))
    said = await r.call("views.update", view_id=view["id"], view=other)
    assert said["view"]["state"]["values"] == {}


async def test_an_external_list_is_asked_for_and_only_what_was_offered_can_be_chosen(
    r: Rehearsal,
) -> None:
    offered = {"options": [option("checkout"), option("search")]}
    async with listening(r, block_suggestion=offered) as bot:
        search = {"type": "external_select", "action_id": "s", "min_query_length": 0}
        view = await opened(r, bot, form(field("where", search)))
        with pytest.raises(Refused, match="not one of the choices"):
            await r.act("ana", "submit", view=view["id"], values={"where": {"s": "checkout"}})
        asked = {"view": view["id"], "block_id": "where", "action_id": "s", "query": "che"}
        found = await r.act("ana", "suggest", **asked)
        assert [one["value"] for one in found["options"]] == ["checkout", "search"]
        assert bot.last("block_suggestion")["value"] == "che"
        await r.act("ana", "submit", view=view["id"], values={"where": {"s": "checkout"}})
        state = bot.last("view_submission")["view"]["state"]["values"]["where"]["s"]
        assert state["selected_option"]["value"] == "checkout"


async def test_a_list_that_slack_would_not_show_is_told(r: Rehearsal) -> None:
    async with listening(r, block_suggestion={"options": [option(f"o{n}") for n in range(101)]}):
        search = {"type": "external_select", "action_id": "s"}
        channel, ts = await card(r, search)
        done = await r.act("ana", "suggest", channel=channel, ts=ts, action_id="s", query="")
        assert (done["options"], "no list" in done["error"]) == ([], True)


async def test_a_bot_hears_of_a_closed_form_when_it_asked_to(r: Rehearsal, bot: Deaf) -> None:
    view = await opened(r, bot)
    await r.act("ana", "close_view", view=view["id"])
    assert r.form("ana") is None
    view = await opened(r, bot, form(notify_on_close=True))
    await r.act("ana", "close_view", view=view["id"])
    closed = [one for one in bot.got if one["payload"].get("type") == "view_closed"]
    assert [one["payload"]["view"]["id"] for one in closed] == [view["id"]]


async def test_nobody_can_send_somebody_elses_form(r: Rehearsal, bot: Deaf) -> None:
    view = await opened(r, bot)
    with pytest.raises(Refused, match="no longer open"):
        await r.act("bo", "submit", view=view["id"], values={"why": {"v": "x"}})
    assert r.form("bo") is None


# --- shortcuts and Home -------------------------------------------------------------------------------------------


async def test_a_shortcut_of_the_manifest_reaches_the_bot_and_no_other(
    r: Rehearsal, bot: Deaf
) -> None:
    await r.act("ana", "shortcut", callback_id="declare_incident")
    assert bot.last("shortcut")["callback_id"] == "declare_incident"
    with pytest.raises(Refused, match="no such shortcut"):
        await r.act("ana", "shortcut", callback_id="launch")


async def test_home_is_shown_once_the_bot_has_published_it(r: Rehearsal, bot: Deaf) -> None:
    await r.act("ana", "open_home")
    await until(lambda: bot.events("app_home_opened"))
    assert bot.events("app_home_opened")[0]["tab"] == "home"
    view = {"type": "home", "blocks": [{"type": "actions", "elements": [button("who")]}]}
    assert (await r.call("views.publish", user_id=ANA, view=view))["ok"]
    home = r.slack.state(ANA)["home"]
    assert home["blocks"][0]["elements"][0]["action_id"] == "who"
    assert (await r.act("ana", "click", home=True, action_id="who"))["ok"]
    assert bot.last("block_actions")["view"]["type"] == "home"
    assert r.slack.state(r.slack.find_person("bo"))["home"] is None


async def test_an_app_without_interactivity_or_home_offers_neither() -> None:
    bare = manifest()
    bare["settings"]["interactivity"] = {"is_enabled": False}
    bare["features"]["app_home"]["home_tab_enabled"] = False
    async with rehearsal(bare) as r:
        channel, ts = await card(r)
        with pytest.raises(Refused, match="no interactivity"):
            await r.act("ana", "click", channel=channel, ts=ts, action_id="ack")
        with pytest.raises(Refused, match="no Home"):
            await r.act("ana", "open_home")
        view = {"type": "home", "blocks": []}
        assert await r.error("views.publish", user_id=ANA, view=view) == "not_enabled"
