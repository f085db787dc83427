"""How much of what people ask is understood without a model, and how long an answer takes.

    python -m benchmarks.talk.run

The phrasings of tests/unit/core/talk, and answers from a store with a few dozen incidents and two hundred alerts.

Prints a table. Times are of this machine, alone or not: compare ratios.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from oncall_bot.core.outcomes import Actor
from oncall_bot.core.talk import Intent, Question
from oncall_bot.slack.answering import Place, answered
from oncall_bot.slack.callers import Caller
from oncall_bot.slack.edge import Edge
from oncall_bot.store import views
from oncall_bot.store.db import Store
from tests.component.flows.world import World
from tests.databases import HandClock, Sqlite
from tests.unit.core.talk.phrasings import Phrasing, is_hit, kind_of, phrasings, read

ALERTS, ROUNDS = 200, 30
ASKED = {
    "who is on call": Question(Intent.ON_CALL),
    "my shifts": Question(Intent.SHIFTS, person="ana"),
    "open incidents": Question(Intent.OPEN),
    "status of one": Question(Intent.STATUS, incident=0),
    "why was it paged": Question(Intent.WHY, incident=0),
    "who has it": Question(Intent.OWNER, incident=0),
    "what happened": Question(Intent.TIMELINE, incident=0),
    "how often": Question(Intent.HISTORY, alert="HighErrorRate"),
    "what fires": Question(Intent.FIRING, rota="checkout"),
    "a runbook": Question(Intent.RUNBOOK, subject="connection pool exhausted"),
}


def understood() -> None:
    """Hit rates by set, and what none of ours came to."""
    all_ = phrasings()
    for held in (False, True):
        name = "held" if held else "dev"
        ours = [p for p in all_ if p.held == held and p.kind not in {"none", "near", "smalltalk"}]
        none = [p for p in all_ if p.held == held and p.kind == "none"]
        _line(f"{name}: read right with all slots", ours, is_hit)
        _line(f"{name}: asked back", ours, lambda p: kind_of(read(p)) == "near" and not is_hit(p))
        wrong = Counter(kind_of(read(p)) for p in ours if not is_hit(p))
        print(f"{name}: otherwise {dict(wrong)}")
        _line(f"{name}: none of ours, answered", none, lambda p: kind_of(read(p)) not in _NONE)
        _line(f"{name}: none of ours, asked back", none, lambda p: kind_of(read(p)) == "near")
    spans = []
    for phrasing in all_ * 3:
        began = time.perf_counter()
        read(phrasing)
        spans.append((time.perf_counter() - began) * 1000)
    spans = sorted(spans[len(all_) :])
    print(
        f"to understand: p50 {statistics.median(spans):.2f} ms, p99 {spans[int(len(spans) * 0.99)]:.2f} ms"
    )


_NONE = {"none", "near", "smalltalk"}


def _line(what: str, of: list[Phrasing], true: Any) -> None:
    n = sum(1 for one in of if true(one))
    print(f"{what}: {n} of {len(of)}, {100 * n / len(of):.1f} %")


async def answers(world: World) -> None:
    """From an understood question to the drawn message."""
    edge: Any = Edge(world.store, None, None, None, clock=world.clock)  # type: ignore[arg-type] - nothing is sent
    place = Place(Caller("U0ANAANA1", Actor("person", "ana", "Ana Ruiz")), "C1", alone=True)
    last = world.store.look(views.latest_incidents, 1)[0].incident_id
    for name, asked in ASKED.items():
        question = replace(asked, incident=last) if asked.incident is not None else asked
        spans = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            await answered(edge, question, place)
            spans.append((time.perf_counter() - began) * 1000)
        print(f"{name}: p50 {statistics.median(spans):.1f} ms, worst {max(spans):.1f} ms")


def busy_world(folder: Path) -> World:
    clock = HandClock()
    store = Store(Sqlite(folder).fresh(), clock=clock)
    store.open()
    world = World(store, clock)
    for n in range(ALERTS):
        alert = world.alert("HighErrorRate" if n % 5 == 0 else f"Alert{n % 40}", shard=str(n))
        begun = clock.now
        world.told(alert, starts_at=begun)
        clock.now += timedelta(minutes=20)
        if n < ALERTS - 10:
            world.told(alert, starts_at=begun, ended=True)
        clock.now += timedelta(minutes=20)
    return world


def main() -> None:
    understood()
    with tempfile.TemporaryDirectory() as folder:
        world = busy_world(Path(folder))
        asyncio.run(answers(world))
        world.store.close()


if __name__ == "__main__":
    main()
