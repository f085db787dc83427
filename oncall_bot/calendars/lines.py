"""iCalendar text as components and properties, with line numbers (RFC 5545, 3.1): bounded, and strict about structure.

Knows unfolding, parameters and nesting. Refuses to know what a property means. Pure. Serves events of this room.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from oncall_bot.core.errors import BadInput

BYTES_MAX = 4 * 1024 * 1024
LINE_MAX = 16_384
EVENTS_MAX = 10_000
_DEPTH_MAX = 6
_NAME = re.compile(r"[A-Za-z0-9-]{1,64}")
_PARAM = re.compile(r';([A-Za-z0-9-]{1,64})=((?:"[^"]*"|[^";:,]*)(?:,(?:"[^"]*"|[^";:,]*))*)')


class IcsError(BadInput):
    """A calendar that cannot be read, with the line."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"line {line}: {problem}" if line else problem)


@dataclass(frozen=True, slots=True)
class Property:
    """NAME;PARAM=value:value. The value is as written, still escaped."""

    line: int
    name: str
    params: Mapping[str, str]
    value: str


@dataclass(slots=True)
class Component:
    """What stands between BEGIN and END, without the components inside it."""

    name: str
    line: int
    properties: list[Property] = field(default_factory=list)

    def first(self, name: str) -> Property | None:
        return next((one for one in self.properties if one.name == name), None)

    def all(self, name: str) -> Iterator[Property]:
        return (one for one in self.properties if one.name == name)


def events_in(data: bytes) -> list[Component]:
    """Every VEVENT of the calendar; raises IcsError. Time zones and to-dos are passed over."""
    if len(data) > BYTES_MAX:
        raise IcsError(0, f"it is larger than {BYTES_MAX // 1024 // 1024} MiB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise IcsError(data.count(b"\n", 0, fault.start) + 1, "this is not UTF-8") from None
    found: list[Component] = []
    open_ones: list[Component] = []
    seen = False
    for line, content in _unfolded(text):
        prop = _property(line, content)
        if prop.name == "BEGIN":
            open_ones.append(_begun(open_ones, prop))
            seen = True
        elif not open_ones:
            raise IcsError(line, "there is no calendar here; it must begin with BEGIN:VCALENDAR")
        elif prop.name == "END":
            ended = open_ones.pop()
            if ended.name != prop.value.strip().upper():
                raise IcsError(
                    line, f"END:{prop.value[:40]} closes {ended.name} of line {ended.line}"
                )
            if ended.name == "VEVENT":
                found.append(ended)
            if len(found) > EVENTS_MAX:
                raise IcsError(line, f"it has more than {EVENTS_MAX} events")
        else:
            open_ones[-1].properties.append(prop)
    if open_ones or not seen:
        raise IcsError(0, "it breaks off before END:VCALENDAR" if seen else "it is empty")
    return found


def _begun(open_ones: list[Component], prop: Property) -> Component:
    name = prop.value.strip().upper()
    if (name == "VCALENDAR") is bool(open_ones):
        raise IcsError(prop.line, "it must begin with BEGIN:VCALENDAR, once")
    if len(open_ones) >= _DEPTH_MAX:
        raise IcsError(prop.line, "its components are nested too deep")
    return Component(name, prop.line)


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """Content lines with the number each begins on; an empty line is none."""
    begun, size = 0, 0
    parts: list[str] = []
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.removesuffix("\r")
        if line[:1] in (" ", "\t") and parts:
            parts.append(line[1:])
        else:
            if parts:
                yield begun, "".join(parts)
            begun, parts, size = number, [line] if line.strip() else [], 0
        size += len(line)
        if size > LINE_MAX:
            raise IcsError(begun, f"the line has more than {LINE_MAX} characters")
    if parts:
        yield begun, "".join(parts)


def _property(line: int, content: str) -> Property:
    name = _NAME.match(content)
    if name is None:
        raise IcsError(line, "this is no property; it must be NAME:value")
    at, params = name.end(), {}
    while (param := _PARAM.match(content, at)) is not None:
        params[param[1].upper()] = param[2].strip('"')
        at = param.end()
    if content[at : at + 1] != ":":
        raise IcsError(line, f"{name[0].upper()} has no value behind a colon")
    return Property(line, name[0].upper(), params, content[at + 1 :])


def plain(value: str, limit: int = 200) -> str:
    """A TEXT value for people: unescaped, on one line, bounded."""
    text = re.sub(r"\\([\\;,nN])", lambda m: " " if m[1] in "nN" else m[1], value[: limit * 2])
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:limit]
