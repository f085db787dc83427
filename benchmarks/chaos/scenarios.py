"""The two great scenarios: a calm run, by which lateness is measured, and the run of kills.

Knows their order and their targets. The faults of the world around are in `faults`. Serves the command.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from benchmarks.chaos.bots import Bot
from benchmarks.chaos.installation import Installation
from benchmarks.chaos.kills import Reaper
from benchmarks.chaos.ledger import figures, percentile
from benchmarks.chaos.report import Progress, Verdict, counted, deaths, lateness
from benchmarks.chaos.stage import Stage, stage


@dataclass(frozen=True)
class Wish:
    """What the command asked for."""

    database: str = "sqlite"
    processes: int = 1
    seed: int = 1
    pages: int = 2000
    kills: int = 40
    minutes: float = 30.0
    down_for: float = 30.0
    most: int = 60
    rate: float = 100.0
    teams: int = 120
    timers: int = 10_000
    quick_births: bool = False
    quick: bool = False
    keep: bool = False

    @property
    def where(self) -> str:
        return f"{self.database}, {self.processes} process{'es' if self.processes > 1 else ''}"


Scenario = Callable[[Wish], Awaitable[Verdict]]


def _stage(wish: Wish, *, quick_births: bool) -> AbstractAsyncContextManager[Stage]:
    return stage(
        Installation(teams=wish.teams),
        wish.database,
        seed=wish.seed,
        processes=wish.processes,
        most=wish.most,
        rate=wish.rate,
        keep=wish.keep,
        quick_births=quick_births,
    )


async def calm(wish: Wish) -> Verdict:
    """Nobody dies and nothing fails: 0 lost, 0 doubled, steps on time."""
    verdict = Verdict(f"calm ({wish.where})")
    async with _stage(wish, quick_births=False) as on:
        await on.bots.start()
        drained = await _flow(on, "calm", lambda: on.ledger.pages() >= wish.pages)
        counted(verdict, on.ledger, drained=drained)
        _starts(verdict, on.bots.all)
        late, _ = lateness(verdict, on.ledger)
        verdict.must(not sum(on.ledger.doubled().values()), "doubled without a kill")
        verdict.should(percentile(late, 0.5) <= 0.5, "p50 <= 0.5 s")
        verdict.should(percentile(late, 0.99) <= 1.0, "p99 <= 1 s")
        evidence(verdict, on)
    return verdict


async def kills(wish: Wish) -> Verdict:
    """Death at random and at every fault point: nothing lost, nothing twice in Slack, no step late for long."""
    verdict = Verdict(f"kills ({wish.where}, seed {wish.seed})")
    async with _stage(wish, quick_births=wish.quick_births) as on:
        await on.bots.all[0].start()  # migrated before anybody dies
        await on.bots.all[0].stop()
        until = time.monotonic() + wish.minutes * 60

        def enough() -> bool:
            over = time.monotonic() > until
            counts = (on.ledger.pages(), sum(on.ledger.kills.values()))
            return over or (counts[0] >= wish.pages and counts[1] >= wish.kills)

        life = (1.0, 3.0 + 3.0 * wish.processes)
        reaper = Reaper(on.ledger, on.rng, life=life)
        dying = asyncio.create_task(reaper.haunt_all(on.bots.all, enough))
        drained = await _flow(on, "kills", enough, before_the_end=dying)
        deaths(verdict, on.ledger)
        counted(verdict, on.ledger, drained=drained)
        _starts(verdict, on.bots.all)
        late, _ = lateness(verdict, on.ledger)
        total = sum(on.ledger.doubled().values())
        most = sum(on.ledger.rings.values()) / 1000
        verdict.must(total <= most, f"doubled {total}, more than 0.1 %")
        if wish.processes > 1:
            verdict.should(percentile(late, 0.99) <= 2.0, "p99 <= 2 s")
        evidence(verdict, on)
    return verdict


async def _flow(
    on: Stage,
    name: str,
    enough: Callable[[], bool],
    before_the_end: Awaitable[None] | None = None,
) -> bool:
    progress = Progress(name)
    flowing = asyncio.create_task(on.load.run(enough))
    while not flowing.done():
        await asyncio.sleep(0.5)
        progress.tell(on.ledger, f"({on.load.open} open)")
    await flowing
    if before_the_end is not None:
        await before_the_end
    print(f"  {name}: no more alerts, {on.load.open} incidents go to their end", flush=True)
    return await on.drained()


def _starts(verdict: Verdict, bots: list[Bot]) -> None:
    took = [one for bot in bots for one in bot.start_took]
    verdict.say(f"ready after start: {figures(took)}; of {len(took)} starts")
    verdict.should(percentile(sorted(took), 0.99) <= 4.0, "ready <= 4 s after start (p99)")


def evidence(verdict: Verdict, on: Stage) -> None:
    verdict.say(
        f"Slack: {sum(on.slack.calls.values())} calls, {sum(on.slack.refused.values())} refused "
        f"{dict(on.slack.refused)}, {on.slack.connections} connections; answers of the webhook other than 200: "
        f"{on.load.refused}"
    )
    admin = sorted(set(on.ledger.admin))
    if admin:
        verdict.say(f"admins were told {len(on.ledger.admin)} times: {admin[:3]}")
    if verdict.faults:
        print(on.words(), flush=True)
