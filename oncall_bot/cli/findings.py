"""What doctor says: one finding a line, green, yellow or red, with what to do about it.

Knows how checks run beside each other, each bounded in time. Refuses to know what is checked.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

WITHIN = 5.0
"""Seconds for one check; a thing that takes longer to answer is as good as away."""


class State(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """`mend` is what to do, empty when nothing needs doing."""

    name: str
    state: State
    what: str
    mend: str = ""

    def __str__(self) -> str:
        mark = {State.OK: "ok  ", State.WARN: "warn", State.FAIL: "FAIL"}[self.state]
        return f"{mark}  {self.name}: {self.what}" + (f"; {self.mend}" if self.mend else "")


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
