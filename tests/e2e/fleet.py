"""Several `oncall-bot serve` on one PostgreSQL, in one little world.

Knows how to start, stop, stop the clock of, freeze and kill each of them, and how to cut them off from the database.
Serves the tests of replicas, upgrades and clocks.
"""

from __future__ import annotations

import contextlib
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from tests.e2e.world import CONFIG, Reply, Serve, World, alert, body, http, wait_until

FAKETIME = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))


TEAMS = 12
"""In `CONFIG_OF_MANY`. Twenty incidents of one team in a minute are a storm and one page; a load keeps below that."""


def config_of_many(step_after: str = "5m") -> str:
    """The usual file with twelve services, each of a team of its own."""
    found = CONFIG.replace("after: 5m", f"after: {step_after}")
    for what, line in (
        (
            "teams",
            '  t{n}: {{members: [alice, bob], channel: "#incidents", fallback: [person:carol]}}',
        ),
        ("services", "  s{n}: {{team: t{n}, policy: p{n}, label_values: [s{n}]}}"),
        (
            "policies",
            "  p{n}: {{ack_timeout: 30m, steps: [{{after: 0m, page: [schedule:shop-primary]}}]}}",
        ),
    ):
        lines = "\n".join(line.format(n=n) for n in range(TEAMS))
        found = found.replace(f"\n{what}:\n", f"\n{what}:\n{lines}\n")
    return found


class Load:
    """Posts an alert, each of a name of its own, so many times a second until the end of the block.

    As Alertmanager does it asks the next one when one does not take it, and tries until it is taken.
    """

    def __init__(self, targets: Sequence[World], every: float) -> None:
        self.targets = list(targets)
        self.taken: dict[str, float] = {}
        self.refused = 0
        self._every = every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join(60)

    def _run(self) -> None:
        n = 0
        while not self._stop.wait(self._every):
            name = f"Load{n:04d}"
            self._post(name, body(alert(name, service=f"s{n % TEAMS}")), n)
            n += 1

    def _post(self, name: str, content: Mapping[str, Any], turn: int) -> None:
        for again in range(400):
            targets = self.targets
            with contextlib.suppress(OSError):
                if targets[(turn + again) % len(targets)].post(content, timeout=10).status == 200:
                    self.taken[name] = time.monotonic()
                    return
            self.refused += 1
            time.sleep(0.1)
        raise AssertionError(f"nobody took {name}")

    def more(self, count: int) -> Callable[[], bool]:
        """A question: have so many more been taken since now?"""
        before = len(self.taken)
        return lambda: len(self.taken) >= before + count

    def _rang(self, rings: Sequence[Mapping[str, Any]]) -> dict[str, list[float]]:
        """When each alert was told of. A message of many incidents names ten and says how many more there are: these
        are the oldest that no message names, as far as they were taken by then."""
        rang: dict[str, list[float]] = {}
        for ring in rings:
            told = re.findall(r"Load ?\d{4}", ring["title"] + " " + ring["message"])
            for name in {one.replace(" ", "") for one in told}:
                rang.setdefault(name, []).append(ring["at"])
        for ring in rings:
            found = re.search(r"And (\d+) more\.", ring["message"])
            unnamed = sorted(self.taken.keys() - rang.keys())
            by_then = [name for name in unnamed if self.taken[name] <= ring["at"] + 1]
            for name in by_then[: int(found[1]) if found else 0]:
                rang[name] = [ring["at"]]
        return rang

    def judged(self, world: World, within: float = 90, takeovers: int = 0) -> str:
        """Every alert that was taken rang; twice at most as often as a message was taken over from a process that
        gave no sign of life, as on a machine with no time for it. A line with the figures."""
        rang: dict[str, list[float]] = {}

        def lost() -> list[str]:
            rang.clear()
            rang.update(self._rang(world.rings("alice-phone")))
            return sorted(self.taken.keys() - rang.keys())

        world.until(lambda: not lost(), f"a ring for each: {lost()[:5]}", within=within)
        doubled = {name for name, times in rang.items() if len(times) > 1}
        late = sorted(max(0.0, rang[name][0] - at) for name, at in self.taken.items())
        p50, p99 = late[len(late) // 2], late[min(len(late) - 1, len(late) * 99 // 100)]
        assert len(doubled) <= takeovers, doubled
        return (
            f"taken {len(self.taken)}, refused and tried again {self.refused}, lost 0, doubled {len(doubled)}, "
            f"from the answer to the ring: p50 {p50:.2f} s, p99 {p99:.2f} s, max {late[-1]:.2f} s"
        )


@dataclass
class Fleet:
    """`each[n]` is the world as seen through replica n; they share phones, Slack and database."""

    world: World
    each: list[World] = field(default_factory=list)

    def add(self, **env: str) -> World:
        """One replica more, not started."""
        folder = self.world.folder / f"replica-{len(self.each)}"
        folder.mkdir()
        serve = Serve(folder, {**self.world.serve.env, **env})
        self.each.append(replace(self.world, serve=serve))
        return self.each[-1]

    def start(self, count: int, **env: str) -> Fleet:
        """So many replicas, at the same moment, and wait until each is ready and holds a line to Slack."""
        for _ in range(count):
            self.add(**env)
        with ThreadPoolExecutor(count) as pool:
            list(pool.map(lambda one: one.serve.start({}), self.each))
        self.connected(count)
        return self

    def connected(self, count: int) -> None:
        if self.world.slack is not None and self.world.mode == "socket":
            self.until(
                lambda: len(self.world.slack.server.sockets) == count, f"{count} lines to Slack"
            )

    def until(self, look: Callable[[], Any], what: str, within: float = 90.0) -> Any:
        return wait_until(
            look, within, why=lambda: f"Waited for: {what}\n{self.logs()}\n{self.world.evidence()}"
        )

    def logs(self) -> str:
        return "\n".join(f"--- {n}\n{one.serve.log(12)}" for n, one in enumerate(self.each))

    def at_once(self, calls: Sequence[Callable[[], Reply]]) -> list[Reply]:
        with ThreadPoolExecutor(len(calls)) as pool:
            return list(pool.map(lambda call: call(), calls))

    def post_to_all(self, *alerts: Mapping[str, Any]) -> list[int]:
        """The same alerts to every replica at the same moment, as the peers of an Alertmanager may."""
        return [
            reply.status
            for reply in self.at_once(
                [lambda one=one: one.post(body(*alerts)) for one in self.each]
            )  # type: ignore[misc]
        ]

    def stop(self) -> None:
        for one in self.each:
            process = one.serve.process
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
                process.wait(10)

    # --- the database ---------------------------------------------------------------------------------------------

    def execute(self, sql: str, **params: Any) -> list[tuple[Any, ...]]:
        """On the server, outside of the bot's database, so that it works while nobody may enter that."""
        url = make_url(self.world.database).set(drivername="postgresql+psycopg")
        engine = create_engine(
            url.set(database="postgres"), poolclass=NullPool, isolation_level="AUTOCOMMIT"
        )
        with engine.connect() as connection:
            done = connection.execute(text(sql), {"db": url.database, **params})
            return [tuple(row) for row in done] if done.returns_rows else []

    @contextmanager
    def database_away(self) -> Iterator[None]:
        """Nobody is connected and nobody may connect, until the end of the block."""
        name = make_url(self.world.database).database
        self.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        self.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :db")
        try:
            yield
        finally:
            self.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')

    def listeners(self) -> list[int]:
        """Backends that listen for word from other processes."""
        rows = self.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = :db AND query LIKE 'LISTEN %'"
        )
        return [row[0] for row in rows]

    # --- what became of it ------------------------------------------------------------------------------------------

    def signal(self, one: World, what: signal.Signals) -> None:
        assert one.serve.process is not None
        one.serve.process.send_signal(what)

    def waits(self) -> list[dict[str, Any]]:
        """Messages not sent yet."""
        return self.world.rows("SELECT id FROM outbox WHERE state IN ('pending', 'sending')")


def readiness(one: World) -> tuple[int, str]:
    """The status and text of /-/ready; 0 when nobody answers."""
    try:
        reply = http(f"{one.serve.url}/-/ready", timeout=5)
    except OSError:
        return 0, ""
    return reply.status, reply.body


def skewed(folder: Path, offset: str) -> tuple[dict[str, str], Callable[[str], None]]:
    """The environment of a process whose wall clock is off by so much ('+600s'), and how to step it while it runs.

    Its monotonic clock is left alone, as it is when the clock of a machine is set.
    """
    file = folder / "clock"
    file.write_text(f"{offset}\n")
    env = {
        "LD_PRELOAD": str(FAKETIME[0]),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_CACHE_DURATION": "1",  # a step is seen within a second
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    return env, lambda to: _replace(file, f"{to}\n")


def _replace(file: Path, content: str) -> None:
    new = file.with_suffix(".new")
    new.write_text(content)
    new.rename(file)
