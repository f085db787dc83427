"""What doctor says: findings in groups, green, yellow or red, each with what to do about it.

Knows how findings are laid out, with and without colour, and how checks run beside each other, each bounded in time.
Refuses to know what is checked.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby

from oncall_bot.cli.terminal import safe

WITHIN = 5.0
"""Seconds for one check; a thing that takes longer to answer is as good as away."""


class State(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


MARKS = {State.OK: "ok", State.WARN: "warn", State.FAIL: "FAIL"}


@dataclass(frozen=True, slots=True)
class Finding:
    """`mend` is what to do, empty when nothing needs doing; further lines of it are there to be copied."""

    name: str
    state: State
    what: str
    mend: str = ""
    group: str = ""


def grouped(group: str, found: Iterable[Finding]) -> list[Finding]:
    """The findings under a heading."""
    return [replace(one, group=group) for one in found]


def lines(found: Sequence[Finding], paint: Callable[[State, str], str]) -> Iterator[str]:
    """A heading for each group; state, name and what was found in columns; what to do under it, behind an arrow."""
    width = max((len(one.name) for one in found), default=0)
    for number, (group, members) in enumerate(groupby(found, key=lambda one: one.group)):
        yield from [""] if number else []
        yield group
        for one in members:
            mark = paint(one.state, f"{MARKS[one.state]:<4}")
            yield f"  {mark}  {safe(one.name):<{width}}  {safe(one.what)}"
            first, *rest = safe(one.mend).splitlines() or [""]
            if first:
                yield f"{' ' * (10 + width)}-> {first}"
            yield from rest


Check = Callable[[], Sequence[Finding]]


def ok(name: str, what: str) -> Finding:
    return Finding(name, State.OK, what)


def warn(name: str, what: str, mend: str = "") -> Finding:
    return Finding(name, State.WARN, what, mend)


def fail(name: str, what: str, mend: str = "") -> Finding:
    return Finding(name, State.FAIL, what, mend)


def run_all(checks: Sequence[tuple[str, Check]], within: float = WITHIN) -> list[Finding]:
    """Every check beside the others, in their order; one that does not end in time is red."""
    answers: dict[int, Sequence[Finding]] = {}
    threads = [
        threading.Thread(target=_run, args=(answers, number, check), daemon=True)
        for number, (_, check) in enumerate(checks)
    ]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + within  # they began together and end together
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    late = f"did not answer within {within:g} s"
    return [
        one
        for number, (name, _) in enumerate(checks)
        for one in answers.get(number, (fail(name, late),))
    ]


def _run(answers: dict[int, Sequence[Finding]], number: int, check: Check) -> None:
    answers[number] = check()
