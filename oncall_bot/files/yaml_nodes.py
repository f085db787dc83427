"""YAML as nodes with their lines: no types are guessed, nothing outside is built, nothing grows.

Knows scalars, lists, mappings, aliases and their bounds. Refuses to know what a key means;
duplicate keys and empty values are kept for the reader to judge. Serves the reader of oncall.yaml.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

DEPTH_MAX = 24
NODES_MAX = 100_000
"""Nodes in one document, each use of an alias counted in full."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULLS = ("", "~", "null", "Null", "NULL")


@dataclass(frozen=True, slots=True)
class Word:
    """One scalar as written; `line` is counted from 1. A plain `~`, `null` or nothing is null."""

    text: str
    line: int
    plain: bool

    @property
    def is_null(self) -> bool:
        return self.plain and self.text in _NULLS


@dataclass(frozen=True, slots=True)
class Sequence:
    items: tuple[Node, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Mapping:
    entries: tuple[tuple[Node, Node], ...]
    line: int


Node = Word | Sequence | Mapping


class YamlFault(Exception):  # noqa: N818  a value on its way to a FileFault, not a crash
    """Why a text is no YAML that is read here, and the line; 0 when it is the text as a whole."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


def compose(text: str) -> Node | None:
    """The one document in `text`, or None when it is empty. Raises YamlFault."""
    try:
        text.encode()
        return _Composer(yaml.parse(text, Loader=_LOADER)).document()
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark or fault.context_mark
        lines = text.splitlines() or [""]
        line = min(mark.line + 1 if mark else 1, len(lines))
        raise YamlFault(line, _plainly(fault, lines[line - 1])) from None
    except yaml.reader.ReaderError as fault:
        line = text.count("\n", 0, fault.position) + 1
        raise YamlFault(
            line, f"a character stands here that YAML forbids ({fault.reason})"
        ) from None
    except UnicodeEncodeError as fault:
        line = text.count("\n", 0, fault.start) + 1
        raise YamlFault(line, "a character stands here that is no Unicode") from None
    except yaml.YAMLError as fault:
        raise YamlFault(0, f"this is not YAML: {fault}") from None


_HINTS = (
    ("cannot start any token", 'put the value in quotes, for example "#alerts" or "@name"'),
    ("mapping values are not allowed", "a colon with a space begins a mapping; quote the value"),
    ("expected ',' or", "close the bracket, or quote values that hold brackets or commas"),
    ("expected <block end>", "check the indentation of this line and of those around it"),
    ("expected key", "check the indentation of this line and of those around it"),
    ("expected '-' indicator", "check the indentation of this line and of those around it"),
    ("could not find expected ':'", "a key needs a colon and a space after it"),
    ("end of stream", "a quote or bracket is not closed"),
)


def _plainly(fault: yaml.MarkedYAMLError, line: str) -> str:
    said = " ".join(str(part) for part in (fault.context, fault.problem) if part)
    hint = next((hint for sign, hint in _HINTS if sign in said), "")
    if line.lstrip(" ").startswith("\t"):
        hint = "indent with spaces, not tabs"
    return f"this is not YAML: {said}" + (f"; {hint}" if hint else "")


@dataclass(frozen=True, slots=True)
class _Anchored:
    node: Node
    nodes: int
    height: int


class _Composer:
    """Builds nodes from events and counts what aliases repeat, so that no text outgrows bounds."""

    def __init__(self, events: Iterator[Any]) -> None:
        self._events = events
        self._anchors: dict[str, _Anchored] = {}
        self._nodes = 0

    def document(self) -> Node | None:
        root: Node | None = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise YamlFault(_line(event), "a second document begins here; keep one")
                root, _ = self._node(next(self._events), 1)
        return root

    def _node(self, event: Any, depth: int) -> tuple[Node, int]:
        """The node that begins with `event`, and its height."""
        line = _line(event)
        if depth > DEPTH_MAX:
            raise YamlFault(line, f"nested deeper than {DEPTH_MAX}; nothing here needs that")
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, line, depth)
        if event.tag is not None and event.tag != "!":
            raise YamlFault(line, f"the tag {event.tag[:60]} is not read; write the plain value")
        before = self._nodes
        self._count(1, line)
        node, height = self._body(event, line, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchored(node, self._nodes - before, height)
        return node, height

    def _body(self, event: Any, line: int, depth: int) -> tuple[Node, int]:
        if isinstance(event, yaml.ScalarEvent):
            return Word(event.value, line, plain=not event.style), 1
        if isinstance(event, yaml.SequenceStartEvent):
            found = [self._node(inner, depth + 1) for inner in self._until(yaml.SequenceEndEvent)]
            height = 1 + max((h for _, h in found), default=0)
            return Sequence(tuple(node for node, _ in found), line), height
        entries: list[tuple[Node, Node]] = []
        height = 0
        for inner in self._until(yaml.MappingEndEvent):
            key, _ = self._node(inner, depth + 1)
            value, value_height = self._node(next(self._events), depth + 1)
            entries.append((key, value))
            height = max(height, value_height)
        return Mapping(tuple(entries), line), 1 + height

    def _until(self, end: type) -> Iterator[Any]:
        for event in self._events:
            if isinstance(event, end):
                return
            yield event

    def _alias(self, event: Any, line: int, depth: int) -> tuple[Node, int]:
        known = self._anchors.get(event.anchor)
        if known is None:
            raise YamlFault(line, f"*{event.anchor[:60]} names nothing that was written before it")
        if depth + known.height > DEPTH_MAX:
            raise YamlFault(line, f"nested deeper than {DEPTH_MAX} with *{event.anchor[:60]}")
        self._count(known.nodes, line)
        return known.node, known.height

    def _count(self, nodes: int, line: int) -> None:
        self._nodes += nodes
        if self._nodes > NODES_MAX:
            raise YamlFault(line, f"more than {NODES_MAX} values, aliases counted; make it smaller")


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1
