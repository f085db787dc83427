"""The shapes of Block Kit's small parts: texts, options, buttons, menus, inputs, rich text.

Figures and fields: docs.slack.dev, Block Kit reference. Pure; serves blocks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from oncall_bot.practice.slack.rules import (
    Rule,
    anything,
    boolean,
    both,
    by_type,
    exactly_one,
    link,
    list_of,
    number,
    one_of,
    shape,
    string,
)

ID_MAX = 255

# --- composition objects ------------------------------------------------------------------------------------------


def plain(high: int = 3000, low: int = 1) -> Rule:
    text = string(high, low)
    return by_type({"plain_text": shape({"type!": anything, "text!": text, "emoji": boolean})})


def text(high: int = 3000, low: int = 1) -> Rule:
    """Plain text or mrkdwn."""
    held = string(high, low)
    return by_type(
        {
            "plain_text": shape({"type!": anything, "text!": held, "emoji": boolean}),
            "mrkdwn": shape({"type!": anything, "text!": held, "verbatim": boolean}),
        }
    )


CONFIRM = shape(
    {
        "title": plain(100),
        "text!": text(300),
        "confirm": plain(30),
        "deny": plain(30),
        "style": one_of("primary", "danger"),
    }
)


def _option(words: Rule) -> Rule:
    return shape(
        {"text!": words, "value": string(150, 1), "description": plain(75, 0), "url": link}
    )


PLAIN_OPTION, OPTION = _option(plain(75)), _option(text(75))
GROUP = shape({"label!": plain(75), "options!": list_of(PLAIN_OPTION, 100, 1)})
DISPATCH = shape(
    {"trigger_actions_on": list_of(one_of("on_enter_pressed", "on_character_entered"), 2)}
)
FILTER = shape(
    {
        "include": list_of(one_of("im", "mpim", "private", "public"), 4, 1),
        "exclude_external_shared_channels": boolean,
        "exclude_bot_users": boolean,
    }
)

# --- elements -----------------------------------------------------------------------------------------------------

_ID = {"type!": anything, "action_id": string(ID_MAX)}
_MENU: Mapping[str, Rule] = {
    **_ID,
    "placeholder": plain(150),
    "focus_on_load": boolean,
    "confirm": CONFIRM,
}
_TYPED: Mapping[str, Rule] = {
    **_ID,
    "placeholder": plain(150),
    "focus_on_load": boolean,
    "dispatch_action_config": DISPATCH,
}
_CHOICES: Mapping[str, Rule] = {
    "options": list_of(PLAIN_OPTION, 100, 1),
    "option_groups": list_of(GROUP, 100, 1),
}
_MANY: Mapping[str, Rule] = {"max_selected_items": number(1)}
_TALKS: Mapping[str, Rule] = {
    "default_to_current_conversation": boolean,
    "filter": FILTER,
}
_ONE_LIST = exactly_one("options", "option_groups")


def _static(fields: Mapping[str, Rule]) -> Rule:
    return both(shape({**_MENU, **_CHOICES, **fields}), _ONE_LIST)


def _button(fields: Mapping[str, Rule]) -> Rule:
    return shape(
        {
            **_ID,
            "text!": plain(75),
            "style": one_of("primary", "danger"),
            "accessibility_label": string(75),
            "confirm": CONFIRM,
            **fields,
        }
    )


_SIDE = shape({"text!": plain(75), "accessibility_label": string(75), "value!": string(2000)})
IMAGE: Mapping[str, Rule] = {
    "type!": anything,
    "image_url": string(3000),
    "slack_file": anything,
    "alt_text!": string(2000),
}
PICTURE = exactly_one("image_url", "slack_file")

ELEMENTS: Mapping[str, Rule] = {
    "button": _button({"value": string(2000), "url": link}),
    "workflow_button": _button({"workflow!": anything}),
    "static_select": _static({"initial_option": PLAIN_OPTION}),
    "multi_static_select": _static({"initial_options": list_of(PLAIN_OPTION, 100), **_MANY}),
    "external_select": shape(
        {**_MENU, "initial_option": PLAIN_OPTION, "min_query_length": number()}
    ),
    "multi_external_select": shape(
        {
            **_MENU,
            **_MANY,
            "initial_options": list_of(PLAIN_OPTION, 100),
            "min_query_length": number(),
        }
    ),
    "users_select": shape({**_MENU, "initial_user": string()}),
    "multi_users_select": shape({**_MENU, **_MANY, "initial_users": list_of(string(), 100)}),
    "conversations_select": shape(
        {**_MENU, **_TALKS, "initial_conversation": string(), "response_url_enabled": boolean}
    ),
    "multi_conversations_select": shape(
        {**_MENU, **_MANY, **_TALKS, "initial_conversations": list_of(string(), 100)}
    ),
    "channels_select": shape(
        {**_MENU, "initial_channel": string(), "response_url_enabled": boolean}
    ),
    "multi_channels_select": shape({**_MENU, **_MANY, "initial_channels": list_of(string(), 100)}),
    "overflow": shape({**_ID, "options!": list_of(PLAIN_OPTION, 5, 1), "confirm": CONFIRM}),
    "datepicker": shape({**_MENU, "initial_date": string()}),
    "timepicker": shape({**_MENU, "initial_time": string(), "timezone": string()}),
    "datetimepicker": shape(
        {**_ID, "initial_date_time": number(), "focus_on_load": boolean, "confirm": CONFIRM}
    ),
    "radio_buttons": shape(
        {
            **_ID,
            "options!": list_of(OPTION, 10, 1),
            "initial_option": OPTION,
            "focus_on_load": boolean,
            "confirm": CONFIRM,
        }
    ),
    "checkboxes": shape(
        {
            **_ID,
            "options!": list_of(OPTION, 10, 1),
            "initial_options": list_of(OPTION, 10),
            "focus_on_load": boolean,
            "confirm": CONFIRM,
        }
    ),
    "plain_text_input": shape(
        {
            **_TYPED,
            "initial_value": string(),
            "multiline": boolean,
            "min_length": number(0, 3000),
            "max_length": number(1, 3000),
        }
    ),
    "email_text_input": shape({**_TYPED, "initial_value": string()}),
    "url_text_input": shape({**_TYPED, "initial_value": string()}),
    "number_input": shape(
        {
            **_TYPED,
            "is_decimal_allowed!": boolean,
            "initial_value": string(),
            "min_value": string(),
            "max_value": string(),
        }
    ),
    "rich_text_input": shape(
        {**_TYPED, "initial_value": anything, "min_lines": number(), "max_lines": number()}
    ),
    "file_input": shape({**_ID, "filetypes": list_of(string(), 100), "max_files": number(1, 10)}),
    "feedback_buttons": shape({**_ID, "positive_button!": _SIDE, "negative_button!": _SIDE}),
    "icon_button": shape(
        {
            **_ID,
            "icon!": string(),
            "text!": plain(75),
            "accessibility_label": string(75),
            "value": string(2000),
            "confirm": CONFIRM,
            "visible_to_user_ids": list_of(string(), 10),
        }
    ),
    "image": both(shape(IMAGE), PICTURE),
    "plain_text": plain(),
    "mrkdwn": text(),
}

MENUS = (
    "button",
    "checkboxes",
    "datepicker",
    "overflow",
    "radio_buttons",
    "timepicker",
    "workflow_button",
    "static_select",
    "multi_static_select",
    "external_select",
    "multi_external_select",
    "users_select",
    "multi_users_select",
    "conversations_select",
    "multi_conversations_select",
    "channels_select",
    "multi_channels_select",
)
INPUTS = (
    "email_text_input",
    "file_input",
    "number_input",
    "plain_text_input",
    "rich_text_input",
    "url_text_input",
    "datetimepicker",
)


def among(names: Iterable[str], where: str) -> Rule:
    return by_type({name: ELEMENTS[name] for name in names}, f"in {where}")


# --- rich text ----------------------------------------------------------------------------------------------------

_STYLE = shape(dict.fromkeys(("bold", "code", "italic", "strike", "underline"), boolean))


def _rich(**fields: Rule) -> Rule:
    named = {name.replace("_must", "!"): rule for name, rule in fields.items()}
    return shape({"type!": anything, "style": _STYLE, **named})


_PIECES: Mapping[str, Rule] = {
    "text": _rich(text_must=string(12_000)),
    "link": _rich(url_must=string(3000), text=string(), unsafe=boolean),
    "emoji": _rich(name_must=string(), unicode=string(), url=string()),
    "user": _rich(user_id_must=string()),
    "usergroup": _rich(usergroup_id_must=string()),
    "channel": _rich(channel_id_must=string()),
    "team": _rich(team_id_must=string()),
    "broadcast": _rich(range_must=one_of("here", "channel", "everyone")),
    "color": _rich(value_must=string()),
    "date": _rich(timestamp_must=number(), format_must=string(), url=string(), fallback=string()),
}
_PIECE = by_type(_PIECES, "in rich text")
_SECTION = shape({"type!": anything, "elements!": list_of(_PIECE, 1000)})
_BORDER = one_of(0, 1)
RICH: Mapping[str, Rule] = {
    "rich_text_section": _SECTION,
    "rich_text_list": shape(
        {
            "type!": anything,
            "elements!": list_of(by_type({"rich_text_section": _SECTION}), 1000),
            "style!": one_of("bullet", "ordered"),
            "indent": number(0),
            "offset": number(0),
            "border": _BORDER,
        }
    ),
    "rich_text_quote": shape(
        {"type!": anything, "elements!": list_of(_PIECE, 1000), "border": _BORDER}
    ),
    "rich_text_preformatted": shape(
        {
            "type!": anything,
            "elements!": list_of(by_type({k: _PIECES[k] for k in ("text", "link")}), 1000),
            "border": _BORDER,
        }
    ),
}
