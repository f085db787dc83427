"""What differs between two documents, as lines a person reads before saying yes.

Knows which lists have names, and how an entry is named in a sentence. Refuses to know who is on
call and what a difference is worth. Serves the plan.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from oncall_bot.core.documents import field_of

Sign = Literal["+", "-", "~", "!", "*"]
FieldPath = tuple[str | int, ...]

_SINGULAR = {
    "people": "person",
    "channels": "channel",
    "teams": "team",
    "services": "service",
    "schedules": "schedule",
    "policies": "policy",
    "severities": "severity",
    "routes": "route",
    "maintenance": "maintenance",
    "sources": "source",
    "calendars": "calendar",
}
_VALUE_MAX = 160
_PASSWORD = re.compile(r"(?<=://)([^/@\s:]*):[^/@\s]*@")


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One line of a plan: `+` new, `-` gone, `~` changed, `*` who is on call, `!` a warning."""

    sign: Sign
    path: str
    text: str

    def __str__(self) -> str:
        return f"{self.sign} {self.text}"


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[PlanLine]:
    """What becomes of each field, section by section in the order of the new document."""
    for section in [*new, *(key for key in old if key not in new)]:
        yield from _changed(old.get(section), new.get(section), (section,))


def _changed(old: Any, new: Any, path: FieldPath) -> Iterator[PlanLine]:
    if old == new or path[-1] == "token_sha256":
        yield from _token_changed(old, new, path)
    elif _are(dict, old, new):
        yield from _keys_changed(old or {}, new or {}, path)
    elif _are(list, old, new) and _named(old) and _named(new):
        yield from _named_changed(old or [], new or [], path)
    elif isinstance(old, list) and isinstance(new, list) and _are_records(old, new):
        yield from _items_changed(old, new, path)
    else:
        yield _line(old, new, path)


def _are(kind: type, old: Any, new: Any) -> bool:
    """Both are of this kind, where a whole section that is missing counts as empty."""
    given = [value for value in (old, new) if value is not None]
    return bool(given) and all(isinstance(value, kind) for value in given)


def _named(entries: Any) -> bool:
    return all(isinstance(entry, dict) and "name" in entry for entry in entries or ())


def _are_records(old: list[Any], new: list[Any]) -> bool:
    return all(isinstance(entry, dict) for entry in [*old, *new])


def _token_changed(old: Any, new: Any, path: FieldPath) -> Iterator[PlanLine]:
    """A digest says nothing to a reader, and one that was not read says nothing at all."""
    if old != new and new is not None:
        verb = "token given" if old is None else "token changed"
        place = field_of(path[:-1])
        yield PlanLine("~", field_of(path), f"{place} {verb}")


def _keys_changed(
    old: Mapping[str, Any], new: Mapping[str, Any], path: FieldPath
) -> Iterator[PlanLine]:
    for key in [*new, *(key for key in old if key not in new)]:
        inner = (*path, key)
        if key in old and key in new:
            yield from _changed(old[key], new[key], inner)
        elif key == "token_sha256":
            yield from _token_changed(old.get(key), new.get(key), inner)
        else:
            yield _line(old.get(key), new.get(key), inner)


def _named_changed(old: list[Any], new: list[Any], path: FieldPath) -> Iterator[PlanLine]:
    before = {entry["name"]: entry for entry in old}
    after = {entry["name"]: entry for entry in new}
    yield from _keys_changed(before, after, path)
    stayed = [name for name in before if name in after]
    order = [name for name in after if name in before]
    if stayed != order:
        text = f"{field_of(path)} order {', '.join(stayed)} -> {', '.join(order)}"
        yield PlanLine("~", field_of(path), text)


def _items_changed(old: list[Any], new: list[Any], path: FieldPath) -> Iterator[PlanLine]:
    for n in range(max(len(old), len(new))):
        before = old[n] if n < len(old) else None
        after = new[n] if n < len(new) else None
        if before is None or after is None:
            yield _line(before, after, (*path, n))
        else:
            yield from _changed(before, after, (*path, n))


def _line(old: Any, new: Any, path: FieldPath) -> PlanLine:
    """One entry or value that came, went or changed."""
    place = field_of(path)
    if old is not None and new is not None:
        return PlanLine("~", place, f"{place} {_difference(old, new)}")
    word = _SINGULAR.get(str(path[0])) if len(path) == 2 else None
    named = f"{word} {path[1]}" if word else place
    if old is not None:  # gone: what an entry held stands in the revision before
        return PlanLine("-", place, named if isinstance(old, dict) else f"{named} {said(old)}")
    if isinstance(new, dict):
        new = {key: value for key, value in new.items() if value != path[-1] or key != "name"}
    return PlanLine("+", place, f"{named} ({said(new)})" if word else f"{named} {said(new)}")


def _difference(old: Any, new: Any) -> str:
    if isinstance(old, list) and isinstance(new, list):
        came, went = [v for v in new if v not in old], [v for v in old if v not in new]
        long = len(old) + len(new) > 8
        if long and (came or went):
            return " ".join([f"+{said(v)}" for v in came] + [f"-{said(v)}" for v in went])
    return f"{said(old)} -> {said(new)}"


def said(value: Any) -> str:
    """A value on one line: names and numbers bare, passwords in addresses hidden, long ones cut."""
    text = _PASSWORD.sub(r"\1:…@", " ".join(_words(value).split()))
    return text if len(text) <= _VALUE_MAX else text[: _VALUE_MAX - 1] + "…"


def _words(value: Any) -> str:
    if value is None:
        return "nobody"
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        shown = (k for k in value if k not in ("name", "token_sha256"))
        names = [str(value["name"])] if "name" in value else []
        return ", ".join(names + [f"{key} {_inner(value[key])}" for key in shown])
    if isinstance(value, Sequence):
        return ", ".join(_inner(item) for item in value) or "none"
    return json.dumps(value)


def _inner(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + _words(value) + "}"
    return f"[{_words(value)}]" if isinstance(value, list) else _words(value)
