"""Death at random moments and at every fault point, and life again at once.

Knows how to kill a process from outside, and how to have it die by itself at the n-th reaching of a fault point. Serves
the scenario of kills; every death is counted in the ledger.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from benchmarks.chaos.bots import Bot
from benchmarks.chaos.ledger import Ledger
from oncall_bot.core.fault_points import FaultPoint

POINTS = [point.value for point in FaultPoint]
RANDOMLY = "at random"


class Reaper:
    """Kills one process after the other, and starts each again at once.

    `life` is (least, most) seconds of a life after its start; `at_points` is the share of lives that end at a fault
    point instead. A life that never reaches its point is ended from outside.
    """

    def __init__(
        self,
        ledger: Ledger,
        rng: random.Random,
        *,
        life: tuple[float, float] = (1.0, 5.0),
        at_points: float = 0.5,
    ) -> None:
        self._ledger = ledger
        self._rng = rng
        self._life = life
        self._at_points = at_points

    async def haunt(self, bot: Bot, enough: Callable[[], bool]) -> None:
        """Until `enough`: then the process is started once more and left in peace."""
        while not enough():
            point = self._rng.choice(POINTS) if self._rng.random() < self._at_points else None
            env = {}
            if point is not None:
                env["ONCALL_TEST_KILL_AT"] = f"{point}:{self._rng.randint(1, 60)}"
            await bot.start(wait=False, **env)
            dying = asyncio.create_task(bot.died())
            ready = await bot.until_ready()
            if ready:
                wait = self._rng.uniform(*self._life)
                await asyncio.wait({dying}, timeout=wait * 3 if point else wait)
            if dying.done():
                self._ledger.kills[point or "by itself"] += 1
                continue
            bot.kill()
            await dying
            self._ledger.kills[RANDOMLY] += 1
        await bot.start()

    async def haunt_all(self, bots: list[Bot], enough: Callable[[], bool]) -> None:
        """Several, each by itself; they begin one after the other."""
        await asyncio.gather(*(self.haunt(bot, enough) for bot in bots))
