"""What a person can press, choose and type in blocks, and the values Slack makes of it.

Knows every interactive element's value and what Slack's own client refuses before it sends anything. Pure; serves
people's gestures.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from oncall_bot.practice.slack.answers import Json, Refused

PRESSED = {"button", "workflow_button", "icon_button", "feedback_buttons", "overflow"}
"""Elements that keep no value: pressing them is all."""

_ENTITY = {
    "users_select": "user",
    "conversations_select": "conversation",
    "channels_select": "channel",
}
_MOMENT = {"datepicker": "date", "timepicker": "time", "datetimepicker": "date_time"}
_ONE = {"static_select", "external_select", "radio_buttons", "overflow"}
_MANY = {"multi_static_select", "multi_external_select", "checkboxes"}
_SHAPES: Mapping[str, tuple[str, str]] = {
    "email_text_input": (r"[^@\s]+@[^@\s]+", "an e-mail address"),
    "url_text_input": (r"https?://\S+", "an address that starts with http:// or https://"),
    "number_input": (r"-?[0-9]+(\.[0-9]+)?", "a number"),
}


def interactive(blocks: Sequence[Json]) -> Iterator[tuple[Json, Json]]:
    """Every (block, element) that can be pressed or filled in."""
    for block in blocks:
        held = [*(block.get("elements") or ()), block.get("accessory"), block.get("element")]
        for element in held:
            if isinstance(element, dict) and element.get("action_id"):
                yield block, element


def find(blocks: Sequence[Json], block_id: Any, action_id: Any) -> tuple[Json, Json]:
    """The element a press means; any block's when `block_id` is None. Refused when it is no longer there."""
    for block, element in interactive(blocks):
        if element.get("action_id") == action_id and block_id in (None, block["block_id"]):
            return block, element
    raise Refused("That is no longer there to press.")


def state_of(element: Json, wanted: Any, offered: Sequence[Json] = ()) -> Json:
    """The value after a person chose or typed `wanted`; None takes what the element starts with.

    `offered` are the options an app gave to an external select. Refused for what cannot be chosen.
    """
    kind = str(element["type"])
    said: Json = {"type": kind}
    if kind in _ONE:
        start = element.get("initial_option")
        said["selected_option"] = start if wanted is None else _option(element, wanted, offered)
    elif kind in _MANY:
        start = element.get("initial_options", [])
        picked = [_option(element, one, offered) for one in _listed(wanted)]
        said["selected_options"] = start if wanted is None else picked
    elif kind in _MOMENT:
        key = _MOMENT[kind]
        start = element.get(f"initial_{key}")
        said[f"selected_{key}"] = start if wanted is None else _moment(kind, wanted)
    elif kind.removeprefix("multi_") in _ENTITY:
        said |= _entities(element, kind, wanted)
    elif kind in {"button", "workflow_button", "icon_button"}:
        said |= {"value": element["value"]} if "value" in element else {}
    elif kind == "feedback_buttons":
        side = "negative_button" if wanted in {"negative", "down"} else "positive_button"
        said["value"] = element[side]["value"]
    else:
        start = element.get("initial_value")
        said["value"] = (start if wanted is None else str(wanted)) or None
    return said


def _listed(wanted: Any) -> list[Any]:
    if wanted is None:
        return []
    return wanted if isinstance(wanted, list) else [wanted]


def _entities(element: Json, kind: str, wanted: Any) -> Json:
    key = _ENTITY[kind.removeprefix("multi_")]
    if kind.startswith("multi_"):
        start = element.get(f"initial_{key}s", [])
        return {f"selected_{key}s": start if wanted is None else _listed(wanted)}
    return {f"selected_{key}": element.get(f"initial_{key}") if wanted is None else wanted}


def _option(element: Json, wanted: Any, offered: Sequence[Json]) -> Json:
    groups = [one for group in element.get("option_groups") or () for one in group["options"]]
    starts = [element.get("initial_option"), *(element.get("initial_options") or ())]
    for option in [*(element.get("options") or ()), *groups, *offered, *starts]:
        if option and option.get("value") == wanted:
            found: Json = option
            return found
    raise Refused("That is not one of the choices.")


def _moment(kind: str, wanted: Any) -> Any:
    if kind == "datetimepicker":
        if not re.fullmatch(r"[0-9]{1,11}", str(wanted)):
            raise Refused("That is not a date and time.")
        return int(wanted)
    shape = r"\d{4}-\d{2}-\d{2}" if kind == "datepicker" else r"\d{2}:\d{2}"
    if not re.fullmatch(shape, str(wanted)):
        raise Refused(f"That is not a {_MOMENT[kind]}.")
    return str(wanted)


def is_empty(state: Json) -> bool:
    return all(value in (None, "", []) for key, value in state.items() if key != "type")


def check_input(block: Json, element: Json, state: Json) -> None:
    """What Slack's client asks for before it sends a form."""
    label = block["label"]["text"]
    if is_empty(state):
        if not block.get("optional"):
            raise Refused(f"“{label}” is needed.")
        return
    text = state.get("value")
    if not isinstance(text, str):
        return
    low, high = element.get("min_length", 0), element.get("max_length", 3000)
    if len(text) < low:
        raise Refused(f"“{label}” needs at least {low} characters.")
    if len(text) > high:
        raise Refused(f"“{label}” takes at most {high} characters.")
    pattern, words = _SHAPES.get(str(element["type"]), ("", ""))
    if pattern and not re.fullmatch(pattern, text):
        raise Refused(f"“{label}” is not {words}.")


def start_values(blocks: Sequence[Json]) -> Json:
    """The state values before anybody chose anything, as Slack sends them along."""
    values: Json = {}
    for block, element in interactive(blocks):
        if element["type"] not in PRESSED:
            values.setdefault(block["block_id"], {})[element["action_id"]] = state_of(element, None)
    return values
