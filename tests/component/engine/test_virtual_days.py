"""Hours of virtual time: nobody is forgotten, rung too often, or rung twice by a flap, and nothing is stuck."""

from __future__ import annotations

from benchmarks.virtual.run import run
from tests.databases import Sqlite


def test_a_stretch_of_the_virtual_month_has_no_fault(sqlite_server: Sqlite) -> None:
    report = run(sqlite_server.fresh(), days=0.4, seed=7, a_day=20)
    assert report.faults == [], report.lines
    assert any(line.startswith("rings: {'push'") for line in report.lines)
