"""The engine as a patient: its real parts under a driven clock, with what phones, channels and the watcher received.

`World` holds the rows. Time passes in leaps; after each the tick, delivery and every minute the auditor have their
turn, unless a test has killed them. Real seconds are never waited for.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import update

from oncall_bot.core.situation import Content
from oncall_bot.engine.alarm import Alarm
from oncall_bot.engine.auditor import Auditor, Parts
from oncall_bot.engine.delivery import Delivery, Ports
from oncall_bot.engine.jobs import Jobs
from oncall_bot.engine.tick import Tick
from oncall_bot.flows.notices import HELP_TITLE
from oncall_bot.ports import ChatMessage, DeliveryError, LoudPage, Sent
from oncall_bot.store.tables import Table
from oncall_bot.store.transactions import Tx
from oncall_bot.telemetry.metrics import Telemetry
from tests.component.flows.world import World

LEAP_S = 10.0
AUDIT_EVERY_S = 60.0


@dataclass(frozen=True, slots=True)
class Rang:
    """One phone, once."""

    at: float
    whom: str
    title: str
    text: str


class Outside:
    """Phones, a chat and an outside watcher. Addresses in `away` answer nothing; those in `gone` refuse for good."""

    def __init__(self) -> None:
        self.away: set[str] = set()
        self.gone: set[str] = set()
        self.rang: list[Rang] = []
        self.posted: list[tuple[str, str]] = []
        self.beats: list[float] = []
        self.seconds = 0.0

    async def page(self, page: LoudPage) -> Sent:
        self._answer(page.address)
        self.rang.append(Rang(self.seconds, page.address, page.title, page.text))
        return Sent(f"phone-{len(self.rang)}")

    async def put(self, message: ChatMessage, *, first_tried_at: datetime | None) -> Sent:
        self._answer(message.channel)
        self.posted.append((message.channel, message.text))
        return Sent(message.ts or f"{len(self.posted)}.0", channel=message.channel)

    async def beat(self) -> None:
        self._answer("watcher")
        self.beats.append(self.seconds)

    def _answer(self, address: str) -> None:
        if address in self.gone:
            raise DeliveryError(f"{address} is gone", permanent=True)
        if address in self.away:
            raise DeliveryError(f"{address} does not answer")


def render(content: Content, now: datetime) -> tuple[str, Sequence[dict[str, object]]]:
    return type(content).__name__, [{"type": "section", "what": repr(content)}]


class Patient:
    """One process of the bot. `seconds` passes evenly, whatever happens to the clocks of database and process."""

    def __init__(
        self, world: World, *, instance: str = "me", outside: Outside | None = None
    ) -> None:
        self.world = world
        self.instance = instance
        self.outside = outside or Outside()
        self.wall = world.clock.now
        self.telemetry = Telemetry()
        self.dead: set[str] = set()
        self._audited = self.seconds()
        self.delivery = Delivery(
            world.store,
            Ports(render, self.outside, lambda: self.outside),
            instance=instance,
            telemetry=self.telemetry,
            now=world.clock,
            seconds=self.seconds,
        )
        self.tick = Tick(
            world.store,
            instance=instance,
            version="0",
            telemetry=self.telemetry,
            now=world.clock,
            seconds=self.seconds,
        )
        self.other_duties = Jobs(
            {"reconcile": (timedelta(seconds=60), self._reconcile)},
            now=lambda: self.wall,
            seconds=self.seconds,
        )
        self.auditor = Auditor(
            world.store,
            instance=instance,
            parts=Parts(
                tick_age=self.tick.age,
                delivery_age=self.delivery.age,
                silent_duties=self.other_duties.silent,
                has_chat=True,
            ),
            telemetry=self.telemetry,
            alarm=Alarm(world.store, lambda: self.outside, instance=instance, seconds=self.seconds),
            heartbeat=self.outside,
            now=lambda: self.wall,
            seconds=self.seconds,
            step_takes_at_most=1.0,
            pause=0.01,
        )

    def seconds(self) -> float:
        return self.outside.seconds

    async def _reconcile(self) -> None:
        pass

    @asynccontextmanager
    async def alive(self) -> AsyncIterator[None]:
        """Delivery runs inside the block."""
        running = asyncio.create_task(self.delivery.run())
        try:
            yield
        finally:
            await self.delivery.stop()
            await running

    async def rest(self) -> None:
        """Everything due at this instant is done and sent."""
        if "tick" not in self.dead:
            await self.tick.run()
        if "delivery" not in self.dead:
            assert await self.delivery.settled()

    async def pass_time(self, seconds: float) -> None:
        """As much time as that, and what it brings."""
        end = self.seconds() + seconds
        while self.seconds() < end:
            self.outside.seconds += LEAP_S
            self.wall += timedelta(seconds=LEAP_S)
            self.world.clock.advance(LEAP_S)
            await self.rest()
            if "reconcile" not in self.dead:
                await self.other_duties.catch_up()
            if "auditor" not in self.dead and self.seconds() - self._audited >= AUDIT_EVERY_S:
                self._audited = self.seconds()
                await self.auditor.run()
                await self.rest()

    # --- what the outside received ------------------------------------------------------------------------------

    def rang(self, whom: str, since: float = 0.0) -> list[Rang]:
        """Pages on this phone from that second on; words to admins are none."""
        return [
            r
            for r in self.outside.rang
            if r.whom == whom and r.at >= since and r.title != HELP_TITLE
        ]

    def cries(self, since: float = 0.0) -> list[Rang]:
        """Loud words to the admins."""
        return [r for r in self.outside.rang if r.title == HELP_TITLE and r.at >= since]

    # --- a vandal -----------------------------------------------------------------------------------------------

    def change(self, table: type[Table], *where: Any, **values: Any) -> None:
        """Write into rows what the bot never would."""

        def vandal(tx: Tx) -> None:
            tx.connection.execute(update(_of(table)).where(*where).values(**values))

        self.world.store.write(vandal).result(10)

    def delete(self, table: type[Table], *where: Any) -> None:
        def vandal(tx: Tx) -> None:
            tx.connection.execute(_of(table).delete().where(*where))

        self.world.store.write(vandal).result(10)

    def insert(self, table: type[Table], **values: Any) -> None:
        def vandal(tx: Tx) -> None:
            tx.connection.execute(_of(table).insert().values(**values))

        self.world.store.write(vandal).result(10)


def _of(table: type[Table]) -> Any:
    return table.__table__  # type: ignore[attr-defined]
