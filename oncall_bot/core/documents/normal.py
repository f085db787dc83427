"""A document with each value written one way, and the number of its content.

Knows that 60m and 1h are the same, and that order of keys is nothing. Refuses to know whether a
document is right. Serves the reader of the file: a comment or a blank makes no new revision.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from oncall_bot.core.documents.format import FORMAT
from oncall_bot.core.documents.shapes import ListOf, MapOf, Record, Scalar, Shape


def normalised(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with durations, caps and numbers in one spelling; wrong values stay as read."""
    return {
        key: _normal(FORMAT.fields[key], value) if key in FORMAT.fields else value
        for key, value in document.items()
    }


def sha256_of(document: Mapping[str, Any]) -> str:
    """The hexadecimal SHA-256 of the content, whatever the order of its keys."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _normal(shape: Shape, value: Any) -> Any:
    match shape:
        case Scalar() if isinstance(value, shape.wants):
            return shape.normal(value)
        case Scalar() if shape.wants is float and type(value) is int:
            return float(value)
        case ListOf() if isinstance(value, list):
            return [_normal(shape.item, item) for item in value]
        case MapOf() if isinstance(value, dict):
            return {k: _normal(shape.fixed.get(k, shape.item), v) for k, v in value.items()}
        case Record() if isinstance(value, dict):
            fields = shape.fields
            return {k: _normal(fields[k], v) if k in fields else v for k, v in value.items()}
        case _:
            return value
