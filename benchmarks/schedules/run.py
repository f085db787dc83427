"""How long schedules take: who is on call, a year of shifts, the next hand-off; near and far.

Knows the targets of 1.0 and prints one line per figure. Run it as
`python -m benchmarks.schedules.run` in the repository; it exits 1 if a figure misses its target.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from oncall_bot.core.rotations import Definition, next_handoff, on_call_at, parse_definition, shifts
from oncall_bot.core.rotations.walltime import gap_days
from oncall_bot.core.rotations.windows import odd_stretches

ANCHOR = datetime(2006, 1, 2, 9, tzinfo=UTC)
YEARS_LATER = timedelta(days=365 * 20)
PEOPLE = ["ana", "bo", "cy", "dee", "eli"]
OFFICE_HOURS = {"days": [1, 2, 3, 4, 5], "from": "09:00", "to": "17:00"}
NIGHTS = {"from": "18:00", "to": "08:00"}


def layer(
    unit: str, every: int = 1, zone: str = "Europe/Berlin", **more: object
) -> dict[str, object]:
    rotation = {"unit": unit, "every": every}
    return {
        "start": "2006-01-02T09:00", "zone": zone, "rotation": rotation, "users": PEOPLE, **more
    }  # fmt: skip


def schedule(*layers: dict[str, object]) -> Definition:
    return parse_definition({"zone": "Europe/Berlin", "layers": list(layers)})


SCHEDULES = {
    "one weekly rotation": schedule(layer("week")),
    "two rotations (weekly, daily in office hours)": schedule(
        layer("week"), layer("day", restrictions=[OFFICE_HOURS])
    ),
    "three layers (weekly, office hours, nights by window)": schedule(
        layer("week"),
        layer("day", zone="America/New_York", restrictions=[OFFICE_HOURS]),
        layer("window", restrictions=[NIGHTS]),
    ),
    "hourly": schedule(layer("hour")),
}
TWO, THREE = list(SCHEDULES)[1:3]


@dataclass(frozen=True)
class Figure:
    what: str
    seconds: float
    target: float | None = None

    @property
    def missed(self) -> bool:
        return self.target is not None and self.seconds > self.target

    def __str__(self) -> str:
        aim = "" if self.target is None else f"  (target {self.target * 1e3:g} ms)"
        return f"{self.what}: {self.seconds * 1e3:.3f} ms{aim}{'  MISSED' if self.missed else ''}"


def median_of(act: Callable[[int], object], rounds: int) -> float:
    """The median of `rounds` calls; each gets its number, so that no two ask the same."""
    took = []
    for number in range(rounds):
        begun = time.perf_counter()
        act(number)
        took.append(time.perf_counter() - begun)
    return statistics.median(took)


def who(definition: Definition, since: timedelta) -> float:
    return median_of(
        lambda n: on_call_at(definition, ANCHOR + since + timedelta(minutes=37 * n)), 2_000
    )


def a_year(definition: Definition, since: timedelta, rounds: int = 15) -> float:
    begin = ANCHOR + since
    return median_of(
        lambda n: shifts(definition, begin + timedelta(days=n), begin + timedelta(days=365 + n)),
        rounds,
    )


def cold(definition: Definition) -> float:
    def ask(_: int) -> str | None:
        gap_days.cache_clear()
        odd_stretches.cache_clear()
        return on_call_at(definition, ANCHOR + YEARS_LATER + timedelta(hours=12))

    return median_of(ask, 15)


def figures() -> list[Figure]:
    near, found = timedelta(days=30), []
    for name, definition in SCHEDULES.items():
        soon, late = who(definition, near), who(definition, YEARS_LATER)
        found.append(Figure(f"who at T, {name}, 30 days after the anchor", soon, 0.001))
        found.append(Figure(f"who at T, {name}, 20 years after ({late / soon:.2f} x)", late, 0.001))
    for name, definition in SCHEDULES.items():
        target = 0.010 if name == TWO else 0.200 if name == THREE else None
        soon, late = a_year(definition, near), a_year(definition, YEARS_LATER)
        found.append(Figure(f"a year, {name}", soon, target))
        found.append(Figure(f"a year, {name}, 20 years after ({late / soon:.2f} x)", late, target))
    hand_off = median_of(
        lambda n: next_handoff(SCHEDULES[TWO], ANCHOR + YEARS_LATER + timedelta(hours=n)), 500
    )
    found.append(Figure("next hand-off, two rotations, 20 years after", hand_off, 0.001))
    found.append(
        Figure("who at T, three layers, 20 years after, no memory", cold(SCHEDULES[THREE]))
    )
    return found


def main() -> int:
    measured = figures()
    for figure in measured:
        print(figure)
    return int(any(figure.missed for figure in measured))


if __name__ == "__main__":
    sys.exit(main())
