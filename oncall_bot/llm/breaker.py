"""A server that failed several times in a row is left alone for a while, then tried with one call.

A state machine with the clock as an argument (seconds that only grow). Refuses to know what a failure is.
Serves the model client; every thread that asks the same server shares one.
"""

from __future__ import annotations

import threading

FAILURES = 3
FIRST_PAUSE = 30.0
LONGEST_PAUSE = 300.0


class Breaker:
    """Closed until `failures` in a row; then open for a pause that doubles while the one trial fails, too."""

    def __init__(self, failures: int = FAILURES, first_pause: float = FIRST_PAUSE) -> None:
        self._most = failures
        self._first_pause = first_pause
        self._lock = threading.Lock()
        self._failed = 0
        self._pause = 0.0
        self._opens_at = 0.0
        self._trial = False

    def wait(self, now: float) -> float:
        """Seconds until a call may go out; 0.0 admits this one, as the trial if the server was left alone."""
        with self._lock:
            if self._pause == 0.0:
                return 0.0
            if now < self._opens_at:
                return self._opens_at - now
            if self._trial:
                return self._first_pause
            self._trial = True
            return 0.0

    def succeeded(self) -> None:
        """The server works: forget what was."""
        with self._lock:
            self._failed, self._pause, self._trial = 0, 0.0, False

    def failed(self, now: float) -> None:
        """One more failure; the last of a row, or a failed trial, begins a pause."""
        with self._lock:
            self._failed += 1
            if self._trial:
                self._pause = min(2 * self._pause, LONGEST_PAUSE)
            elif self._failed >= self._most and self._pause == 0.0:
                self._pause = self._first_pause
            else:
                return
            self._trial = False
            self._opens_at = now + self._pause

    def given_up(self) -> None:
        """The call ended without telling anything about the server: the next one may be the trial."""
        with self._lock:
            self._trial = False
