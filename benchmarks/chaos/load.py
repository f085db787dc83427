"""The load: services break one after the other, people answer, alerts end; each step is repeated until it is taken.

Knows how Alertmanager behaves (it posts again what got no 200) and how people do (they press once their telephone
rang). Refuses to know the bot. What happens is written into the ledger.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from benchmarks.chaos.bots import Bots
from benchmarks.chaos.installation import Installation
from benchmarks.chaos.ledger import Case, Ledger

REST = 62.0
"""A team's next incident comes no sooner, so that nothing is braked or becomes a storm."""
AGAIN = 0.25


class Load:
    """Breaks services while `running`, never more than `most` incidents at once."""

    def __init__(
        self,
        bots: Bots,
        installation: Installation,
        ledger: Ledger,
        rng: random.Random,
        *,
        most: int = 80,
        rate: float = 100.0,
        answers: bool = True,
        early_acks: float = 0.2,
        presses_links: bool = True,
    ) -> None:
        self._bots = bots
        self._installation = installation
        self._ledger = ledger
        self._rng = rng
        self._most = most
        self._pace = 1.0 / rate
        self._answers = answers
        self._early_acks = early_acks
        self._presses_links = presses_links
        self._free_at = dict.fromkeys(range(installation.teams), 0.0)
        self._count = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._answered: dict[str, asyncio.Event] = {}
        self.refused: dict[int, int] = {}
        self.running = True

    @property
    def open(self) -> int:
        return len(self._tasks)

    def rang(self, case: Case, ack_url: str | None, step: int) -> None:
        """A person's telephone rang; once all who must be asked were, the last one answers."""
        case.ack_url = ack_url or case.ack_url
        everybody = all(one in case.arrived for one in case.expected)
        if everybody and case.ack_url and self._presses_links:
            self.answered(case)

    def answered(self, case: Case) -> None:
        """Somebody answers, or has answered by another way already."""
        if case.name in self._answered:
            self._answered[case.name].set()

    async def run(self, enough: Callable[[], bool]) -> None:
        """Until `running` is over or there is `enough`."""
        while self.running and not enough():
            team = self._team()
            if team is None or len(self._tasks) >= self._most:
                await asyncio.sleep(0.02)
                continue
            self.begin(team)
            await asyncio.sleep(self._pace)

    def begin(self, team: int) -> Case:
        """One service breaks."""
        self._free_at[team] = time.monotonic() + REST
        case = self._case(team)
        self._ledger.add(case)
        self._answered[case.name] = asyncio.Event()
        task = asyncio.create_task(self._live(case))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return case

    def unposted(self, team: int) -> Case:
        """A service breaks; who asks posts it, together with others."""
        case = self._case(team)
        case.posted_at, case.tries = time.time(), 1
        self._ledger.add(case)
        return case

    async def drained(self, within: float) -> bool:
        """Wait until everything that began came to its end."""
        until = time.monotonic() + within
        while self._tasks and time.monotonic() < until:
            await asyncio.sleep(0.05)
        return not self._tasks

    def abandon(self) -> None:
        for task in self._tasks:
            task.cancel()

    def _team(self) -> int | None:
        team = min(self._free_at, key=lambda one: self._free_at[one])
        return team if self._free_at[team] <= time.monotonic() else None

    def _case(self, team: int) -> Case:
        given = self._installation
        self._count += 1
        last = given.steps - 1
        if self._rng.random() < self._early_acks and last > 0:
            last = self._rng.randrange(last)
        return Case(
            name=f"Chaos{self._count:07d}",
            team=team,
            people=tuple(given.person(team, step) for step in range(given.steps)),
            dues=tuple(given.gap * step for step in range(given.steps)),
            ack_after_step=last,
        )

    async def _live(self, case: Case) -> None:
        """From the first post to the last."""
        starts_at = datetime.now(UTC)
        await self._tell(case, alert_body([case], starts_at), first=True)
        if not self._answers:
            return
        await self._answered[case.name].wait()
        await self._press(case)
        await self._tell(case, alert_body([case], starts_at, datetime.now(UTC)), first=False)
        case.ended_at = time.time()
        del self._answered[case.name]

    async def _tell(self, case: Case, body: dict[str, Any], *, first: bool) -> None:
        while True:
            await self._bots.somebody()
            if first:
                case.posted_at = time.time()
                case.tries += 1
            status = await self._bots.post("/webhook/alertmanager", body)
            if status == 200:
                if first:
                    self._ledger.accept(case, time.time())
                return
            self.refused[status] = self.refused.get(status, 0) + 1
            await asyncio.sleep(AGAIN)

    async def _press(self, case: Case) -> None:
        if case.acked_at is not None:
            return
        assert case.ack_url is not None
        path = "/ack/" + case.ack_url.rpartition("/ack/")[2]
        await self._bots.somebody()
        while await self._bots.post(path) != 200:
            await asyncio.sleep(AGAIN)
            await self._bots.somebody()
        case.acked_at = time.time()


def alert_body(
    cases: Sequence[Case], starts_at: datetime | None = None, ends_at: datetime | None = None
) -> dict[str, Any]:
    """A webhook body, version 4, of these alerts: firing, or over when `ends_at` is given."""
    status = "resolved" if ends_at else "firing"
    alerts = [
        {
            "status": status,
            "labels": {"alertname": case.name, "service": f"s{case.team}", "severity": "critical"},
            "annotations": {"summary": f"{case.name} is broken"},
            "startsAt": _text(starts_at or datetime.now(UTC)),
            "endsAt": _text(ends_at) if ends_at else "0001-01-01T00:00:00Z",
            "generatorURL": "http://prometheus:9090/graph",
            "fingerprint": "",
        }
        for case in cases
    ]
    return {
        "version": "4",
        "groupKey": f'{{}}:{{alertname="{cases[0].name}"}}',
        "truncatedAlerts": 0,
        "status": status,
        "receiver": "oncall",
        "groupLabels": {},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager:9093",
        "alerts": alerts,
    }


def _text(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
