"""Metrics for whoever may block: a question from another thread is asked on the loop, and waited for.

Knows which Prometheus is asked when none is named: that of the first source that has one. Refuses to know queries and
limits (the port has them). Keeps `ports.Gauge`; serves the assistant's tools.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from oncall_bot.core.graphs import Series, window_of
from oncall_bot.ports import DeliveryError, Instruments, Sample

WITHIN_S = 12.0
"""A little more than the port waits for Prometheus."""

T = TypeVar("T")


class LoopGauge:
    def __init__(self, instruments: Instruments, loop: asyncio.AbstractEventLoop) -> None:
        self._instruments = instruments
        self._loop = loop

    def instant(self, promql: str, at: datetime) -> Sequence[Sample]:
        metrics = self._instruments.metrics
        return self._wait(metrics.instant(self._address(), promql, at=at.timestamp()))

    def over(self, promql: str, until: datetime, span: timedelta) -> Sequence[Series]:
        window = window_of(None, None, until, span)
        return self._wait(self._instruments.metrics.over(self._address(), promql, window))

    def _address(self) -> str:
        sources = self._instruments.sources()
        address = self._instruments.address_of(sources[0]) if sources else None
        if address is None:
            raise DeliveryError("No Prometheus is configured.", permanent=True)
        return address

    def _wait(self, asked: Coroutine[Any, Any, T]) -> T:
        answer = asyncio.run_coroutine_threadsafe(asked, self._loop)
        try:
            return answer.result(WITHIN_S)
        except TimeoutError:
            answer.cancel()
            raise DeliveryError(f"Prometheus gave no answer in {WITHIN_S:.0f} s.") from None
