"""A thread of its own that looks whether the vital parts still come: a scheduler can die without a word.

Knows ages and one way out. A process whose tick, delivery or auditor is dead must not look alive: it leaves a last
word for the admins, ends with status 70, and its supervisor starts it again; nothing is lost, all of it lies in rows.
Refuses APScheduler and the event loop: it must see them die. Serves the process, and the auditor, which nobody else
watches.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 5.0
LATE_AFTER_S = 15.0
DEAD_AFTER_S = 100.0


@dataclass(frozen=True, slots=True)
class Vital:
    """A part without which nobody is paged. `age()`: seconds since it last came to an end."""

    name: str
    age: Callable[[], float]
    late_after: float = LATE_AFTER_S
    dead_after: float = DEAD_AFTER_S


class Watchdog:
    """`on_look` runs at every look; `on_dead` once, with the name of a part found dead twice; both on this thread."""

    def __init__(
        self,
        vitals: Sequence[Vital],
        *,
        on_dead: Callable[[str], None],
        on_look: Callable[[], None] = lambda: None,
        look_every: float = LOOK_EVERY_S,
    ) -> None:
        self._vitals = vitals
        self._on_look = on_look
        self._on_dead = on_dead
        self._look_every = look_every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(timeout=2)

    def _watch(self) -> None:
        before: set[str] = set()
        while not self._stop.wait(self._look_every):
            self._on_look()
            dead = {vital.name for vital in self._vitals if self._is_dead(vital)}
            if lasting := sorted(
                dead & before
            ):  # a process that was only paused has moved by the second look
                self._on_dead(lasting[0])
                return
            before = dead

    def _is_dead(self, vital: Vital) -> bool:
        age = vital.age()
        if age > vital.dead_after:
            log.critical("vital_part_dead", part=vital.name, age=round(age))
            return True
        if age > vital.late_after:
            log.error("vital_part_late", part=vital.name, age=round(age))
        return False
