"""However odd a request or a gesture is, the practice Slack answers it and goes on."""

from __future__ import annotations

from typing import Any

import pytest

from oncall_bot.practice.slack import Refused
from oncall_bot.practice.slack.calls import CALLS
from oncall_bot.slack.manifest import manifest
from tests.component.practice.rehearsal import ANA, Rehearsal, listening, rehearsal

ODD: list[Any] = [
    None,
    True,
    -1,
    1.5,
    10**30,
    "",
    "x",
    "\x00\ud83d",
    [],
    [1],
    [None],
    {},
    {"a": 1},
    [{}],
    [[[]]],
    [{"type": []}],
    [{"type": "section", "text": []}],
    [{"type": "actions", "elements": [{"type": "button", "text": None, "action_id": 1}]}],
    [{"type": "actions", "elements": {"type": "button"}}],
    [{"type": "table", "rows": [1]}],
    [{"type": "rich_text", "elements": [{"type": "rich_text_list", "elements": [1]}]}],
    {"type": "modal"},
    {"type": {}, "blocks": []},
    {"type": "home", "blocks": [{"type": "input", "label": 1, "element": 1}]},
    [{"blocks": [None], "text": 1}],
    {"event_type": 1, "event_payload": []},
]


async def test_no_request_breaks_it() -> None:
    generous = manifest()
    scopes = {scope for call in CALLS.values() for scope in call.scopes}
    generous["oauth_config"]["scopes"]["bot"] = sorted(scopes)
    async with rehearsal(generous, rate_limits=False) as r:
        channel = await r.in_channel()
        good = {"channel": channel, "channel_id": channel, "ts": "1.000001", "text": "t"}
        good |= {"user_id": ANA, "user": ANA, "trigger_id": "1.2.3", "view_id": "V1"}
        headers = {"Authorization": f"Bearer {r.slack.bot_token}"}
        for method, call in CALLS.items():
            for odd in ODD:
                for base in ({}, {key: good[key] for key in call.arguments if key in good}):
                    given = {**dict.fromkeys(call.arguments, odd), **base}
                    async with r.http.post(r.api + method, json=given, headers=headers) as answer:
                        assert answer.status == 200, (method, given)
                        said = await answer.json()
                        assert said["ok"] or said["error"], (method, given)
        assert (await r.call("auth.test"))["ok"]


DOINGS = (
    *("post", "mention", "slash", "click", "suggest", "submit", "close_view", "shortcut", "react"),
    *("edit", "delete", "upload", "open_home", "open_dm", "read", "join", "leave", "invite"),
)


async def one_line(r: Rehearsal, gesture: dict[str, Any]) -> bool:
    """Whether the gesture was done, or refused in one line."""
    try:
        done = await r.slack.act(gesture)
    except Refused as refused:
        return "\n" not in str(refused)
    return bool(done["ok"])


@pytest.mark.parametrize("do", DOINGS)
async def test_no_gesture_breaks_it(do: str) -> None:
    names = "channel ts text thread_ts view values block_id action_id selected query callback_id"
    names += " name content encoding with off home"
    async with rehearsal(rate_limits=False, ack_within=0.5) as r, listening(r):
        channel = r.slack.find_channel("general")
        ts = (await r.act("ana", "post", channel=channel, text="t"))["ts"]
        for odd in ODD:
            for base in ({}, {"channel": channel, "ts": ts}):
                given = {**dict.fromkeys(names.split(), odd), **base, "as": ANA, "do": do}
                assert await one_line(r, given), given
                if do in {"delete", "leave"} and base:
                    await r.act("ana", "join", channel=channel)
                    ts = (await r.act("ana", "post", channel=channel, text="t"))["ts"]


async def test_answers_that_make_no_sense_are_told_to_the_person() -> None:
    async with rehearsal(rate_limits=False) as r, listening(r) as bot:
        channel = r.slack.find_channel("general")
        for odd in ODD:
            bot.answers["slash_commands"] = odd
            done = await r.act("ana", "slash", channel=channel, text="/oncall x")
            assert done["ok"]
        bot.answers.clear()
        url = bot.last("/oncall")["response_url"]
        for odd in ODD[:4]:
            async with r.http.post(url, json={"text": odd, "blocks": odd}) as answer:
                assert answer.status in {200, 400, 500}
                assert await answer.text() != "500 Internal Server Error"
        async with r.http.post(url, data=b"{") as answer:
            assert answer.status == 400
