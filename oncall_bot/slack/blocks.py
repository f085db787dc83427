"""Block Kit pieces as we use them: one small function a piece, each keeping Slack's limits by itself.

Knows the shapes and lengths (reference: docs.slack.dev, Block Kit). Refuses to know incidents and words.
Serves the drawing modules; texts arrive escaped, or go through `plain` here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from oncall_bot.slack.escape import cut, escape, plain, printable

Block = dict[str, Any]
SECTION_MAX, CONTEXT_MAX, MESSAGE_MAX, ALT_MAX = 3000, 2000, 11_500, 1900


@dataclass(frozen=True, slots=True)
class Drawn:
    """A message ready to be sent: the push line and its blocks."""

    text: str
    blocks: Sequence[Block] = ()


def plain_text(text: str, limit: int = 150) -> Block:
    return {"type": "plain_text", "text": plain(text, limit), "emoji": False}


def mrkdwn(text: str, limit: int = SECTION_MAX) -> Block:
    """Escaped mrkdwn; `verbatim` keeps Slack from turning addresses and names in outside text into links."""
    return {"type": "mrkdwn", "text": _bounded(text, limit), "verbatim": True}


def _bounded(text: str, limit: int) -> str:
    """At most `limit` characters, cut between lines so that no entity, link or date is broken in two."""
    if len(text) <= limit:
        return text
    kept = ""
    for line in text.split("\n"):
        if len(kept) + len(line) + 2 > limit:
            break
        kept += line + "\n"
    return kept + "…" if kept else cut(text.replace("<", "").replace(">", ""), limit)


def header(text: str) -> Block:
    return {"type": "header", "text": plain_text(text, 150)}


def section(text: str, *, block_id: str | None = None, accessory: Block | None = None) -> Block:
    out: Block = {"type": "section", "text": mrkdwn(text)}
    if block_id:
        out["block_id"] = block_id
    if accessory:
        out["accessory"] = accessory
    return out


def fields(pairs: Iterable[tuple[str, str]]) -> Block:
    """Up to ten named figures; the values arrive escaped."""
    shown = [mrkdwn(f"*{name}*\n{value}", 2000) for name, value in pairs]
    return {"type": "section", "fields": shown[:10]}


def context(text: str) -> Block:
    return {"type": "context", "elements": [mrkdwn(text, CONTEXT_MAX)]}


def image(file_id: str, alt: str) -> Block:
    """A picture that was uploaded to Slack; `alt` is outside text and says the same in words."""
    return {"type": "image", "slack_file": {"id": file_id}, "alt_text": plain(alt, ALT_MAX)}


def without_images(blocks: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The same message with each picture's words in its place."""
    return [
        context(escape(f"Picture: {block.get('alt_text', '')}", 600))
        if block.get("type") == "image"
        else block
        for block in blocks
    ]


def divider() -> Block:
    return {"type": "divider"}


def button(
    text: str,
    action_id: str,
    value: str | int,
    *,
    style: str | None = None,
    url: str | None = None,
    label: str | None = None,
    confirm: Block | None = None,
) -> Block:
    out: Block = {
        "type": "button",
        "text": plain_text(text, 75),
        "action_id": action_id,
        "value": str(value),
    }
    given = {"style": style, "url": url, "confirm": confirm}
    out |= {name: what for name, what in given.items() if what}
    if label:
        out["accessibility_label"] = plain(label, 75)
    return out


def confirm(title: str, text: str, yes: str, no: str) -> Block:
    return {
        "title": plain_text(title, 100),
        "text": mrkdwn(text, 300),
        "confirm": plain_text(yes, 30),
        "deny": plain_text(no, 30),
    }


def option(text: str, value: str, description: str | None = None) -> Block:
    out: Block = {"text": plain_text(text, 75), "value": value[:150]}
    if description:
        out["description"] = plain_text(description, 75)
    return out


def overflow(action_id: str, options: Sequence[tuple[str, str]]) -> Block:
    """A menu of at most five (text, value)."""
    shown = [option(text, value) for text, value in options[:5]]
    return {"type": "overflow", "action_id": action_id, "options": shown}


def actions(elements: Iterable[Block | None], block_id: str = "actions") -> Block:
    return {"type": "actions", "block_id": block_id, "elements": [e for e in elements if e]}


def text_input(
    block_id: str,
    label: str,
    *,
    placeholder: str,
    initial: str | None = None,
    hint: str | None = None,
    max_length: int = 200,
    multiline: bool = False,
    optional: bool = False,
) -> Block:
    element: Block = {
        "type": "plain_text_input",
        "action_id": "v",
        "placeholder": plain_text(placeholder),
        "max_length": max_length,
    }
    if multiline:
        element["multiline"] = True
    if initial:
        shown = cut(printable(initial), max_length) if multiline else plain(initial, max_length)
        element["initial_value"] = shown
    return _input(block_id, label, element, hint=hint, optional=optional)


def chooser(
    block_id: str,
    label: str,
    options: Sequence[Block],
    *,
    placeholder: str | None = None,
    initial: str | None = None,
    kind: str = "static_select",
) -> Block:
    """A list to choose one from: `static_select` (up to 100) or `radio_buttons` (up to 10)."""
    most = 10 if kind == "radio_buttons" else 100
    element: Block = {"type": kind, "action_id": "v", "options": list(options[:most])}
    if placeholder and kind != "radio_buttons":
        element["placeholder"] = plain_text(placeholder)
    chosen = next((o for o in options[:most] if o["value"] == initial), None)
    if chosen:
        element["initial_option"] = chosen
    return _input(block_id, label, element)


def searcher(
    block_id: str,
    label: str,
    action_id: str,
    *,
    placeholder: str,
    initial: str | None = None,
    optional: bool = False,
) -> Block:
    """A list that is asked for while the person types, so that its length does not matter."""
    element: Block = {
        "type": "external_select",
        "action_id": action_id,
        "min_query_length": 0,
        "placeholder": plain_text(placeholder),
    }
    if initial:
        element["initial_option"] = option(initial, initial)
    return _input(block_id, label, element, optional=optional)


def instant_input(block_id: str, label: str, initial: datetime) -> Block:
    """A day and a time of day in the reader's own zone; it comes back as an instant, so none is ambiguous."""
    element = {
        "type": "datetimepicker",
        "action_id": "v",
        "initial_date_time": int(initial.timestamp()),
    }
    return _input(block_id, label, element)


def clock_input(block_id: str, label: str, initial: time) -> Block:
    """A time of day without a zone: `22:00`."""
    element = {"type": "timepicker", "action_id": "v", "initial_time": f"{initial:%H:%M}"}
    return _input(block_id, label, element)


def people_input(
    block_id: str, label: str, *, placeholder: str, initial: Sequence[str], most: int
) -> Block:
    """Slack users, none or several."""
    element: Block = {
        "type": "multi_users_select",
        "action_id": "v",
        "placeholder": plain_text(placeholder),
        "max_selected_items": most,
    }
    if initial:
        element["initial_users"] = list(initial[:most])
    return _input(block_id, label, element, optional=True)


def _input(
    block_id: str, label: str, element: Block, *, hint: str | None = None, optional: bool = False
) -> Block:
    out: Block = {
        "type": "input",
        "block_id": block_id,
        "label": plain_text(label),
        "element": element,
    }
    if hint:
        out["hint"] = plain_text(hint, 300)
    if optional:
        out["optional"] = True
    return out


def modal(
    callback_id: str,
    title: str,
    blocks: Sequence[Block],
    *,
    submit: str | None = None,
    metadata: str = "",
    close: str = "Cancel",
) -> Block:
    out: Block = {
        "type": "modal",
        "callback_id": callback_id,
        "title": plain_text(title, 24),
        "close": plain_text(close, 24),
        "blocks": list(blocks),
    }
    if submit:
        out["submit"] = plain_text(submit, 24)
    if metadata:
        out["private_metadata"] = metadata
    return out


def flattened(blocks: Iterable[Mapping[str, Any]], limit: int = 3500) -> str:
    """The words of a message without its blocks, for when Slack refuses them. Buttons are left out."""
    said: list[str] = []
    for block in blocks:
        texts = [block.get("text"), *(block.get("fields") or ()), *(block.get("elements") or ())]
        said += [
            str(text["text"])
            for text in texts
            if isinstance(text, Mapping)
            and text.get("type") in {"mrkdwn", "plain_text"}
            and isinstance(text.get("text"), str)
        ]
    return _bounded("\n".join(said), limit)
