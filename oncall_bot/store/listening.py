"""A hint from one process to the others on PostgreSQL: somebody committed work.

Knows LISTEN, one connection on a thread of its own, and how to come back when that connection is lost. Refuses to know
what the work is. Serves `Store`. Nothing rests on it: what was not heard is found at the next tick.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

import psycopg
import structlog
from sqlalchemy.engine import make_url

log = structlog.get_logger(__name__)

CHANNEL = "oncall_work"
LOOK_EVERY_S = 0.5
"""How long the wait for a word lasts before it is asked whether to stop."""
WAIT_S, WAIT_MAX_S = 0.2, 10.0


class Listener:
    """Calls `heard` for every word of another process, and once after each connection: words may have been missed."""

    def __init__(self, url: str, sender: str, heard: Callable[[], None]) -> None:
        address = make_url(url).set(drivername="postgresql")
        self._address = address.render_as_string(hide_password=False)
        self._sender = sender
        self._heard = heard
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="store-listen", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        wait = WAIT_S
        while not self._stopping.is_set():
            try:
                with psycopg.connect(self._address, autocommit=True, connect_timeout=3) as own:
                    own.execute(f"LISTEN {CHANNEL}")
                    self._heard()
                    wait = WAIT_S
                    self._listen(own)
            except psycopg.Error as error:
                log.warning("listener_lost", error=str(error)[:200], again_in=round(wait, 1))
                self._stopping.wait(wait * random.uniform(0.8, 1.2))  # noqa: S311 - jitter, not a secret
                wait = min(wait * 2, WAIT_MAX_S)

    def _listen(self, own: psycopg.Connection) -> None:
        while not self._stopping.is_set():
            for word in own.notifies(timeout=LOOK_EVERY_S):
                if word.payload != self._sender:
                    self._heard()
                if self._stopping.is_set():
                    return
