"""A hint from one process to the others on PostgreSQL: somebody committed work, and I am still here.

Knows LISTEN, an advisory lock that PostgreSQL frees the moment this process is gone, one connection on a thread of its
own, and how to come back when that connection is lost. Refuses to know what the work is. Serves `Store`. Nothing rests
on it: what was not heard is found at the next tick, and without the lock the sign of life counts (docs/decisions/0015).
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

import psycopg
import structlog
from sqlalchemy.engine import make_url

log = structlog.get_logger(__name__)

CHANNEL = "oncall_work"
LOOK_EVERY_S = 0.5
"""How long the wait for a word lasts before it is asked whether to stop."""
WAIT_S, WAIT_MAX_S = 0.2, 2.0
LIVES = 0x6F6E
"""The first key of the advisory locks by which processes are seen to live; the second is made of their names."""


class Listener:
    """Calls `heard` for every word of another process, and once after each connection: words may have been missed.

    With `instance` it also holds that name's lock for as long as the connection lasts; `held_for` says how long.
    """

    def __init__(
        self, url: str, sender: str, heard: Callable[[], None], instance: str | None = None
    ) -> None:
        address = make_url(url).set(drivername="postgresql")
        self._address = address.render_as_string(hide_password=False)
        self._sender = sender
        self._heard = heard
        self._instance = instance
        self._held_since: float | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="store-listen", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def held_for(self) -> float:
        """Seconds since which the connection lasts, and the lock with it; 0 when there is none."""
        since = self._held_since
        return time.monotonic() - since if since is not None else 0.0

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        wait = WAIT_S
        while not self._stopping.is_set():
            try:
                with psycopg.connect(self._address, autocommit=True, connect_timeout=3) as own:
                    if self._instance is not None:
                        own.execute(
                            "SELECT pg_advisory_lock(%s, hashtext(%s))", (LIVES, self._instance)
                        )
                    own.execute(f"LISTEN {CHANNEL}")
                    self._held_since = time.monotonic()
                    self._heard()
                    wait = WAIT_S
                    self._listen(own)
            except psycopg.Error as error:
                self._held_since = None
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
