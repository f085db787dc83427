"""The document of a revision written as readable YAML that reads back to the same document.

Knows order, quoting and where a line stays readable. Refuses to know whether the document is right,
and writes no digest of a token whose file is named. Serves `export` and `init`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from oncall_bot.core.documents.format import FORMAT
from oncall_bot.core.documents.shapes import ListOf, MapOf, Record, Shape

WIDTH = 110
_FLOW_MAX = 100
_TAG = "tag:yaml.org,2002:"


def export_yaml(document: Mapping[str, Any]) -> str:
    """The document as oncall.yaml, sections and fields in the order of the format."""
    sections = [section for section in FORMAT.fields if section in document]
    return "\n".join(_section(name, document[name], FORMAT.fields[name]) for name in sections)


def _section(name: str, value: Any, shape: Shape) -> str:
    body = _node(value, shape, inline=False)
    root = yaml.MappingNode(_TAG + "map", [(_word(name), body)], flow_style=False)
    return yaml.serialize(root, Dumper=yaml.SafeDumper, width=WIDTH, allow_unicode=True)


def _node(value: Any, shape: Shape | None, *, inline: bool = True) -> yaml.Node:
    if isinstance(value, dict):
        return _mapping(value, shape, inline)
    if isinstance(value, list):
        item = shape.item if isinstance(shape, ListOf) else None
        items = [_node(inner, item) for inner in value]
        flow = not value or (_short(value) and all(_is_flow(node) for node in items))
        flow = flow and not any(isinstance(node, yaml.MappingNode) for node in items[1:])
        return yaml.SequenceNode(_TAG + "seq", items, flow_style=flow)
    return _word(value)


def _mapping(value: dict[str, Any], shape: Shape | None, inline: bool) -> yaml.Node:
    if isinstance(shape, Record):
        keys = [key for key in shape.fields if key in value]
        if "token_file" in value and "token_sha256" in keys:
            keys.remove("token_sha256")
        shapes: dict[str, Shape | None] = {key: shape.fields[key] for key in keys}
    else:
        keys = list(value)
        of = shape if isinstance(shape, MapOf) else None
        shapes = {key: of.fixed.get(key, of.item) if of else None for key in keys}
    entries = [(_word(key), _node(value[key], shapes[key])) for key in keys]
    flow = inline and _short(value) and all(_is_flow(node) for _, node in entries)
    return yaml.MappingNode(_TAG + "map", entries, flow_style=flow or not value)


def _word(value: Any) -> yaml.ScalarNode:
    """A scalar; text that some reader of YAML would take for something else stands in quotes."""
    if value is None:
        return yaml.ScalarNode(_TAG + "null", "null")
    if isinstance(value, bool):
        return yaml.ScalarNode(_TAG + "bool", "true" if value else "false")
    if isinstance(value, int | float):
        number = repr(value)
        if "e" in number and "." not in number:
            number = number.replace("e", ".0e")  # to YAML 1.1 a bare 1e-05 is text
        return yaml.ScalarNode(_TAG + type(value).__name__, number)
    quoted = not value or value[0] == "#" or (value[0].isdigit() and bool({*value} & {*":-"}))
    return yaml.ScalarNode(_TAG + "str", value, style='"' if quoted else None)


def _is_flow(node: yaml.Node) -> bool:
    return not isinstance(node, yaml.CollectionNode) or bool(node.flow_style)


def _short(value: Any) -> bool:
    return len(str(value)) <= _FLOW_MAX
