"""What the auditor speaks of: a fault, and what a process measured of itself before it looked for any.

Knows words and shapes only. Serves `flows.checks`, which finds, `flows.repair`, which mends, and `engine.auditor`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: a sentence for the admins, and what a repair needs to find it again.

    `subject` stays the same while the fault lasts, so that nobody is told of one fault as of many.
    """

    subject: str
    text: str
    ref: int = 0


@dataclass(frozen=True, slots=True)
class Pulse:
    """One process as it found itself. Ages are in seconds since the part last came to an end."""

    instance: str
    tick_age: float = 0.0
    delivery_age: float = 0.0
    silent_duties: Mapping[str, float] = field(default_factory=dict)
    write_took: float = 0.0
    clock_off: timedelta = timedelta(0)  # how far the database's clock is from the process's
    beats_failed: int = 0  # calls of the outside watcher that failed in a row
    has_chat: bool = False
    rules_refused: bool = False  # the newest rules could not be read
