"""A thread of its own that looks whether the tick still comes: a scheduler can die without a word.

Knows one number and one way out. A process whose clock is dead must not look alive, so it ends with status 70 and its
supervisor starts it again; nothing is lost, all of it lies in rows. Serves the process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 5.0
LATE_AFTER_S = 15.0
DEAD_AFTER_S = 120.0


class Watchdog:
    def __init__(
        self,
        age: Callable[[], float],
        *,
        observe: Callable[[float], None],
        on_dead: Callable[[], None],
        look_every: float = LOOK_EVERY_S,
        dead_after: float = DEAD_AFTER_S,
    ) -> None:
        self._age = age
        self._observe = observe
        self._on_dead = on_dead
        self._look_every = look_every
        self._dead_after = dead_after
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(timeout=2)

    def _watch(self) -> None:
        while not self._stop.wait(self._look_every):
            age = self._age()
            self._observe(age)
            if age > self._dead_after:
                log.critical("tick_dead", age=round(age))
                self._on_dead()
                return
            if age > LATE_AFTER_S:
                log.error("tick_late", age=round(age))
