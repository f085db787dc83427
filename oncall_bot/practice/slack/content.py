"""What a message may hold, whichever call brings it: text, blocks, attachments, metadata.

Knows Slack's order of refusals and their codes. Refuses to know channels. Pure; serves chat and response addresses.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from oncall_bot.practice.slack.answers import Json, SlackError
from oncall_bot.practice.slack.blocks import (
    BLOCK_TEXT_MAX,
    ONE_TABLE,
    block_problems,
    text_length,
)

TEXT_MAX, UPDATE_TEXT_MAX, MARKDOWN_MAX = 40_000, 4_000, 12_000
ATTACHMENTS_MAX, METADATA_MAX = 100, 16_384


def check(given: Mapping[str, Any]) -> None:
    """Refuse what Slack refuses. SlackError names the part that is wrong."""
    _check_shapes(given)
    markdown = given.get("markdown_text")
    if markdown is not None and (given.get("text") or given.get("blocks")):
        raise SlackError("markdown_text_conflict")
    if isinstance(markdown, str) and len(markdown) > MARKDOWN_MAX:
        raise SlackError("msg_too_long")
    if not any(given.get(key) for key in ("text", "blocks", "attachments", "markdown_text")):
        raise SlackError("no_text")
    _check_blocks(given.get("blocks") or [])
    _check_attachments(given.get("attachments") or [])
    _check_metadata(given.get("metadata"))


def _check_shapes(given: Mapping[str, Any]) -> None:
    for name, code in (("blocks", "invalid_blocks_format"), ("attachments", "invalid_attachments")):
        if isinstance(given.get(name), str) and given[name]:
            raise SlackError(code)


def _check_blocks(blocks: Any) -> None:
    if not blocks:
        return
    problems = block_problems(blocks)
    if any(why == ONE_TABLE for _, why in problems):
        raise SlackError.of("invalid_attachments", [("/blocks", ONE_TABLE)])
    if problems:
        raise SlackError.of("invalid_blocks", problems)
    if text_length(blocks) > BLOCK_TEXT_MAX:
        raise SlackError("msg_blocks_too_long")


_WORDS = (
    "fallback",
    "color",
    "pretext",
    "author_name",
    "author_link",
    "author_icon",
    "author_subname",
    "title",
    "title_link",
    "text",
    "image_url",
    "thumb_url",
    "footer",
    "footer_icon",
    "callback_id",
)


def _check_attachments(attachments: Any) -> None:
    if not isinstance(attachments, list):
        raise SlackError.of("invalid_attachments", [("/attachments", "must be an array")])
    if len(attachments) > ATTACHMENTS_MAX:
        raise SlackError("too_many_attachments")
    problems = []
    for n, one in enumerate(attachments):
        at = f"/attachments/{n}"
        if not isinstance(one, dict):
            problems.append((at, "must be an object"))
            continue
        problems += [
            (f"{at}/{key}", "must be a string")
            for key in _WORDS
            if key in one and not isinstance(one[key], str)
        ]
        problems += block_problems(one["blocks"], at=f"{at}/blocks") if "blocks" in one else []
    if problems:
        raise SlackError.of("invalid_attachments", problems)


def _check_metadata(metadata: Any) -> None:
    if not metadata:
        return
    if not isinstance(metadata, dict) or not isinstance(metadata.get("event_type"), str):
        raise SlackError("invalid_metadata_format")
    if not isinstance(metadata.get("event_payload"), dict):
        raise SlackError("invalid_metadata_format")
    if len(json.dumps(metadata)) > METADATA_MAX:
        raise SlackError("metadata_too_large")


def held(given: Mapping[str, Any]) -> Json:
    """The parts of a message beside its text, as they are kept."""
    kept = {key: given[key] for key in ("blocks", "attachments", "metadata") if given.get(key)}
    if given.get("markdown_text"):
        kept["blocks"] = [{"type": "markdown", "text": given["markdown_text"]}]
    return kept
