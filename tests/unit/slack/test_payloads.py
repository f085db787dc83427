"""Everything we draw is taken by Slack and keeps the design kit's law: lengths, words, marks, one primary button."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from oncall_bot.slack.actions import ACTIONS, MENU
from oncall_bot.slack.submissions import FORMS, LISTS
from tests.unit.slack.payloads import cases, messages

CASES = cases()


def objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from objects(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from objects(inner)


@pytest.mark.parametrize("name", CASES)
def test_it_stays_below_the_size_at_which_slack_refuses(name: str) -> None:
    payload = CASES[name]["payload"]
    blocks = payload.get("blocks") or payload["view"]["blocks"]
    assert sum(len(o["text"]) for o in objects(blocks) if isinstance(o.get("text"), str)) < 12_000
    assert len(blocks) <= 50


@pytest.mark.parametrize("name", messages())
def test_the_push_line_is_short_and_says_something(name: str) -> None:
    assert 10 <= len(messages()[name].text) <= 120


@pytest.mark.parametrize("name", CASES)
def test_no_mrkdwn_turns_outside_addresses_into_links(name: str) -> None:
    for found in objects(CASES[name]["payload"]):
        if found.get("type") == "mrkdwn":
            assert found["verbatim"] is True
        if found.get("type") == "plain_text":
            assert found["emoji"] is False


@pytest.mark.parametrize("name", CASES)
def test_outside_text_mentions_nobody(name: str) -> None:
    said = json.dumps(CASES[name]["payload"], ensure_ascii=False)
    marked = [o["text"] for o in objects(CASES[name]["payload"]) if o.get("type") == "mrkdwn"]
    for text in marked:
        ours = (
            text.replace("<!here>", "", 1) if name == "dm-channel" else text
        )  # the policy's step says so
        assert not re.search(r"<!(channel|here|everyone|subteam)", ours)
        assert "<@U1>" not in text
    assert "\\u202e" not in said
    assert "\u202e" not in said


def test_every_button_menu_entry_form_and_list_has_its_handler() -> None:
    drawn = [o for case in CASES.values() for o in objects(case["payload"])]
    buttons = {o["action_id"] for o in drawn if o.get("type") in {"button", "overflow"}}
    assert buttons == set(ACTIONS)
    entries = {
        option["value"].partition(":")[2]
        for o in drawn
        if o.get("type") == "overflow"
        for option in o["options"]
    }
    assert entries == set(MENU)
    assert {o["action_id"] for o in drawn if o.get("type") == "external_select"} == set(LISTS)
    assert {o["callback_id"] for o in drawn if o.get("callback_id")} == set(FORMS)


def test_buttons_carry_the_incident_and_no_clock_time() -> None:
    for name, case in CASES.items():
        for found in objects(case["payload"]):
            if found.get("type") == "button" and found["action_id"].startswith(
                ("incident.", "page.", "silence.")
            ):
                assert found["value"].isdigit() or found["value"] == "new", name
                assert not re.search(r"\d\d:\d\d", found["text"]["text"])
