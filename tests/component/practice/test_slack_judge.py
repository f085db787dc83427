"""The practice Slack and an independent strict Slack are sent the same requests and must answer alike.

The judge is slackcheck, from the shared acceptance tools. Compared are ok, error, status, and that whatever the judge
puts into an answer is in ours too.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import pytest
from aiohttp import ClientSession

from oncall_bot.slack.manifest import manifest
from tests.component.practice.rehearsal import Deaf, rehearsal, until
from tests.shared import shared

MORE_SCOPES = [
    *("assistant:write", "channels:manage", "groups:write", "mpim:write", "im:write"),
    *("pins:read", "pins:write", "reactions:write", "usergroups:read", "usergroups:write"),
    *("team:read", "im:read", "mpim:read"),
]
SEED = {
    "users": [
        ["ana", "Ana Ruiz", "SRE", "Europe/Madrid", 3600],
        ["bo", "Bo Lindt", "", "Asia/Kolkata", 19800],
        ["cy", "Cy Okafor", "", "UTC", 0],
    ],
    "channels": [
        ["general", ["ana", "bo", "cy"], False],
        ["incidents", ["ana", "bo"], False],
        ["secret", ["cy"], True],
    ],
    "usergroups": [["oncall-shop", ["ana"]]],
}


@pytest.fixture(scope="module")
def slackcheck() -> Iterator[ModuleType]:
    folder = str(shared("tools/slackcheck"))
    sys.path.insert(0, folder)
    import slackcheck

    yield slackcheck
    sys.path.remove(folder)


def app_manifest(*, everything: bool) -> dict[str, Any]:
    made = manifest()
    if everything:
        scopes = {*made["oauth_config"]["scopes"]["bot"], *MORE_SCOPES}
        made["oauth_config"]["scopes"]["bot"] = sorted(scopes)
    return made


@dataclass
class Side:
    """One of the two: how it is asked, and what it answered so far, by the names the requests give."""

    name: str
    api: str
    http: ClientSession
    bot_token: str
    app_token: str
    known: dict[str, Any]
    slash: Callable[[], Awaitable[Any]]
    press: Callable[[str, str], Awaitable[Any]]
    press_message: Callable[[str, str], Awaitable[Any]]
    submit: Callable[[str], Awaitable[Any]]
    said: list[tuple[int, Any]] = field(default_factory=list)

    def filled(self, value: Any) -> Any:
        """`$name` becomes what this side knows under that name."""
        if isinstance(value, dict):
            return {key: self.filled(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.filled(item) for item in value]
        if isinstance(value, str):
            return re.sub(r"\$(\w+)", lambda name: str(self.known[name[1]]), value)
        return value

    async def ask(self, ask: Ask) -> tuple[int, Any]:
        token = {"bot": self.bot_token, "app": self.app_token}.get(ask.token, ask.token)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        given = self.filled(ask.given)
        if ask.form:
            flat = {k: v if isinstance(v, str) else json.dumps(v) for k, v in given.items()}
            sent: dict[str, Any] = {"data": flat}
        elif ask.raw is not None:
            sent = {"data": ask.raw, "headers": {"Content-Type": "application/json"}}
        else:
            sent = {"json": given}
        sent["headers"] = {**sent.get("headers", {}), **headers}
        async with self.http.post(self.api + ask.method, **sent) as answer:
            status, body = answer.status, await answer.json()
        for name, path in ask.keep.items():
            self.known[name] = _at(body, path)
        self.said.append((status, body))
        return status, body


def _at(body: Any, path: str) -> Any:
    for part in path.split("."):
        body = body[int(part)] if part.isdigit() else body[part]
    return body


@dataclass(frozen=True)
class Ask:
    """One request. `keep` remembers parts of the answer: {"card": "ts"} for `$card` in later ones."""

    method: str
    given: dict[str, Any] = field(default_factory=dict)
    form: bool = False
    token: str = "bot"
    keep: dict[str, str] = field(default_factory=dict)
    raw: str | None = None
    error: str | None = None


def asked(method: str, error: str | None = None, /, **given: Any) -> Ask:
    """A JSON request with the bot's token; `error` is what both must answer, None for ok."""
    return Ask(method, given, error=error)


def form(method: str, error: str | None = None, /, **given: Any) -> Ask:
    return Ask(method, given, form=True, error=error)


def say(error: str | None = None, /, **given: Any) -> Ask:
    return asked("chat.postMessage", error, **{"channel": "$incidents", **given})


def plain(text: str = "words") -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str = "words") -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text}


def button(action: str = "a", **more: Any) -> dict[str, Any]:
    return {"type": "button", "action_id": action, "text": plain("Go"), **more}


def option(n: int = 0) -> dict[str, Any]:
    return {"text": plain(f"o{n}"), "value": f"v{n}"}


def select(**more: Any) -> dict[str, Any]:
    return {"type": "static_select", "action_id": "s", **more}


def section(**more: Any) -> dict[str, Any]:
    return {"type": "section", "text": mrkdwn(), **more}


def actions(*elements: Any, **more: Any) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements), **more}


def blocks(error: str | None, *given: Any) -> Ask:
    return say(error, text="t", blocks=list(given))


def modal(*given: Any, **more: Any) -> dict[str, Any]:
    held = list(given) or [section()]
    return {"type": "modal", "title": plain("Form"), "blocks": held, **more}


def typed(block_id: str = "in", **more: Any) -> dict[str, Any]:
    element = {"type": "plain_text_input", "action_id": "v", **more}
    return {"type": "input", "block_id": block_id, "label": plain("Label"), "element": element}


RICH = {
    "type": "rich_text",
    "elements": [
        {
            "type": "rich_text_section",
            "elements": [
                {"type": "text", "text": "hi", "style": {"bold": True}},
                {"type": "user", "user_id": "U1"},
                {"type": "link", "url": "https://example.com"},
            ],
        },
        {
            "type": "rich_text_list",
            "style": "bullet",
            "elements": [
                {"type": "rich_text_section", "elements": [{"type": "text", "text": "x"}]}
            ],
        },
    ],
}
TABLE = {"type": "table", "rows": [[{"type": "raw_text", "text": "a"}]]}
BAD = "invalid_blocks"

BLOCKS = [
    blocks(None, section(), {"type": "divider"}, {"type": "header", "text": plain()}),
    blocks(None, actions(button(value="v", style="primary", url="https://example.com/x"))),
    blocks(None, {"type": "context", "elements": [mrkdwn(), plain()]}),
    blocks(None, section(accessory=select(options=[option()], placeholder=plain()))),
    blocks(None, {"type": "section", "fields": [mrkdwn(), mrkdwn()]}),
    blocks(None, RICH),
    blocks(None, TABLE),
    blocks(None, {"type": "markdown", "text": "**bold**"}),
    blocks(None, {"type": "image", "image_url": "https://example.com/a.png", "alt_text": "a"}),
    blocks(None, *[section() for _ in range(50)]),
    blocks(None, section(text=mrkdwn("x" * 3000))),
    blocks(None, actions(*[button(f"a{n}") for n in range(25)])),
    blocks(
        None,
        actions(
            button(
                confirm={
                    "title": plain(),
                    "text": mrkdwn(),
                    "confirm": plain("Yes"),
                    "deny": plain("No"),
                }
            ),
            {"type": "overflow", "action_id": "o", "options": [option(n) for n in range(5)]},
            {"type": "datepicker", "action_id": "d", "initial_date": "2026-11-22"},
            {"type": "radio_buttons", "action_id": "r", "options": [option()]},
            {"type": "checkboxes", "action_id": "c", "options": [option()]},
            {"type": "external_select", "action_id": "e", "min_query_length": 0},
            {"type": "users_select", "action_id": "u"},
        ),
    ),
    blocks(BAD, *[section() for _ in range(51)]),
    blocks(BAD, section(text=mrkdwn("x" * 3001))),
    blocks(BAD, section(text=mrkdwn(""))),
    blocks(BAD, {"type": "section"}),
    blocks(BAD, {"type": "section", "fields": [mrkdwn()] * 11}),
    blocks(BAD, {"type": "section", "fields": [mrkdwn("x" * 2001)]}),
    blocks(BAD, {"type": "header", "text": plain("x" * 151)}),
    blocks(BAD, {"type": "header", "text": mrkdwn()}),
    blocks(BAD, {"type": "header"}),
    blocks(BAD, {"type": "nonsense"}),
    blocks(BAD, {"no": "type"}),
    blocks(BAD, section(surprise=1)),
    blocks(BAD, section(block_id="x" * 256)),
    blocks(BAD, section(block_id="same"), section(block_id="same")),
    blocks(BAD, actions(button("same"), button("same"))),
    blocks(BAD, actions(button("x" * 256))),
    blocks(BAD, actions(*[button(f"a{n}") for n in range(26)])),
    blocks(BAD, actions()),
    blocks(BAD, actions(button(value="x" * 2001))),
    blocks(BAD, actions(button(style="warning"))),
    blocks(BAD, actions(button(url="javascript:alert(1)"))),
    blocks(BAD, actions({**button(), "text": plain("x" * 76)})),
    blocks(BAD, actions({**button(), "text": mrkdwn()})),
    blocks(BAD, actions({"type": "plain_text_input", "action_id": "i"})),
    blocks(BAD, actions({"type": "overflow", "action_id": "o", "options": [option()] * 6})),
    blocks(BAD, actions(select())),
    blocks(BAD, actions(select(options=[]))),
    blocks(BAD, actions(select(options=[option(n) for n in range(101)]))),
    blocks(BAD, actions(select(options=[{"text": plain("x" * 76), "value": "v"}]))),
    blocks(BAD, actions(select(options=[{"text": plain(), "value": "x" * 151}]))),
    blocks(BAD, {"type": "context", "elements": [mrkdwn()] * 11}),
    blocks(BAD, {"type": "image", "image_url": "https://example.com/a.png"}),
    blocks(BAD, {"type": "image", "alt_text": "a"}),
    blocks(BAD, {"type": "rich_text", "elements": [{"type": "rich_text_nothing"}]}),
    blocks("invalid_attachments", TABLE, TABLE),
    form("chat.postMessage", "invalid_blocks_format", channel="$incidents", blocks="[{"),
    form("chat.postMessage", channel="$incidents", text="t", blocks=[section()]),
    say(None, text="t", attachments=[{"color": "#ff0000", "blocks": [section()]}]),
    say("invalid_attachments", text="t", attachments=[{"text": 5}]),
    say("invalid_attachments", text="t", attachments="x"),
    say("too_many_attachments", text="t", attachments=[{"text": "x"}] * 101),
]

CHAT = [
    say(text="words"),
    Ask("chat.postMessage", {"channel": "$incidents", "text": "card"}, keep={"card": "ts"}),
    Ask(
        "chat.postMessage",
        {
            "channel": "$incidents",
            "text": "keyed",
            "metadata": {"event_type": "oncall_card", "event_payload": {"key": "k1"}},
        },
        keep={"keyed": "ts"},
    ),
    say(text="in the thread", thread_ts="$card"),
    say("no_text"),
    say("no_text", text=""),
    say(None, text="x" * 40_001),
    say("markdown_text_conflict", text="a", markdown_text="b"),
    say(None, markdown_text="**b**"),
    say("msg_too_long", markdown_text="x" * 12_001),
    say("channel_not_found", channel="C0NOWHERE1", text="a"),
    say("channel_not_found", channel="$secret", text="a"),
    say("not_in_channel", channel="$general", text="a"),
    say("not_in_channel", channel="#general", text="a"),
    say(None, channel="#incidents", text="by name"),
    say(None, channel="$ana", text="to a person"),
    say("missing_scope", text="a", username="Somebody else"),
    say("invalid_metadata_format", text="a", metadata={"event_type": "only"}),
    say("invalid_arguments", text="a", thread_ts=17),
    asked("chat.postMessage", "invalid_arguments", text="a"),
    form("chat.postMessage", channel="$incidents", text="a", unfurl_links="false"),
    form("chat.postMessage", "invalid_arguments", channel="$incidents", text="a", mrkdwn="maybe"),
    asked("chat.update", channel="$incidents", ts="$card", text="edited"),
    asked("chat.update", channel="$incidents", ts="$card", text="e", blocks=[section()]),
    asked("chat.update", "msg_too_long", channel="$incidents", ts="$card", text="x" * 4001),
    asked("chat.update", "message_not_found", channel="$incidents", ts="1.000001", text="e"),
    asked("chat.update", "cant_update_message", channel="$incidents", ts="$theirs", text="e"),
    asked("chat.update", "invalid_arguments", channel="$incidents", text="no ts"),
    asked("chat.update", "no_text", channel="$incidents", ts="$card"),
    asked("chat.postEphemeral", channel="$incidents", user="$ana", text="psst"),
    asked("chat.postEphemeral", "user_not_in_channel", channel="$incidents", user="$cy", text="p"),
    asked("chat.postEphemeral", "invalid_arguments", channel="$incidents", text="psst"),
    asked("chat.postEphemeral", "not_in_channel", channel="$general", user="$ana", text="psst"),
    form("chat.getPermalink", channel="$incidents", message_ts="$card"),
    form("chat.getPermalink", "message_not_found", channel="$incidents", message_ts="1.000001"),
    asked("chat.getPermalink", "invalid_arguments", channel="$incidents", message_ts="$card"),
    asked("reactions.add", channel="$incidents", timestamp="$card", name="eyes"),
    asked("reactions.add", "already_reacted", channel="$incidents", timestamp="$card", name="eyes"),
    asked("reactions.add", "invalid_name", channel="$incidents", timestamp="$card", name="Not One"),
    asked("reactions.add", "message_not_found", channel="$incidents", timestamp="1.1", name="eyes"),
    asked("pins.add", channel="$incidents", timestamp="$card"),
    asked("pins.add", "already_pinned", channel="$incidents", timestamp="$card"),
    asked("pins.add", "no_item_specified", channel="$incidents", timestamp=""),
    asked("conversations.history", channel="$incidents", limit=3, include_all_metadata=True),
    asked("conversations.history", "not_in_channel", channel="$general"),
    asked("conversations.history", "channel_not_found", channel="$secret"),
    asked("conversations.history", "invalid_arguments", channel="$incidents", limit="many"),
    asked("conversations.history", "invalid_cursor", channel="$incidents", cursor="nowhere"),
    asked("conversations.history", channel="$incidents", oldest="$card", latest="$keyed"),
    asked(
        "conversations.history",
        channel="$incidents",
        oldest="$card",
        latest="$card",
        inclusive=True,
    ),
    form("conversations.replies", channel="$incidents", ts="$card", include_all_metadata="true"),
    form("conversations.replies", "thread_not_found", channel="$incidents", ts="1.000001"),
    asked("conversations.replies", "invalid_arguments", channel="$incidents", ts="$card"),
    asked("chat.delete", "cant_delete_message", channel="$incidents", ts="$theirs"),
    asked("chat.delete", channel="$incidents", ts="$keyed"),
    asked("chat.delete", "message_not_found", channel="$incidents", ts="$keyed"),
]

PLACES = [
    asked("auth.test"),
    Ask("auth.test", token="", error="not_authed"),
    Ask("auth.test", token="xoxb-wrong", error="invalid_auth"),
    Ask("auth.test", token="app", error="not_allowed_token_type"),
    Ask("apps.connections.open", token="bot", error="not_allowed_token_type"),
    Ask("apps.connections.open", token="app"),
    asked("no.such.method", "unknown_method"),
    Ask("chat.postMessage", raw="{not json", error="invalid_json"),
    Ask("chat.postMessage", raw="[1]", error="json_not_object"),
    asked("team.info"),
    form("bots.info"),
    form("bots.info", "bot_not_found", bot="B0NOBODY00"),
    form("users.info", user="$ana"),
    form("users.info", "user_not_found", user="U0NOBODY00"),
    form("users.info", "invalid_arguments"),
    asked("users.info", "invalid_arguments", user="$ana"),
    form("users.list", limit="2"),
    form("users.lookupByEmail", email="Ana@example.com"),
    form("users.lookupByEmail", "users_not_found", email="nobody@example.com"),
    form("usergroups.list", include_users="true"),
    form("usergroups.users.list", usergroup="$group"),
    form("usergroups.users.list", "no_such_subteam", usergroup="S0NOTHING0"),
    asked("usergroups.users.update", usergroup="$group", users=["$ana", "$bo"]),
    form("usergroups.users.update", "no_users_provided", usergroup="$group", users=""),
    asked("usergroups.users.update", "invalid_users", usergroup="$group", users="U0NOBODY00"),
    form("conversations.list", types="public_channel,private_channel", exclude_archived="true"),
    form("conversations.list", limit="1"),
    form("conversations.info", channel="$incidents"),
    form("conversations.info", "channel_not_found", channel="$secret"),
    form("conversations.info", "channel_not_found", channel="incidents"),
    form("conversations.members", channel="$incidents"),
    asked("conversations.join", channel="$incidents"),
    asked("conversations.join", "channel_not_found", channel="$secret"),
    asked("conversations.join", "method_not_supported_for_channel_type", channel="$dm"),
    asked("conversations.open", users="$ana"),
    asked("conversations.open", users=["$ana", "$bo"], return_im=True),
    asked("conversations.open", "users_list_not_supplied", users=""),
    asked("conversations.open", "user_not_found", users="U0NOBODY00"),
    asked("conversations.open", "too_many_users", users=["$ana"] * 9),
    Ask("conversations.create", {"name": "inc-42"}, keep={"made": "channel.id"}),
    asked("conversations.create", "name_taken", name="inc-42"),
    asked("conversations.create", "invalid_name_specials", name="Not Good"),
    asked("conversations.create", "invalid_name_required"),
    asked("conversations.create", "invalid_name_maxlength", name="x" * 81),
    asked("conversations.create", "invalid_name_punctuation", name="---"),
    asked("conversations.invite", channel="$made", users="$ana,$bo"),
    asked("conversations.invite", "already_in_channel", channel="$made", users=["$cy", "$bo"]),
    asked("conversations.invite", "already_in_channel", channel="$made", users="$ana"),
    asked("conversations.invite", "cant_invite_self", channel="$made", users="$bot"),
    asked("conversations.invite", "user_not_found", channel="$made", users="U0NOBODY00"),
    asked("conversations.invite", "not_in_channel", channel="$general", users="$ana"),
    asked("conversations.setTopic", channel="$made", topic="Checkout is down"),
    asked("conversations.setTopic", "too_long", channel="$made", topic="x" * 251),
    asked("conversations.archive", channel="$made"),
    asked("conversations.archive", "already_archived", channel="$made"),
    say("is_archived", channel="$made", text="late"),
    asked("assistant.threads.setStatus", channel_id="$dm", thread_ts="$direct", status="thinks"),
    asked(
        "assistant.threads.setStatus",
        "invalid_thread_ts",
        channel_id="$dm",
        thread_ts="1.1",
        status="thinks",
    ),
    asked("assistant.threads.setTitle", channel_id="$dm", thread_ts="$direct", title="Who"),
    asked("assistant.threads.setSuggestedPrompts", channel_id="$dm", prompts=[]),
    asked("views.publish", user_id="$ana", view={"type": "home", "blocks": [section()]}),
    asked("views.publish", "invalid_arguments", user_id="$ana", view=modal()),
    asked("views.publish", "user_not_found", user_id="U0NO", view={"type": "home", "blocks": []}),
    asked(
        "views.publish",
        "invalid_arguments",
        user_id="$ana",
        view={"type": "home", "blocks": [{"type": "markdown", "text": "x"}]},
    ),
    asked(
        "views.publish",
        "hash_conflict",
        user_id="$ana",
        hash="old",
        view={"type": "home", "blocks": []},
    ),
    asked("views.publish", "invalid_arguments", user_id="$ana", view="nothing"),
    asked("files.completeUploadExternal", "file_not_found", files=[{"id": "F0NOTHING0"}]),
    asked("files.completeUploadExternal", "invalid_arguments"),
    form("files.getUploadURLExternal", filename="a.md", length="3"),
    form("files.getUploadURLExternal", "invalid_arguments", filename="a.md"),
]

FORMS = [
    asked("views.open", "invalid_trigger_id", trigger_id="1.2.3", view=modal()),
    asked("views.open", "invalid_arguments", view=modal()),
    asked("views.open", "invalid_arguments", trigger_id="$trigger", view=modal(typed())),
    asked("views.open", "invalid_arguments", trigger_id="$trigger", view={"type": "modal"}),
    asked(
        "views.open",
        "invalid_arguments",
        trigger_id="$trigger",
        view={**modal(), "title": plain("x" * 25)},
    ),
    asked(
        "views.open",
        "invalid_arguments",
        trigger_id="$trigger",
        view=modal(*[section() for _ in range(101)]),
    ),
    asked(
        "views.open",
        "invalid_arguments",
        trigger_id="$trigger",
        view=modal(private_metadata="x" * 3001),
    ),
    asked("views.open", "invalid_arguments", trigger_id="$trigger", view=modal(TABLE)),
    asked(
        "views.open",
        "invalid_arguments",
        trigger_id="$trigger",
        view=modal(typed(max_length=3001), submit=plain("Send")),
    ),
    Ask(
        "views.open",
        {
            "trigger_id": "$trigger",
            "view": modal(
                typed(),
                actions(button("next"), block_id="more"),
                submit=plain("Send"),
                callback_id="cb",
                external_id="ext",
            ),
        },
        keep={"view": "view.id", "hash": "view.hash"},
    ),
    asked("views.open", "exchanged_trigger_id", trigger_id="$trigger", view=modal()),
    asked("views.update", "hash_conflict", view_id="$view", hash="old", view=modal()),
    asked("views.update", "not_found", view_id="V0NOTHING0", view=modal()),
    asked("views.update", "invalid_arguments", view=modal()),
    asked("views.update", "invalid_arguments", view_id="$view", view={"type": "sheet"}),
]
DEEPER = [
    Ask("views.push", {"trigger_id": "$pushed", "view": modal()}, keep={"second": "view.id"}),
    asked("views.push", "exchanged_trigger_id", trigger_id="$pushed", view=modal()),
    asked("views.update", external_id="ext", view=modal(external_id="ext")),
]

BARE = [
    say(text="words"),
    asked("reactions.add", "missing_scope", channel="$incidents", timestamp="1.1", name="eyes"),
    asked("conversations.create", "missing_scope", name="inc-1"),
    asked("conversations.open", users="$ana"),
    asked("conversations.open", "missing_scope", users=["$ana", "$bo"]),
    form("usergroups.list"),
    asked("pins.add", "missing_scope", channel="$incidents", timestamp="1.1"),
    asked("team.info", "missing_scope"),
    form("conversations.list", types="public_channel,private_channel"),
    form("users.info", user="$ana"),
]

# What the judge's answers hold beyond Slack's reference, or under names that stand for the same.
NOT_ASKED = {
    "team.icon.image_default",
    "channel.context_team_id",
    "channels.*.context_team_id",
    "usergroup.prefs.channels",
    "members.*.profile.email",
}


def paths(value: Any, at: str = "") -> Iterator[str]:
    """Every field of an answer by its path; the items of a list as `*`."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from paths(item, f"{at}.{key}" if at else key)
    elif isinstance(value, list):
        for item in value[:1]:
            yield from paths(item, f"{at}.*")
    if at:
        yield at


class Both:
    """The two Slacks in the same situation, and the differences found so far."""

    def __init__(self, ours: Side, judge: Side) -> None:
        self.ours, self.judge = ours, judge
        self.differences: list[str] = []
        self.count = 0

    async def ask(self, wanted: Sequence[Ask]) -> None:
        for one in wanted:
            (status, said), (their_status, theirs) = [
                await side.ask(one) for side in (self.ours, self.judge)
            ]
            self.count += 1
            what = f"{one.method} {str(one.given)[:160]}"
            shown = (status, said["ok"], said.get("error"))
            if shown != (their_status, theirs["ok"], theirs.get("error")):
                self.differences.append(f"{what}: ours {said}, the judge {theirs}"[:900])
            elif said.get("error") != one.error:
                self.differences.append(f"{what}: both say {said}, expected {one.error}")
            missing = set(paths(theirs)) - set(paths(said)) - NOT_ASKED
            if missing and said["ok"]:
                self.differences.append(f"{what}: ours lacks {sorted(missing)}")

    def alike(self) -> None:
        assert not self.differences, "\n".join(self.differences)


@pytest.fixture
async def pair(
    slackcheck: ModuleType, request: pytest.FixtureRequest
) -> AsyncIterator[Callable[..., Awaitable[Both]]]:
    async with AsyncExitStack() as stack:

        async def start(*, everything: bool) -> Both:
            ours = await _ours(stack, app_manifest(everything=everything))
            judge = await _judge(stack, slackcheck, app_manifest(everything=everything))
            both = Both(ours, judge)
            for side in (ours, judge):
                joined = asked("conversations.join", channel="$incidents")
                assert (await side.ask(joined))[1]["ok"]
            return both

        yield start


async def _socket(stack: AsyncExitStack, side: Side) -> Deaf:
    """A bot that acknowledges everything and remembers the triggers it was given."""
    url = (await side.ask(Ask("apps.connections.open", token="app")))[1]["url"]
    socket = await stack.enter_async_context(side.http.ws_connect(url))
    assert (await socket.receive_json())["type"] == "hello"
    bot = Deaf(socket)
    task = asyncio.create_task(bot.listen())

    async def end() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    stack.push_async_callback(end)
    side.known["socket"] = bot
    return bot


async def _ours(stack: AsyncExitStack, made: dict[str, Any]) -> Side:
    r = await stack.enter_async_context(
        rehearsal(made, rate_limits=False, usergroups={"oncall-shop": ["ana"]})
    )
    slack = r.slack
    ids = {person: slack.find_person(person) for person in ("ana", "bo", "cy")}
    rooms = {name: slack.find_channel(name) for name in ("general", "incidents", "secret")}
    incidents, dm = rooms["incidents"], slack.direct("ana")
    theirs = await r.act("ana", "post", channel=incidents, text="mine")
    direct = await r.act("ana", "post", channel=dm, text="hello")
    (group,) = (
        (await r.ask("usergroups.list"))["usergroups"]
        if "usergroups:read" in str(made)
        else ({"id": ""},)
    )
    known = {
        **ids,
        **rooms,
        "dm": dm,
        "bot": slack.bot_user,
        "group": group["id"],
        "theirs": theirs["ts"],
        "direct": direct["ts"],
    }

    async def slash() -> Any:
        return await r.act("ana", "slash", channel=incidents, text="/oncall form")

    async def press(view: str, action: str) -> Any:
        return await r.act("ana", "click", view=view, action_id=action)

    async def press_message(ts: str, action: str) -> Any:
        return await r.act("ana", "click", channel=incidents, ts=ts, action_id=action)

    async def submit(view: str) -> Any:
        return await r.act("ana", "submit", view=view, values={"in": {"v": "typed"}})

    tokens = slack.bot_token, slack.app_token
    gestures = slash, press, press_message, submit
    return Side("ours", r.api, r.http, *tokens, known, *gestures)


async def _judge(stack: AsyncExitStack, slackcheck: ModuleType, made: dict[str, Any]) -> Side:
    app = slackcheck.App.from_manifest(made)
    server = await stack.enter_async_context(slackcheck.Server(app, seed=SEED))
    http = await stack.enter_async_context(ClientSession())
    ids = {person: server.ws.user(person)["id"] for person in ("ana", "bo", "cy")}
    rooms = {name: server.ws.channel(name)["id"] for name in ("general", "incidents", "secret")}
    dm = server.ws.im_with(ids["ana"])["id"]
    theirs = await server.act_post("ana", "incidents", "mine")
    direct = await server.act_post("ana", "dm", "hello")
    known = {
        **ids,
        **rooms,
        "dm": dm,
        "bot": app.bot_user,
        "group": next(iter(server.ws.usergroups)),
        "theirs": theirs["ts"],
        "direct": direct["ts"],
    }

    async def slash() -> Any:
        return await server.act_slash("ana", "incidents", "/oncall", "form")

    async def press(view: str, action: str) -> Any:
        return await server.act_click("ana", view=view, action_id=action)

    async def press_message(ts: str, action: str) -> Any:
        return await server.act_click("ana", "incidents", action, ts=ts)

    async def submit(view: str) -> Any:
        return await server.act_submit("ana", {"in": "typed"}, view=view)

    gestures = slash, press, press_message, submit
    api = f"{server.base}/api/"
    return Side("judge", api, http, app.bot_token, app.app_token, known, *gestures)


Pair = Callable[..., Awaitable[Both]]


async def test_messages_are_taken_and_refused_as_by_the_judge(pair: Pair) -> None:
    both = await pair(everything=True)
    await both.ask(CHAT)
    both.alike()
    assert both.count >= 50


async def test_blocks_are_taken_and_refused_as_by_the_judge(pair: Pair) -> None:
    both = await pair(everything=True)
    await both.ask(BLOCKS)
    both.alike()
    assert both.count >= 50


async def test_people_channels_and_home_answer_as_at_the_judges(pair: Pair) -> None:
    both = await pair(everything=True)
    await both.ask(PLACES)
    both.alike()


async def test_scopes_are_asked_for_as_by_the_judge(pair: Pair) -> None:
    both = await pair(everything=False)
    await both.ask(BARE)
    both.alike()


async def test_forms_and_their_triggers_answer_as_at_the_judges(pair: Pair) -> None:
    both = await pair(everything=True)
    async with AsyncExitStack() as stack:
        for side in (both.ours, both.judge):
            bot = await _socket(stack, side)
            await side.slash()
            side.known["trigger"] = bot.last("/oncall")["trigger_id"]
            side.known["hook"] = bot.last("/oncall")["response_url"]
        await both.ask(FORMS)
        for side in (both.ours, both.judge):
            await side.press(side.known["view"], "next")
            side.known["pushed"] = side.known["socket"].last("block_actions")["trigger_id"]
        await both.ask(DEEPER)
        both.alike()


async def test_a_response_address_takes_five_messages_at_both(pair: Pair) -> None:
    both = await pair(everything=True)
    sent = [
        {"text": "one"},
        {"text": "two", "response_type": "in_channel"},
        {"blocks": [{"type": "nonsense"}]},
        {"text": "four"},
        {"text": "five", "blocks": [section()]},
        {"text": "six"},
    ]
    async with AsyncExitStack() as stack:
        statuses = []
        for side in (both.ours, both.judge):
            bot = await _socket(stack, side)
            await side.slash()
            hook = bot.last("/oncall")["response_url"]
            for body in sent:
                async with side.http.post(hook, json=body) as answer:
                    statuses.append((side.name, answer.status, await answer.text()))
    ours, judge = ([s[1:] for s in statuses if s[0] == side] for side in ("ours", "judge"))
    assert ours == judge
    assert ours[-1] == (404, "used_url")


async def test_payloads_carry_what_the_judges_carry(pair: Pair) -> None:
    """Commands, presses, forms and events have at least the fields that the judge's have."""
    both = await pair(everything=True)
    async with AsyncExitStack() as stack:
        for side in (both.ours, both.judge):
            bot = await _socket(stack, side)
            await side.slash()
            held = [actions(button(value="v"), select(options=[option()]), block_id="b")]
            given = {"channel": "$incidents", "text": "an event", "blocks": held}
            _, said = await side.ask(Ask("chat.postMessage", given))
            await until(lambda bot=bot: bot.events("message"))
            await side.press_message(said["ts"], "a")
            view = modal(typed(), submit=plain("Send"))
            given = {"trigger_id": bot.last("block_actions")["trigger_id"], "view": view}
            _, said = await side.ask(Ask("views.open", given))
            await side.submit(said["view"]["id"])
        ours, judge = (
            {one["payload"].get("type", one["type"]): one for one in side.known["socket"].got}
            for side in (both.ours, both.judge)
        )
        assert set(ours) == set(judge) > {"block_actions", "view_submission", "event_callback"}
        for kind, theirs in judge.items():
            lacking = set(paths(theirs)) - set(paths(ours[kind])) - NOT_ASKED
            assert not lacking, f"{kind} lacks {sorted(lacking)}"
