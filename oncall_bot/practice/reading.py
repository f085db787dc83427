"""What a person reads in a message: plain lines and the labels of buttons, without block noise.

Knows Slack's blocks and mrkdwn as far as they carry words. Refuses to know what the words mean. Serves stories (did
Ana see it?), people's scripted hands (which button?) and the transcript.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from html import unescape
from typing import Any

Message = Mapping[str, Any]

_DATE = re.compile(r"<!date\^(\d+)\^([^^>|]*)(?:\^[^>|]*)?\|([^>]*)>")
_LINK = re.compile(r"<(?!!)([^>|]+)(?:\|([^>]*))?>")
_SPECIAL = re.compile(r"<!(\w+)(?:\^[^>|]*)?(?:\|([^>]*))?>")
_MARKS = re.compile(r"(?<![\w*])\*([^*\n]+)\*(?![\w*])|(?<![\w_])_([^_\n]+)_(?![\w_])")


@dataclass(frozen=True, slots=True)
class Button:
    """Something to press: where it is in the message and what it says. An overflow entry has its `value`."""

    label: str
    block_id: str
    action_id: str
    value: str | None = None
    url: str | None = None


def plain(text: str, zone: tzinfo = UTC, names: Mapping[str, str] | None = None) -> str:
    """Slack's text as a person sees it; instants in the reader's zone, mentions as @name."""
    known = names or {}

    def moment(found: re.Match[str]) -> str:
        at = datetime.fromtimestamp(int(found[1]), zone)
        return f"{at:%a %d %b %H:%M}" if "date" in found[2] else f"{at:%H:%M}"

    def link(found: re.Match[str]) -> str:
        target, label = found[1], found[2]
        if target[:1] in "@#":
            name = known.get(target[1:], label or target[1:])
            return f"{target[0]}{name}"
        return label or target

    shown = _DATE.sub(moment, text)
    shown = _SPECIAL.sub(lambda found: f"@{found[2] or found[1]}", shown)
    shown = _LINK.sub(link, shown)
    shown = _MARKS.sub(lambda found: found[1] or found[2], shown)
    return unescape(shown)


def lines(
    message: Message, zone: tzinfo = UTC, names: Mapping[str, str] | None = None
) -> list[str]:
    """Every line of the message, from its blocks, or from its text when it has none."""
    blocks = message.get("blocks") or ()
    texts = [text for block in blocks for text in _texts(block)]
    if not texts:
        texts = [str(message.get("text") or "")]
    found = [line.strip() for text in texts for line in plain(text, zone, names).splitlines()]
    found += [
        f"[file] {file.get('title') or file.get('name')}" for file in message.get("files", ())
    ]
    return [line.removeprefix(">").replace("`", "") for line in found if line]


def whole(message: Message) -> str:
    """Everything the message says, its notification text included."""
    return "\n".join([plain(str(message.get("text") or "")), *lines(message)])


def _texts(block: Mapping[str, Any]) -> Iterator[str]:
    match block.get("type"):
        case "header" | "section":
            if block.get("text"):
                yield _text(block["text"])
            for field in block.get("fields") or ():
                yield _text(field).replace("\n", ": ")
        case "context":
            yield "  ".join(_text(one) for one in block.get("elements") or ())
        case "markdown":
            yield str(block.get("text") or "")
        case "rich_text":
            yield "".join(_rich(block))
        case "image":
            yield f"[picture] {block.get('alt_text', '')}"
        case _:
            return


def _text(value: Any) -> str:
    return str(value.get("text", "")) if isinstance(value, Mapping) else str(value)


def _rich(node: Mapping[str, Any]) -> Iterator[str]:
    for one in node.get("elements") or ():
        if "text" in one:
            yield str(one["text"])
        elif one.get("type") == "user":
            yield f"<@{one.get('user_id')}>"
        elif one.get("type") == "link":
            yield str(one.get("url", ""))
        else:
            yield from _rich(one)
    if str(node.get("type", "")).startswith("rich_text_"):
        yield "\n"


def buttons(message: Message) -> list[Button]:
    """What can be pressed in the message, in order; the entries of an overflow menu too."""
    found: list[Button] = []
    for block in message.get("blocks") or ():
        elements: Sequence[Any] = block.get("elements") or ()
        if block.get("type") == "section" and block.get("accessory"):
            elements = [block["accessory"]]
        elif block.get("type") != "actions":
            continue
        for element in elements:
            found += _pressable(block, element)
    return found


def _pressable(block: Mapping[str, Any], element: Mapping[str, Any]) -> Iterator[Button]:
    block_id, action_id = str(block.get("block_id", "")), str(element.get("action_id", ""))
    if element.get("type") == "button":
        url = element.get("url")
        yield Button(_text(element["text"]), block_id, action_id, url=url)
    elif element.get("type") == "overflow":
        for option in element.get("options") or ():
            yield Button(_text(option["text"]), block_id, action_id, str(option.get("value", "")))
