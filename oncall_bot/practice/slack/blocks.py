"""Block Kit as Slack takes it: every block with its fields, lengths and counts, and whole messages, modals and Homes.

Figures and fields: docs.slack.dev, Block Kit reference. Blocks that only agents draw (cards, plans, data tables) are
not taken here. Pure; serves messages and views.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from oncall_bot.practice.slack.answers import Problem
from oncall_bot.practice.slack.element_shapes import (
    ID_MAX,
    IMAGE,
    INPUTS,
    MENUS,
    PICTURE,
    RICH,
    among,
    plain,
    text,
)
from oncall_bot.practice.slack.rules import (
    Rule,
    anything,
    at_least_one,
    boolean,
    both,
    by_type,
    list_of,
    number,
    one_of,
    shape,
    string,
)

MESSAGE_BLOCKS, VIEW_BLOCKS = 50, 100
BLOCK_TEXT_MAX = 13_200
"""Characters of all block texts together, above which Slack has answered msg_blocks_too_long."""

# --- blocks -------------------------------------------------------------------------------------------------------

_BLOCK: Mapping[str, Rule] = {"type!": anything, "block_id": string(ID_MAX)}
RICH_TEXT = shape({**_BLOCK, "elements!": list_of(by_type(RICH, "in rich_text"), 1000)})
_CELL = by_type(
    {
        "raw_text": shape({"type!": anything, "text!": string(10_000, 1)}),
        "raw_number": shape({"type!": anything, "value!": number(), "text!": string(10_000, 1)}),
        "rich_text": RICH_TEXT,
    },
    "in a table",
)
_COLUMN = shape({"align": one_of("left", "center", "right"), "is_wrapped": boolean})

BLOCKS: Mapping[str, Rule] = {
    "section": both(
        shape(
            {
                **_BLOCK,
                "text": text(),
                "fields": list_of(text(2000), 10, 1),
                "accessory": among([*MENUS, "image"], "a section"),
                "expand": boolean,
            }
        ),
        at_least_one("text", "fields"),
    ),
    "header": shape({**_BLOCK, "text!": plain(150)}),
    "divider": shape(_BLOCK),
    "context": shape(
        {
            **_BLOCK,
            "elements!": list_of(among(["image", "plain_text", "mrkdwn"], "context"), 10, 1),
        }
    ),
    "actions": shape(
        {
            **_BLOCK,
            "elements!": list_of(
                among([*MENUS, "datetimepicker", "rich_text_input"], "actions"), 25, 1
            ),
        }
    ),
    "context_actions": shape(
        {
            **_BLOCK,
            "elements!": list_of(
                among(["feedback_buttons", "icon_button"], "context_actions"), 5, 1
            ),
        }
    ),
    "image": both(shape({**_BLOCK, **IMAGE, "title": plain(2000)}), PICTURE),
    "input": shape(
        {
            **_BLOCK,
            "label!": plain(2000),
            "hint": plain(2000, 0),
            "optional": boolean,
            "dispatch_action": boolean,
            "element!": among(
                [
                    *(n for n in MENUS if n not in {"button", "overflow", "workflow_button"}),
                    *INPUTS,
                ],
                "an input",
            ),
        }
    ),
    "rich_text": RICH_TEXT,
    "markdown": shape({**_BLOCK, "text!": string(12_000, 1)}),
    "table": shape(
        {
            **_BLOCK,
            "rows!": list_of(list_of(_CELL, 20, 1), 100, 1),
            "column_settings": list_of(_COLUMN, 20),
        }
    ),
    "video": shape(
        {
            **_BLOCK,
            "video_url!": string(),
            "thumbnail_url!": string(),
            "alt_text!": string(200, 1),
            "title!": plain(200),
            "title_url": string(),
            "author_name": string(50),
            "provider_name": string(50),
            "provider_icon_url": string(),
            "description": plain(200, 0),
        }
    ),
    "file": shape({**_BLOCK, "source!": string(), "external_id!": string()}),
}

_EVERYWHERE = {"actions", "context", "divider", "header", "image", "input", "rich_text", "section"}
SURFACES: Mapping[str, frozenset[str]] = {
    "message": frozenset(BLOCKS),
    "modal": frozenset(_EVERYWHERE | {"video"}),
    "home": frozenset(_EVERYWHERE | {"video", "table"}),
}


# --- whole lists of blocks ----------------------------------------------------------------------------------------


def block_problems(blocks: Any, surface: str = "message", at: str = "/blocks") -> list[Problem]:
    """Everything Slack would refuse in these blocks; empty when it takes them."""
    if not isinstance(blocks, list):
        return [(at, "must be an array")]
    limit = MESSAGE_BLOCKS if surface == "message" else VIEW_BLOCKS
    allowed = {name: BLOCKS[name] for name in SURFACES[surface]}
    rule = list_of(by_type(allowed, f"in a {surface}"), limit)
    return [
        *rule(blocks, at),
        *_same_block_ids(blocks, at),
        *_same_action_ids(blocks, at),
        *_totals(blocks, surface, at),
    ]


def _same_block_ids(blocks: list[Any], at: str) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for n, block in enumerate(blocks):
        block_id = block.get("block_id") if isinstance(block, dict) else None
        if not isinstance(block_id, str):
            continue
        if block_id in seen:
            yield f"{at}/{n}/block_id", f"`block_id` {block_id} already exists at {seen[block_id]}"
        seen.setdefault(block_id, n)


def _same_action_ids(blocks: list[Any], at: str) -> Iterator[Problem]:
    for n, block in enumerate(blocks):
        ids = [one["action_id"] for one in _objects(block) if isinstance(one.get("action_id"), str)]
        for twice in sorted({one for one in ids if ids.count(one) > 1}):
            yield f"{at}/{n}", f"`action_id` {twice} already exists in this block"


def _totals(blocks: list[Any], surface: str, at: str) -> Iterator[Problem]:
    kinds = [block.get("type") for block in blocks if isinstance(block, dict)]
    if kinds.count("table") > 1 and surface != "home":
        yield at, ONE_TABLE
    markdown = [b for b in blocks if isinstance(b, dict) and b.get("type") == "markdown"]
    if len(markdown) > 1 and sum(len(str(b.get("text", ""))) for b in markdown) > 12_000:
        yield at, "the markdown blocks of one payload must total less than 12001 characters"


ONE_TABLE = "only_one_table_allowed"


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every object of a tree, itself included."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _objects(item)


def text_length(blocks: Any) -> int:
    """Characters of all visible text in a block tree."""
    keys = ("text", "alt_text", "caption")
    return sum(
        len(one[key]) for one in _objects(blocks) for key in keys if isinstance(one.get(key), str)
    )


# --- views --------------------------------------------------------------------------------------------------------

_VIEW: Mapping[str, Rule] = {
    "type!": anything,
    "blocks!": anything,
    "private_metadata": string(3000),
    "callback_id": string(ID_MAX),
    "external_id": string(ID_MAX),
}
_TITLE = plain(24)
VIEWS: Mapping[str, Rule] = {
    "home": shape(_VIEW),
    "modal": shape(
        {
            **_VIEW,
            "title!": _TITLE,
            "close": _TITLE,
            "submit": _TITLE,
            "clear_on_close": boolean,
            "notify_on_close": boolean,
        }
    ),
}


def view_problems(view: Any) -> list[Problem]:
    """Everything Slack would refuse in this modal or App Home."""
    at = "/view"
    if not isinstance(view, dict):
        return [(at, "must be an object")]
    kind = view.get("type")
    if not isinstance(kind, str) or kind not in VIEWS:
        return [(f"{at}/type", "must be one of modal, home")]
    found = [*VIEWS[kind](view, at), *block_problems(view.get("blocks"), kind, f"{at}/blocks")]
    blocks = view.get("blocks")
    asks = isinstance(blocks, list) and any(
        isinstance(block, dict) and block.get("type") == "input" for block in blocks
    )
    if kind == "modal" and asks and "submit" not in view:
        found.append((at, "missing required field: submit (the modal has input blocks)"))
    return found
