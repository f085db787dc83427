"""The few lines that fit on a lock screen, in a text message and in a voice.

Knows the order: what is wrong, how to answer, the reference that finds the page again. Refuses to
know providers and what an incident is. Serves the brand modules of paging.
"""

from __future__ import annotations

import re
from typing import Final

from oncall_bot.ports import LoudPage

MAX_TITLE: Final = 250
MAX_TEXT: Final = 1_500
_KEPT: Final = "\n"
_LONG_NUMBER = re.compile(r"[0-9]{4,}", re.ASCII)


def title_of(page: LoudPage) -> str:
    return _cut(_plain(page.title).replace("\n", " "), MAX_TITLE)


def text_of(page: LoudPage) -> str:
    """The text alone, for roads that carry the link and the key beside it."""
    return _cut(_plain(page.text), MAX_TEXT)


def spoken_of(page: LoudPage) -> str:
    """What a voice reads: no link, no reference, sentences that end."""
    title = title_of(page).rstrip(".")
    what = "a page" if page.urgent else "a notice"
    words = f"This is oncall bot with {what}. {title}. {text_of(page)}"
    return _LONG_NUMBER.sub(lambda found: " ".join(found[0]), words)  # a code digit by digit


def whole_text_of(page: LoudPage) -> str:
    """Text, link and key, for roads that carry nothing but text."""
    lines = [text_of(page)]
    if page.ack_url:
        lines += ["", f"Acknowledge: {page.ack_url}"]
    return "\n".join([*lines, "", f"Ref {page.key}"])


def _plain(text: str) -> str:
    """Without control and direction characters, which turn a lock screen around."""
    return "".join(c if c.isprintable() or c in _KEPT else " " for c in text).strip()


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
