"""How long a picture takes: the SVG, the PNG, and the three questions before it when a Prometheus is named.

`png` is what the bot waits for, by the clock; `cpu` is what drawing costs in the process that draws.


    python benchmarks/pictures/run.py [--times 50] [--prometheus http://localhost:9090] [--out FILE]

Draws the awkward ones too: twenty series, hostile labels, nothing measured. Prints medians and the slowest.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import platform
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from oncall_bot.core.graphs import DAY, WEEK, Graph, Series, graph_of, window_of
from oncall_bot.core.promql import measure_of
from oncall_bot.pictures.drawing import png_of
from oncall_bot.pictures.graph import svg_of
from oncall_bot.pictures.png import PngPictures
from oncall_bot.prometheus.queries import PrometheusMetrics

NOW = datetime(2026, 11, 22, 3, 13, tzinfo=UTC)
EXPR = "sum(rate(errors_total[5m])) / sum(rate(requests_total[5m])) > 0.02"
WITHIN_MS = 300


def series(value: Callable[[float], float], count: int = 1, label: str = "web") -> list[Series]:
    window = window_of(NOW - timedelta(minutes=6), None, NOW)
    start = window.start.timestamp()
    steps = int((window.end - window.start).total_seconds()) // window.step
    return [
        Series(
            {"pod": f"{label}-{n}"},
            [(start + k * window.step, value(k / steps) * (1 + n / 50)) for k in range(steps + 1)],
        )
        for n in range(count)
    ]


def graph(title: str, found: list[Series]) -> Graph:
    fired_at = NOW - timedelta(minutes=6)
    window = window_of(fired_at, None, NOW)
    return graph_of(title, measure_of(EXPR), found, window, fired_at=fired_at)[0]


def cases() -> dict[str, Graph]:
    def rising(share: float) -> float:
        return 0.006 + 0.08 / (1 + math.exp(-(share - 0.8) * 40))

    return {
        "one series": graph("High error rate on checkout", series(rising)),
        "20 series": graph("High error rate on checkout", series(rising, 20)),
        "hostile labels": graph("<b>&" * 40, series(rising, 4, "<svg onload=x>\u202e日本" * 8)),
        "nothing": graph("High error rate on checkout", []),
    }


def timed(
    work: Callable[[], object], times: int, clock: Callable[[], float] = time.perf_counter
) -> list[float]:
    work()
    taken = []
    for _ in range(times):
        began = clock()
        work()
        taken.append((clock() - began) * 1000)
    return taken


async def questions(address: str, times: int) -> list[float]:
    """The three windows of one picture, asked as the bot asks them."""
    metrics = PrometheusMetrics()
    taken = []
    for _ in range(times):
        now = datetime.now(UTC)
        window = window_of(now - timedelta(minutes=6), None, now)
        began = time.perf_counter()
        await asyncio.gather(
            metrics.over(address, "up", window),
            *(metrics.over(address, "up", window.before(by)) for by in (DAY, WEEK)),
        )
        taken.append((time.perf_counter() - began) * 1000)
    metrics.close()
    return taken


def summed(taken: list[float]) -> dict[str, float]:
    return {"median_ms": round(median(taken), 1), "slowest_ms": round(max(taken), 1)}


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--times", type=int, default=50)
    asked.add_argument("--prometheus")
    asked.add_argument("--out", type=Path)
    given = asked.parse_args()
    png = PngPictures()
    found: dict[str, Any] = {"python": platform.python_version(), "times": given.times}
    for name, one in cases().items():
        found[name] = {
            "svg": summed(timed(lambda one=one: svg_of(one), given.times)),  # type: ignore[misc]
            "png": summed(timed(lambda one=one: png.draw(one), given.times)),  # type: ignore[misc]
            "cpu": summed(
                timed(lambda one=one: png_of(svg_of(one)), given.times, time.process_time)
            ),  # type: ignore[misc]
            "bytes": len(png.draw(one)),
        }
    if given.prometheus:
        found["three questions"] = summed(asyncio.run(questions(given.prometheus, given.times)))
    png.close()
    found["cpu_within_300_ms"] = all(found[n]["cpu"]["slowest_ms"] < WITHIN_MS for n in cases())
    text = json.dumps(found, indent=2)
    print(text)
    if given.out:
        given.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
