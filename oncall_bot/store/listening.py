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
SETTLED_AFTER_S = 3.0
"""So long after the server came back all who live have their locks again: nobody waits longer than WAIT_MAX_S."""
LIVES = 0x6F6E
"""The first key of the advisory locks by which processes are seen to live; the second is made of their names."""


class Listener:
    """Calls `heard` for every word of another process, and once after each connection: words may have been missed.

    With `instance` it also holds that name's lock for as long as the connection lasts.
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
        self._server_was_there = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="store-listen", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def sees_others(self) -> bool:
        """Whether a lock that is free says that its process is gone.

        Not just after the server was away: then every lock is free for a moment. A process that has just begun and
        finds a server that was there before may judge at once.
        """
        since = self._held_since
        if since is None:
            return False
        return self._server_was_there or time.monotonic() - since > SETTLED_AFTER_S

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        wait, first = WAIT_S, True
        while not self._stopping.is_set():
            try:
                with psycopg.connect(self._address, autocommit=True, connect_timeout=3) as own:
                    if self._instance is not None:
                        own.execute(
                            "SELECT pg_advisory_lock(%s, hashtext(%s))", (LIVES, self._instance)
                        )
                    self._server_was_there = first and _up_for_s(own) > SETTLED_AFTER_S
                    own.execute(f"LISTEN {CHANNEL}")
                    self._held_since = time.monotonic()
                    self._heard()
                    wait = WAIT_S
                    self._listen(own)
            except psycopg.Error as error:
                self._held_since, first = None, False
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


def _up_for_s(connection: psycopg.Connection) -> float:
    row = connection.execute(
        "SELECT extract(epoch FROM clock_timestamp() - pg_postmaster_start_time())"
    ).fetchone()
    return float(row[0]) if row else 0.0
