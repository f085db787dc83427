"""`python -m benchmarks.chaos`: torment a real oncall-bot on loopback, and count what reached people."""

from __future__ import annotations

import argparse
import asyncio
import faulthandler
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop

from benchmarks.chaos.report import Verdict
from benchmarks.chaos.scenarios import Wish, calm, kills

Scenario = Callable[[Wish], Awaitable[Verdict]]
SCENARIOS: dict[str, Scenario] = {"calm": calm, "kills": kills}


def main() -> int:
    faulthandler.register(signal.SIGUSR1)
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--most", type=int, default=60)
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("--teams", type=int, default=240)
    parser.add_argument("--quick-births", action="store_true")
    parser.add_argument("--minutes", type=float, default=30)
    given = parser.parse_args()
    wish = Wish(database=given.database, processes=given.processes, seed=given.seed, pages=given.pages,
        kills=given.kills, most=given.most, minutes=given.minutes, teams=given.teams, rate=given.rate, quick_births=given.quick_births)
    failed = False
    for name in given.scenarios or ["kills"]:
        verdict = asyncio.run(SCENARIOS[name](wish), loop_factory=uvloop.new_event_loop) if sys.version_info >= (3, 12) else asyncio.Runner(loop_factory=uvloop.new_event_loop).run(SCENARIOS[name](wish))
        print(verdict.text(), flush=True)
        failed = failed or bool(verdict.faults)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
