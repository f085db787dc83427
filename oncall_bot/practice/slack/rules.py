"""The alphabet of shapes: small rules that look at one JSON value and say, with a pointer, what is wrong with it.

Knows strings, numbers, lists and objects. Refuses to know Block Kit. Pure; serves elements' and blocks' shapes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any

from oncall_bot.practice.slack.answers import Problem

Rule = Callable[[Any, str], Iterator[Problem]]


def string(high: int = 3000, low: int = 0) -> Rule:
    def check(value: Any, at: str) -> Iterator[Problem]:
        if not isinstance(value, str):
            yield at, "must be a string"
        elif len(value) > high:
            yield at, f"must be less than {high + 1} characters"
        elif len(value) < low:
            yield at, f"must be more than {low - 1} characters"

    return check


def boolean(value: Any, at: str) -> Iterator[Problem]:
    if not isinstance(value, bool):
        yield at, "must be a boolean"


def number(low: float | None = None, high: float | None = None) -> Rule:
    def check(value: Any, at: str) -> Iterator[Problem]:
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield at, "must be a number"
        elif (low is not None and value < low) or (high is not None and value > high):
            yield at, f"must be between {low} and {high}"

    return check


def one_of(*words: Any) -> Rule:
    def check(value: Any, at: str) -> Iterator[Problem]:
        if value not in words:
            yield at, f"must be one of {', '.join(map(str, words))}"

    return check


def link(value: Any, at: str) -> Iterator[Problem]:
    """An address of a scheme Slack opens, of at most 3000 characters."""
    yield from string(3000)(value, at)
    if isinstance(value, str) and not re.match(r"(https?|slack|mailto):", value):
        yield at, "not a valid url"


def anything(value: Any, at: str) -> Iterator[Problem]:
    return iter(())


def list_of(rule: Rule, high: int, low: int = 0) -> Rule:
    def check(value: Any, at: str) -> Iterator[Problem]:
        if not isinstance(value, list):
            yield at, "must be an array"
            return
        if len(value) > high:
            yield at, f"no more than {high} items allowed"
        if len(value) < low:
            yield at, f"must have at least {low} items"
        for n, item in enumerate(value[:high]):
            yield from rule(item, f"{at}/{n}")

    return check


def shape(fields: Mapping[str, Rule]) -> Rule:
    """An object with exactly these fields; those whose name ends in `!` are required."""
    rules = {name.rstrip("!"): rule for name, rule in fields.items()}
    required = [name[:-1] for name in fields if name.endswith("!")]

    def check(value: Any, at: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield at, "must be an object"
            return
        for name in required:
            if name not in value:
                yield at, f"missing required field: {name}"
        for name, item in value.items():
            rule = rules.get(name)
            if rule is None:
                yield at, f"invalid additional property: {name}"
            else:
                yield from rule(item, f"{at}/{name}")

    return check


def by_type(kinds: Mapping[str, Rule], of: str = "here") -> Rule:
    """An object whose `type` chooses the rule."""

    def check(value: Any, at: str) -> Iterator[Problem]:
        kind = value.get("type") if isinstance(value, dict) else None
        if not isinstance(kind, str):
            yield at, "missing required field: type"
        elif kind not in kinds:
            yield at, f"unsupported type: {kind} (not allowed {of})"
        else:
            yield from kinds[kind](value, at)

    return check


def both(*rules: Rule) -> Rule:
    def check(value: Any, at: str) -> Iterator[Problem]:
        return chain.from_iterable(rule(value, at) for rule in rules)

    return check


def exactly_one(*names: str) -> Rule:
    def check(value: Any, at: str) -> Iterator[Problem]:
        if isinstance(value, dict) and sum(name in value for name in names) != 1:
            yield at, f"exactly one of {' or '.join(names)} is required"

    return check


def at_least_one(*names: str) -> Rule:
    def check(value: Any, at: str) -> Iterator[Problem]:
        if isinstance(value, dict) and not any(name in value for name in names):
            yield at, f"missing required field: {' or '.join(names)}"

    return check
