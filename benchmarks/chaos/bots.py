"""`python -m oncall_bot serve` as real processes: started, watched, killed, started again at once.

Knows processes and their readiness as seen from outside. Refuses to know alerts. Serves the load, which posts to
whoever lives, and the kills. Every life is written into the ledger.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.chaos.databases import free_port
from benchmarks.chaos.ledger import Ledger, Life
from benchmarks.chaos.nursery import Born, Nursery

ROOT = Path(__file__).parents[2]
TOKEN = "chaos-token-of-the-default-source"
READY_WITHIN = 180.0


class Bot:
    """One process. `restarts` is asked for the environment of each new life; None leaves it dead."""

    def __init__(
        self,
        number: int,
        folder: Path,
        env: Mapping[str, str],
        ledger: Ledger,
        http: aiohttp.ClientSession,
        before: tuple[str, ...] = (),
        nursery: Nursery | None = None,
    ) -> None:
        self.number = number
        self.port = free_port()
        self.log = folder / f"bot-{number}.log"
        self.process: subprocess.Popen[bytes] | Born | None = None
        self.ready = False
        self.started_at = 0.0
        self.start_took: list[float] = []
        self._folder = folder
        self._env = dict(env)
        self._ledger = ledger
        self._http = http
        self._before = before
        self._nursery = nursery
        self._life: Life | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    async def start(self, *, wait: bool = True, **env: str) -> None:
        """A new life; with `wait`, until it is ready."""
        clean = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith("ONCALL_") and key != "PYTHONDONTWRITEBYTECODE"
        }
        given = {"ONCALL_HOST": "127.0.0.1", "ONCALL_PORT": str(self.port), **self._env, **env}
        whole = {**clean, "PYTHONPATH": str(ROOT), **given}
        self.started_at = time.time()
        if self._nursery is not None:
            self.process = self._nursery.bear(whole, self._folder, self.log)
        else:
            with self.log.open("ab") as log:
                self.process = subprocess.Popen(
                    [*self._before, sys.executable, "-m", "oncall_bot", "serve"],
                    cwd=self._folder,
                    env=whole,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
        if wait:
            await self.until_ready()

    async def until_ready(self, within: float = READY_WITHIN) -> bool:
        """True once it says so; False when it died before."""
        until = time.monotonic() + within
        while time.monotonic() < until:
            if not self.alive:
                return False
            if await self.is_ready():
                now = time.time()
                self.ready = True
                self.start_took.append(now - self.started_at)
                self._life = Life(now)
                self._ledger.lives.append(self._life)
                return True
            await asyncio.sleep(0.03)
        raise SystemExit(f"not ready in {within:g} s\n{self.last_words()}")

    async def is_ready(self) -> bool:
        with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
            within = aiohttp.ClientTimeout(total=3)
            async with self._http.get(f"{self.url}/-/ready", timeout=within) as answer:
                return answer.status == 200
        return False

    async def died(self) -> int:
        """Wait until it is gone; how it ended."""
        assert self.process is not None
        while self.process.poll() is None:
            await asyncio.sleep(0.01)
        self.buried()
        return self.process.returncode

    def kill(self) -> None:
        """As by kill -9."""
        if self.process is not None and self.alive:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(10)
        self.buried()

    async def stop(self) -> None:
        """Politely, as an orchestrator does."""
        if self.process is None:
            return
        if self.alive:
            self.process.terminate()
            try:
                await asyncio.wait_for(self.died(), 20)
            except TimeoutError:
                self.kill()
        self.buried()

    def buried(self) -> None:
        self.ready = False
        if self._life is not None and self._life.died_at is None:
            self._life.died_at = time.time()

    def last_words(self, lines: int = 30) -> str:
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


class Bots:
    """All processes of one installation."""

    def __init__(self, bots: list[Bot], http: aiohttp.ClientSession) -> None:
        self.all = bots
        self.http = http
        self._next = 0

    async def start(self, **env: str) -> None:
        for bot in self.all:  # the first migrates
            await bot.start(**env)

    async def stop(self) -> None:
        await asyncio.gather(*(bot.stop() for bot in self.all))

    async def somebody(self) -> None:
        """Wait until there is a process to ask."""
        while not any(bot.ready for bot in self.all):
            await asyncio.sleep(0.1)

    def one(self) -> Bot | None:
        """A process that could be asked now, in turns."""
        ready = [bot for bot in self.all if bot.ready]
        if not ready:
            return None
        self._next += 1
        return ready[self._next % len(ready)]

    async def post(self, path: str, body: Any = None, *, within: float = 30.0) -> int:
        """The status of one POST to one living process; 0 when there is none or it gave no answer."""
        bot = self.one()
        if bot is None:
            return 0
        headers = {"Authorization": f"Bearer {TOKEN}"} if body is not None else {}
        limit = aiohttp.ClientTimeout(total=within)
        try:
            async with self.http.post(
                bot.url + path, json=body, headers=headers, timeout=limit
            ) as answer:
                await answer.read()
                return answer.status
        except (aiohttp.ClientError, OSError, TimeoutError):
            return 0
