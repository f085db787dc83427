"""The Web API's methods as a table: arguments, the scopes any one of which suffices, and the rate tier.

Sources: Slack's method reference and the tier table of its Java SDK (2026). Knows no state; what a scope beyond the
table is needed for (private channels, direct messages) the methods say themselves. Pure; serves the API's door.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from oncall_bot.practice.slack.answers import Json, Problem, SlackError


class Tier(IntEnum):
    """Requests a minute that Slack promises; `OWN` methods have figures of their own."""

    OWN = 0
    T1 = 1
    T2 = 20
    T3 = 50
    T4 = 100


@dataclass(frozen=True, slots=True)
class Call:
    """`arguments` maps a name to its kind; `form_only` methods do not read JSON bodies."""

    name: str
    tier: Tier
    scopes: tuple[str, ...]
    arguments: Mapping[str, str]
    required: tuple[str, ...]
    form_only: bool


_READ = "channels:read groups:read im:read mpim:read"
_HISTORY = "channels:history groups:history im:history mpim:history"
_MANAGE = "channels:manage groups:write im:write mpim:write"
_INVITE = f"{_MANAGE} channels:write.invites groups:write.invites"
_TOPIC = f"{_MANAGE} channels:write.topic groups:write.topic im:write.topic mpim:write.topic"
_SAY = (
    "text blocks:raw attachments:raw markdown_text parse link_names:bool as_user:bool username"
    " icon_emoji icon_url thread_ts"
)
_UNFURL = "unfurl_links:bool unfurl_media:bool"
_PAGES = "cursor limit:number"
_SPAN = f"{_PAGES} oldest latest inclusive:bool include_all_metadata:bool"

# name | tier | scopes | arguments: `!` is required, `:kind` is other than a string. `form` = no JSON bodies.
_TABLE = f"""
api.test | T4 | | error foo
auth.test | OWN | |
apps.connections.open | T1 | |
team.info | T3 | team:read | team domain
bots.info | T3 | users:read | bot team_id | form
users.info | T4 | users:read | user! include_locale:bool | form
users.list | T2 | users:read | {_PAGES} include_locale:bool team_id | form
users.lookupByEmail | T3 | users:read.email | email! | form
users.conversations | T3 | {_READ} | user types exclude_archived:bool team_id {_PAGES} | form
usergroups.list | T2 | usergroups:read | include_users:bool include_count:bool team_id | form
usergroups.users.list | T2 | usergroups:read | usergroup! include_disabled:bool team_id | form
usergroups.users.update | T2 | usergroups:write | usergroup! users!:ids include_count:bool team_id
chat.postMessage | OWN | chat:write | channel! {_SAY} reply_broadcast:bool metadata:json mrkdwn:bool {_UNFURL}
chat.postEphemeral | T4 | chat:write | channel! user! {_SAY}
chat.update | T3 | chat:write | channel! ts! {_SAY} metadata:json reply_broadcast:bool file_ids:ids
chat.delete | T3 | chat:write | channel! ts! as_user:bool
chat.getPermalink | OWN | | channel! message_ts! | form
conversations.list | T2 | {_READ} | types exclude_archived:bool team_id {_PAGES} | form
conversations.info | T3 | {_READ} | channel! include_num_members:bool include_locale:bool | form
conversations.members | T4 | {_READ} | channel! {_PAGES} | form
conversations.history | T3 | {_HISTORY} | channel! {_SPAN}
conversations.replies | T3 | {_HISTORY} | channel! ts! {_SPAN} | form
conversations.join | T3 | channels:join | channel!
conversations.open | T3 | {_MANAGE} | channel users:ids return_im:bool prevent_creation:bool
conversations.create | T2 | {_MANAGE} | name is_private:bool team_id
conversations.invite | T3 | {_INVITE} | channel! users!:ids force:bool
conversations.setTopic | T2 | {_TOPIC} | channel! topic!
conversations.setPurpose | T2 | {_TOPIC} | channel! purpose!
conversations.archive | T2 | {_MANAGE} | channel!
views.open | T4 | | view!:raw trigger_id interactivity_pointer
views.push | T4 | | view!:raw trigger_id interactivity_pointer
views.update | T4 | | view!:raw view_id external_id hash
views.publish | T4 | | view!:raw user_id! hash
reactions.add | T3 | reactions:write | channel! name timestamp!
reactions.remove | T2 | reactions:write | channel! name timestamp!
reactions.get | T3 | reactions:read | channel! timestamp! full:bool
pins.add | T2 | pins:write | channel! timestamp
pins.remove | T2 | pins:write | channel! timestamp
pins.list | T2 | pins:read | channel!
files.getUploadURLExternal | T4 | files:write | filename! length!:number alt_text snippet_type | form
files.completeUploadExternal | T4 | files:write | files!:json channel_id channels:ids thread_ts initial_comment
files.info | T4 | files:read | file! {_PAGES} page:number count:number
assistant.threads.setStatus | OWN | chat:write assistant:write | channel_id! thread_ts! status! loading_messages:json
assistant.threads.setTitle | T3 | assistant:write | channel_id! thread_ts! title!
assistant.threads.setSuggestedPrompts | T3 | assistant:write | channel_id! thread_ts title prompts!:json
"""


def _read(line: str) -> Call:
    name, tier, scopes, arguments, *form = [part.strip() for part in line.split("|")]
    kinds, required = {}, []
    for word in arguments.split():
        argument, _, kind = word.partition(":")
        if argument.endswith("!"):
            argument = argument[:-1]
            required.append(argument)
        kinds[argument] = kind or "string"
    return Call(name, Tier[tier], tuple(scopes.split()), kinds, tuple(required), form == ["form"])


CALLS: Mapping[str, Call] = {call.name: call for call in map(_read, _TABLE.strip().splitlines())}

EVENT_SCOPES: Mapping[str, tuple[str, ...]] = {
    "app_mention": ("app_mentions:read",),
    "message.channels": ("channels:history",),
    "message.groups": ("groups:history",),
    "message.im": ("im:history",),
    "message.mpim": ("mpim:history",),
    "reaction_added": ("reactions:read",),
    "reaction_removed": ("reactions:read",),
    "member_joined_channel": ("channels:read", "groups:read"),
    "channel_created": ("channels:read",),
    "app_home_opened": (),
}
"""Scopes any one of which lets an app receive the event."""


# --- arguments ----------------------------------------------------------------------------------------------------

_DOCUMENTS = {"json", "raw"}


def read_arguments(call: Call, given: Mapping[str, Any]) -> Json:
    """The arguments by their kinds; form values are strings and are turned. Raises SlackError for what cannot be.

    `raw` documents (blocks, attachments, views) are only parsed: they have checks and error codes of their own.
    """
    known = {
        name: _turned(call, name, value) for name, value in given.items() if name in call.arguments
    }
    missing = [name for name in call.required if name not in known]
    problems = [p for name, value in known.items() if (p := _problem(call, name, value))]
    if missing or problems:
        said = [f"[ERROR] missing required field: {name}" for name in missing]
        said += [f"[ERROR] {why} [json-pointer:{at}]" for at, why in problems]
        raise SlackError("invalid_arguments", tuple(said))
    return known


def _turned(call: Call, name: str, value: Any) -> Any:
    kind = call.arguments[name]
    if not isinstance(value, str) or kind == "string":
        return value
    if kind in _DOCUMENTS and value.lstrip()[:1] in {"[", "{"}:
        try:
            return json.loads(value)
        except ValueError:
            code = "invalid_blocks_format" if name == "blocks" else "invalid_arguments"
            raise SlackError.of(code, [(f"/{name}", "invalid_json")]) from None
    if kind == "bool" and value.lower() in {"true", "false", "1", "0"}:
        return value.lower() in {"true", "1"}
    if kind == "number" and re.fullmatch(r"-?[0-9]{1,15}", value):
        return int(value)
    if kind == "ids":
        return [one.strip() for one in value.split(",") if one.strip()]
    return value


def _problem(call: Call, name: str, value: Any) -> Problem | None:
    match call.arguments[name]:
        case "string":
            good, kind = isinstance(value, str), "a string"
        case "bool":
            good, kind = isinstance(value, bool), "a boolean"
        case "number":
            good, kind = isinstance(value, int) and not isinstance(value, bool), "a number"
        case "ids":
            good = isinstance(value, list) and all(isinstance(one, str) for one in value)
            kind = "a list of ids"
        case "json":
            good, kind = isinstance(value, list | dict), "a JSON document"
        case _:
            good, kind = True, ""
    return None if good else (f"/{name}", f"must be {kind}")
