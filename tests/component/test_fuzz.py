"""A few thousand changed bodies at every door, as `python -m benchmarks.fuzz` throws hundreds of thousands."""

from __future__ import annotations

import pytest

from benchmarks.fuzz.doors import DOORS
from benchmarks.fuzz.throwing import throw

BODIES = {"webhook": 600, "slack": 150, "ack": 300, "signin": 400, "ical": 600, "phone": 300}


def test_every_door_has_its_sample() -> None:
    assert BODIES.keys() == DOORS.keys()


@pytest.mark.parametrize("name", sorted(DOORS))
async def test_no_body_breaks_a_door_or_stops_the_paging(name: str) -> None:
    figures = await throw(DOORS[name](), BODIES[name], seed=2026, batch=BODIES[name])
    assert [one.what for one in figures.findings] == []
    assert figures.bodies == BODIES[name]
    assert figures.ordinary == 1
