"""One thing that is wrong in a document, and where: a path of keys and positions, and a sentence.

Knows how a path is written and how outside text is shown in a sentence. Refuses to know lines and
files. Serves the checks of this room, and the files room, which adds the line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

Path = tuple[str | int, ...]

_PLAIN = re.compile(r"[\w#/-][\w#/.-]{0,63}")
_SHOWN_MAX = 60


@dataclass(frozen=True, slots=True)
class Fault:
    """`message` says what was read and what would do; it does not repeat the path."""

    path: Path
    message: str

    def __str__(self) -> str:
        return f"{field_of(self.path)}: {self.message}" if self.path else self.message


def field_of(path: Sequence[str | int]) -> str:
    """The path as people write it: `policies.shop.steps[1].after`; an odd key stands in quotes."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN.fullmatch(part):
            text += f".{part}" if text else part
        else:
            text += f"[{shown(part)}]"
    return text


def shown(value: object) -> str:
    """What was read, on one line, quoted and cut; never more than is fit for a message."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if not isinstance(value, str):
        return json.dumps(value)
    line = "".join(c if c.isprintable() else " " for c in value)
    cut = line if len(line) <= _SHOWN_MAX else line[: _SHOWN_MAX - 1] + "…"
    return f'"{cut}"'
