"""Looks at an incident through Prometheus: draws the picture of what its rule measures, runs its runbook's checks.

Knows the order of questions and how long all of them may take. Refuses to decide what is drawn (core.graphs), to ask
(prometheus) and to draw (pictures). Serves delivery, as the kinds `picture` and `query` of the outbox: rows, so that a
crash loses none, in the last lane and at places of their own, so that no page ever waits for one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from oncall_bot.core.errors import BadInput
from oncall_bot.core.graphs import (
    DAY,
    WEEK,
    Graph,
    Labels,
    Series,
    Window,
    alt_text,
    graph_of,
    same_series,
    window_of,
)
from oncall_bot.core.live_checks import LiveCheck, Reading, judged, unread
from oncall_bot.core.promql import filled, measure_of
from oncall_bot.flows import looking
from oncall_bot.ports import DeliveryError, Instruments
from oncall_bot.store import views
from oncall_bot.store.db import Store
from oncall_bot.store.outbox import Fate
from oncall_bot.store.statements import Row
from oncall_bot.store.views import Subject

log = structlog.get_logger(__name__)

PICTURE_WITHIN, CHECKS_WITHIN = 25.0, 30.0
"""Seconds for all questions of one picture, or of one runbook; its lease is longer."""
AGAIN_AFTER = timedelta(minutes=1)
TRIES = 30
NONE_NAMED = "no Prometheus is named for it"


class Sight:
    def __init__(self, store: Store, given: Instruments, *, now: Callable[[], datetime]) -> None:
        self._store = store
        self._with = given
        self._now = now

    # --- the picture ----------------------------------------------------------------------------------------------

    async def draw(self, row: Row) -> Fate:
        """Draw the incident's picture and hand it to its card, unless a newer one was asked for."""
        about = await self._store.view(views.subject, int(row.payload["incident"]))
        if about is None or about.asked != row.payload["n"]:
            return Fate("outdated", answer="another one is asked for, or nothing is to be drawn")
        address = self._with.address_of(about.source)
        if address is None:
            return Fate("skipped", answer=NONE_NAMED)
        try:
            async with asyncio.timeout(PICTURE_WITHIN):
                return await self._drawn(about, address)
        except (DeliveryError, TimeoutError) as error:
            return await self._not_drawn(about, row, error)

    async def _drawn(self, about: Subject, address: str) -> Fate:
        expression = about.expression or await self._with.metrics.rule(address, about.alertname)
        if not expression:
            return Fate("skipped", answer="the rule's expression is not known")
        graph = await self._graph(about, address, expression)
        alt, file_id = alt_text(graph), None
        if self._with.album is not None and graph.now is not None:
            png = await asyncio.to_thread(self._with.picture.draw, graph)
            name = f"incident-{about.incident_id}-{about.asked}.png"
            file_id = await self._with.album.keep(png, name, alt)
        await self._store.write(
            looking.picture_drawn,
            about.incident_id,
            file_id=file_id,
            alt=alt,
            title=about.title,
            sentence=graph.sentence,
        )
        return Fate("sent", provider_id=file_id, answer=graph.sentence[:200] or "nothing measured")

    async def _graph(self, about: Subject, address: str, expression: str) -> Graph:
        """What is asked for: the measured part over the window, then a day and a week before, if they can be had."""
        measure = measure_of(expression)
        window = window_of(about.fired_at, about.ended_at, self._now())
        found = await self._with.metrics.over(address, measure.expr, window)
        graph, first = graph_of(
            about.title,
            measure,
            found,
            window,
            own=about.labels,
            fired_at=about.fired_at,
            ended_at=about.ended_at,
        )
        if first is None:
            return graph
        ask = self._earlier
        yesterday, last_week = await asyncio.gather(
            *(ask(address, measure.expr, window, by, first) for by in (DAY, WEEK))
        )
        return replace(graph, yesterday=yesterday, last_week=last_week)

    async def _earlier(
        self, address: str, expr: str, window: Window, by: timedelta, labels: Labels
    ) -> Sequence[tuple[float, float]]:
        try:
            found: Sequence[Series] = await self._with.metrics.over(
                address, expr, window.before(by)
            )
        except DeliveryError as error:
            log.info("picture_without_past", error=str(error)[:200])
            return ()
        return same_series(found, labels, by)

    async def _not_drawn(self, about: Subject, row: Row, error: Exception) -> Fate:
        """The card says why; silence is tried again every minute, while it may still help somebody."""
        fault = str(error) or f"the picture was not ready in {PICTURE_WITHIN:g} s"
        await self._store.write(looking.picture_failed, about.incident_id, fault)
        is_final = isinstance(error, DeliveryError) and error.permanent
        if is_final or not about.is_open or row.attempts >= TRIES:
            return Fate("skipped", answer=fault[:300])
        return Fate("failed", answer=fault[:300], retry_after=AGAIN_AFTER)

    # --- live checks ----------------------------------------------------------------------------------------------

    async def read(self, row: Row) -> Fate:
        """Run the checks of the incident's runbook and hand their values to its thread. A silent Prometheus says so."""
        about = await self._store.view(views.subject, int(row.payload["incident"]))
        if about is None or not about.checks:
            return Fate("outdated", answer="there is nothing to check")
        readings = await self._readings(about, self._now())
        await self._store.write(looking.values_read, about.incident_id, readings)
        read = sum(one.value is not None for one in readings)
        return Fate("sent", answer=f"{read} of {len(readings)} values read")

    async def _readings(self, about: Subject, at: datetime) -> list[Reading]:
        address = self._with.address_of(about.source)
        if address is None:
            return [unread(check, NONE_NAMED, at) for check in about.checks]
        asked = [
            asyncio.create_task(self._reading(check, about.labels[0], address, at))
            for check in about.checks
        ]
        _, late = await asyncio.wait(asked, timeout=CHECKS_WITHIN)
        for one in late:
            one.cancel()
        why = f"no answer in {CHECKS_WITHIN:g} s"
        return [
            unread(check, why, at) if one in late else one.result()
            for check, one in zip(about.checks, asked, strict=True)
        ]

    async def _reading(
        self, check: LiveCheck, labels: Labels, address: str, at: datetime
    ) -> Reading:
        try:
            query = filled(check.promql, labels)
            found = await self._with.metrics.instant(address, query, at=at.timestamp())
        except (BadInput, DeliveryError) as error:
            return unread(check, str(error), at)
        return judged(check, [(one.labels, one.value) for one in found], at)
