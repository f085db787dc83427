"""What of a signed HTTP body is let in: JSON or a form in one of the shapes that Slack sends.

Knows the fields this room reads, and of which type each is. Refuses everything else before anybody trusts it: a body
that only looks like Slack's must end as a 400, and not as a fault somewhere behind. Serves connection, in HTTP mode.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

FORM = "application/x-www-form-urlencoded"
FIELDS_MAX = 100

_TS = re.compile(r"\d{1,12}\.\d{1,9}")
_KEY = re.compile(r"[\w.-]{1,64}", re.ASCII)
_WORD = re.compile(r"[ -~]{1,300}")
Shape = Any
"""A type, a pattern for a text, a list of one shape, or fields by name; a name with `?` may be missing or null."""

_ID: Shape = {"id": _KEY}
_USER: Shape = {"id": _KEY, "name?": str, "username?": str, "team_id?": _KEY}
_MESSAGE: Shape = {"ts?": _TS, "thread_ts?": _TS, "user?": _KEY, "text?": str, "bot_id?": _KEY}
_CHOSEN: Shape = {"value?": str}
_ACTION: Shape = {"action_id": str, "block_id?": str, "value?": str, "selected_option?": _CHOSEN}
_VIEW: Shape = {
    "id": _KEY,
    "type": str,
    "callback_id?": str,
    "private_metadata?": str,
    "hash?": str,
}
_WHERE: Shape = {
    "type": str,
    "user": _USER,
    "team?": _ID,
    "enterprise?": _ID,
    "channel?": _ID,
    "trigger_id?": _WORD,
    "response_url?": str,
    "api_app_id?": _KEY,
}
_ASSISTANT: Shape = {
    "user_id?": _KEY,
    "channel_id?": _KEY,
    "thread_ts?": _TS,
    "context?": {"channel_id?": _KEY},
}
_EVENT: Shape = {
    "type": str,
    "user?": _KEY,
    "channel?": _KEY,
    "ts?": _TS,
    "thread_ts?": _TS,
    "text?": str,
    "subtype?": str,
    "bot_id?": _KEY,
    "channel_type?": str,
    "tab?": str,
    "team?": _KEY,
    "user_team?": _KEY,
    "source_team?": _KEY,
    "reaction?": str,
    "item?": {"type?": str, "channel?": _KEY, "ts?": _TS},
    "assistant_thread?": _ASSISTANT,
}
EVENTS: Mapping[str, Shape] = {
    "message": {"channel": _KEY, "ts": _TS},
    "app_mention": {"channel": _KEY, "ts": _TS},
    "app_home_opened": {"user": _KEY},
    "reaction_added": {"user": _KEY, "item": {"type": str}},
    "reaction_removed": {"user": _KEY, "item": {"type": str}},
}
"""What these must have beside the fields of every event."""

_FIELD: Shape = {
    "type?": str,
    "value?": str,
    "selected_option?": _CHOSEN,
    "selected_users?": [str],
    "selected_date_time?": int,
}
PAYLOADS: Mapping[str, Shape] = {
    "event_callback": {
        "event": _EVENT,
        "event_id": _WORD,
        "team_id?": _KEY,
        "enterprise_id?": _KEY,
        "context_team_id?": _KEY,
        "api_app_id?": _KEY,
        "authorizations?": [{"team_id?": _KEY, "user_id?": _KEY, "enterprise_id?": _KEY}],
    },
    "block_actions": {
        **_WHERE,
        "trigger_id": _WORD,
        "actions": [_ACTION],
        "message?": _MESSAGE,
        "container?": {"type?": str, "message_ts?": _TS},
        "view?": _VIEW,
    },
    "block_suggestion": {**_WHERE, "action_id": str, "block_id?": str, "value?": str},
    "view_submission": {
        **_WHERE,
        "view": {**_VIEW, "callback_id": str, "state?": {"values": dict}},
    },
    "view_closed": {**_WHERE, "view": _VIEW},
    "shortcut": {**_WHERE, "callback_id": str, "trigger_id": _WORD},
    "message_action": {
        **_WHERE,
        "callback_id": str,
        "trigger_id": _WORD,
        "channel": _ID,
        "message": _MESSAGE,
    },
    "url_verification": {"challenge": str},
    "app_rate_limited": {},
}
_COMMAND: Shape = {
    "command": str,
    "user_id": _KEY,
    "trigger_id": _WORD,
    "team_id?": _KEY,
    "channel_id?": _KEY,
}


def readable(body: bytes, content_type: str) -> str | None:
    """The body as the listeners may read it, without what no database keeps; None when it is none of Slack's."""
    try:
        text = body.decode("utf-8")
        return _form(text) if content_type.partition(";")[0].strip() == FORM else _json(text)
    except (ValueError, RecursionError):
        return None


def _json(text: str) -> str | None:
    payload = _clean(json.loads(text))
    return json.dumps(payload) if _is_ours(payload) else None


def _form(text: str) -> str | None:
    """A command's fields, or a `payload` of JSON. The first of each name counts, as Slack sends each once."""
    pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS_MAX, errors="replace")
    fields = dict(_clean(list(reversed(pairs))))
    if "payload" in fields:
        payload = _json(fields["payload"])
        return None if payload is None else urlencode({"payload": payload})
    known = fields.get("ssl_check") or fits(fields, _COMMAND)
    return urlencode(fields) if known else None


def _is_ours(payload: Any) -> bool:
    shape = PAYLOADS.get(str(payload.get("type"))) if isinstance(payload, dict) else None
    if shape is None or not fits(payload, shape):
        return False
    match payload["type"]:
        case "event_callback":
            event = payload["event"]
            item = event.get("item") or {}
            whole = item.get("type") != "message" or fits(item, EVENTS["message"])
            return whole and fits(event, EVENTS.get(event["type"], {}))
        case "block_actions":
            return bool(payload["actions"])
        case "view_submission":
            return _are_fields((payload["view"].get("state") or {}).get("values") or {})
        case _:
            return True


def _are_fields(values: Mapping[str, Any]) -> bool:
    return all(
        isinstance(block, dict) and all(fits(field, _FIELD) for field in block.values())
        for block in values.values()
    )


def fits(value: Any, shape: Shape) -> bool:
    """Whether the value has every field that the shape names, each of its type. Other fields may be there."""
    if isinstance(shape, dict):
        return isinstance(value, dict) and all(_has(value, name, of) for name, of in shape.items())
    if isinstance(shape, list):
        return isinstance(value, list) and all(fits(one, shape[0]) for one in value)
    if isinstance(shape, re.Pattern):
        return isinstance(value, str) and shape.fullmatch(value) is not None
    return isinstance(value, shape) and not (shape is int and isinstance(value, bool))


def _has(value: Mapping[str, Any], name: str, shape: Shape) -> bool:
    found = value.get(name.removesuffix("?"))
    return name.endswith("?") if found is None else fits(found, shape)


def _clean(value: Any) -> Any:
    """U+0000 and lone surrogates, which no database keeps, as U+FFFD."""
    if isinstance(value, str):
        whole = value.replace("\0", "\ufffd")
        return whole.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_clean(key): _clean(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(inner) for inner in value]
    return value
