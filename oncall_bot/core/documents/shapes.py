"""What a value may look like: scalars, choices, references, lists, mappings and records, as values.

Knows how to walk a document along its shape and collect every fault. Refuses to know which fields
oncall.yaml has (`format` does) and rules between fields (`faults`). Serves this room, and the files
room, which reads each scalar as the type its shape wants.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from oncall_bot.core.documents.fault import Fault, Path, shown
from oncall_bot.core.documents.names import Names, instead, nearest

Problem = Callable[[Any], str | None]
"""Why a value of the wanted type will not do, after what was read; None when it will."""


def _same(value: Any) -> Any:
    return value


def _fine(_: Any) -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value of the type `wants`; `normal` writes it one way, `refers` checks names in it."""

    wants: type[str] | type[int] | type[float] | type[bool]
    example: str
    problem: Problem = _fine
    normal: Callable[[Any], Any] = _same
    refers: Callable[[Any, Names], str | None] | None = None
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of one shape. `lone` lets the file write one value without its brackets."""

    item: Shape
    at_least: int = 0
    at_most: int = 5_000
    lone: bool = False


@dataclass(frozen=True, slots=True)
class MapOf:
    """A mapping from names to one shape; `fixed` keys have shapes of their own."""

    item: Shape
    key_problem: Callable[[str, Names], str | None] | None = None
    fixed: Mapping[str, Shape] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Record:
    """A mapping with known keys only."""

    fields: Mapping[str, Shape]
    required: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """A key that belongs elsewhere; the message says where."""

    message: str


Shape = Scalar | ListOf | MapOf | Record | Refused


def shape_faults(shape: Shape, value: object, names: Names, path: Path = ()) -> Iterator[Fault]:
    """Every fault of a value against its shape, in the order of the document."""
    match shape:
        case Scalar():
            problem = _scalar_problem(shape, value, names)
            if problem:
                yield Fault(path, problem)
        case ListOf():
            yield from _list_faults(shape, value, names, path)
        case MapOf():
            yield from _map_faults(shape, value, names, path)
        case Record():
            yield from _record_faults(shape, value, names, path)
        case Refused():
            yield Fault(path, shape.message)


def _scalar_problem(shape: Scalar, value: object, names: Names) -> str | None:
    if value is None:
        return None if shape.nullable else f"nothing stands here; write {shape.example}"
    if isinstance(value, dict):
        return f"{_mapping_read(value)}; write {shape.example}"
    if isinstance(value, list):
        return f"a list stands here where one value belongs; write {shape.example}"
    if not _is_a(value, shape.wants):
        example = "" if shape.wants is bool else f"; write {shape.example}"
        return f"{shown(value)} is not {_TYPES[shape.wants]}{example}"
    problem = shape.problem(value)
    if problem:
        return f"{shown(value)} {problem}"
    return shape.refers(value, names) if shape.refers else None


def _mapping_read(value: Mapping[str, object]) -> str:
    if len(value) == 1:
        [(key, inner)] = value.items()
        if isinstance(inner, str):
            read, word = shown(f"{key}: {inner}"), shown(f"{key}:{inner}")
            return f"{read} with a space is a mapping; here it is one word, {word}"
    return "a mapping stands here where one value belongs"


_TYPES = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


def _is_a(value: object, wants: type) -> bool:
    if isinstance(value, bool):
        return wants is bool
    if wants is float:
        return isinstance(value, int | float)
    return isinstance(value, wants)


def _list_faults(shape: ListOf, value: object, names: Names, path: Path) -> Iterator[Fault]:
    if not isinstance(value, list):
        yield Fault(path, f"{shown(value)} stands here where a list belongs; write [ … ]")
        return
    if not shape.at_least <= len(value) <= shape.at_most:
        wanted = "give at least one" if value == [] else f"{shape.at_most} is the most"
        yield Fault(path, f"the list has {len(value) or 'no'} entries; {wanted}")
    for n, item in enumerate(value[: shape.at_most]):
        yield from shape_faults(shape.item, item, names, (*path, n))


def _map_faults(shape: MapOf, value: object, names: Names, path: Path) -> Iterator[Fault]:
    if not isinstance(value, dict):
        yield Fault(path, f"{shown(value)} stands here where names with their entries belong")
        return
    for key, item in value.items():
        if key in shape.fixed:
            yield from shape_faults(shape.fixed[key], item, names, (*path, key))
            continue
        problem = shape.key_problem(key, names) if shape.key_problem else None
        if problem:
            yield Fault((*path, key), problem)
        else:
            yield from shape_faults(shape.item, item, names, (*path, key))


def _record_faults(shape: Record, value: object, names: Names, path: Path) -> Iterator[Fault]:
    if not isinstance(value, dict):
        keys = ", ".join(shape.fields)
        yield Fault(path, f"{shown(value)} stands here where keys belong: {keys}")
        return
    for key, item in value.items():
        if key in shape.fields:
            yield from shape_faults(shape.fields[key], item, names, (*path, key))
        else:
            yield Fault((*path, key), f"there is no key {shown(key)} here{_keys(key, shape)}")
    misspelled = {nearest(key, shape.fields) for key in value if key not in shape.fields}
    for key in shape.required:
        if key not in value and key not in misspelled:
            yield Fault((*path, key), f"is missing; give {_example_of(shape.fields[key])}")


def _keys(key: str, shape: Record) -> str:
    return instead(key, tuple(shape.fields)) or f"; the keys are {', '.join(shape.fields)}"


def _example_of(shape: Shape) -> str:
    match shape:
        case Scalar():
            return shape.example
        case ListOf(item=Record(required=required)):
            return f"a list of entries, each with {' and '.join(required)}"
        case ListOf():
            return f"a list such as [{_example_of(shape.item)}]"
        case Record(required=required):
            return f"{' and '.join(required)} under it"
        case _:
            return "at least one entry"
